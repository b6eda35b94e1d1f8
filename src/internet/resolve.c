/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/text.h"
#include "resolver.h"

enum { DEFAULT_PORT = 53 };

int resolve_new(struct ev_loop *loop, struct resolve **ret_resolve)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));
	int r;

	if (!resolve)
		return -ENOMEM;
	resolve->loop = loop;
	r = ask_new(loop, NULL, &resolve->system);
	if (r < 0) {
		free(resolve);
		return r;
	}
	*ret_resolve = resolve;
	return 0;
}

void resolve_free(struct resolve *resolve)
{
	if (!resolve)
		return;
	ask_free(resolve->system);
	free(resolve);
}

/* --- zones --- */

struct zone *resolve_zone_find(struct resolve *resolve, const char *name)
{
	struct zone *nearest = NULL;

	for (size_t i = 0; i < ZONES_KEPT; i++) {
		struct zone *zone = &resolve->zones[i];

		if (zone->server_count == 0 || zone->until < ev_now(resolve->loop) ||
		    !dnsmsg_name_is_under(name, zone->name))
			continue;
		if (!nearest || strlen(zone->name) > strlen(nearest->name))
			nearest = zone;
	}
	return nearest;
}

void resolve_zone_forget(struct resolve *resolve, const char *name)
{
	for (size_t i = 0; i < ZONES_KEPT; i++)
		if (strcmp(resolve->zones[i].name, name) == 0)
			resolve->zones[i].server_count = 0;
}

void resolve_zone_keep(struct resolve *resolve, const struct zone *zone)
{
	resolve_zone_forget(resolve, zone->name);
	resolve->zones[resolve->next_zone] = *zone;
	resolve->next_zone = (resolve->next_zone + 1) % ZONES_KEPT;
}

/* --- small things --- */

void resolve_addresses_add(struct addr *addresses, size_t *count, const struct addr *more,
			   size_t more_count)
{
	for (size_t i = 0; i < more_count && *count < RESOLVE_ADDRESSES_MAX; i++) {
		size_t at = 0;

		while (at < *count && !addr_equal(&addresses[at], &more[i]))
			at++;
		if (at == *count)
			addresses[(*count)++] = more[i];
	}
}

static bool parse_port(const char *text, uint16_t *ret_port)
{
	long port;

	if (!text_parse_number(text, 1, 65535, &port))
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

bool resolve_server_parse(const char *text, struct resolve_server *ret_server)
{
	struct resolve_server server = { .port = DEFAULT_PORT };
	bool bracket = text[0] == '[';
	char address[ADDR_TEXT_BYTES];
	const char *end, *port = NULL;
	size_t length;

	if (addr_parse(text, &server.address)) {
		*ret_server = server;
		return true;
	}
	end = strchr(text, bracket ? ']' : ':');
	if (!end)
		return false;
	length = (size_t)(end - text) - (bracket ? 1 : 0);
	if (length >= sizeof(address))
		return false;
	memcpy(address, text + (bracket ? 1 : 0), length);
	address[length] = '\0';
	if (bracket)
		end++;
	if (*end == ':')
		port = end + 1;
	else if (*end != '\0')
		return false;
	if (!addr_parse(address, &server.address) ||
	    (port && !parse_port(port, &server.port)))
		return false;
	if ((server.address.family == AF_INET6) != bracket)
		return false;
	*ret_server = server;
	return true;
}
