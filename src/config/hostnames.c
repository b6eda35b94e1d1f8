/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "entry.h"

enum { BOTH = CONFIG_IPV4 | CONFIG_IPV6 };

static size_t hostnames_total(const struct config *config)
{
	size_t total = 0;

	for (size_t i = 0; i < config->provider_count; i++)
		total += config->providers[i].hostname_count;
	return total;
}

static bool is_ascii(const char *string)
{
	for (; *string; string++)
		if ((unsigned char)*string >= 0x80)
			return false;
	return true;
}

/* Lower case, without the root's dot. */
static bool normalise(char out[CONFIG_HOSTNAME_BYTES], const char *string)
{
	size_t length = strlen(string);
	char copy[CONFIG_HOSTNAME_BYTES + 1];

	if (!text_copy(copy, sizeof copy, string))
		return false;
	if (length > 1 && copy[length - 1] == '.')
		copy[length - 1] = '\0';
	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text_is_hostname(copy) && text_copy(out, CONFIG_HOSTNAME_BYTES, copy);
}

static bool read_name(struct reading *reading, const struct json *value, char *out)
{
	const char *string = schema_string(reading, value, "\"home.example.org\"");

	if (!string)
		return false;
	if (!is_ascii(string)) {
		reading_error(reading, value,
			      "\"%s\" is not in ASCII; write its punycode form, "
			      "xn--..., as `idn2 NAME` prints it",
			      shown(string).text);
		return false;
	}
	if (!normalise(out, string)) {
		reading_error(reading, value,
			      "\"%s\" is no full host name; write it with its "
			      "domain, as \"home.example.org\"",
			      shown(string).text);
		return false;
	}
	return true;
}

static void read_suffix(struct reading *reading, const struct json *value, void *target,
			const struct schema_field *field)
{
	const char *string = schema_string(reading, value, "\"::10\"");
	struct addr suffix;

	(void)field;
	if (!string)
		return;
	if (!addr_parse(string, &suffix) || suffix.family != AF_INET6 ||
	    addr_is_unspecified(&suffix))
		reading_error(reading, value,
			      "\"%s\" is no end of an IPv6 address; write the host's "
			      "low bits behind \"::\", as \"::10\" or "
			      "\"::211:22ff:fe33:4455\"",
			      shown(string).text);
	else
		*(struct addr *)target = suffix;
}

static void read_name_member(struct reading *reading, const struct json *value,
			     void *target, const struct schema_field *field)
{
	(void)field;
	(void)read_name(reading, value, target);
}

static const struct schema_field hostname_fields[] = {
	{ "name", read_name_member, offsetof(struct config_hostname, name), 0, 0 },
	{ "families", schema_families, offsetof(struct config_hostname, families), 0, 0 },
	{ "ipv6_suffix", read_suffix, offsetof(struct config_hostname, ipv6_suffix), 0, 0 },
	{ 0 },
};

static bool read_hostname(struct reading *reading, const struct json *item,
			  struct config_hostname *hostname)
{
	if (json_kind(item) != JSON_OBJECT)
		return read_name(reading, item, hostname->name);
	if (!json_get(item, "name"))
		reading_error(reading, item,
			      "\"name\" is missing; write the host's full name");
	schema_read(reading, item, hostname_fields, hostname);
	return hostname->name[0] != '\0';
}

void hostnames_read(struct reading *reading, const struct json *value, void *target,
		    const struct schema_field *field)
{
	struct config_provider *provider = ((struct entry *)target)->provider;
	size_t left = CONFIG_HOSTNAMES_MAX - hostnames_total(reading->config);
	const struct json *item = json_child(value);

	(void)field;
	if (!schema_expect(reading, value, JSON_ARRAY, "[\"home.example.org\"]"))
		return;
	if (!item)
		reading_error(reading, value,
			      "\"hostnames\" is empty; name at least one host");
	for (; item; item = json_next(item)) {
		struct config_hostname hostname = { 0 }, *place;

		if (left-- == 0) {
			reading_error(reading, item, "too many host names; at most %d",
				      CONFIG_HOSTNAMES_MAX);
			return;
		}
		if (!read_hostname(reading, item, &hostname))
			continue;
		place = reading_grow(reading, (void **)&provider->hostnames,
				     provider->hostname_count, sizeof *place);
		if (!place)
			return;
		*place = hostname;
		provider->hostname_count++;
	}
}

