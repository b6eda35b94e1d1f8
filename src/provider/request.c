/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "hairpin/secret.h"

/* --- URL --- */

/*
 * The setting of kind "server" that is the URL's whole authority, so that users choose
 * it.
 */
static bool authority_is_setting(const struct catalogue *catalogue, const char *url)
{
	if (strncmp(url, "https://{", 9) != 0)
		return false;
	url += 9;
	for (size_t i = 0; i < catalogue->setting_count; i++) {
		const struct catalogue_setting *setting = &catalogue->settings[i];
		size_t length = strlen(setting->name);

		if (setting->kind == CATALOGUE_SERVER &&
		    strncmp(url, setting->name, length) == 0 && url[length] == '}')
			return true;
	}
	return false;
}

static int make_url(const struct fill *fill, const char *template, bool insecure,
		    struct provider_request *request, struct err *ret_err)
{
	char *url;
	int r = fill_new(fill, template, PLACE_URL, &url, ret_err);

	if (r < 0)
		return r;
	request->url = url;
	if (insecure && authority_is_setting(fill->catalogue, template))
		memmove(url + strlen("http"), url + strlen("https"),
			strlen(url + strlen("https")) + 1);
	if (strncmp(url, "https://", 8) == 0)
		return 0;
	if (strncmp(url, "http://", 7) != 0)
		return err_set(ret_err, -EINVAL, "the URL is no https:// URL");
	if (!insecure)
		return err_set(ret_err, -EINVAL,
			       "plain HTTP is refused without insecure_http");
	return 0;
}

char *request_url_beside(const char *url, const char *location)
{
	const char *scheme_end = strstr(url, "://");
	size_t authority, bytes = strlen(location);
	char *target;

	if (!scheme_end)
		return NULL;
	authority = (size_t)(scheme_end - url) + 3;
	authority += strcspn(url + authority, "/?#");
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

char *provider_redirect(const char *url, const char *location)
{
	if (strncmp(url, "https://", 8) != 0)
		return NULL;
	return request_url_beside(url, location);
}

/* --- headers and body --- */

static int make_header(const struct fill *fill, const struct catalogue_pair *pair,
		       struct provider_request *request, struct err *ret_err)
{
	char *value, *header;
	int r = fill_new(fill, pair->value, PLACE_PLAIN, &value, ret_err);
	size_t bytes;

	if (r < 0)
		return r;
	bytes = strlen(pair->name) + strlen(value) + sizeof(": ");
	header = malloc(bytes);
	if (header)
		snprintf(header, bytes, "%s: %s", pair->name, value);
	secret_free(value);
	if (!header)
		return err_set(ret_err, -ENOMEM, "no memory for a request");
	request->headers[request->header_count++] = header;
	return 0;	/* NOLINT(*Malloc): it is in the request */
}

static const struct {
	const char *name, *header;
	enum place place;
} body_types[] = {
	{ "form", "Content-Type: application/x-www-form-urlencoded", PLACE_FORM },
	{ "json", "Content-Type: application/json", PLACE_JSON },
	{ "xml", "Content-Type: text/xml; charset=utf-8", PLACE_XML },
	{ "text", "Content-Type: text/plain", PLACE_PLAIN },
};

static size_t body_type_of(const struct catalogue_step *step)
{
	size_t last = sizeof(body_types) / sizeof(body_types[0]) - 1;

	for (size_t i = 0; i < last; i++)
		if (strcmp(body_types[i].name, step->body_type) == 0)
			return i;
	return last;
}

static int add_content_type(const struct catalogue_step *step, const char *header,
			    struct provider_request *request, struct err *ret_err)
{
	char *copy;

	for (size_t i = 0; i < step->header_count; i++)
		if (strcasecmp(step->headers[i].name, "Content-Type") == 0)
			return 0;
	copy = strdup(header);
	if (!copy)
		return err_set(ret_err, -ENOMEM, "no memory for a request");
	request->headers[request->header_count++] = copy;
	return 0;
}

/* One record of `each`: `fill` speaks of nothing else meanwhile. */
static int add_each(struct fill *fill, const struct catalogue_step *step,
		    const struct fill_name *record, struct text *out, struct err *ret_err)
{
	enum place place = body_types[body_type_of(step)].place;
	const char *join = step->join ? step->join : place == PLACE_JSON ? "," : "";

	fill_set_names(fill, record, 1);
	if (out->length > 0)
		text_add(out, join);
	return fill_template(fill, step->each, place, out, ret_err);
}

static int fill_records(struct fill *fill, const struct catalogue_step *step,
			struct text *out, struct err *ret_err)
{
	const struct fill_name *names = fill->names;
	size_t count = fill->name_count;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		struct fill_name v4 = { names[i].hostname, .ipv4 = names[i].ipv4 };
		struct fill_name v6 = { names[i].hostname, .ipv6 = names[i].ipv6 };

		if (!addr_is_none(&v4.ipv4))
			r = add_each(fill, step, &v4, out, ret_err);
		if (r == 0 && !addr_is_none(&v6.ipv6))
			r = add_each(fill, step, &v6, out, ret_err);
	}
	fill_set_names(fill, names, count);
	return r;
}

