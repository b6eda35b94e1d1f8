/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One snapshot of the links, compared with what is believed of each WAN. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/order.h"
#include "hairpin/text.h"

#include "core.h"

static const struct rtnl_link *link_of(const struct rtnl_snapshot *snapshot,
				       uint32_t index)
{
	for (size_t i = 0; i < snapshot->link_count; i++)
		if (snapshot->links[i].index == index)
			return &snapshot->links[i];
	return NULL;
}

/* --- which link --- */

/*
 * Of a WAN that names none: the link of the family's default route, else that of the
 * other family's, else the last one while it is there. An address that goes and comes
 * takes its routes with it for a moment; that must not look like another WAN.
 */
static uint32_t followed_link(const struct rtnl_snapshot *snapshot,
			      const struct core_side *side)
{
	int other = side->family == AF_INET ? AF_INET6 : AF_INET;
	uint32_t link = rtnl_default_link(snapshot, side->family);

	if (!link)
		link = rtnl_default_link(snapshot, other);
	if (!link && link_of(snapshot, side->link))
		link = side->link;
	return link;
}

static uint32_t named_link(const struct rtnl_snapshot *snapshot, const char *name)
{
	const struct rtnl_link *link = rtnl_link_find(snapshot, name);

	return link ? link->index : 0;
}

static void find_links(const struct rtnl_snapshot *snapshot, struct core_wan *wan)
{
	const struct config_wan *config = wan->config;

	for (int i = 0; i < WAN_SIDES; i++)
		wan->sides[i].link = config->interface[0]
				     ? named_link(snapshot, config->interface)
				     : followed_link(snapshot, &wan->sides[i]);
	wan->prefix.link = config->prefix_from[0]
			   ? named_link(snapshot, config->prefix_from)
			   : wan->sides[WAN_IPV6].link;
}

/* Which of the sides speaks for the WAN where they differ: IPv4 where it is used. */
static const struct rtnl_link *main_link(const struct rtnl_snapshot *snapshot,
					 const struct core_wan *wan)
{
	int side = wan_side_is_on(wan, WAN_IPV4) ? WAN_IPV4 : WAN_IPV6;

	return link_of(snapshot, wan->sides[side].link);
}

/*
 * Can the WAN's requests leave? Bound to its link they take a default route of whatever table by
 * it, else one of the main table.
 */
static bool has_route(const struct rtnl_snapshot *snapshot, const struct core_wan *wan)
{
	char link[IFNAMSIZ];

	wan_copy_link(link, wan->interface);
	for (size_t i = 0; i < snapshot->default_count; i++) {
		const struct rtnl_default *route = &snapshot->defaults[i];

		if (!wan->config->bind && route->is_main)
			return true;
		if (wan->config->bind && link[0] &&
		    (route->link == wan->sides[WAN_IPV4].link ||
		     route->link == wan->sides[WAN_IPV6].link))
			return true;
	}
	return false;
}

static void update_link(struct core *core, size_t index, int64_t now_ms)
{
	struct core_wan *wan = &core->wans[index];
	const struct rtnl_link *link;
	bool was_up = wan->up, route;

	find_links(&core->snapshot, wan);
	link = main_link(&core->snapshot, wan);
	wan->up = link && link->up;
	if (link)
		memcpy(wan->interface, link->name, IFNAMSIZ);
	else if (!wan->config->interface[0])
		wan->interface[0] = '\0';
	if (wan->up && !was_up)
		schedule_network(core->schedule, index, now_ms);
	route = has_route(&core->snapshot, wan);
	if ((wan->up && !was_up) || (route && !wan->has_route))
		names_network(&core->names, now_ms);
	if (route == wan->has_route)
		return;
	wan->has_route = route;
	schedule_route(core->schedule, index, route, now_ms);
}

/* --- which address --- */

/* The candidates of one link side by side, in the order of the dump. */
static size_t gather(const struct rtnl_snapshot *snapshot, uint32_t link,
		     struct wan_candidate *out)
{
	size_t count = 0;

	for (size_t i = 0; link && i < snapshot->address_count; i++)
		if (snapshot->addresses[i].ifindex == link)
			out[count++] = snapshot->addresses[i];
	return count;
}

