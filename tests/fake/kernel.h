/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel for tests of the core: links, addresses, routes, tagged rules and
 * connections as plain arrays, and the time. It stands in for rtnl, nft, conntrack and
 * clock of the library, which are then not linked. One per test program.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/clock.h"
#include "hairpin/conntrack.h"
#include "hairpin/nft.h"
#include "hairpin/rtnl.h"

enum { FAKE_MAX = 32, FAKE_RULES_MAX = 16 };

struct fake_rule {
	const char *comment;
	struct addr address;
	const char *left_alone;		/* the reason; NULL: it is not */
};

static struct {
	int64_t now_ms, wall_s;
	struct rtnl_link links[FAKE_MAX];
	size_t link_count;
	struct wan_candidate addresses[FAKE_MAX];
	size_t address_count;
	struct rtnl_default defaults[FAKE_MAX];
	size_t default_count;
	struct wan_route routes[FAKE_MAX];
	size_t route_count;
	struct rtnl_watch watch;	/* whose routes were asked for last */
	int snapshot_fails, routes_fail;	/* negative errno */
	unsigned snapshots;

	struct fake_rule rules[FAKE_RULES_MAX];
	size_t rule_count;
	int nft_new_fails, sync_fails;	/* negative errno */
	unsigned syncs, commits;
	size_t formers_seen;		/* of target 0, at the last sync */
	bool foreign;			/* the monitor will say so */

	struct addr forgotten;		/* last conntrack_forget_old() */
	unsigned forgot_old, forgot_stale;
	unsigned stale;			/* what conntrack_forget_stale() finds */
	/* commits before the last conntrack_forget_stale() */
	unsigned commits_at_stale;
} kernel = { .now_ms = 1000000, .wall_s = 1790000000 };

/* --- time --- */

int64_t clock_now_ms(void) { return kernel.now_ms; }
int64_t clock_now_us(void) { return kernel.now_ms * 1000; }
int64_t clock_wall_s(void) { return kernel.wall_s; }

const char *clock_format(int64_t wall_s, char out[CLOCK_TEXT_BYTES])
{
	(void)wall_s;
	return strcpy(out, "2026-01-01T00:00:00Z");
}

/* --- links --- */

static inline struct addr fake_addr(const char *text)
{
	struct addr address = { 0 };

	if (text && !addr_parse(text, &address))
		abort();
	return address;
}

static inline void fake_link(uint32_t index, const char *name)
{
	struct rtnl_link *link = &kernel.links[kernel.link_count++];

	*link = (struct rtnl_link){ .index = index, .up = true };
	strcpy(link->name, name);
}

static inline void fake_address(uint32_t link, const char *text)
{
	kernel.addresses[kernel.address_count++] = (struct wan_candidate){
		.address = fake_addr(text), .ifindex = link, .scope = RT_SCOPE_UNIVERSE,
		.prefix_length = 24,
	};
}

static inline void fake_default(uint32_t link, int family)
{
	kernel.defaults[kernel.default_count++] =
		(struct rtnl_default){ .family = family, .link = link, .priority = 100,
				       .is_main = true };
}

int rtnl_new(struct rtnl **ret_rtnl, struct err *ret_err)
{
	(void)ret_err;
	*ret_rtnl = NULL;
	return 0;
}

void rtnl_free(struct rtnl *rtnl) { (void)rtnl; }
int rtnl_fd(const struct rtnl *rtnl) { (void)rtnl; return -1; }
unsigned long rtnl_overruns(const struct rtnl *rtnl) { (void)rtnl; return 0; }

int rtnl_read(struct rtnl *rtnl, bool *ret_changed)
{
	(void)rtnl;
	*ret_changed = true;
	return 0;
}