static unsigned families_of(const struct config_provider *provider,
			    const struct config_hostname *hostname)
{
	unsigned families = hostname->families ? hostname->families : provider->families;

	return families ? families : BOTH;
}

/* Two entries of one type are one provider where they speak to the same server. */
static bool is_same_provider(const struct config_provider *a,
			     const struct config_provider *b,
			     const struct catalogue *catalogue)
{
	if (strcmp(a->type, b->type) != 0)
		return false;
	for (size_t i = 0; i < catalogue->setting_count; i++) {
		const char *name = catalogue->settings[i].name;
		const struct config_setting *one = config_setting_find(a, name);
		const struct config_setting *other = config_setting_find(b, name);

		if (catalogue->settings[i].kind != CATALOGUE_SERVER &&
		    catalogue->settings[i].kind != CATALOGUE_URL)
			continue;
		if (!one || !other || strcmp(secret_reveal(&one->value),
					     secret_reveal(&other->value)) != 0)
			return false;
	}
	return true;
}

static bool is_twice(const struct config_provider *a, size_t count,
		     const struct config_provider *b,
		     const struct config_hostname *hostname)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(a->hostnames[i].name, hostname->name) == 0 &&
		    (families_of(a, &a->hostnames[i]) & families_of(b, hostname)))
			return true;
	return false;
}

/* Against the names before it in this entry, and against earlier entries. */
static void check_twice(struct reading *reading, const struct entry *entry, size_t index)
{
	const struct config_provider *provider = entry->provider;
	const struct config_hostname *hostname = &provider->hostnames[index];
	const struct json *place = json_get(entry->object, "hostnames");
	const struct config_provider *earlier = reading->config->providers;

	if (is_twice(provider, index, provider, hostname)) {
		reading_error(reading, place, "\"%s\" stands here twice; remove one",
			      hostname->name);
		return;
	}
	for (; entry->catalogue && earlier < provider; earlier++) {
		if (!is_same_provider(earlier, provider, entry->catalogue) ||
		    !is_twice(earlier, earlier->hostname_count, provider, hostname))
			continue;
		reading_error(reading, place,
			      "\"%s\" is already a name of the provider \"%s\"; "
			      "two entries would fight over it, remove one",
			      hostname->name, earlier->name);
		return;
	}
}

static const char *families_name(unsigned families)
{
	return families == BOTH		 ? "IPv4 and IPv6"
	       : families == CONFIG_IPV4 ? "IPv4"
					 : "IPv6";
}

/* Who gives a host's suffix wants that host's IPv6 address. */
static unsigned asked_of(const struct config_provider *provider,
			 const struct config_hostname *hostname)
{
	unsigned asked = hostname->families ? hostname->families : provider->families;

	return asked | (addr_is_none(&hostname->ipv6_suffix) ? 0 : CONFIG_IPV6);
}

static void check_families(struct reading *reading, const struct entry *entry,
			   size_t index)
{
	const struct config_provider *provider = entry->provider;
	const struct config_hostname *hostname = &provider->hostnames[index];
	const struct json *place = json_get(entry->object, "hostnames");
	const struct config_wan *wan = &reading->config->wans[provider->wan];
	unsigned asked = asked_of(provider, hostname);
	unsigned taken = provider->facts.families;
	unsigned given = (wan->ipv4 != CONFIG_OFF ? CONFIG_IPV4 : 0) |
			 (wan->ipv6 != CONFIG_OFF ? CONFIG_IPV6 : 0);

	if (asked & ~taken)
		reading_error(reading, place,
			      "\"%s\": %s takes %s only; change \"families\"",
			      hostname->name, provider->type, families_name(taken));
	else if (asked & ~given)
		reading_warning(reading, place,
				"\"%s\" asks for %s, but the WAN \"%s\" has it "
				"off; that record is never updated",
				hostname->name, families_name(asked & ~given), wan->name);
}

