/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "hairpin/config.h"
#include "hairpin/json.h"
#include "hairpin/log.h"

static void add_duration(struct json *object, const char *key, int64_t ms)
{
	char text[24];

	json_add_string(object, key, text_format_duration(ms, text));
}

static void print_words(struct json *object, const char *key, const char *words,
			size_t bytes)
{
	struct json *array = json_add(object, key, json_new_array());

	for (size_t at = 0; at < bytes; at += strlen(words + at) + 1)
		json_add(array, NULL, json_new_string(words + at));
}

/* Well-known name servers are not named: they are several, the configuration's is one. */
static void print_places(struct json *object, enum config_source source,
			 const struct config_outside *outside)
{
	const struct config_place *first = &outside->places[0];
	struct json *urls;

	if (source == CONFIG_HTTP) {
		urls = json_add(object, "urls", json_new_array());
		for (size_t i = 0; i < outside->place_count; i++)
			json_add(urls, NULL, json_new_string(outside->places[i].where));
	} else if (outside->place_count == 1) {
		json_add_string(object, "server", first->where);
		json_add_string(object, "name", first->name);
		json_add_string(object, "type", first->type);
		json_add_string(object, "class", first->class);
	}
	json_add_integer(object, "agree", outside->agree);
}

static void print_outside(struct json *object, enum config_source source,
			  const struct config_outside *outside)
{
	if (source == CONFIG_HTTP || source == CONFIG_DNS)
		print_places(object, source, outside);
	else if (source == CONFIG_COMMAND)
		print_words(object, "command", outside->command, outside->command_bytes);
}

/* What of IPv6 is to be known of a delegated prefix. */
static void print_prefix(struct json *object, const struct config_wan *wan)
{
	if (wan->keep_bits)
		json_add_string(object, "keep", "suffix");
	if (wan->prefix_from[0])	/* absent: the WAN's own */
		json_add_string(object, "prefix_from", wan->prefix_from);
	json_add_integer(object, "prefix_length", wan->prefix_bits);
}

static void print_source(struct json *wan_object, const char *key,
			 const struct config_wan *wan, enum config_source source,
			 const struct config_outside *outside)
{
	bool prefix = strcmp(key, "ipv6") == 0 && (wan->keep_bits || wan->has_hosts);
	struct json *object;

	if (!prefix && !config_is_outside(source)) {
		json_add_string(wan_object, key, config_source_name(source));
		return;
	}
	object = json_add(wan_object, key, json_new_object());
	json_add_string(object, "source", config_source_name(source));
	if (prefix)
		print_prefix(object, wan);
	if (config_is_outside(source))
		print_outside(object, source, outside);
}

static void print_wans(struct json *root, const struct config *config)
{
	struct json *wans = json_add(root, "wans", json_new_array());

	for (size_t i = 0; i < config->wan_count; i++) {
		const struct config_wan *wan = &config->wans[i];
		struct json *object = json_add(wans, NULL, json_new_object());

		json_add_string(object, "name", wan->name);
		if (wan->interface[0])	/* absent: the default route's */
			json_add_string(object, "interface", wan->interface);
		json_add_string(object, "tag", wan->tag);
		print_source(object, "ipv4", wan, wan->ipv4, wan->outside4);
		print_source(object, "ipv6", wan, wan->ipv6, wan->outside6);
		add_duration(object, "grace", wan->grace_ms);
		json_add_bool(object, "bind", wan->bind);
	}
}

static void print_nat(struct json *root, const struct config *config)
{
	struct json *nat = json_add(root, "nat", json_new_object());
	struct json *tables;

	json_add_bool(nat, "enabled", config->nat.enabled);
	tables = json_add(nat, "tables", json_new_array());
	for (size_t i = 0; i < config->nat.table_count; i++)
		json_add(tables, NULL, json_new_string(config->nat.tables[i].text));
	json_add_bool(nat, "add_missing", config->nat.add_missing);
	json_add_bool(nat, "conntrack", config->nat.conntrack);
	json_add_bool(nat, "filter", config->nat.filter);
	json_add_string(nat, "names", config->nat.names);
	json_add_integer(nat, "max", config->nat.max);
}

static void print_families(struct json *object, unsigned families)
{
	struct json *array;

	if (families == 0)	/* absent: what the WAN has and the provider takes */
		return;
	array = json_add(object, "families", json_new_array());
	if (families & CONFIG_IPV4)
		json_add(array, NULL, json_new_string("ipv4"));
	if (families & CONFIG_IPV6)
		json_add(array, NULL, json_new_string("ipv6"));
}

