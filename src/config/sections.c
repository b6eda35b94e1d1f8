/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "hairpin/log.h"
#include "sections.h"

enum {
	SECOND = 1000,
	HOUR = 3600 * SECOND,
	DAY = 24 * HOUR,
	CONTACT_MAX_BYTES = 100,
	SOCKET_BYTES = sizeof ((struct sockaddr_un *)0)->sun_path,
};

void *reading_grow(struct reading *reading, void **array, size_t count, size_t bytes)
{
	void *grown = reallocarray(*array, count + 1, bytes);

	if (!grown) {
		reading->no_memory = true;
		return NULL;
	}
	*array = grown;
	memset((char *)grown + count * bytes, 0, bytes);
	return (char *)grown + count * bytes;
}

static bool is_table(const char *text)
{
	static const char *const families[] = { "ip:", "ip6:", "inet:", NULL };

	if (strlen(text) >= sizeof ((struct config_table *)0)->text)
		return false;
	for (size_t i = 0; families[i]; i++) {
		size_t length = strlen(families[i]);

		if (strncmp(text, families[i], length) == 0)
			return text[length] != '\0' && !strpbrk(text + length, " \t:") &&
			       schema_is_printable(text, strlen(text));
	}
	return false;
}

static void read_tables(struct reading *reading, const struct json *value, void *target,
			const struct schema_field *field)
{
	struct config *config = reading->config;
	const struct json *item = json_child(value);

	(void)target;
	(void)field;
	if (!schema_expect(reading, value, JSON_ARRAY, "[\"ip:nat\", \"inet:fw4\"]"))
		return;
	config->nat.table_count = 0;
	for (; item; item = json_next(item)) {
		const char *text = schema_string(reading, item, "\"FAMILY:NAME\"");
		struct config_table *table;

		if (!text)
			continue;
		if (!is_table(text)) {
			reading_error(reading, item,
				      "\"%s\" is no table of NAT rules; write "
				      "FAMILY:NAME with the family ip, ip6 or inet, as "
				      "\"ip:nat\"",
				      shown(text).text);
			continue;
		}
		table = reading_grow(reading, (void **)&config->nat.tables,
				     config->nat.table_count, sizeof *table);
		if (!table)
			return;
		(void)text_copy(table->text, sizeof table->text, text);
		config->nat.table_count++;
	}
}

static void read_names(struct reading *reading, const struct json *value, void *target,
		       const struct schema_field *field)
{
	const char *string = schema_string(reading, value, "\"dns:\"");

	if (string && (!schema_is_printable(string, strlen(string)) ||
		       !text_copy(target, (size_t)field->max, string)))
		reading_error(reading, value,
			      "\"names\" must be plain text of at most %lld bytes, as "
			      "\"dns:\"; \"\" switches names off",
			      (long long)field->max - 1);
}

static void read_textfile(struct reading *reading, const struct json *value, void *target,
			  const struct schema_field *field)
{
	const char *path = target, *end;

	schema_path(reading, value, target, field);
	end = *path ? strrchr(path, '.') : ".prom";
	if (!end || strcmp(end, ".prom") != 0)
		reading_warning(reading, value, "node_exporter reads only files whose "
				"names end in \".prom\"");
}

bool sections_is_server(const char *text)
{
	char host[CONFIG_SERVER_BYTES];
	const char *port = NULL;
	struct addr address;
	char *end;
	long number;

	if (!text_copy(host, sizeof host, text))
		return false;
	if (addr_parse(host, &address))
		return true;
	end = strrchr(host, ':');
	if (end) {
		*end = '\0';
		port = text + (end - host) + 1;
	}
	if (port && !text_parse_number(port, 1, 65535, &number))
		return false;
	if (host[0] != '[')
		return port && addr_parse(host, &address) &&
		       addr_length_bytes(&address) == 4;
	end = strchr(host, ']');
	if (!end || end[1] != '\0')
		return false;
	*end = '\0';
	return addr_parse(host + 1, &address) && addr_length_bytes(&address) == 16;
}

