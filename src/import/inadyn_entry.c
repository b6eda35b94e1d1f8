/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inadyn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service.h"

/* What becomes of settings that we have no word for; "": nothing is lost. */
static const struct {
	const char *name, *advice;
} others[] = {
	{ "period", "" }, { "startup-delay", "" }, { "cache-dir", "" }, { "append-myip", "" },
	{ "fake-address", "no address is ever made up; \"hairpinctl update --force\" asks "
			  "the provider again" },
	{ "iterations", "\"hairpind --once\" runs once" },
	{ "broken-rtc", "certificates are always checked: set the clock first" },
	{ "secure-ssl", "certificates are always checked" },
	{ "wildcard", "name the wildcard itself, \"*.NAME\", where the provider takes it" },
	{ "exec", "make it a hook, called with the event; see hairpind-hooks(7)" },
};

static void lose_rest(struct draft *draft, const struct options *options)
{
	for (size_t i = 0; i < options->count; i++) {
		const struct option *option = &options->list[i];
		const char *advice = "hairpind has no such setting";

		for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++) {
			if (strcmp(others[j].name, option->name) == 0)
				advice = others[j].advice;
		}
		if (!option->taken && *advice)
			draft_lose(draft, option->line, "%s was not taken over: %s",
				   option->name, advice);
	}
}

/* --- where the address comes from --- */

/* inadyn searches the page for an address; ours must be nothing else. */
static bool page_is_plain(const char *server, const char *path)
{
	static const char *const plain[] = { "ipify.org", "icanhazip.com", "ifconfig.co",
					     "ident.me", "checkip.amazonaws.com" };

	if (path && strcmp(path, "/") != 0)
		return false;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (strstr(server, plain[i]))
			return true;
	}
	return false;
}

static const char *take_page(struct draft *draft, const struct options *options,
			     char room[600], unsigned line)
{
	const char *server = options_take(options, "checkip-server");
	const char *path = options_take(options, "checkip-path");

	(void)options_take(options, "checkip-ssl");
	if (server && strcmp(server, "default") != 0) {
		if (page_is_plain(server, path)) {
			snprintf(room, 600, "https://%.*s/", (int)strcspn(server, ":"), server);
			return room;
		}
		draft_lose(draft, line, "checkip-server = %s: pages are not searched for an "
			   "address; https://api.ipify.org/ was put in", server);
	}
	return "https://api.ipify.org/";
}

/*
 * inadyn asks a page unless told an interface. We ask it where the interface's own address
 * is not global, which is what a page is for.
 */
static void take_addresses(struct draft *draft, const struct options *options,
			   struct draft_wish *wish, char room[600], unsigned line)
{
	const struct option *verify = options_find(options, "verify-address");
	const char *command = options_take(options, "checkip-command");

	wish->interface = options_take(options, "iface");
	wish->sides[0].on = true;
	wish->sides[1].on = options_take_bool(options, "allow-ipv6", false);
	if (verify && !options_take_bool(options, "verify-address", true))
		draft_lose(draft, verify->line, "verify-address = false: only global addresses are "
			   "published, unless the entry says \"allow_private\": true");
	if (command)
		draft_lose(draft, line, "checkip-command: what it prints is to be one IPv4 "
			   "address and nothing else; look at it");
	if (command)
		wish->sides[0].command = command;
	else if (!wish->interface)
		wish->sides[0].url = take_page(draft, options, room, line);
}

/* --- the entry --- */

/* "dyndns.org:2" is the second account at dyndns.org. */
static void cut_number(char *name)
{
	char *colon = strrchr(name, ':');

	if (colon)
		*colon = '\0';
}

/*
 * A section of one's own: a server that we know, or the protocol that most speak. NULL:
 * neither. Its path is not for messages: keys stand in such.
 */