static void print_hostnames(struct json *object, const struct config_provider *provider)
{
	struct json *array = json_add(object, "hostnames", json_new_array());

	for (size_t i = 0; i < provider->hostname_count; i++) {
		const struct config_hostname *hostname = &provider->hostnames[i];
		char suffix[ADDR_TEXT_BYTES];
		struct json *item;

		if (hostname->families == 0 && addr_is_none(&hostname->ipv6_suffix)) {
			json_add(array, NULL, json_new_string(hostname->name));
			continue;
		}
		item = json_add(array, NULL, json_new_object());
		json_add_string(item, "name", hostname->name);
		print_families(item, hostname->families);
		if (!addr_is_none(&hostname->ipv6_suffix))
			json_add_string(item, "ipv6_suffix",
					addr_format(&hostname->ipv6_suffix, suffix));
	}
}

static void print_setting(struct json *object, const struct config_setting *setting,
			  enum config_print secrets)
{
	bool hide = secrets == CONFIG_HIDE && setting->is_secret;

	json_add_string(object, setting->name,
			hide ? "(hidden)" : secret_reveal(&setting->value));
}

static void print_provider(struct json *array, const struct config *config,
			   const struct config_provider *provider,
			   enum config_print secrets)
{
	struct json *object = json_add(array, NULL, json_new_object());

	json_add_string(object, "type", provider->type);
	json_add_string(object, "name", provider->name);
	json_add_string(object, "wan", config->wans[provider->wan].name);
	if (provider->broken)
		json_add_string(object, "broken", provider->broken);
	print_hostnames(object, provider);
	print_families(object, provider->families);
	for (size_t i = 0; i < provider->setting_count; i++)
		print_setting(object, &provider->settings[i], secrets);
	add_duration(object, "refresh", provider->refresh_ms);
	add_duration(object, "min_interval", provider->min_interval_ms);
	add_duration(object, "timeout", provider->timeout_ms);
	if (provider->user_agent)
		json_add_string(object, "user_agent", provider->user_agent);
	if (provider->ca_file)
		json_add_string(object, "ca_file", provider->ca_file);
	if (provider->ca_pem && secrets == CONFIG_REVEAL)
		json_add_string(object, "ca_pem", provider->ca_pem);
	json_add_bool(object, "private_server", provider->private_server);
	json_add_bool(object, "allow_private", provider->allow_private);
	json_add_bool(object, "insecure_http", provider->insecure_http);
	json_add_bool(object, "check", provider->check);
}

static void print_providers(struct json *root, const struct config *config,
			    enum config_print secrets)
{
	struct json *array = json_add(root, "providers", json_new_array());

	for (size_t i = 0; i < config->provider_count; i++)
		print_provider(array, config, &config->providers[i], secrets);
}

/* Each description once, however many entries are of that type. */
static void print_catalogue(struct json *root, const struct config *config)
{
	struct json *catalogue = json_add(root, "catalogue", json_new_object());

	for (size_t i = 0; i < config->provider_count; i++) {
		const struct config_provider *provider = &config->providers[i];

		if (provider->description && !json_get(catalogue, provider->type))
			json_add_string(catalogue, provider->type, provider->description);
	}
}

static void print_dns(struct json *root, const struct config *config)
{
	struct json *dns = json_add(root, "dns", json_new_object());
	struct json *servers;

	add_duration(dns, "check_every", config->dns.check_every_ms);
	servers = json_add(dns, "servers", json_new_array());
	for (size_t i = 0; i < config->dns.server_count; i++)
		json_add(servers, NULL, json_new_string(config->dns.servers[i]));
	json_add_bool(dns, "verify", config->dns.verify);
}

static void print_rest(struct json *root, const struct config *config)
{
	struct json *hooks = json_add(root, "hooks", json_new_object());
	struct json *log = json_add(root, "log", json_new_object());
	struct json *control = json_add(root, "control", json_new_object());
	struct json *state = json_add(root, "state", json_new_object());
	struct json *metrics = json_add(root, "metrics", json_new_object());

	json_add_string(hooks, "directory", config->hooks.directory);
	add_duration(hooks, "timeout", config->hooks.timeout_ms);
	json_add_string(hooks, "user", config->hooks.user);
	json_add_string(log, "level", log_level_name(config->log.level));
	json_add_string(log, "target", config->log.to_syslog ? "syslog" : "stderr");
	json_add_string(control, "socket", config->control.socket);
	json_add_string(control, "group", config->control.group);
	json_add_string(control, "admin_group", config->control.admin_group);
	json_add_string(state, "directory", config->state_directory);
	json_add_string(metrics, "textfile", config->metrics_textfile);
	json_add_bool(metrics, "addresses", config->metrics_addresses);
}

char *config_print(const struct config *config, enum config_print secrets)
{
	struct json *root = json_new_object();
	char *text;

	if (config->contact)
		json_add_string(root, "contact", config->contact);
	print_wans(root, config);
	print_nat(root, config);
	print_providers(root, config, secrets);
	print_dns(root, config);
	print_rest(root, config);
	if (secrets == CONFIG_REVEAL)
		print_catalogue(root, config);
	text = json_print(root, secrets == CONFIG_HIDE);
	json_wipe_free(root);
	return text;
}