static void read_servers(struct reading *reading, const struct json *value, void *target,
			 const struct schema_field *field)
{
	struct config *config = reading->config;
	const struct json *item = json_child(value);

	(void)target;
	(void)field;
	if (!schema_expect(reading, value, JSON_ARRAY, "[\"192.0.2.53\"]"))
		return;
	config->dns.server_count = 0;
	for (; item; item = json_next(item)) {
		const char *text =
			schema_string(reading, item, "\"ADDRESS\" or \"ADDRESS:PORT\"");

		if (!text)
			continue;
		if (!sections_is_server(text)) {
			reading_error(reading, item, "\"%s\" is no name server; write "
				      "ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT",
				      shown(text).text);
		} else if (config->dns.server_count == CONFIG_SERVERS_MAX) {
			reading_error(reading, item, "too many name servers; at most %d",
				      CONFIG_SERVERS_MAX);
			return;
		} else {
			(void)text_copy(config->dns.servers[config->dns.server_count++],
					CONFIG_SERVER_BYTES, text);
		}
	}
}

static void read_level(struct reading *reading, const struct json *value, void *target,
		       const struct schema_field *field)
{
	const char *name = schema_string(reading, value, "\"notice\"");

	(void)field;
	if (name && !log_parse_level(name, target))
		reading_error(reading, value,
			      "unknown level \"%s\"; write \"err\", \"warning\", "
			      "\"notice\", \"info\" or \"debug\"",
			      shown(name).text);
}

static void read_log_target(struct reading *reading, const struct json *value,
			    void *target, const struct schema_field *field)
{
	const char *name = schema_string(reading, value, "\"stderr\" or \"syslog\"");

	(void)field;
	if (!name)
		return;
	if (strcmp(name, "syslog") != 0 && strcmp(name, "stderr") != 0)
		reading_error(reading, value,
			      "unknown target \"%s\"; write \"stderr\" or "
			      "\"syslog\"",
			      shown(name).text);
	*(bool *)target = strcmp(name, "syslog") == 0;
}

#define AT(member) offsetof(struct config, member)

static const struct schema_field nat_fields[] = {
	{ "enabled", schema_bool, AT(nat.enabled), 0, 0 },
	{ "tables", read_tables, 0, 0, 0 },
	{ "add_missing", schema_bool, AT(nat.add_missing), 0, 0 },
	{ "conntrack", schema_bool, AT(nat.conntrack), 0, 0 },
	{ "filter", schema_bool, AT(nat.filter), 0, 0 },
	{ "names", read_names, AT(nat.names), 0, sizeof ((struct config *)0)->nat.names },
	{ "max", schema_long, AT(nat.max), 1, 1 << 20 },
	{ 0 },
};

static const struct schema_field dns_fields[] = {
	{ "check_every", schema_duration, AT(dns.check_every_ms), SECOND, 30LL * DAY },
	{ "servers", read_servers, 0, 0, 0 },
	{ "verify", schema_bool, AT(dns.verify), 0, 0 },
	{ 0 },
};

static const struct schema_field hooks_fields[] = {
	{ "directory", schema_path, AT(hooks.directory), 0, CONFIG_PATH_BYTES },
	{ "timeout", schema_duration, AT(hooks.timeout_ms), SECOND, HOUR },
	{ "user", schema_user, AT(hooks.user), 0,
	  sizeof((struct config *)0)->hooks.user },
	{ 0 },
};

static const struct schema_field log_fields[] = {
	{ "level", read_level, AT(log.level), 0, 0 },
	{ "target", read_log_target, AT(log.to_syslog), 0, 0 },
	{ 0 },
};

static const struct schema_field control_fields[] = {
	{ "socket", schema_path, AT(control.socket), 1, SOCKET_BYTES },
	{ "group", schema_user, AT(control.group), 0,
	  sizeof ((struct config *)0)->control.group },
	{ "admin_group", schema_user, AT(control.admin_group), 0,
	  sizeof ((struct config *)0)->control.admin_group },
	{ 0 },
};

static const struct schema_field state_fields[] = {
	{ "directory", schema_path, AT(state_directory), 1, CONFIG_PATH_BYTES },
	{ 0 },
};

