/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values themselves: settings, what was read, and what is made of them.
 */
#include "fill.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "hairpin/secret.h"
#include "hash.h"
#include "moment.h"

void fill_init(struct fill *fill, const struct catalogue *catalogue,
	       const struct provider_value *settings, size_t setting_count)
{
	memset(fill, 0, sizeof(*fill));
	fill->catalogue = catalogue;
	fill->settings = settings;
	fill->setting_count = setting_count;
}

static void wipe_reads(struct fill *fill)
{
	for (size_t i = 0; i < fill->read_count; i++)
		secret_free(fill->reads[i].value);
	fill->read_count = 0;
}

void fill_done(struct fill *fill)
{
	wipe_reads(fill);
	for (size_t i = 0; i < CATALOGUE_VALUES_MAX; i++)
		secret_free(fill->values[i]);
	free(fill->hostnames);
	free(fill->page);
	memset(fill, 0, sizeof(*fill));
}

/* --- looking up --- */

static const char *not_empty(const char *text)
{
	return *text ? text : NULL;
}

static const char *address_text(const struct fill *fill)
{
	if (!addr_is_none(&fill->ipv4) && !addr_is_none(&fill->ipv6))
		return NULL;
	return not_empty(addr_is_none(&fill->ipv6) ? fill->ipv4_text : fill->ipv6_text);
}

static const char *type_text(const struct fill *fill)
{
	if (!address_text(fill))
		return NULL;
	return addr_is_none(&fill->ipv6) ? "A" : "AAAA";
}

static const char *owner_or_empty(const struct fill *fill)
{
	return strcmp(fill->owner, "@") == 0 ? "" : not_empty(fill->owner);
}

/* What every description may use. False: no such name. */
static bool find_built_in(const struct fill *fill, const char *name,
			  const char **ret_value)
{
	const struct {
		const char *name, *value;
	} known[] = {
		{ "hostname", fill->name_count > 0 ? fill->names[0].hostname : NULL },
		{ "hostnames", fill->hostnames },
		{ "owner", not_empty(fill->owner) },
		{ "owner_or_empty", owner_or_empty(fill) },
		{ "ip", address_text(fill) },
		{ "ipv4", not_empty(fill->ipv4_text) },
		{ "ipv6", not_empty(fill->ipv6_text) },
		{ "rrtype", type_text(fill) },
		{ "page", fill->page },
		{ "unix_time", not_empty(fill->unix_time) },
		{ "iso_time", not_empty(fill->iso_time) },
		{ "http_date", not_empty(fill->http_date) },
		{ "uuid", not_empty(fill->uuid) },
		{ "nonce", not_empty(fill->nonce) },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		*ret_value = known[i].value;
		return true;
	}
	return false;
}

static const char *find_read(const struct fill *fill, const char *name)
{
	for (size_t i = 0; i < fill->read_count; i++)
		if (strcmp(fill->reads[i].name, name) == 0)
			return fill->reads[i].value;
	return NULL;
}

static const char *setting_value(const struct fill *fill,
				 const struct catalogue_setting *setting)
{
	for (size_t i = 0; i < fill->setting_count; i++)
		if (strcmp(fill->settings[i].name, setting->name) == 0)
			return fill->settings[i].value;
	if (setting->fallback)
		return setting->fallback;
	return setting->required ? NULL : "";
}

/* False: no such setting. */
static bool find_setting(const struct fill *fill, const char *name,
			 const char **ret_value)
{
	const struct catalogue *catalogue = fill->catalogue;

	for (size_t i = 0; i < catalogue->setting_count; i++) {
		if (strcmp(catalogue->settings[i].name, name) != 0)
			continue;
		*ret_value = setting_value(fill, &catalogue->settings[i]);
		return true;
	}
	return false;
}

static bool is_read(const struct fill *fill, const char *name)
{
	for (size_t i = 0; i < fill->catalogue->step_count; i++) {
		const struct catalogue_step *step = &fill->catalogue->steps[i];

		for (size_t k = 0; k < step->read_count; k++)
			if (strcmp(step->reads[k].name, name) == 0)
				return true;
	}
	return false;
}

const char *fill_find(const struct fill *fill, const char *name)
{
	const char *value = NULL, *read;

	if (find_built_in(fill, name, &value))
		return value;
	if (find_setting(fill, name, &value) && value && *value)
		return value;
	read = find_read(fill, name);
	if (read)
		return read;
	for (size_t i = 0; i < fill->catalogue->value_count; i++)
		if (strcmp(fill->catalogue->values[i].name, name) == 0)
			return fill->values[i];
	/* A setting that a look fills has no value where the look found none. */
	return value && is_read(fill, name) ? NULL : value;
}

bool fill_knows(const struct fill *fill, const char *name)
{
	const char *value = fill_find(fill, name);

	return value && *value;
}

/* --- what is made of others --- */

/* The length of the name below the zone; `zone` may end with a dot. */
static bool below_zone(const char *hostname, const char *zone, size_t *ret_length)
{
	size_t length = strlen(hostname), zone_length = strlen(zone), below;

	if (zone_length > 0 && zone[zone_length - 1] == '.')
		zone_length--;
	if (zone_length == 0 || zone_length > length)
		return false;
	below = length - zone_length;
	if (strncasecmp(hostname + below, zone, zone_length) != 0)
		return false;
	if (below > 0 && hostname[below - 1] != '.')
		return false;
	*ret_length = below > 0 ? below - 1 : 0;
	return true;
}

