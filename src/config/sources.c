/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a WAN's address of a family comes from: "ipv4" and "ipv6" of a WAN. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "excerpt.h"
#include "sections.h"

enum {
	AGREE_DEFAULT = 2,
	SERVER_BYTES = 254,
};

#ifdef HAIRPIN_UPNP
static const bool has_upnp = true;
#else
static const bool has_upnp;
#endif

/* One family's "source": a word, or an object that says more. */
struct source_draft {
	enum config_source from;
	bool keep;
	char prefix_from[IFNAMSIZ];
	long prefix_length;
	long agree;			/* 0: not said */
	struct config_outside outside;
	struct config_place dns;	/* as the user named it */
};

/* --- the services that are asked where the user names none --- */

/* Plain text over HTTPS, each by another operator. */
static const char *const urls4[] = {
	"https://ipv4.icanhazip.com/", "https://api.ipify.org/",
	"https://checkip.amazonaws.com/", "https://v4.ident.me/", "https://ipinfo.io/ip",
	NULL
};
static const char *const urls6[] = {
	"https://ipv6.icanhazip.com/", "https://api6.ipify.org/", "https://v6.ident.me/",
	"https://v6.ipinfo.io/ip", "https://ifconfig.co/ip", NULL
};

static const struct config_place servers4[] = {
	{ "resolver1.opendns.com", "myip.opendns.com", "A", "IN" },
	{ "ns1.google.com", "o-o.myaddr.l.google.com", "TXT", "IN" },
	{ "one.one.one.one", "whoami.cloudflare", "TXT", "CH" },
	{ "ns1-1.akamaitech.net", "whoami.akamai.net", "A", "IN" },
	{ .where = "" },
};
static const struct config_place servers6[] = {
	{ "resolver1.opendns.com", "myip.opendns.com", "AAAA", "IN" },
	{ "ns1.google.com", "o-o.myaddr.l.google.com", "TXT", "IN" },
	{ "one.one.one.one", "whoami.cloudflare", "TXT", "CH" },
	{ .where = "" },
};

static void fill_places(struct source_draft *draft, bool ipv6)
{
	const struct config_place *servers = ipv6 ? servers6 : servers4;
	const char *const *urls = ipv6 ? urls6 : urls4;
	struct config_outside *outside = &draft->outside;

	if (outside->place_count > 0)
		return;
	for (size_t i = 0; draft->from == CONFIG_HTTP && urls[i]; i++)
		(void)text_copy(outside->places[outside->place_count++].where,
				CONFIG_URL_BYTES, urls[i]);
	for (size_t i = 0; draft->from == CONFIG_DNS && servers[i].where[0]; i++)
		outside->places[outside->place_count++] = servers[i];
}

/* --- members --- */

static const char *const names[] = {
	[CONFIG_OFF] = "off",	      [CONFIG_INTERFACE] = "interface",
	[CONFIG_HTTP] = "http",	      [CONFIG_DNS] = "dns",
	[CONFIG_COMMAND] = "command", [CONFIG_PCP] = "pcp",
	[CONFIG_UPNP] = "upnp",	      NULL,
};

const char *config_source_name(enum config_source source)
{
	return names[source];
}

static void read_source_name(struct reading *reading, const struct json *value,
			     void *target, const struct schema_field *field)
{
	const char *name = schema_string(reading, value, "\"interface\"");

	(void)field;
	if (!name)
		return;
	for (int source = CONFIG_INTERFACE; names[source]; source++)
		if (strcmp(name, names[source]) == 0) {
			*(enum config_source *)target = (enum config_source)source;
			return;
		}
	reading_error(reading, value, "unknown source \"%s\"; did you mean \"%s\"?",
		      shown(name).text,
		      text_nearest(name, &names[CONFIG_INTERFACE]) ?: "interface");
}

static void read_keep(struct reading *reading, const struct json *value, void *target,
		      const struct schema_field *field)
{
	const char *part = schema_string(reading, value, "\"suffix\"");

	(void)field;
	if (part && strcmp(part, "suffix") != 0)
		reading_error(reading, value,
			      "\"%s\" cannot be kept; write \"suffix\": the low bits "
			      "stay, the delegated prefix follows",
			      shown(part).text);
	/* Also of a wrong word: what stands beside it is no mistake of its own then. */
	*(bool *)target = true;
}