static void restore_since(struct core_side *side)
{
	if (!side->seen && addr_equal(&side->now.address, &side->saved) &&
	    side->saved_since_wall_s > 0)
		side->now.since_wall_s = side->saved_since_wall_s;
}

/* Compares, and notes what a change or a loss means for the rules' memory. */
static bool has_changed(struct core *core, struct core_side *side,
			const struct addr *seen, int64_t now_ms,
			struct look_change *change)
{
	struct core_wan *wan = &core->wans[change->wan];

	change->event = wan_observe(&side->now, seen, wan->config->grace_ms, now_ms,
				    clock_wall_s(), &change->former);
	if (change->event != WAN_CHANGED && change->event != WAN_LOST)
		return false;
	core->state.dirty = true;
	if (!addr_is_none(&side->now.address)) {
		restore_since(side);
		side->seen = true;
	}
	if (side != wan_followed(wan, change->side))
		return true;
	wan_forget(wan, &side->now.address);
	/* A loss is remembered too: the next address may be another one. */
	(void)wan_remember(wan, &change->former);
	return true;
}

/*
 * Of a unique local address nothing is published, but a network that has only such ones
 * goes out by it all the same.
 */
static bool is_present(const struct wan_candidate *candidates, size_t count,
		       const struct core_side *side)
{
	bool present = !addr_is_none(&side->inner);

	for (size_t i = 0; i < count && !present; i++)
		present = addr_classify(&candidates[i].address) == ADDR_ULA &&
			  side->family == AF_INET6;
	return present;
}

/*
 * The WAN's address where the interface's own may be one behind another router: the own
 * one if it is global, else what was found from outside.
 */
static struct addr observe_source(const struct core_wan *wan, struct core_side *side,
				  bool present, int64_t now_ms)
{
	struct source_sight sight = { .link = side->link, .inner = side->inner };
	const struct addr none = { 0 };

	sight.able = present && !addr_is_global(&side->inner) && wan->up &&
		     wan->has_route;
	source_observe(&side->source, &sight, now_ms);
	if (addr_is_global(&side->inner))
		return side->inner;
	return present ? side->source.address : none;
}

/* What is masqueraded by it goes on to the former one, if nobody ends it. */
static void observe_inner(struct core_side *side, const struct addr *inner)
{
	struct addr former = side->inner;

	side->inner = *inner;
	if (!source_is_on(&side->source) || addr_is_none(inner) ||
	    addr_equal(&former, inner))
		return;
	wan_side_leaves(side, &former);
	wan_side_left(side, inner);
}

static void observe(struct core *core, size_t index, int which,
		    struct wan_candidate *scratch, int64_t now_ms, struct look *look)
{
	struct core_wan *wan = &core->wans[index];
	struct core_side *side = &wan->sides[which];
	struct look_change change = { .wan = index, .side = which };
	struct addr seen;
	size_t count;

	if (!wan_side_is_on(wan, which))
		return;
	count = gather(&core->snapshot, side->link, scratch);
	seen = wan_choose(side->family, scratch, count,
			  source_is_on(&side->source) ? &side->inner
						      : &side->now.address);
	observe_inner(side, &seen);
	if (source_is_on(&side->source))
		seen = observe_source(wan, side, is_present(scratch, count, side),
				      now_ms);
	if (!has_changed(core, side, &seen, now_ms, &change))
		return;
	wan_side_leaves(side, &change.former);
	wan_side_left(side, &side->now.address);
	look->changes[look->count++] = change;
}

/* --- which prefix --- */

static void watch_link(struct rtnl_watch *watch, uint32_t link, unsigned bits)
{
	size_t at = 0;

	while (at < watch->count && watch->links[at] != link)
		at++;
	if (at == watch->count)
		watch->links[watch->count++] = link;
	watch->bits = MAX(watch->bits, bits);
}

/* Of the links whose addresses show no prefix that somebody wants to know. */
static int read_routes(struct core *core, struct wan_candidate *scratch,
		       struct err *ret_err)
{
	struct rtnl_watch watch = { .count = 0 };
	const struct addr none = { 0 };

