/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ddclient.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service.h"

/* What becomes of settings that we have no word for; "": nothing is lost. */
static const struct {
	const char *name, *advice;
} others[] = {
	{ "daemon", "" }, { "foreground", "" }, { "pid", "" }, { "file", "" },
	{ "cache", "" }, { "syslog", "" }, { "exec", "" }, { "test", "" }, { "help", "" },
	{ "curl", "" }, { "retry", "" }, { "max-warn", "" }, { "quietreply", "" },
	{ "min-error-interval", "" }, { "debug", "" }, { "verbose", "" }, { "quiet", "" },
	{ "query", "" }, { "if-skip", "" }, { "fw-banlocal", "" },
	/* of a way to find the address that is not used */
	{ "if", "" }, { "ifv4", "" }, { "ifv6", "" }, { "web", "" }, { "webv4", "" },
	{ "webv6", "" }, { "web-skip", "" }, { "webv4-skip", "" }, { "webv6-skip", "" },
	{ "ip", "" }, { "ipv4", "" }, { "ipv6", "" }, { "fw", "" }, { "fwv4", "" },
	{ "fwv6", "" }, { "fw-skip", "" }, { "fwv4-skip", "" }, { "fwv6-skip", "" },
	{ "cmd", "" }, { "cmdv4", "" }, { "cmdv6", "" }, { "cmd-skip", "" },
	{ "password", "" },		/* of a service that wants none */
	{ "facility", "use \"log\": {\"target\": \"syslog\"}" },
	{ "priority", "use \"log\": {\"level\": ...}" },
	{ "mail", "a hook can send mail; see hairpind-hooks(7)" },
	{ "mail-failure", "a hook on the event \"failed\" can send mail; see hairpind-hooks(7)" },
	{ "postscript", "make it a hook, called with the event; see hairpind-hooks(7)" },
	{ "proxy", "there is no proxy; requests go directly" },
	{ "fw-login", "no address is read from another router's web page" },
	{ "fw-password", "no address is read from another router's web page" },
	{ "fw-ssl-validate", "no address is read from another router's web page" },
	{ "web-ssl-validate", "certificates are always checked" },
	{ "ssl_ca_dir", "name one file with \"ca_file\"" },
	{ "mx", "no MX records are made; set it at the provider" },
	{ "backupmx", "no MX records are made; set it at the provider" },
	{ "wildcard", "name the wildcard itself, \"*.NAME\", where the provider takes it" },
	{ "static", "it belongs to old account types of dyn.com" },
	{ "custom", "it belongs to old account types of dyn.com" },
	{ "force", "\"hairpinctl update --force\" does it" },
	{ "geturl", "it is a test of ddclient's own" },
	{ "options", "write them as settings of their own" },
	{ "tcp", "DNS UPDATE goes over UDP, and over TCP where it has to" },
};

static const char *advice_of(const char *name)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(others[i].name, name) == 0)
			return others[i].advice;
	}
	return NULL;
}

static void lose_option(struct draft *draft, const struct option *option)
{
	const char *advice = advice_of(option->name);

	if (option->taken || (advice && !*advice))
		return;
	draft_lose(draft, option->line, "%s was not taken over: %s", option->name,
		   advice ? advice : "hairpind has no such setting");
}

static void lose_rest(struct draft *draft, const struct options *options)
{
	for (size_t i = 0; i < options->count; i++)
		lose_option(draft, &options->list[i]);
}

/* --- where the address comes from --- */

/* ddclient's names of web services that only tell an address. */
static const char *web_url(const char *name, bool six)
{
	static const char *const known[][2] = {
		{ "dyndns", "https://checkip.dyndns.org/" },
		{ "freedns", "https://freedns.afraid.org/dynamic/check.php" },
		{ "googledomains", "https://domains.google.com/checkip" },
		{ "he", "https://checkip.dns.he.net/" },
		{ "ip4only.me", "https://ip4only.me/api/" },
		{ "ip6only.me", "https://ip6only.me/api/" },
		{ "ipify-ipv4", "https://api.ipify.org/" },
		{ "ipify-ipv6", "https://api6.ipify.org/" },
		{ "loopia", "https://dns.loopia.se/checkip/checkip.php" },
		{ "myonlineportal", "https://myonlineportal.net/checkip" },
		{ "noip-ipv4", "https://ip1.dynupdate.no-ip.com/" },
		{ "noip-ipv6", "https://ip1.dynupdate6.no-ip.com/" },
		{ "nsupdate.info-ipv4", "https://ipv4.nsupdate.info/myip" },
		{ "nsupdate.info-ipv6", "https://ipv6.nsupdate.info/myip" },
		{ "zoneedit", "https://dynamic.zoneedit.com/checkip.html" },
	};

	if (!name)
		return six ? "https://api6.ipify.org/" : "https://api.ipify.org/";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i][0], name) == 0)
			return known[i][1];
	}
	return NULL;
}

