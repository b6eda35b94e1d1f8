/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hairpin/provider.h"
#include "hairpin/secret.h"
#include "hairpin/text.h"
#include "place.h"

/* A template on its way into text: whose values, which place, what went wrong. */
struct filling {
	const struct catalogue *catalogue;
	const struct catalogue_step *step;	/* NULL: Basic authentication */
	const struct provider_update *update;
	enum place place;
	struct err *err;
};

const struct catalogue_step *provider_step(const struct catalogue *catalogue,
					   bool ipv4, bool ipv6)
{
	enum catalogue_family wanted = ipv4 && ipv6 ? CATALOGUE_DUAL :
				       ipv4 ? CATALOGUE_IPV4 : CATALOGUE_IPV6;
	const struct catalogue_step *any = NULL;

	if (!ipv4 && !ipv6)
		return NULL;
	for (size_t i = 0; i < catalogue->step_count; i++) {
		const struct catalogue_step *step = &catalogue->steps[i];

		if (step->family == wanted)
			return step;
		if (step->family == CATALOGUE_ANY && wanted != CATALOGUE_DUAL && !any)
			any = step;
	}
	return any;
}

static bool is_name_byte(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (!first && ((c >= '0' && c <= '9') || c == '_'));
}

/* The length of the NAME of "{NAME}" at `text`, 0: that is no placeholder. */
static size_t placeholder_length(const char *text)
{
	size_t length = 0;

	while (is_name_byte(text[1 + length], length == 0))
		length++;
	return length > 0 && text[1 + length] == '}' ? length : 0;
}

static const struct addr *only_address(const struct provider_update *update)
{
	return addr_is_none(&update->ipv6) ? &update->ipv4 : &update->ipv6;
}

/* The values every description may use; NULL: not one of them, or not there. */
static const char *built_in(const struct filling *f, const char *name,
			    char room[ADDR_TEXT_BYTES])
{
	const struct provider_update *update = f->update;
	const struct addr *address = NULL;

	if (strcmp(name, "hostname") == 0)
		return update->hostnames[0];
	if (strcmp(name, "rrtype") == 0)
		return only_address(update)->family == AF_INET6 ? "AAAA" : "A";
	if (strcmp(name, "ip") == 0)
		address = only_address(update);
	else if (strcmp(name, "ipv4") == 0)
		address = &update->ipv4;
	else if (strcmp(name, "ipv6") == 0)
		address = &update->ipv6;
	if (!address || addr_is_none(address))
		return NULL;
	return addr_format(address, room);
}

static const struct catalogue_setting *setting_find(const struct catalogue *catalogue,
						    const char *name)
{
	for (size_t i = 0; i < catalogue->setting_count; i++)
		if (strcmp(catalogue->settings[i].name, name) == 0)
			return &catalogue->settings[i];
	return NULL;
}

static const char *setting_value(const struct filling *f,
				 const struct catalogue_setting *setting)
{
	for (size_t i = 0; i < f->update->setting_count; i++)
		if (strcmp(f->update->settings[i].name, setting->name) == 0)
			return f->update->settings[i].value;
	if (setting->fallback)
		return setting->fallback;
	return setting->required ? NULL : "";
}

static int add_value(const struct filling *f, enum place place, const char *name,
		     const char *value, struct text *out)
{
	if (place_add(out, place, value))
		return 0;
	return err_set(f->err, -EINVAL, "the value of \"%s\" holds a control character",
		       name);
}

static int add_hostnames(const struct filling *f, enum place place, struct text *out)
{
	for (size_t i = 0; i < f->update->hostname_count; i++) {
		if (i > 0 && !place_add(out, place, ","))
			return -EINVAL;
		if (!place_add(out, place, f->update->hostnames[i]))
			return err_set(f->err, -EINVAL,
				       "a host name holds a control character");
	}
	return 0;
}

