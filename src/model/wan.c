/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of a link's addresses or routes is the WAN's, and when one that vanished counts as lost. */
#include "hairpin/wan.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static bool is_usable(int family, const struct wan_candidate *candidate)
{
	enum addr_class class = addr_classify(&candidate->address);

	if (candidate->address.family != family || candidate->scope != RT_SCOPE_UNIVERSE)
		return false;
	if (candidate->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED))
		return false;
	if (family != AF_INET6)
		return true;
	/* The bit of IFA_F_SECONDARY means on IPv6 that it is a privacy address. */
	return !(candidate->flags & IFA_F_TEMPORARY) && class != ADDR_ULA &&
	       class != ADDR_LINK_LOCAL;
}

/* The first address that agrees with the current one in `bits` bits, else the best. */
static struct addr choose(int family, const struct wan_candidate *candidates,
			  size_t count, const struct addr *current, unsigned bits)
{
	struct addr primary = { 0 }, any = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct wan_candidate *candidate = &candidates[i];

		if (!is_usable(family, candidate))
			continue;
		if (addr_same_prefix(&candidate->address, current, bits))
			return candidate->address;
		if (addr_is_none(&any))
			any = candidate->address;
		if (addr_is_none(&primary) && !(candidate->flags & IFA_F_SECONDARY))
			primary = candidate->address;
	}
	return addr_is_none(&primary) ? any : primary;
}

struct addr wan_choose(int family, const struct wan_candidate *candidates, size_t count,
		       const struct addr *current)
{
	return choose(family, candidates, count, current, 8 * sizeof(current->bytes));
}

struct addr wan_choose_prefix(unsigned bits, const struct wan_candidate *candidates,
			      size_t count, const struct addr *current)
{
	const struct addr rest = { .family = AF_INET6 }, none = { 0 };
	struct addr address = choose(AF_INET6, candidates, count, current, bits);

	return addr_is_none(&address) ? none : addr_join(&address, bits, &rest);
}

static bool is_delegated(const struct wan_route *route, unsigned bits,
			 const struct wan_candidate *candidates, size_t count)
{
	if (route->to.family != AF_INET6 || !addr_is_global(&route->to) ||
	    route->prefix_length < WAN_ROUTE_BITS_MIN || route->prefix_length > bits)
		return false;
	for (size_t i = 0; i < count; i++)
		if (addr_same_prefix(&candidates[i].address, &route->to,
				     route->prefix_length))
			return false;
	return true;
}

static bool is_better(const struct wan_route *route, const struct wan_route *best,
		      const struct addr *current)
{
	if (route->prefix_length != best->prefix_length)
		return route->prefix_length > best->prefix_length;
	if (route->priority != best->priority)
		return route->priority < best->priority;
	return addr_equal(&route->to, current) && !addr_equal(&best->to, current);
}

struct addr wan_choose_route(unsigned bits, const struct wan_route *routes,
			     size_t route_count, uint32_t link,
			     const struct wan_candidate *candidates, size_t count,
			     const struct addr *current)
{
	const struct addr rest = { .family = AF_INET6 }, none = { 0 };
	const struct wan_route *best = NULL;

	for (size_t i = 0; i < route_count; i++) {
		const struct wan_route *route = &routes[i];

		if (route->ifindex != link ||
		    !is_delegated(route, bits, candidates, count))
			continue;
		if (!best || is_better(route, best, current))
			best = route;
	}
	return best ? addr_join(&best->to, bits, &rest) : none;
}

static void change_to(struct wan_side *side, const struct addr *address, int64_t wall_s,
		      struct addr *ret_former)
{
	*ret_former = side->address;
	side->address = *address;
	side->since_wall_s = wall_s;
	side->generation++;
	side->missing = false;
}

static enum wan_event observe_none(struct wan_side *side, int64_t grace_ms,
				   int64_t now_ms, int64_t wall_s,
				   struct addr *ret_former)
{
	static const struct addr none;
	bool first = !side->missing;

	if (addr_is_none(&side->address))
		return WAN_SAME;
	if (first) {
		side->missing = true;
		side->missing_since_ms = now_ms;
	}
	if (now_ms - side->missing_since_ms < grace_ms)
		return first ? WAN_MISSING : WAN_SAME;
	change_to(side, &none, wall_s, ret_former);
	return WAN_LOST;
}

enum wan_event wan_observe(struct wan_side *side, const struct addr *seen,
			   int64_t grace_ms, int64_t now_ms, int64_t wall_s,
			   struct addr *ret_former)
{
	if (addr_is_none(seen))
		return observe_none(side, grace_ms, now_ms, wall_s, ret_former);
	if (addr_equal(seen, &side->address)) {
		side->missing = false;
		return WAN_SAME;
	}
	change_to(side, seen, wall_s, ret_former);
	return WAN_CHANGED;
}

int64_t wan_due_ms(const struct wan_side *side, int64_t grace_ms)
{
	return side->missing ? side->missing_since_ms + grace_ms : INT64_MAX;
}
