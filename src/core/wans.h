/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the core believes of each WAN. Plain data and what is done to it without asking
 * anybody; look.c compares it with the kernel.
 */
#ifndef CORE_WANS_H
#define CORE_WANS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/config.h"
#include "hairpin/err.h"
#include "hairpin/fault.h"
#include "hairpin/nft.h"
#include "hairpin/wan.h"

#include "source.h"

enum { WAN_IPV4, WAN_IPV6, WAN_SIDES };

enum {
	/* so that a restless prefix pushes out no IPv4 address */
	WAN_FORMER_PER_FAMILY = 16,
	WAN_FORMER_MAX = WAN_FORMER_PER_FAMILY * WAN_SIDES,
	WAN_LEAVING_MAX = 4,
};

/* One family of one WAN. */
struct core_side {
	int family;
	struct wan_side now;
	/* the interface's own address, which is `now` unless that is from outside */
	struct addr inner;
	struct source source;		/* where that is not global */
	/* ifindex the address is looked for on; 0: none */
	uint32_t link;
	bool seen;			/* had an address since the start */
	bool hinted;			/* double NAT and the like was explained */
	/* were replaced; their connections go when no link has them; newest last */
	struct addr leaving[WAN_LEAVING_MAX];
	size_t leaving_count;
	/* what hooks were told last; none: that there is none */
	struct addr told;
	bool told_known;		/* false: hooks were never told anything */
	unsigned rules;			/* rewritten since hooks were told */
	uint64_t changes;		/* of the address, and looks from outside */
	uint64_t looks, look_failures;
	struct fault look_fault;	/* of looks from outside */
	struct addr saved;		/* of the last run, as the state file has it */
	int64_t saved_since_wall_s;
};

/* Why tagged things were left alone, in the order in which that was found. */
enum { WAN_REASONS_MAX = 4 };

struct wan_reasons {
	struct {
		const char *reason;	/* static */
		unsigned count;
	} list[WAN_REASONS_MAX];
	size_t count;
	unsigned others;		/* things with still other reasons */
};

struct core_wan {
	const struct config_wan *config;
	struct core_side sides[WAN_SIDES];
	/*
	 * With "keep": what IPv6 rules follow instead of sides[WAN_IPV6], which is still
	 * published; and what goes before the "ipv6_suffix" of names. Hooks and connections
	 * know nothing of it. Its link is the one of "prefix_from".
	 */
	struct core_side prefix;
	bool prefix_by_route;		/* a route showed it, no address */
	char interface[IFNAMSIZ];	/* the link now, or as configured; "": none */
	bool up;
	bool has_route;
	bool started;			/* the event startup was queued */
	/*
	 * What rules had to follow before: newest first, without the present ones; never
	 * more of a family than its part. With "keep" IPv6 ones are prefixes.
	 */
	struct addr former[WAN_FORMER_MAX];
	size_t former_count;
	struct nft_count rules;		/* of the last sync */
	struct wan_reasons skipped;	/* likewise */
	unsigned skipped_said;
	uint64_t rewritten;
	int64_t synced_wall_s;		/* 0: never */
	/* of the last batch that changed something of it */
	int64_t commit_us;
};

/* One per WAN of the configuration, which must outlive them. NULL: no memory. */
struct core_wan *wans_new(const struct config *config);

/* A reload: WANs of the same name go on as they were. */
void wans_adopt(struct core_wan *wans, size_t count, const struct core_wan *old,
		size_t old_count);

/* The tags and addresses for nft_sync(), pointing into `wans`. */
int wans_targets(struct core_wan *wans, size_t count, struct nft_target **ret_targets,
		 struct err *ret_err) must_check;
void wans_targets_free(struct nft_target *targets, size_t count);
void wans_fill_targets(const struct core_wan *wans, size_t count,
		       struct nft_target *targets);

/* The length of the prefix; 0: nobody wants to know it. */
unsigned wan_prefix_bits(const struct config_wan *config);

/* What rules of that family are to hold: the address of the side, or the prefix. */
const struct core_side *wan_followed(const struct core_wan *wan, int side);

/* What rules follow of such an address, and remember: all of it, or its prefix. */
struct addr wan_shape(const struct core_wan *wan, const struct addr *address);

/*
 * The address was the WAN's: it, or with "keep" its prefix, is put in front of the former
 * ones, the oldest of its family may fall out. None, 0.0.0.0 and what is present are not
 * remembered. True: it is new.
 */
bool wan_remember(struct core_wan *wan, const struct addr *address);

/*
 * The same of one that is older than all that are known: it is put behind them, or left
 * out (false) where its family has enough.
 */
bool wan_recall(struct core_wan *wan, const struct addr *address);

/* Is the whole address a former one of the WAN? */
bool wan_had(const struct core_wan *wan, const struct addr *address);

/* It is the WAN's now, so it is none of the former ones. */
void wan_forget(struct core_wan *wan, const struct addr *address);

/*
 * The address was replaced, or is gone: its connections are to be forgotten once no link
 * has it. Of more than WAN_LEAVING_MAX the oldest is let go.
 */
void wan_side_leaves(struct core_side *side, const struct addr *address);

/* Is it to be forgotten once it has left? */
bool wan_side_is_leaving(const struct core_side *side, const struct addr *address);

/* It came back, or its connections are forgotten. */
void wan_side_left(struct core_side *side, const struct addr *address);

bool wan_has_address(const struct core_wan *wan);

/* Is the family wanted at all? */
bool wan_side_is_on(const struct core_wan *wan, int side);

/* WAN_IPV4, WAN_IPV6 for AF_INET, AF_INET6. */
int wan_side_of(int family);

/* The name for a message; "" for one that the kernel allows but messages do not carry. */
void wan_copy_link(char out[IFNAMSIZ], const char *name);

/* "IPv4", "IPv6" */
const char *wan_side_name(int side);

#endif