static int make_body(struct fill *fill, const struct catalogue_step *step,
		     struct provider_request *request, struct err *ret_err)
{
	size_t type = body_type_of(step);
	struct text records = TEXT_INIT;
	int r = 0;

	if (!step->body)
		return 0;
	if (step->each)
		r = fill_records(fill, step, &records, ret_err);
	if (r == 0 && records.failed)
		r = err_set(ret_err, -ENOMEM, "no memory for a request");
	if (r == 0) {
		fill->each = step->each ? records.bytes : NULL;
		r = fill_new(fill, step->body, body_types[type].place, &request->body,
			     ret_err);
		fill->each = NULL;
	}
	if (records.room > 0)
		secret_wipe(records.bytes, records.room);
	text_done(&records);
	if (r < 0)
		return r;
	return add_content_type(step, body_types[type].header, request, ret_err);
}

static int make_basic(const struct fill *fill, const struct catalogue_step *step,
		      struct provider_request *request, struct err *ret_err)
{
	const struct catalogue *catalogue = fill->catalogue;
	int r;

	if (!catalogue->basic_user || step->no_basic)
		return 0;
	r = fill_new(fill, catalogue->basic_user, PLACE_PLAIN, &request->user, ret_err);
	if (r < 0 || !catalogue->basic_password)
		return r;
	return fill_new(fill, catalogue->basic_password, PLACE_PLAIN, &request->password,
			ret_err);
}

/* --- all of it --- */

/* The family to go by, where the server looks at where the request comes from. */
static int connection_family(const struct fill *fill)
{
	if (!fill->catalogue->by_connection || addr_is_none(&fill->ipv4) ==
						       addr_is_none(&fill->ipv6))
		return 0;
	return addr_is_none(&fill->ipv6) ? AF_INET : AF_INET6;
}

static int make_url_given(const char *url, struct provider_request *request,
			  struct err *ret_err)
{
	request->url = strdup(url);
	return request->url ? 0 : err_set(ret_err, -ENOMEM, "no memory for a request");
}

int request_make(struct fill *fill, const struct catalogue_step *step, const char *url,
		 bool insecure_http, struct provider_request *ret_request,
		 struct err *ret_err)
{
	struct provider_request request = { 0 };
	int r;

	text_copy(request.method, sizeof(request.method), step->method);
	request.family = connection_family(fill);
	request.looks = step->does == CATALOGUE_LOOK;
	if (url)
		r = make_url_given(url, &request, ret_err);
	else
		r = make_url(fill, step->url, insecure_http, &request, ret_err);
	for (size_t i = 0; r == 0 && i < step->header_count; i++)
		r = make_header(fill, &step->headers[i], &request, ret_err);
	if (r == 0)
		r = make_body(fill, step, &request, ret_err);
	if (r == 0)
		r = make_basic(fill, step, &request, ret_err);
	if (r == 0 && fill->failed)
		r = err_set(ret_err, -ENOMEM, "no memory for a request");
	if (r < 0) {
		provider_request_done(&request);
		return r;
	}
	*ret_request = request;
	return 0;
}

void provider_request_done(struct provider_request *request)
{
	secret_free(request->url);
	for (size_t i = 0; i < request->header_count; i++)
		secret_free(request->headers[i]);
	secret_free(request->body);
	secret_free(request->user);
	secret_free(request->password);
	secret_free(request->aws_sigv4);
	memset(request, 0, sizeof(*request));
}