static void make_owner(struct fill *fill)
{
	const char *zone = find_read(fill, "zone"), *hostname;
	size_t length;

	fill->owner[0] = '\0';
	if (fill->name_count == 0)
		return;
	hostname = fill->names[0].hostname;
	if (!zone || !*zone)
		zone = fill_find(fill, "domain");
	if (!zone || !below_zone(hostname, zone, &length) ||
	    length >= sizeof(fill->owner))
		return;
	memcpy(fill->owner, hostname, length);
	fill->owner[length] = '\0';
	if (length == 0)
		strcpy(fill->owner, "@");
}

bool fill_is_apex(const struct fill *fill)
{
	return strcmp(fill->owner, "@") == 0;
}

/* The one of a value's templates that holds for this request; NULL: none does. */
static const char *value_template(const struct fill *fill,
				  const struct catalogue_value *value)
{
	switch (value->form) {
	case CATALOGUE_FIXED:
	case CATALOGUE_FIRST:
	case CATALOGUE_DIGEST:
		break;
	case CATALOGUE_BY_FAMILY:
		if (!address_text(fill))
			return NULL;
		return value->templates[addr_is_none(&fill->ipv6) ? 0 : 1];
	case CATALOGUE_BY_APEX:
		if (!fill->owner[0])
			return NULL;
		return value->templates[fill_is_apex(fill) ? 0 : 1];
	}
	return value->templates[0];
}

static char *make_value(const struct fill *fill, const struct catalogue_value *value)
{
	const char *template = value_template(fill, value);
	const char *pieces[] = { NULL, NULL };
	char hex[HASH_HEX_BYTES], *made;
	struct hash hash;
	int r;

	if (!template || fill_new(fill, template, PLACE_PLAIN, &made, NULL) < 0)
		made = NULL;
	if (value->form == CATALOGUE_FIRST && (!made || !*made)) {
		free(made);
		if (fill_new(fill, value->templates[1], PLACE_PLAIN, &made, NULL) < 0)
			made = NULL;
	}
	if (!made || value->form != CATALOGUE_DIGEST)
		return made;
	pieces[0] = made;
	r = hash_digest(value->digest, pieces, &hash);
	secret_free(made);
	made = r == 0 ? strdup(hash_hex(&hash, hex)) : NULL;
	secret_wipe(hex, sizeof(hex));
	return made;
}

/* In their order, so that one may be made of those before it. */
static void make_values(struct fill *fill)
{
	const struct catalogue *catalogue = fill->catalogue;

	make_owner(fill);
	for (size_t i = 0; i < catalogue->value_count; i++) {
		secret_free(fill->values[i]);
		fill->values[i] = NULL;
	}
	for (size_t i = 0; i < catalogue->value_count; i++)
		fill->values[i] = make_value(fill, &catalogue->values[i]);
}

/* --- telling --- */

static void make_hostnames(struct fill *fill)
{
	struct text text = TEXT_INIT;

	for (size_t i = 0; i < fill->name_count; i++) {
		if (i > 0)
			text_add_char(&text, ',');
		text_add(&text, fill->names[i].hostname);
	}
	free(fill->hostnames);
	fill->hostnames = text_take(&text);
	if (!fill->hostnames)
		fill->failed = true;
}

void fill_set_names(struct fill *fill, const struct fill_name *names, size_t count)
{
	fill->names = names;
	fill->name_count = count;
	memset(&fill->ipv4, 0, sizeof(fill->ipv4));
	memset(&fill->ipv6, 0, sizeof(fill->ipv6));
	if (count > 0) {
		fill->ipv4 = names[0].ipv4;
		fill->ipv6 = names[0].ipv6;
	}
	addr_format(&fill->ipv4, fill->ipv4_text);
	addr_format(&fill->ipv6, fill->ipv6_text);
	make_hostnames(fill);
	make_values(fill);
}

void fill_set_moment(struct fill *fill, const struct provider_moment *moment)
{
	moment_unix(moment, fill->unix_time);
	moment_iso(moment, fill->iso_time);
	moment_http(moment, fill->http_date);
	moment_uuid(moment, fill->uuid);
	moment_nonce(moment, fill->nonce);
	make_values(fill);
}

void fill_set_page(struct fill *fill, const char *page)
{
	char *copy = page ? strdup(page) : NULL;

	if (page && !copy)
		fill->failed = true;
	free(fill->page);
	fill->page = copy;
	make_values(fill);
}

static void drop_read(struct fill *fill, const char *name)
{
	for (size_t i = 0; i < fill->read_count; i++) {
		if (strcmp(fill->reads[i].name, name) != 0)
			continue;
		secret_free(fill->reads[i].value);
		fill->reads[i] = fill->reads[--fill->read_count];
		return;
	}
}

static bool add_read(struct fill *fill, const char *name, const char *value)
{
	struct fill_read *read = &fill->reads[fill->read_count];

	if (fill->read_count == FILL_READS_MAX || strlen(value) > FILL_READ_BYTES ||
	    !text_copy(read->name, sizeof(read->name), name))
		return false;
	read->value = strdup(value);
	if (!read->value) {
		fill->failed = true;
		return false;
	}
	fill->read_count++;
	return true;
}

bool fill_set_read(struct fill *fill, const char *name, const char *value)
{
	bool fine;

	drop_read(fill, name);
	fine = !value || add_read(fill, name, value);
	make_values(fill);
	return fine;
}

void fill_forget_reads(struct fill *fill)
{
	wipe_reads(fill);
	make_values(fill);
}
