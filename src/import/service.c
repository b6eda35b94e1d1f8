/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hairpin/text.h"

#define LOGIN "login", "username", "password", "password"
#define USER "username", "username", "password", "password"
#define OURS(name, ...) .type = (name), .settings = { __VA_ARGS__ }
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char zone_advice[] = "the zone was taken to be the last two labels of the "
				  "first name: look at \"domain\"";

/* ddclient's `protocol`, up to version 4. */
static const struct service ddclient[] = {
	{ "1984", OURS("1984", "password", "token") },
	{ "changeip", OURS("changeip", LOGIN) },
	{ "cloudflare", OURS("cloudflare", "password", "token", "zone", "domain", "ttl", "#ttl") },
	{ "cloudns", OURS("cloudns", "dynurl", "update_url") },
	{ "ddns.fm", OURS("ddns-fm", "password", "token") },
	{ "digitalocean", OURS("digitalocean", "password", "token", "zone", "domain") },
	{ "dinahosting", OURS("dinahosting", LOGIN), .domain = zone_advice },
	{ "directnic", OURS("directnic", "urlv4", "update_url") },
	{ "dnsexit", NULL,
	  .advice = "its old interface has ended: make an API key there and use \"dnsexit\"" },
	{ "dnsexit2", OURS("dnsexit", "password", "token", "zone", "domain", "ttl", "#ttl") },
	{ "dnsmadeeasy", OURS("dnsmadeeasy", LOGIN), .number = "record_id" },
	{ "domeneshop", OURS("domeneshop", LOGIN) },
	{ "dondominio", OURS("dondominio", LOGIN) },
	{ "dslreports1", NULL,
	  .advice = "it knows hosts by numbers, not by names: no entry was made" },
	{ "duckdns", OURS("duckdns", "password", "token"), .suffix = ".duckdns.org" },
	{ "dyndns1", OURS("dyndns1", LOGIN, "server", "server") },
	{ "easydns", OURS("easydns", LOGIN) },
	{ "enom", OURS("enom", "password", "password", "login", "domain") },
	{ "freedns", OURS("freedns-v1-api", LOGIN) },
	{ "freemyip", OURS("freemyip", "password", "token"), .suffix = ".freemyip.com" },
	{ "gandi", OURS("gandi", "password", "token", "zone", "domain", "ttl", "#ttl"),
	  .advice = "an old API key needs \"scheme\": \"Apikey\"; a personal access token "
		    "does not" },
	{ "godaddy", OURS("godaddy", LOGIN, "zone", "domain", "ttl", "#ttl") },
	{ "googledomains", NULL, .advice = "Google Domains has ended: use the service where "
					   "the domain's name servers are now" },
	{ "henet", OURS("he", "password", "password") },
	{ "hetzner", NULL,
	  .advice = "that API has ended: make a token in the Hetzner Console and use "
		    "\"hetzner-cloud\"" },
	{ "infomaniak", OURS("infomaniak", LOGIN) },
	{ "inwx", OURS("inwx", LOGIN) },
	{ "keysystems", OURS("dd24", "password", "password") },
	{ "mythicdyn", OURS("mythic-beasts", LOGIN) },
	{ "namecheap", OURS("namecheap", "password", "password", "login", "domain") },
	{ "nfsn", OURS("nfsn", LOGIN, "zone", "domain", "ttl", "#ttl") },
	{ "njalla", OURS("njalla", "password", "token") },
	{ "noip", OURS("noip", LOGIN) },
	{ "ovh", OURS("ovh", LOGIN) },
	{ "porkbun", OURS("porkbun", "apikey", "username", "secretapikey", "password",
				  "root-domain", "domain"), .domain = zone_advice },
	{ "regfishde", OURS("regfish", "password", "token") },
	{ "sitelutions", OURS("sitelutions", LOGIN), .number = "record_id" },
	{ "yandex", OURS("yandex", "password", "token", "login", "domain") },
	{ "zoneedit1", OURS("zoneedit", LOGIN) },
};