/* Services that answer with words around the address are not read by us. */
static bool web_is_plain(const char *url)
{
	static const char *const wordy[] = { "dyndns.org", "he.net", "loopia.se", "ip4only.me",
					     "ip6only.me", "zoneedit.com", "freedns",
					     "domains.google" };

	for (size_t i = 0; i < sizeof(wordy) / sizeof(wordy[0]); i++) {
		if (strstr(url, wordy[i]))
			return false;
	}
	return true;
}

struct side {
	bool six;
	const char *use, *interface, *web, *command;	/* names of its options */
	const char *skips[2], *fixed;
};

struct sight {
	struct draft *draft;
	const struct options *options;
	unsigned line;
	struct draft_wish wish;
	char room[2][600];		/* of URLs that are put together */
};

static void take_web(struct sight *sight, const struct side *side)
{
	const struct option *use = options_find(sight->options, side->use);
	const char *name = options_take(sight->options, side->web);
	const char *url = web_url(name, side->six);
	char *room = sight->room[side->six];

	if (!url) {
		/* A URL of one's own; ddclient lets its scheme away. */
		const char *rest = strstr(name, "://");

		snprintf(room, sizeof(sight->room[0]), "https://%s", rest ? rest + 3 : name);
		url = room;
	}
	if (!web_is_plain(url) || options_take(sight->options, side->skips[0])) {
		draft_lose(sight->draft, use->line,
			   "%s: its page has words around the address, which are not "
			   "searched; https://%s.ipify.org/ was put in", side->web,
			   side->six ? "api6" : "api");
		url = web_url(NULL, side->six);
	}
	sight->wish.sides[side->six].url = url;
}

static void take_interface(struct sight *sight, const struct side *side)
{
	const char *name = options_take(sight->options, side->interface);

	if (!name || strcmp(name, "default") == 0)
		return;
	if (sight->wish.interface && strcmp(sight->wish.interface, name) != 0)
		draft_lose(sight->draft, sight->line,
			   "a WAN has one interface, and %s says another one: make two",
			   side->interface);
	else
		sight->wish.interface = name;
}

/* `use`, `usev4` or `usev6`. */
static void take_use(struct sight *sight, const struct side *side)
{
	const char *use = options_take(sight->options, side->use);

	if (!use || strcmp(use, "disabled") == 0 || strcmp(use, "no") == 0)
		return;
	sight->wish.sides[side->six].on = true;
	if (strncmp(use, "web", 3) == 0) {
		take_web(sight, side);
	} else if (strncmp(use, "if", 2) == 0) {
		take_interface(sight, side);
	} else if (strncmp(use, "cmd", 3) == 0) {
		sight->wish.sides[side->six].command =
			options_take(sight->options, side->command);
		(void)options_take(sight->options, side->skips[1]);
		draft_lose(sight->draft, sight->line, "%s: what it prints is to be one address "
			   "and nothing else; look at it", side->command);
	} else if (strncmp(use, "ip", 2) == 0) {
		(void)options_take(sight->options, side->fixed);
		draft_lose(sight->draft, sight->line,
			   "%s=%s: no address is written down; that of the interface is taken",
			   side->use, use);
	} else {
		draft_lose(sight->draft, sight->line,
			   "%s=%s: no address is read from another router's web page; that of "
			   "the interface is taken. Behind another router try the sources "
			   "\"pcp\", \"upnp\" or \"http\"", side->use, use);
		(void)options_take(sight->options, side->six ? "fwv6" : "fwv4");
		(void)options_take(sight->options, "fw");
		(void)options_take(sight->options, "fw-skip");
	}
}

/* Unless told, ddclient takes the option that is there for the way to use. */
static void take_uses(struct sight *sight)
{
	static const struct side sides[] = {
		{ false, "use", "if", "web", "cmd", { "web-skip", "cmd-skip" }, "ip" },
		{ false, "usev4", "ifv4", "webv4", "cmdv4", { "webv4-skip", "cmd-skip" }, "ipv4" },
		{ true, "usev6", "ifv6", "webv6", "cmdv6", { "webv6-skip", "cmd-skip" }, "ipv6" },
	};

	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++)
		take_use(sight, &sides[i]);
	if (!sight->wish.sides[0].on && !sight->wish.sides[1].on)
		sight->wish.sides[0].on = true;
}

/* --- the entry --- */

static const char *host_of(const char *server, char room[256])
{
	const char *rest = strstr(server, "://");

	rest = rest ? rest + 3 : server;
	snprintf(room, 256, "%.*s", (int)strcspn(rest, ":/"), rest);
	return room;
}