/* libcurl reads it again; here is only what a person may get wrong. */
static bool is_url(const char *text)
{
	const char *host = text + strlen("https://");
	size_t length = strlen(text);

	if (length >= CONFIG_URL_BYTES || strncmp(text, "https://", 8) != 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f)
			return false;
	return *host && !strchr("/:?#", *host) &&
	       !memchr(host, '@', strcspn(host, "/?#"));
}

static struct shown shown_url(const char *url)
{
	struct shown copy = { "what stands here" };

	if (!excerpt_is_delicate(url))
		snprintf(copy.text, sizeof(copy.text), "\"%.90s\"", shown(url).text);
	return copy;
}

static void read_urls(struct reading *reading, const struct json *value, void *target,
		      const struct schema_field *field)
{
	struct config_outside *outside = target;
	const struct json *item;

	(void)field;
	if (!schema_expect(reading, value, JSON_ARRAY, "[\"https://ip.example.net/\"]"))
		return;
	if (!json_child(value))
		reading_error(reading, value, "\"urls\" is empty; name some, or leave it "
			      "out for well-known ones");
	for (item = json_child(value); item; item = json_next(item)) {
		const char *url =
			schema_string(reading, item, "\"https://ip.example.net/\"");

		if (!url)
			continue;
		if (!is_url(url)) {
			reading_error(reading, item,
				      "%s cannot be asked; write https://HOST/... in at "
				      "most %d bytes, without user and password",
				      shown_url(url).text, CONFIG_URL_BYTES - 1);
		} else if (outside->place_count == CONFIG_PLACES_MAX) {
			reading_error(reading, item, "too many services; at most %d",
				      CONFIG_PLACES_MAX);
			return;
		} else {
			(void)text_copy(outside->places[outside->place_count++].where,
					CONFIG_URL_BYTES, url);
		}
	}
}

static void read_server(struct reading *reading, const struct json *value, void *target,
			const struct schema_field *field)
{
	const char *server = schema_string(reading, value, "\"ns1.google.com\"");

	(void)field;
	if (!server)
		return;
	if (strlen(server) < SERVER_BYTES &&
	    (sections_is_server(server) || text_is_hostname(server)))
		(void)text_copy(target, CONFIG_URL_BYTES, server);
	else
		reading_error(reading, value,
			      "\"%s\" is no name server; write a host name, ADDRESS, "
			      "ADDRESS:PORT or [ADDRESS]:PORT", shown(server).text);
}

static void read_name(struct reading *reading, const struct json *value, void *target,
		      const struct schema_field *field)
{
	const char *name = schema_string(reading, value, "\"myip.opendns.com\"");

	(void)field;
	if (!name)
		return;
	if (text_is_hostname(name))
		(void)text_copy(target, CONFIG_HOSTNAME_BYTES, name);
	else
		reading_error(reading, value, "\"%s\" is no host name; write one as "
			      "\"myip.opendns.com\"", shown(name).text);
}

static void read_word(struct reading *reading, const struct json *value, char *out,
		      size_t out_bytes, const char *const *words, const char *all)
{
	const char *word = schema_string(reading, value, words[0]);

	if (!word)
		return;
	for (size_t i = 0; words[i]; i++)
		if (strcmp(word, words[i]) == 0) {
			(void)text_copy(out, out_bytes, word);
			return;
		}
	reading_error(reading, value, "\"%s\" cannot be asked for; write %s",
		      shown(word).text, all);
}

static void read_type(struct reading *reading, const struct json *value, void *target,
		      const struct schema_field *field)
{
	static const char *const words[] = { "TXT", "A", "AAAA", NULL };

	(void)field;
	read_word(reading, value, target, 5, words, "\"A\", \"AAAA\" or \"TXT\"");
}

static void read_class(struct reading *reading, const struct json *value, void *target,
		       const struct schema_field *field)
{
	static const char *const words[] = { "IN", "CH", NULL };

	(void)field;
	read_word(reading, value, target, 3, words, "\"IN\" or \"CH\"");
}

static bool add_word(struct config_outside *outside, const char *word)
{
	size_t bytes = strlen(word) + 1;

	if (bytes > sizeof(outside->command) - outside->command_bytes)
		return false;
	memcpy(outside->command + outside->command_bytes, word, bytes);
	outside->command_bytes += bytes;
	return true;
}