/* inadyn's names of services, without "default@" where that is what stands before it. */
static const struct service inadyn[] = {
	{ "dyndns@3322.org", OURS("3322", USER) },
	{ "changeip.com", OURS("changeip", USER) },
	{ "cloudflare.com", OURS("cloudflare", "username", "domain", "password", "token",
					    "ttl", "#ttl") },
	{ "cloudxns.net", NULL,
	  .advice = "CloudXNS has ended: move the domain, for example to \"tencentcloud\"" },
	{ "core-networks.de", OURS("core-networks", USER) },
	{ "ddnss.de", OURS("ddnss", USER) },
	{ "dhis.org", OURS("dhis", "password", "password") },
	{ "dnsexit.com", NULL,
	  .advice = "its old interface has ended: make an API key there and use \"dnsexit\"" },
	{ "dnshome.de", OURS("dnshome", USER) },
	{ "dnsomatic.com", OURS("dnsomatic", USER) },
	{ "dnspod.cn", OURS("dnspod", USER, "ttl", "#ttl"), .domain = zone_advice },
	{ "domaindiscount24.com", OURS("dd24", "password", "password") },
	{ "domains.google.com", NULL, .advice = "Google Domains has ended: use the service "
						"where the domain's name servers are now" },
	{ "duckdns.org", OURS("duckdns", "username", "token"), .suffix = ".duckdns.org" },
	{ "duiadns.net", OURS("duiadns", "password", "password") },
	{ "dyndns.org", OURS("dyn", USER) },
	{ "dynu.com", OURS("dynu", USER) },
	{ "dynv6.com", OURS("dynv6", "username", "token") },
	{ "ipv4.dynv6.com", OURS("dynv6", "username", "token") },
	{ "easydns.com", OURS("easydns", USER) },
	{ "freedns.afraid.org", OURS("freedns-v1-api", USER) },
	{ "freemyip.com", OURS("freemyip", "password", "token") },
	{ "gira.de", OURS("gira", USER) },
	{ "goip.de", OURS("goip", USER) },
	{ "dyndns@he.net", OURS("he", "password", "password") },
	{ "ipv6tb@he.net", OURS("tunnelbroker", USER), .number = "tunnel_id" },
	{ "hosting.de", OURS("hosting-de", USER) },
	{ "inwx.com", OURS("inwx", USER) },
	{ "itsdns.de", OURS("itsdns", USER) },
	{ "joker.com", OURS("joker", USER) },
	{ "loopia.com", OURS("loopia", USER) },
	{ "myonlineportal.net", OURS("myonlineportal", USER) },
	{ "noip.com", OURS("noip", USER) },
	{ "no-ip.com", OURS("noip", USER) },
	{ "ipv4@nsupdate.info", OURS("nsupdate-info", "password", "password") },
	{ "ipv6@nsupdate.info", OURS("nsupdate-info", "password", "password") },
	{ "ovh.com", OURS("ovh", USER) },
	{ "pdd.yandex.ru", OURS("yandex", "password", "token", "username", "domain") },
	{ "porkbun.com", OURS("porkbun", USER), .domain = zone_advice },
	{ "selfhost.de", OURS("selfhost", USER) },
	{ "simply.com", OURS("simply", USER) },
	{ "sitelutions.com", OURS("sitelutions", USER), .number = "record_id" },
	{ "spdyn.de", OURS("spdyn", USER) },
	{ "strato.com", OURS("strato", USER) },
	{ "tunnelbroker.net", OURS("tunnelbroker", USER), .number = "tunnel_id" },
	{ "zoneedit.com", OURS("zoneedit", USER) },
};

/* Servers that speak dyndns2, for ddclient's `server` and inadyn's `ddns-server`. */
static const struct service servers[] = {
	{ "carol.selfhost.de", OURS("selfhost", LOGIN) },
	{ "dns.loopia.se", OURS("loopia", LOGIN) },
	{ "dyn.dns.he.net", OURS("he", "password", "password") },
	{ "dyndns.inwx.com", OURS("inwx", LOGIN) },
	{ "dyndns.kasserver.com", OURS("all-inkl", LOGIN) },
	{ "dyndns.strato.com", OURS("strato", LOGIN) },
	{ "dyndns.variomedia.de", OURS("variomedia", LOGIN) },
	{ "dynupdate.no-ip.com", OURS("noip", LOGIN) },
	{ "dynupdate.noip.com", OURS("noip", LOGIN) },
	{ "infomaniak.com", OURS("infomaniak", LOGIN) },
	{ "ipv4.nsupdate.info", OURS("nsupdate-info", "password", "password") },
	{ "ipv6.nsupdate.info", OURS("nsupdate-info", "password", "password") },
	{ "members.dyndns.org", OURS("dyn", LOGIN) },
	{ "myonlineportal.net", OURS("myonlineportal", LOGIN) },
	{ "svc.joker.com", OURS("joker", LOGIN) },
	{ "update.dedyn.io", OURS("desec", "password", "token") },
	{ "update.spdyn.de", OURS("spdyn", LOGIN) },
	{ "updates.dnsomatic.com", OURS("dnsomatic", LOGIN) },
	{ "updates.opendns.com", OURS("opendns", LOGIN) },
	{ "www.orgdns.org", OURS("orgdns", LOGIN) },
	{ "ydns.io", OURS("ydns", LOGIN) },
};