int rtnl_snapshot(struct rtnl *rtnl, struct rtnl_snapshot *snapshot, struct err *ret_err)
{
	(void)rtnl;
	kernel.snapshots++;
	if (kernel.snapshot_fails)
		return err_set(ret_err, kernel.snapshot_fails, "no snapshot");
	*snapshot = (struct rtnl_snapshot){
		.links = kernel.links, .link_count = kernel.link_count,
		.addresses = kernel.addresses, .address_count = kernel.address_count,
		.defaults = kernel.defaults, .default_count = kernel.default_count,
	};
	return 0;
}

void rtnl_snapshot_done(struct rtnl_snapshot *snapshot) { (void)snapshot; }

static inline void fake_route(uint32_t link, const char *to, uint8_t prefix_length)
{
	kernel.routes[kernel.route_count++] = (struct wan_route){
		.to = fake_addr(to), .prefix_length = prefix_length, .ifindex = link,
		.priority = 1024,
	};
}

/* All of them; who asks is to take only those of his link. */
int rtnl_routes(struct rtnl *rtnl, const struct rtnl_watch *watch,
		struct rtnl_routes *routes, struct err *ret_err)
{
	(void)rtnl;
	if (kernel.routes_fail)
		return err_set(ret_err, kernel.routes_fail, "no routes");
	kernel.watch = *watch;
	*routes = (struct rtnl_routes){ .list = kernel.routes,
					.count = watch->count ? kernel.route_count : 0 };
	return 0;
}

void rtnl_routes_done(struct rtnl_routes *routes) { (void)routes; }

const struct rtnl_link *rtnl_link_find(const struct rtnl_snapshot *snapshot,
				       const char *name)
{
	for (size_t i = 0; i < snapshot->link_count; i++)
		if (strcmp(snapshot->links[i].name, name) == 0)
			return &snapshot->links[i];
	return NULL;
}

uint32_t rtnl_default_link(const struct rtnl_snapshot *snapshot, int family)
{
	for (size_t i = 0; i < snapshot->default_count; i++)
		if (snapshot->defaults[i].family == family)
			return snapshot->defaults[i].link;
	return 0;
}

/* --- rules: every one is a plain dst-nat rule of the address's family --- */

static inline void fake_rule(const char *comment, const char *address)
{
	kernel.rules[kernel.rule_count++] =
		(struct fake_rule){ comment, fake_addr(address), NULL };
}

int nft_new(struct nft **ret_nft, struct err *ret_err)
{
	static char nft;

	if (kernel.nft_new_fails)
		return err_set(ret_err, kernel.nft_new_fails, "no nf_tables for us");
	*ret_nft = (struct nft *)&nft;
	return 0;
}

void nft_free(struct nft *nft) { (void)nft; }
int nft_monitor_fd(const struct nft *nft) { (void)nft; return -1; }
unsigned long nft_overruns(const struct nft *nft) { (void)nft; return 0; }

int nft_monitor_read(struct nft *nft, bool *ret_foreign)
{
	(void)nft;
	*ret_foreign = kernel.foreign;
	kernel.foreign = false;
	return 0;
}

static inline void fake_count(struct nft_report *report, const struct nft_item *item)
{
	struct nft_count *counts[2] = { &report->total,
					item->target == NFT_OF_NAME
						? &report->of_names
						: &report->of[item->target] };

	for (int i = 0; i < 2; i++) {
		counts[i]->tagged++;
		counts[i]->in_step += item->in_step;
		counts[i]->skipped += item->result == NFT_SKIPPED;
		counts[i]->changed += item->result == NFT_CHANGED;
	}
	report->unchanged += item->result == NFT_UNCHANGED;
}

static inline int fake_target(const struct nft_request *request, const char *comment)
{
	for (size_t i = 0; i < request->target_count; i++)
		if (tag_match(&request->targets[i].tag, comment) >= 0)
			return (int)i;
	return TAG_NO_MATCH;
}

static inline struct addr fake_wanted(const struct nft_target *target,
				      const struct addr *value)
{
	if (value->family == AF_INET)
		return target->ipv4;
	if (!target->keep_bits || addr_is_none(&target->prefix))
		return target->keep_bits ? target->prefix : target->ipv6;
	return addr_join(&target->prefix, target->keep_bits, value);
}