static const struct schema_field metrics_fields[] = {
	{ "textfile", read_textfile, AT(metrics_textfile), 0, CONFIG_PATH_BYTES },
	{ "addresses", schema_bool, AT(metrics_addresses), 0, 0 },
	{ 0 },
};

static const struct {
	const char *key;
	const struct schema_field *fields;
} sections[] = {
	{ "nat", nat_fields }, { "dns", dns_fields }, { "hooks", hooks_fields },
	{ "log", log_fields }, { "control", control_fields }, { "state", state_fields },
	{ "metrics", metrics_fields },
};

static void read_section(struct reading *reading, const struct json *value, void *target,
			 const struct schema_field *field)
{
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
		if (strcmp(sections[i].key, field->key) == 0 &&
		    schema_expect(reading, value, JSON_OBJECT, "{ ... }"))
			schema_read(reading, value, sections[i].fields, target);
}

/* Read when all files are known: load.c. */
static void read_later(struct reading *reading, const struct json *value, void *target,
		       const struct schema_field *field)
{
	(void)reading;
	(void)value;
	(void)target;
	(void)field;
}

static void read_wans(struct reading *reading, const struct json *value, void *target,
		      const struct schema_field *field)
{
	(void)target;
	(void)field;
	wans_read(reading, value);
}

static void read_schema(struct reading *reading, const struct json *value, void *target,
			const struct schema_field *field)
{
	(void)target;
	(void)field;
	(void)schema_string(reading, value, "the schema's address in quotes");
}

/* It stands within a comment of the User-Agent, which has rules of its own (RFC 9110). */
static bool is_contact(const char *text)
{
	size_t length = strlen(text);
	const char *at;

	if (length > CONTACT_MAX_BYTES || strpbrk(text, "()\\\" "))
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
			return false;
	if (strncmp(text, "https://", 8) == 0)
		return text[8] != '\0';
	if (strncmp(text, "http://", 7) == 0)
		return text[7] != '\0';
	at = strchr(text, '@');
	return at && at > text && at[1] != '\0';
}

static void read_contact(struct reading *reading, const struct json *value, void *target,
			 const struct schema_field *field)
{
	const char *text = schema_string(reading, value, "\"me@example.org\"");
	struct config *config = target;
	char *contact, *agent;

	(void)field;
	if (!text)
		return;
	if (!is_contact(text)) {
		reading_error(reading, value,
			      "\"%s\" is no contact; write an e-mail address or the URL "
			      "of a page, in at most %d ASCII characters",
			      shown(text).text, CONTACT_MAX_BYTES);
		return;
	}
	contact = strdup(text);
	if (asprintf(&agent, "hairpind/" HAIRPIN_VERSION " (%s)", text) < 0)
		agent = NULL;
	reading->no_memory |= !contact || !agent;
	free(config->contact);
	free(config->user_agent);
	config->contact = contact;
	config->user_agent = agent;
}

static const struct schema_field top_fields[] = {
	{ "$schema", read_schema, 0, 0, 0 },
	{ "contact", read_contact, 0, 0, 0 },
	{ "wans", read_wans, 0, 0, 0 },
	{ "providers", read_later, 0, 0, 0 },
	{ "nat", read_section, 0, 0, 0 },
	{ "dns", read_section, 0, 0, 0 },
	{ "hooks", read_section, 0, 0, 0 },
	{ "log", read_section, 0, 0, 0 },
	{ "control", read_section, 0, 0, 0 },
	{ "state", read_section, 0, 0, 0 },
	{ "metrics", read_section, 0, 0, 0 },
	{ 0 },
};

/* The effective document carries the descriptions beside it; users may not. */
static const struct schema_field effective_fields[] = {
	{ "catalogue", read_later, 0, 0, 0 },
	{ 0 },
};

void sections_read(struct reading *reading)
{
	const struct json *member = json_child(reading->source->root);

	for (; member; member = json_next(member)) {
		const struct schema_field *field =
			schema_find(top_fields, json_key(member));

		if (!field && !reading->load)
			field = schema_find(effective_fields, json_key(member));
		if (field)
			field->read(reading, member, reading->config, field);
		else
			schema_unknown(reading, member, top_fields, NULL, "");
	}
}