	_Static_assert((int)RTNL_WATCH_MAX >= (int)CONFIG_WANS_MAX, "each has a place");
	for (size_t i = 0; i < core->config->wan_count; i++) {
		uint32_t link = core->wans[i].prefix.link;
		unsigned bits = wan_prefix_bits(core->wans[i].config);
		size_t count = gather(&core->snapshot, link, scratch);
		struct addr shown = wan_choose_prefix(bits, scratch, count, &none);

		if (bits && link && addr_is_none(&shown))
			watch_link(&watch, link, bits);
	}
	return rtnl_routes(core->rtnl, &watch, &core->routes, ret_err);
}

/* An address that showed another prefix, and vanished, may come back within its grace. */
static bool may_show(const struct core_wan *wan, const struct addr *shown, int64_t now_ms)
{
	const struct wan_side *now = &wan->prefix.now;

	return addr_is_none(&now->address) || wan->prefix_by_route ||
	       addr_equal(&now->address, shown) ||
	       wan_due_ms(now, wan->config->grace_ms) <= now_ms;
}

/* An address wins over a route. */
static struct addr see_prefix(const struct core *core, struct core_wan *wan,
			      struct wan_candidate *scratch, int64_t now_ms)
{
	unsigned bits = wan_prefix_bits(wan->config);
	uint32_t link = wan->prefix.link;
	size_t count = gather(&core->snapshot, link, scratch);
	const struct addr *current = &wan->prefix.now.address, none = { 0 };
	struct addr shown = wan_choose_prefix(bits, scratch, count, current);

	if (!addr_is_none(&shown)) {
		wan->prefix_by_route = false;
		return shown;
	}
	shown = wan_choose_route(bits, core->routes.list, core->routes.count, link,
				 scratch, count, current);
	if (addr_is_none(&shown) || !may_show(wan, &shown, now_ms))
		return none;
	wan->prefix_by_route = true;
	return shown;
}

static void observe_prefix(struct core *core, size_t index,
			   struct wan_candidate *scratch, int64_t now_ms,
			   struct look *look)
{
	struct core_wan *wan = &core->wans[index];
	struct look_change change = { .wan = index, .side = WAN_IPV6 };
	struct addr seen;

	if (!wan_prefix_bits(wan->config))
		return;
	seen = see_prefix(core, wan, scratch, now_ms);
	if (has_changed(core, &wan->prefix, &seen, now_ms, &change))
		look->prefixes[look->prefix_count++] = change;
}

int look_at_links(struct core *core, int64_t now_ms, struct look *ret_look,
		  struct err *ret_err)
{
	struct wan_candidate *scratch;
	int result;

	result = rtnl_snapshot(core->rtnl, &core->snapshot, ret_err);
	if (result < 0)
		return result;
	scratch = calloc(core->snapshot.address_count + 1, sizeof(*scratch));
	if (!scratch)
		return err_set(ret_err, -ENOMEM, "out of memory");
	ret_look->count = ret_look->prefix_count = 0;
	for (size_t i = 0; i < core->config->wan_count; i++)
		update_link(core, i, now_ms);
	result = read_routes(core, scratch, ret_err);
	for (size_t i = 0; result == 0 && i < core->config->wan_count; i++) {
		for (int side = 0; side < WAN_SIDES; side++)
			observe(core, i, side, scratch, now_ms, ret_look);
		observe_prefix(core, i, scratch, now_ms, ret_look);
	}
	free(scratch);
	return result;
}

bool look_finds(const struct core *core, const struct addr *address)
{
	for (size_t i = 0; i < core->snapshot.address_count; i++)
		if (addr_equal(&core->snapshot.addresses[i].address, address))
			return true;
	return false;
}

int64_t look_due_ms(const struct core *core)
{
	int64_t due_ms = INT64_MAX;

	for (size_t i = 0; i < core->config->wan_count; i++) {
		const struct core_wan *wan = &core->wans[i];
		int64_t grace_ms = wan->config->grace_ms;

		for (int side = 0; side < WAN_SIDES; side++)
			due_ms = MIN(due_ms, wan_due_ms(&wan->sides[side].now, grace_ms));
		due_ms = MIN(due_ms, wan_due_ms(&wan->prefix.now, grace_ms));
	}
	return due_ms;
}