static int add_placeholder(const struct filling *f, const char *name, struct text *out)
{
	/*
	 * Addresses and checked names have an alphabet of their own that a URL may
	 * show.
	 */
	enum place known = f->place == PLACE_URL ? PLACE_URL_KNOWN : f->place;
	const struct catalogue_setting *setting;
	char room[ADDR_TEXT_BYTES];
	const char *value;

	if (strcmp(name, "hostnames") == 0)
		return add_hostnames(f, known, out);
	value = built_in(f, name, room);
	if (value)
		return add_value(f, known, name, value, out);
	setting = setting_find(f->catalogue, name);
	value = setting ? setting_value(f, setting) : NULL;
	if (!value)
		return err_set(f->err, -EINVAL, "nothing is known for {%s}", name);
	if (setting->kind == CATALOGUE_SERVER && f->place == PLACE_URL)
		return add_value(f, PLACE_PLAIN, name, value, out);
	return add_value(f, f->place, name, value, out);
}

static int fill(const struct filling *f, const char *template, struct text *out)
{
	while (*template) {
		size_t length = *template == '{' ? placeholder_length(template) : 0;
		char name[CATALOGUE_NAME_BYTES];
		int r;

		if (length == 0) {
			text_add_char(out, *template++);
			continue;
		}
		if (length >= sizeof(name))
			return err_set(f->err, -EINVAL,
				       "a placeholder's name is too long");
		memcpy(name, template + 1, length);
		name[length] = '\0';
		r = add_placeholder(f, name, out);
		if (r < 0)
			return r;
		template += length + 2;
	}
	return 0;
}

/*
 * realloc() leaves copies behind, and these would hold secrets: a filled template begins
 * with more room than all but monstrous ones need.
 */
static void text_make_room(struct text *text)
{
	static const char nothing[4096];

	for (int i = 0; i < 4; i++)
		text_add_bytes(text, nothing, sizeof(nothing));
	text_clear(text);
}

/* Fills a template into a string of its own behind `prefix`; NULL template: NULL. */
static int fill_new(const struct filling *f, const char *prefix, const char *template,
		    char **ret_string)
{
	struct text filled = TEXT_INIT;
	char *copy = NULL;
	int r;

	if (!template)
		return 0;
	text_make_room(&filled);
	text_add(&filled, prefix);
	r = fill(f, template, &filled);
	if (r == 0 && !filled.failed)
		copy = strdup(filled.bytes);
	if (r == 0 && !copy)
		r = err_set(f->err, -ENOMEM, "no memory for a request");
	if (filled.room > 0)
		secret_wipe(filled.bytes, filled.room);
	text_done(&filled);
	if (r == 0)
		*ret_string = copy;
	return r;
}

static enum place body_place(const char *body_type)
{
	if (strcmp(body_type, "form") == 0)
		return PLACE_FORM;
	return strcmp(body_type, "json") == 0 ? PLACE_JSON : PLACE_PLAIN;
}

static const char *body_content_type(const char *body_type)
{
	if (strcmp(body_type, "form") == 0)
		return "Content-Type: application/x-www-form-urlencoded";
	return strcmp(body_type, "json") == 0 ? "Content-Type: application/json"
					      : "Content-Type: text/plain";
}

/*
 * The setting of kind "server" that is the URL's whole authority, so that users choose
 * it.
 */
static bool authority_is_setting(const struct catalogue *catalogue, const char *url)
{
	const struct catalogue_setting *setting;
	char name[CATALOGUE_NAME_BYTES];
	size_t length;

	if (strncmp(url, "https://{", 9) != 0)
		return false;
	url += 8;
	length = placeholder_length(url);
	if (length == 0 || length >= sizeof(name))
		return false;
	memcpy(name, url + 1, length);
	name[length] = '\0';
	setting = setting_find(catalogue, name);
	return setting && setting->kind == CATALOGUE_SERVER;
}