/* Where the name's suffix stands. */
static const struct json *suffix_place(const struct entry *entry, const char *name)
{
	const struct json *item = json_child(json_get(entry->object, "hostnames"));
	char found[CONFIG_HOSTNAME_BYTES];

	for (; item; item = json_next(item)) {
		const char *string = json_string(json_get(item, "name"));

		if (json_get(item, "ipv6_suffix") && string &&
		    normalise(found, string) && strcmp(found, name) == 0)
			return json_get(item, "ipv6_suffix");
	}
	return json_get(entry->object, "hostnames");
}

static void check_suffix(struct reading *reading, const struct entry *entry, size_t index)
{
	static const struct addr zero = { .family = AF_INET6 };
	const struct config_provider *provider = entry->provider;
	const struct config_hostname *hostname = &provider->hostnames[index];
	struct config_wan *wan = &reading->config->wans[provider->wan];
	unsigned named = hostname->families ? hostname->families : provider->families;
	const struct json *place;

	if (addr_is_none(&hostname->ipv6_suffix))
		return;
	place = suffix_place(entry, hostname->name);
	if (named && !(named & CONFIG_IPV6))
		reading_error(reading, place,
			      "\"%s\" leaves IPv6 out by its \"families\"; add \"ipv6\" "
			      "there, or leave \"ipv6_suffix\" out",
			      hostname->name);
	else if (entry->catalogue->by_connection)
		reading_error(reading, place,
			      "%s takes the address that the request comes from; it "
			      "cannot publish another host's, leave \"ipv6_suffix\" out",
			      provider->type);
	else if (!addr_same_prefix(&hostname->ipv6_suffix, &zero, wan->prefix_bits))
		reading_error(reading, place,
			      "the first %u bits are those of the WAN's prefix "
			      "(\"prefix_length\"); write only what comes behind them, as "
			      "\"::10\"",
			      wan->prefix_bits);
	else if (!wan->prefix_from[0] && wan->ipv6 != CONFIG_OFF)
		reading_warning(reading, place,
				"\"%s\" is put under the prefix of the WAN's own link, "
				"where hosts of a LAN seldom are; say \"prefix_from\": "
				"the LAN's interface, in \"ipv6\" of the WAN \"%s\"",
				hostname->name, wan->name);
	wan->has_hosts = wan->has_hosts || wan->ipv6 != CONFIG_OFF;
}

/* `domain` as the user wrote it: in any case, perhaps with the root's dot. */
static bool is_within(const char *hostname, const char *domain)
{
	size_t length = strlen(hostname), below = strlen(domain);

	if (below > 0 && domain[below - 1] == '.')
		below--;
	if (below == 0 || length < below)
		return false;
	hostname += length - below;
	return strncasecmp(hostname, domain, below) == 0 &&
	       (length == below || hostname[-1] == '.');
}

/* Descriptions that name the domain make requests about it alone. */
static void check_domain(struct reading *reading, const struct entry *entry,
			 const char *hostname)
{
	const struct config_setting *domain =
		config_setting_find(entry->provider, "domain");

	if (domain && !is_within(hostname, secret_reveal(&domain->value)))
		reading_error(reading, json_get(entry->object, "hostnames"),
			      "\"%s\" is not below the domain \"%s\"; give it an entry "
			      "of its own, with its own \"domain\"", hostname,
			      domain->is_secret ? "(hidden)"
						: shown(secret_reveal(&domain->value)).text);
}

static void check_wildcard(struct reading *reading, const struct entry *entry,
			   const char *hostname)
{
	if (hostname[0] == '*' && entry->catalogue->wildcard == CATALOGUE_WILDCARD_NO)
		reading_error(reading, json_get(entry->object, "hostnames"),
			      "\"%s\": %s takes no names with '*'; name each host",
			      hostname, entry->provider->type);
}

void hostnames_check(struct reading *reading, const struct entry *entry)
{
	for (size_t i = 0; i < entry->provider->hostname_count; i++) {
		check_twice(reading, entry, i);
		check_families(reading, entry, i);
		if (!entry->catalogue)
			continue;
		check_domain(reading, entry, entry->provider->hostnames[i].name);
		check_wildcard(reading, entry, entry->provider->hostnames[i].name);
		check_suffix(reading, entry, i);
	}
}