static void read_command(struct reading *reading, const struct json *value, void *target,
			 const struct schema_field *field)
{
	struct config_outside *outside = target;
	const struct json *item;
	size_t count = 0;

	(void)field;
	if (!schema_expect(reading, value, JSON_ARRAY, "[\"/path/to/program\"]"))
		return;
	for (item = json_child(value); item; item = json_next(item), count++) {
		const char *word = schema_string(reading, item, "\"argument\"");

		if (!word)
			return;
		if (count == CONFIG_COMMAND_WORDS || !add_word(outside, word) ||
		    !schema_is_printable(word, strlen(word))) {
			reading_error(reading, item,
				      "a command has at most %d words of plain text, and "
				      "%d bytes", CONFIG_COMMAND_WORDS,
				      CONFIG_COMMAND_BYTES);
			return;
		}
	}
	if (count == 0 || outside->command[0] != '/')
		reading_error(reading, value,
			      "a command begins with an absolute path; write "
			      "[\"/path/to/program\", \"argument\"]");
}

#define AT(member) offsetof(struct source_draft, member)

static const struct schema_field fields[] = {
	{ "source", read_source_name, AT(from), 0, 0 },
	{ "keep", read_keep, AT(keep), 0, 0 },
	{ "prefix_from", wans_read_interface, AT(prefix_from), 0, 0 },
	{ "prefix_length", schema_long, AT(prefix_length), 1, 128 },
	{ "urls", read_urls, AT(outside), 0, 0 },
	{ "agree", schema_long, AT(agree), 1, CONFIG_PLACES_MAX },
	{ "server", read_server, AT(dns.where), 0, 0 },
	{ "name", read_name, AT(dns.name), 0, 0 },
	{ "type", read_type, AT(dns.type), 0, 0 },
	{ "class", read_class, AT(dns.class), 0, 0 },
	{ "command", read_command, AT(outside), 0, 0 },
	{ 0 },
};

#undef AT

/* --- what fits together --- */

/* Which source each key belongs to; what is not here belongs to all. */
static const struct {
	const char *key;
	enum config_source of, or;
} owners[] = {
	{ "keep", CONFIG_INTERFACE, CONFIG_INTERFACE },
	{ "urls", CONFIG_HTTP, CONFIG_HTTP },
	{ "agree", CONFIG_HTTP, CONFIG_DNS },
	{ "server", CONFIG_DNS, CONFIG_DNS },
	{ "name", CONFIG_DNS, CONFIG_DNS },
	{ "type", CONFIG_DNS, CONFIG_DNS },
	{ "class", CONFIG_DNS, CONFIG_DNS },
	{ "command", CONFIG_COMMAND, CONFIG_COMMAND },
};

static void compare_owners(struct reading *reading, const struct json *object,
			   enum config_source from, bool ipv6)
{
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		const struct json *member = json_get(object, owners[i].key);

		if (!ipv6 && owners[i].of == CONFIG_INTERFACE)
			continue;		/* see compare_prefix() */
		if (member && from != owners[i].of && from != owners[i].or)
			reading_error(reading, member,
				      "\"%s\" is for the source \"%s\"%s, not for "
				      "\"%s\"; leave it out",
				      owners[i].key, names[owners[i].of],
				      owners[i].or != owners[i].of ? " or \"dns\"" : "",
				      names[from]);
	}
}

/* The keys of prefixes need IPv6. */
static void compare_prefix(struct reading *reading, const struct json *object)
{
	static const char *const keys[] = { "keep", "prefix_from", "prefix_length" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct json *member = json_get(object, keys[i]);

		if (member)
			reading_error(reading, member,
				      "\"%s\" is for \"ipv6\" only, whose prefixes are "
				      "delegated; leave it out",
				      keys[i]);
	}
}

static void compare_dns(struct reading *reading, const struct json *object,
			struct source_draft *draft, bool ipv6)
{
	struct config_place *dns = &draft->dns;
	const char *address = ipv6 ? "AAAA" : "A";
	bool has_server = json_get(object, "server"), has_name = json_get(object, "name");

	if (has_server != has_name || (!has_name && (json_get(object, "type") ||
						     json_get(object, "class")))) {
		reading_error(reading, object,
			      "\"server\" and \"name\" go together; write both, or leave "
			      "them out for well-known ones");
		return;
	}
	if (!has_server)
		return;
	if (!dns->class[0])
		(void)text_copy(dns->class, sizeof(dns->class), "IN");
	if (!dns->type[0])
		(void)text_copy(dns->type, sizeof(dns->type),
				strcmp(dns->class, "CH") == 0 ? "TXT" : address);
	if (strcmp(dns->type, "TXT") != 0 &&
	    (strcmp(dns->type, address) != 0 || strcmp(dns->class, "IN") != 0))
		reading_error(reading, json_get(object, "type"),
			      "\"%s\" of class %s brings no %s address; write \"%s\" of "
			      "class IN, or \"TXT\"", dns->type, dns->class,
			      ipv6 ? "IPv6" : "IPv4", address);
	draft->outside.places[draft->outside.place_count++] = *dns;
}