const struct service *service_all(size_t table, size_t *ret_count)
{
	static const struct {
		const struct service *list;
		size_t count;
	} tables[] = {
		{ ddclient, COUNT(ddclient) },
		{ inadyn, COUNT(inadyn) },
		{ servers, COUNT(servers) },
	};

	if (table >= COUNT(tables))
		return NULL;
	*ret_count = tables[table].count;
	return tables[table].list;
}

static const struct service *service_find(size_t table, const char *name)
{
	size_t count = 0;
	const struct service *list = service_all(table, &count);

	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(list[i].theirs, name) == 0)
			return &list[i];
	}
	return NULL;
}

const struct service *service_of_ddclient(const char *protocol)
{
	return service_find(0, protocol);
}

const struct service *service_of_server(const char *host)
{
	return service_find(2, host);
}

const struct service *service_of_inadyn(const char *name)
{
	const struct service *found;

	if (strncasecmp(name, "default@", 8) == 0)
		name += 8;
	found = service_find(1, name);
	for (size_t i = 0; !found && *name && i < COUNT(inadyn); i++) {
		if (strcasestr(inadyn[i].theirs, name))
			found = &inadyn[i];
	}
	return found;
}

/* --- an entry --- */

static void service_add_setting(struct json *entry, const char *key, const char *value)
{
	char number[24];

	if (*key != '#') {
		json_add_string(entry, key, value);
		return;
	}
	snprintf(number, sizeof(number), "%lld", (long long)draft_seconds(value));
	json_add_string(entry, key + 1, number);
}

void service_add(struct draft *draft, const struct service *service,
		 struct json *entry, const struct options *options, unsigned line)
{
	for (size_t i = 0; i < 2 * SERVICE_SETTINGS_MAX && service->settings[i]; i += 2) {
		const char *theirs = service->settings[i], *ours = service->settings[i + 1];
		const char *value = options_take(options, theirs);

		if (value)
			service_add_setting(entry, ours, value);
		else if (*ours != '#' && !(service->domain && strcmp(ours, "domain") == 0))
			draft_lose(draft, line, "no %s is given, which \"%s\" needs as \"%s\"",
				   theirs, service->type, ours);
	}
	if (service->advice)
		draft_lose(draft, line, "%s: %s", service->type, service->advice);
}

/* "home.example.org" is taken to be in "example.org". */
static void service_guess_domain(struct draft *draft, const struct service *service,
				 struct json *entry, const char *name, unsigned line)
{
	const char *last = strrchr(name, '.'), *from = last;

	if (json_get(entry, "domain"))
		return;
	while (from && from > name && from[-1] != '.')
		from--;
	json_add_string(entry, "domain", from ? from : name);
	draft_lose(draft, line, "%s: %s", service->type, service->domain);
}

static void service_add_name(struct draft *draft, const struct service *service,
			     struct json *entry, struct json *list, char *name,
			     unsigned line)
{
	TEXT_CLEANUP struct text whole = TEXT_INIT;
	char shown[300];

	/* "@" is the zone itself. */
	if (strcmp(name, "@") == 0 && service->suffix)
		text_add(&whole, service->suffix + 1);
	else
		text_add(&whole, strncmp(name, "@.", 2) == 0 ? name + 2 : name);
	if (service->suffix && !strchr(whole.bytes, '.'))
		text_add(&whole, service->suffix);
	for (char *at = whole.bytes; *at; at++)
		*at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
	text_escape(shown, sizeof(shown), name, strlen(name));
	if (service->number) {
		if (!json_get(entry, service->number))
			json_add_string(entry, service->number, name);
		draft_lose(draft, line,
			   "%s: \"%s\" is a number there, \"%s\": each gets an entry of its "
			   "own, with the record's name in \"hostnames\"", service->type,
			   shown, service->number);
		return;
	}
	if (!text_is_hostname(whole.bytes)) {
		draft_lose(draft, line, "\"%s\" is no whole hostname: write it with its "
			   "domain into \"hostnames\"", shown);
		return;
	}
	if (service->domain && !json_child(list))
		service_guess_domain(draft, service, entry, whole.bytes, line);
	json_add(list, NULL, json_new_string(whole.bytes));
	draft->failed |= whole.failed;
}

size_t service_add_names(struct draft *draft, const struct service *service,
			 struct json *entry, const char *names, unsigned line)
{
	struct json *list = json_add(entry, "hostnames", json_new_array());
	size_t count = 0, length;
	char name[300];

	while (*(names += strspn(names, ", \t\n"))) {
		length = strcspn(names, ", \t\n");
		snprintf(name, sizeof(name), "%.*s", (int)length, names);
		service_add_name(draft, service, entry, list, name, line);
		names += length;
		count++;
	}
	return count;
}