/* A set of one address: the first one of its family that the name has. */
static inline bool fake_named(const struct nft_request *request, struct nft_item *item)
{
	const char *prefix = request->name_prefix ? request->name_prefix : "";
	size_t length = strlen(prefix);

	if (!length || strncmp(item->comment, prefix, length) != 0)
		return false;
	item->kind = NFT_SET;
	item->target = NFT_OF_NAME;
	item->name = item->comment + length;
	item->name_family = item->old.family;
	for (size_t i = 0; i < request->name_count; i++)
		for (size_t j = 0; j < request->names[i].count &&
				   strcmp(request->names[i].name, item->name) == 0; j++)
			if (request->names[i].addresses[j].family == item->name_family) {
				item->new = request->names[i].addresses[j];
				return true;
			}
	return true;
}

static inline void fake_apply(const struct nft_request *request, struct fake_rule *rule,
			      struct nft_report *report)
{
	struct nft_item item = { .kind = NFT_RULE,
				 .family = 2,
				 .table = "nat",
				 .chain = "pre",
				 .handle = 4,
				 .comment = rule->comment,
				 .old = rule->address };
	const struct nft_target *target;

	if (!fake_named(request, &item)) {
		item.target = fake_target(request, rule->comment);
		if (item.target < 0)
			return;
		target = &request->targets[item.target];
		item.new = fake_wanted(target, &rule->address);
	}
	if (addr_is_none(&item.new)) {
		item.result = NFT_SKIPPED;
		item.reason = "no address is known";
	} else if (rule->left_alone) {
		item.result = NFT_SKIPPED;
		item.reason = rule->left_alone;
	} else if (addr_equal(&item.new, &item.old)) {
		item.result = NFT_UNCHANGED;
	} else {
		item.result = NFT_CHANGED;
		item.learnt = item.target >= 0;
		if (!request->dry_run)
			rule->address = item.new;
	}
	item.in_step = item.result == NFT_UNCHANGED ||
		       (item.result == NFT_CHANGED && !request->dry_run);
	fake_count(report, &item);
	if (request->item)
		request->item(request->context, &item);
}

int nft_sync(struct nft *nft, const struct nft_request *request,
	     struct nft_report *ret_report, struct err *ret_err)
{
	(void)nft;
	kernel.syncs++;
	kernel.formers_seen = request->targets[0].former_count;
	if (kernel.sync_fails)
		return err_set(ret_err, kernel.sync_fails, "the kernel says no");
	memset(ret_report, 0, sizeof(*ret_report));
	for (size_t i = 0; i < kernel.rule_count; i++)
		fake_apply(request, &kernel.rules[i], ret_report);
	if (ret_report->total.changed == 0 || request->dry_run)
		return 0;
	kernel.commits++;
	ret_report->commit_us = 310;
	ret_report->services.count = request->services;
	return 0;
}

/* --- connections --- */

int conntrack_new(struct conntrack **ret_conntrack, struct err *ret_err)
{
	static char conntrack;

	(void)ret_err;
	*ret_conntrack = (struct conntrack *)&conntrack;
	return 0;
}

void conntrack_free(struct conntrack *conntrack) { (void)conntrack; }

int conntrack_forget_old(struct conntrack *conntrack, const struct addr *old,
			 unsigned *ret_removed, struct err *ret_err)
{
	(void)conntrack;
	(void)ret_err;
	kernel.forgot_old++;
	kernel.forgotten = *old;
	*ret_removed = 1;
	return 0;
}

int conntrack_forget_stale(struct conntrack *conntrack,
			   const struct nft_services *services, unsigned *ret_removed,
			   struct err *ret_err)
{
	(void)conntrack;
	(void)services;
	(void)ret_err;
	kernel.forgot_stale++;
	kernel.commits_at_stale = kernel.commits;
	*ret_removed = kernel.stale;
	return 0;
}

#endif