static void compare_agree(struct reading *reading, const struct json *object,
			  struct source_draft *draft)
{
	long count = (long)draft->outside.place_count;

	if (count == 0)			/* of a URL that cannot be used it was said */
		return;
	if (draft->agree > count)
		reading_error(reading, json_get(object, "agree"),
			      "%ld places cannot agree where %ld %s asked; name more, or "
			      "lower \"agree\"", draft->agree, count,
			      count == 1 ? "is" : "are");
	if (draft->agree == 0)
		draft->agree = count < AGREE_DEFAULT ? count : AGREE_DEFAULT;
	draft->outside.agree = (unsigned)draft->agree;
}

static void compare_kind(struct reading *reading, const struct json *object,
			 const struct source_draft *draft, bool ipv6)
{
	const struct json *name = json_get(object, "source");

	if (draft->from == CONFIG_COMMAND && !json_get(object, "command"))
		reading_error(reading, object, "\"command\" is missing; write "
			      "\"command\": [\"/path/to/program\"]");
	if (ipv6 && (draft->from == CONFIG_PCP || draft->from == CONFIG_UPNP))
		reading_error(reading, name,
			      "\"%s\" tells no IPv6 address: such routers translate IPv4 "
			      "only; write \"interface\", \"http\", \"dns\" or \"command\"",
			      names[draft->from]);
	else if (draft->from == CONFIG_UPNP && !has_upnp)
		reading_error(reading, name,
			      "this hairpind was built without UPnP (miniupnpc was not "
			      "there); write \"pcp\", \"http\", \"dns\" or \"command\"");
}

static void read_object(struct reading *reading, const struct json *object, bool ipv6,
			struct source_draft *draft)
{
	schema_read(reading, object, fields, draft);
	if (!json_get(object, "source")) {
		reading_error(reading, object,
			      "\"source\" is missing; write \"source\": \"interface\"");
		return;
	}
	compare_owners(reading, object, draft->from, ipv6);
	if (!ipv6)
		compare_prefix(reading, object);
	compare_kind(reading, object, draft, ipv6);
	if (draft->from == CONFIG_DNS)
		compare_dns(reading, object, draft, ipv6);
	if (!json_get(object, "urls") && !json_get(object, "server"))
		fill_places(draft, ipv6);
	compare_agree(reading, object, draft);
}

static void read_plain(struct reading *reading, const struct json *value,
		       const char *family, struct source_draft *draft)
{
	const char *name = schema_string(reading, value, "\"interface\" or \"off\"");

	if (!name)
		return;
	if (strcmp(name, "interface") == 0)
		draft->from = CONFIG_INTERFACE;
	else if (strcmp(name, "off") == 0)
		draft->from = CONFIG_OFF;
	else
		reading_error(reading, value, "unknown source \"%s\" of \"%s\"; write "
			      "\"interface\" or \"off\"", shown(name).text, family);
}

static struct config_outside *keep_outside(struct reading *reading,
					   const struct source_draft *draft)
{
	struct config_outside *outside;

	if (!config_is_outside(draft->from))
		return NULL;
	outside = malloc(sizeof(*outside));
	if (outside)
		*outside = draft->outside;
	else
		reading->no_memory = true;
	return outside;
}

void sources_read(struct reading *reading, const struct json *value, void *target,
		  const struct schema_field *field)
{
	struct source_draft draft = { .from = CONFIG_INTERFACE,
				      .prefix_length = PREFIX_LENGTH_DEFAULT };
	bool ipv6 = strcmp(field->key, "ipv6") == 0;
	struct config_wan *wan = target;

	if (json_kind(value) == JSON_OBJECT)
		read_object(reading, value, ipv6, &draft);
	else
		read_plain(reading, value, field->key, &draft);
	if (!ipv6) {
		wan->ipv4 = draft.from;
		free(wan->outside4);
		wan->outside4 = keep_outside(reading, &draft);
		return;
	}
	wan->ipv6 = draft.from;
	free(wan->outside6);
	wan->outside6 = keep_outside(reading, &draft);
	wan->prefix_bits = (unsigned)draft.prefix_length;
	wan->keep_bits = draft.keep ? wan->prefix_bits : 0;
	memcpy(wan->prefix_from, draft.prefix_from, IFNAMSIZ);
}