static const struct service *service_of_custom(const struct options *options)
{
	static const struct service namecheap = {
		.type = "namecheap", .settings = { "username", "domain", "password", "password" } };
	static const struct service generic = {
		.type = "dyndns2", .settings = { "ddns-server", "server", "username", "username",
				   "password", "password" } };
	const struct option *server = options_find(options, "ddns-server");
	const char *path = options_take(options, "ddns-path");
	const struct service *service;

	if (!server || !path)
		return NULL;
	if (strcmp(server->value, "dynamicdns.park-your-domain.com") == 0)
		return &namecheap;
	service = service_of_server(server->value);
	if (service)
		return service;
	return strncmp(path, "/nic/update?", 12) == 0 ? &generic : NULL;
}

static const struct service *find_service(struct draft *draft, char *name, bool custom,
					  const struct options *options, unsigned line)
{
	const struct service *service;

	if (custom) {
		service = service_of_custom(options);
		if (!service)
			draft_lose(draft, line,
				   "custom %s: describe it in /etc/hairpind/providers, with "
				   "its ddns-path as \"url\": %%u is {username}, %%p "
				   "{password}, %%h {hostname}, %%i {ip}; see "
				   "hairpind-providers(5)", name);
		return service;
	}
	cut_number(name);
	service = service_of_inadyn(name);
	if (!service)
		draft_lose(draft, line, "provider %s is not known; \"hairpinctl providers\" "
			   "lists what there is", name);
	else if (!service->type)
		draft_lose(draft, line, "provider %s: %s", name, service->advice);
	return service && service->type ? service : NULL;
}

static void add_common(struct draft *draft, const struct options *options,
		       struct json *entry, unsigned line)
{
	const char *longest = options_take(options, "forced-update");
	const char *file = options_take(options, "ca-trust-file");
	const char *agent = options_take(options, "user-agent");
	long seconds;

	if (longest && text_parse_number(longest, 1, 3650L * 86400, &seconds))
		draft_add_seconds(entry, "refresh", seconds);
	if (file)
		json_add_string(entry, "ca_file", file);
	if (agent)
		json_add_string(entry, "user_agent", agent);
	if (options_find(options, "proxied"))
		json_add_string(entry, "proxied",
				options_take_bool(options, "proxied", false) ? "true"
									     : "false");
	if (!options_take_bool(options, "ssl", true))
		draft_lose(draft, line, "ssl = false: requests go over HTTPS; where the server "
			   "has none, set \"insecure_http\": true");
}

/* At Namecheap names are told without their domain, "@" for itself. */
static void add_names(struct draft *draft, const struct service *service,
		      struct json *entry, const struct options *options, unsigned line)
{
	const char *names = options_take(options, "hostname");
	const char *domain = json_string(json_get(entry, "domain"));
	struct service named = *service;
	char suffix[300];

	if (!names) {
		draft_lose(draft, line, "%s: no hostname is given", service->type);
		return;
	}
	if (domain && strcmp(service->type, "namecheap") == 0) {
		snprintf(suffix, sizeof(suffix), ".%s", domain);
		named.suffix = suffix;
	}
	(void)service_add_names(draft, &named, entry, names, line);
}

void inadyn_entry(struct draft *draft, const char *name, bool custom,
		  struct options *options, unsigned line)
{
	const struct option *user = options_find(options, "username");
	struct draft_wish wish = { 0 };
	const struct service *service;
	struct json *entry;
	char word[128], room[600];

	snprintf(word, sizeof(word), "%s", name);
	service = find_service(draft, word, custom, options, line);
	if (!service)
		return;
	/* The table of servers calls it by ddclient's name. */
	if (custom && user)
		options_set(options, "login", user->value, user->line);
	take_addresses(draft, options, &wish, room, line);
	entry = draft_entry(draft, service->type, &wish, line);
	if (!entry)
		return;
	service_add(draft, service, entry, options, line);
	add_common(draft, options, entry, line);
	add_names(draft, service, entry, options, line);
	(void)options_take(options, "username");
	(void)options_take(options, "password");
	(void)options_take(options, "login");
	(void)options_take(options, "ddns-server");
	lose_rest(draft, options);
}

void inadyn_globals(struct draft *draft, const struct options *globals)
{
	/* Entries said what of it they could not use; without entries all of it is lost. */
	if (draft->entry_count == 0)
		lose_rest(draft, globals);
}