static const struct service *find_service(struct draft *draft,
					  const struct options *options, unsigned line)
{
	static const struct service generic = {
		.type = "dyndns2",
		.settings = { "server", "server", "login", "username", "password", "password" },
	};
	const char *protocol = options_take(options, "protocol");
	const char *server = options_take(options, "server");
	const char *script = options_take(options, "script");
	const struct service *service;
	char host[256];

	if (!protocol)
		protocol = "dyndns2";
	service = service_of_ddclient(protocol);
	if (service || (strcmp(protocol, "dyndns2") != 0 && strcmp(protocol, "woima") != 0)) {
		if (!service)
			draft_lose(draft, line, "protocol %s is not known; \"hairpinctl "
				   "providers\" lists what there is", protocol);
		return service;
	}
	service = service_of_server(host_of(server ? server : "members.dyndns.org", host));
	if (service)
		return service;
	if (script && strcmp(script, "/nic/update") != 0)
		draft_lose(draft, line,
			   "script=%s: \"dyndns2\" asks /nic/update; another path needs a "
			   "description of your own, see hairpind-providers(5)", script);
	return &generic;
}

/* ddclient's nsupdate is a program with a key file; ours speaks DNS UPDATE itself. */
static void add_nsupdate(struct draft *draft, const struct options *options,
			 const struct draft_wish *wish, const char *hosts, unsigned line)
{
	static const struct service rfc2136 = { .type = "rfc2136" };
	struct json *entry = draft_entry(draft, "rfc2136", wish, line);
	const char *zone = options_take(options, "zone");
	const char *server = options_take(options, "server");
	const char *ttl = options_take(options, "ttl");

	(void)options_take(options, "login");
	(void)options_take(options, "password");
	json_add_string(entry, "server", server ? server : "");
	if (zone)
		json_add_string(entry, "domain", zone);
	if (ttl)
		json_add_string(entry, "ttl", ttl);
	json_add_string(entry, "key", "");
	json_add_string(entry, "secret", "");
	draft_lose(draft, line, "nsupdate: copy name, secret and algorithm out of the key file "
		   "into \"key\", \"secret\" and \"algorithm\"");
	(void)service_add_names(draft, &rfc2136, entry, hosts, line);
}

static void add_common(struct draft *draft, const struct options *options,
		       const struct sight *sight, struct json *entry)
{
	const char *longest = options_take(options, "max-interval");
	const char *shortest = options_take(options, "min-interval");
	const char *limit = options_take(options, "timeout");
	const char *file = options_take(options, "ssl_ca_file");

	draft_add_seconds(entry, "refresh", draft_seconds(longest));
	draft_add_seconds(entry, "min_interval", draft_seconds(shortest));
	draft_add_seconds(entry, "timeout", draft_seconds(limit));
	if (file)
		json_add_string(entry, "ca_file", file);
	if (options_find(options, "ssl") && !options_take_bool(options, "ssl", true))
		draft_lose(draft, sight->line,
			   "ssl=no: requests go over HTTPS; where the server has none, set "
			   "\"insecure_http\": true");
}

/* Where a token is all there is; of Cloudflare's accounts the key of old is not taken. */
static void lose_login(struct draft *draft, const struct service *service,
		       const struct options *options, unsigned line)
{
	const char *login = options_take(options, "login");

	if (login && strcmp(service->type, "cloudflare") == 0 &&
	    strcmp(login, "token") != 0)
		draft_lose(draft, line, "cloudflare: a global API key with a login is not "
			   "taken; make an API token that may edit the zone's DNS");
}

void ddclient_entry(struct draft *draft, const struct options *options, const char *hosts,
		    unsigned line)
{
	struct sight sight = { .draft = draft, .options = options, .line = line };
	const struct option *protocol = options_find(options, "protocol");
	const struct service *service;
	struct json *entry;

	(void)options_take(options, "host");
	(void)options_take(options, "ssl");
	if (protocol && strcmp(protocol->value, "nsupdate") == 0) {
		(void)options_take(options, "protocol");
		take_uses(&sight);
		add_nsupdate(draft, options, &sight.wish, hosts, line);
		lose_rest(draft, options);
		return;
	}
	service = find_service(draft, options, line);
	if (!service || !service->type) {
		if (service)
			draft_lose(draft, line, "%s: %s", service->theirs, service->advice);
		return;
	}
	take_uses(&sight);
	entry = draft_entry(draft, service->type, &sight.wish, line);
	if (!entry)
		return;
	service_add(draft, service, entry, options, line);
	add_common(draft, options, &sight, entry);
	(void)service_add_names(draft, service, entry, hosts, line);
	lose_login(draft, service, options, line);
	lose_rest(draft, options);
}

void ddclient_globals(struct draft *draft, const struct options *globals)
{
	/* Entries said what of it they could not use; without entries all of it is lost. */
	if (draft->entry_count == 0)
		lose_rest(draft, globals);
}