static int make_url(struct filling *f, struct provider_request *request)
{
	const char *template = f->step->url;
	bool insecure = f->update->insecure_http;

	f->place = PLACE_URL;
	if (strncmp(template, "http://", 7) == 0 && !insecure)
		return err_set(f->err, -EINVAL,
			       "plain HTTP is refused without insecure_http");
	if (insecure && authority_is_setting(f->catalogue, template))
		return fill_new(f, "http://", template + strlen("https://"),
				&request->url);
	return fill_new(f, "", template, &request->url);
}

static int make_header(struct filling *f, const struct catalogue_pair *pair,
		       struct provider_request *request)
{
	char prefix[256];
	int r, bytes = snprintf(prefix, sizeof(prefix), "%s: ", pair->name);

	if (bytes < 0 || (size_t)bytes >= sizeof(prefix))
		return err_set(f->err, -EINVAL, "a header's name is too long");
	f->place = PLACE_PLAIN;
	r = fill_new(f, prefix, pair->value, &request->headers[request->header_count]);
	if (r == 0)
		request->header_count++;
	return r;
}

static int make_body(struct filling *f, struct provider_request *request)
{
	char *type;
	int r;

	if (!f->step->body)
		return 0;
	f->place = body_place(f->step->body_type);
	r = fill_new(f, "", f->step->body, &request->body);
	if (r < 0)
		return r;
	for (size_t i = 0; i < f->step->header_count; i++)
		if (strcasecmp(f->step->headers[i].name, "Content-Type") == 0)
			return 0;
	type = strdup(body_content_type(f->step->body_type));
	if (!type)
		return err_set(f->err, -ENOMEM, "no memory for a request");
	request->headers[request->header_count++] = type;
	return 0;
}

static int make_basic(struct filling *f, struct provider_request *request)
{
	int r;

	if (!f->catalogue->basic_user)
		return 0;
	f->place = PLACE_PLAIN;
	r = fill_new(f, "", f->catalogue->basic_user, &request->user);
	if (r < 0)
		return r;
	if (!f->catalogue->basic_password)
		return 0;
	return fill_new(f, "", f->catalogue->basic_password, &request->password);
}

int provider_request_make(const struct catalogue *catalogue,
			  const struct catalogue_step *step,
			  const struct provider_update *update,
			  struct provider_request *ret_request, struct err *ret_err)
{
	struct filling f = { .catalogue = catalogue, .step = step, .update = update,
			     .err = ret_err };
	struct provider_request request = { 0 };
	int r;

	text_copy(request.method, sizeof(request.method), step->method);
	r = make_url(&f, &request);
	for (size_t i = 0; r == 0 && i < step->header_count; i++)
		r = make_header(&f, &step->headers[i], &request);
	if (r == 0)
		r = make_body(&f, &request);
	if (r == 0)
		r = make_basic(&f, &request);
	if (r < 0) {
		provider_request_done(&request);
		return r;
	}
	*ret_request = request;
	return 0;
}

static void wipe_free(char *string)
{
	if (string)
		secret_wipe(string, strlen(string));
	free(string);
}

void provider_request_done(struct provider_request *request)
{
	wipe_free(request->url);
	for (size_t i = 0; i < request->header_count; i++)
		wipe_free(request->headers[i]);
	wipe_free(request->body);
	wipe_free(request->user);
	wipe_free(request->password);
	memset(request, 0, sizeof(*request));
}

char *provider_redirect(const char *url, const char *location)
{
	size_t authority, bytes;
	char *target;

	if (strncmp(url, "https://", 8) != 0)
		return NULL;
	authority = 8 + strcspn(url + 8, "/?#");
	bytes = strlen(location);
	for (size_t i = 0; i < bytes; i++)
		if ((unsigned char)location[i] <= 0x20 || location[i] == 0x7f ||
		    location[i] == '\\')
			return NULL;
	if (strncasecmp(location, url, authority) == 0 &&
	    strchr("/?#", location[authority]))
		return strdup(location);
	if (location[0] != '/' || location[1] == '/')
		return NULL;
	target = malloc(authority + bytes + 1);
	if (!target)
		return NULL;
	memcpy(target, url, authority);
	memcpy(target + authority, location, bytes + 1);
	return target;
}
