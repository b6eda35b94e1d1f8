/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The zone a name lies in: the nearest of the name and its parents that has NS records.
 * The system's resolver is asked, and only for names of servers: what a record holds is
 * never taken from it. A resolver with a view of its own (split horizon) may say that the
 * name does not exist; its parents are asked all the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/text.h"
#include "hosts_file.h"
#include "resolver.h"

struct zone_search {
	struct resolve *resolve;
	zone_search_fn *fn;
	void *context;
	struct ask_question *question;
	char name[DNSMSG_NAME_BYTES];
	const char *at;			/* within `name`: the parent being asked for */
};

void zone_search_stop(struct zone_search *search)
{
	if (!search)
		return;
	ask_forget(search->question);
	free(search);
}

static void read_zone(const struct zone_search *search, const struct dnsmsg *message,
		      struct zone *zone)
{
	struct dnsmsg_walk walk = { 0 };
	struct dnsmsg_record record;
	uint32_t ttl_s = ZONE_KEPT_S;

	memset(zone, 0, sizeof(*zone));
	text_copy(zone->name, sizeof(zone->name), search->at);
	while (zone->server_count < ZONE_SERVERS_MAX &&
	       dnsmsg_next(message, &walk, &record)) {
		if (record.type != DNSMSG_NS || strcmp(record.owner, search->at) != 0 ||
		    !record.target[0] || strcmp(record.target, "?") == 0)
			continue;
		memcpy(zone->servers[zone->server_count++], record.target,
		       sizeof(record.target));
		if (record.ttl_s < ttl_s)
			ttl_s = record.ttl_s;
	}
	zone->until = ev_now(search->resolve->loop) + ttl_s;
}

static bool ask_next(struct zone_search *search);

static void on_answer(void *context, const void *bytes, size_t length)
{
	struct zone_search *search = context;
	zone_search_fn *fn = search->fn;
	void *fn_context = search->context;
	struct dnsmsg message;
	struct zone zone = { 0 };
	const char *dot;

	search->question = NULL;
	if (bytes && dnsmsg_read(bytes, length, &message) && message.type == DNSMSG_NS &&
	    message.rcode == DNSMSG_NOERROR)
		read_zone(search, &message, &zone);
	if (zone.server_count == 0) {
		dot = strchr(search->at, '.');
		search->at = dot ? dot + 1 : NULL;
		if (search->at && ask_next(search))
			return;
	}
	if (zone.server_count > 0)
		resolve_zone_keep(search->resolve, &zone);
	zone_search_stop(search);
	fn(fn_context, zone.server_count > 0 ? &zone : NULL);
}

static bool ask_next(struct zone_search *search)
{
	search->question = ask_start(search->resolve->system, search->at, DNSMSG_NS,
				     on_answer, search);
	return search->question != NULL;
}

int zone_search_start(struct resolve *resolve, const char *name, zone_search_fn *fn,
		      void *context, struct zone_search **ret_search)
{
	struct zone_search *search = calloc(1, sizeof(*search));

	if (!search)
		return -ENOMEM;
	search->resolve = resolve;
	search->fn = fn;
	search->context = context;
	if (!name_lower(search->name, name)) {
		free(search);
		return -EINVAL;
	}
	search->at = search->name;
	/*
	 * A wildcard's own name has no servers, and "*" is no label to ask others
	 * about.
	 */
	if (strncmp(search->at, "*.", 2) == 0)
		search->at += 2;
	if (!ask_next(search)) {
		free(search);
		return -ENOMEM;
	}
	*ret_search = search;
	return 0;
}
