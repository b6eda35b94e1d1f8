/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

#include "hairpin/clock.h"
#include "nft_commit.h"
#include "nft_ruleset.h"
#include "nft_service.h"
#include "nft_set.h"

/*
 * Somebody else may commit between our look and our batch: again, at least so often and
 * so long.
 */
enum { TRIES_MIN = 10, TRIES_MAX = 500, TRIES_US = 1500 * 1000 };

/* Addresses that dst-nat rules held and that are former ones from now on, by target. */
struct learnt {
	struct addr *addresses[NFT_TARGETS_MAX];
	size_t counts[NFT_TARGETS_MAX], rooms[NFT_TARGETS_MAX];
	bool grew;
};

struct sync {
	struct nft *nft;
	const struct nft_request *request;
	struct ruleset ruleset;
	struct learnt learnt;
};

static void skip(struct ruleset_thing *thing, const char *reason)
{
	thing->verdict.result = NFT_SKIPPED;
	thing->verdict.reason = reason;
	thing->verdict.learnt = false;
	thing->verdict.new = (struct addr){ 0 };
}

static int learn(struct learnt *learnt, const struct ruleset_thing *thing)
{
	size_t target = (size_t)thing->target, count = learnt->counts[target];
	struct addr **list = &learnt->addresses[target];

	for (size_t i = 0; i < count; i++) {
		if (addr_equal(&(*list)[i], &thing->verdict.old))
			return 0;
	}
	if (ruleset_grow((void **)list, count, &learnt->rooms[target],
			 sizeof(**list)) < 0)
		return -ENOMEM;
	(*list)[count] = thing->verdict.old;
	learnt->counts[target]++;
	learnt->grew = true;
	return 0;
}

/* What is known of the sets the decision depends on. */
static int read_sets(struct sync *sync, const struct ruleset_thing *thing,
		     const struct rule_view *view, struct rewrite_set *sets)
{
	for (size_t i = 0; i < view->lookup_count; i++) {
		struct set_header header;
		int r;

		sets[i] = (struct rewrite_set){ .change.result = NFT_SKIPPED };
		if (!rewrite_asks(view, &view->lookups[i], thing->table->family))
			continue;
		r = set_read_header(sync->nft, &sync->ruleset.arena, thing->table,
				    view->lookups[i].set, &header);
		if (r < 0)
			return r;
		sets[i].known = true;
		sets[i].anonymous = header.flags & NFT_SET_ANONYMOUS;
		sets[i].map = header.flags & (NFT_SET_MAP | NFT_SET_OBJECT);
		sets[i].key_bytes = header.key_bytes;
	}
	return 0;
}

static int decide_rule(struct sync *sync, struct ruleset_thing *thing)
{
	const struct nft_target *target = &sync->request->targets[thing->target];
	struct span expressions = { thing->expressions, thing->expressions_bytes };
	struct rewrite_set sets[RULE_LOOKUPS_MAX];
	struct rewrite_policy policy = {
		.family = thing->table->family,
		.hooks = thing->chain->hooks,
		.add_missing = sync->request->add_missing,
		.values = {
			.target = target,
			.learnt = sync->learnt.addresses[thing->target],
			.learnt_count = sync->learnt.counts[thing->target],
		},
	};
	struct rule_view view;
	int r;

	rule_read(expressions, &view);
	thing->dnat = rewrite_is_dnat(&view, policy.hooks);
	r = read_sets(sync, thing, &view, sets);
	if (r < 0)
		return r;
	rewrite_decide(&view, expressions, sets, &policy, &thing->verdict);
	if (thing->bound && thing->verdict.result == NFT_CHANGED)
		skip(thing, "belongs to a block in braces, which cannot be edited");
	return thing->verdict.learnt ? learn(&sync->learnt, thing) : 0;
}

/* First everything; then, with what the port forwards taught, what waits for it. */
static int decide(struct sync *sync)
{
	struct ruleset *ruleset = &sync->ruleset;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < ruleset->thing_count; i++) {
			struct ruleset_thing *thing = ruleset->things[i];
			int r = 0;

			if (thing->target == TAG_AMBIGUOUS)
				skip(thing, "two tags match its comment equally well");
			else if (thing->kind == NFT_RULE && (!pass || thing->verdict.waits))
				r = decide_rule(sync, thing);
			if (r < 0)
				return r;
		}
		if (!sync->learnt.grew)
			break;
	}
	return 0;
}

static size_t apply(struct ruleset *ruleset)
{
	size_t changed = 0;

	for (size_t i = 0; i < ruleset->thing_count; i++) {
		struct ruleset_thing *thing = ruleset->things[i];

		if (thing->kind != NFT_RULE || thing->verdict.result != NFT_CHANGED)
			continue;
		rewrite_apply(&thing->verdict, thing->expressions);
		changed++;
	}
	return changed;
}

/*
 * Several dumps make one picture only if nobody committed between the first and the
 * last.
 */
static int still_current(struct sync *sync)
{
	uint32_t generation;
	int r = nft_generation(sync->nft, &generation);

	if (r < 0)
		return r;
	return generation == sync->ruleset.generation ? 0 : -EINTR;
}

static int sync_once(struct sync *sync, struct nft_report *report, struct err *ret_err)
{
	int r;

	r = ruleset_read(sync->nft, sync->request, &sync->ruleset);
	if (r == -EOPNOTSUPP)		/* no nf_tables here: nothing is tagged */
		return 0;
	if (r == 0)
		r = decide(sync);
	if (r == 0 && apply(&sync->ruleset) > 0 && !sync->request->dry_run)
		return nft_commit(sync->nft, &sync->ruleset, report, ret_err);
	if (r == 0)
		r = still_current(sync);
	if (r < 0 && r != -EINTR)
		return err_set_errno(ret_err, r, "reading the NAT rules");
	return r;
}

static void count(struct nft_count *counts, const struct nft_item *item)
{
	counts->tagged++;
	counts->in_step += item->in_step;
	counts->skipped += item->result == NFT_SKIPPED;
	counts->changed += item->result == NFT_CHANGED;
}

static void tell(const struct sync *sync, const struct ruleset_thing *thing,
		 struct nft_report *report)
{
	const struct rewrite_verdict *verdict = &thing->verdict;
	struct nft_item item = {
		.kind = thing->kind,
		.result = verdict->result,
		.target = thing->target,
		.family = thing->table->family,
		.table = thing->table->name,
		.chain = thing->place,
		.handle = thing->handle,
		.comment = thing->comment,
		.old = verdict->old,
		.new = verdict->new,
		.bits = verdict->bits,
		.in_step = verdict->result == NFT_UNCHANGED ||
			   (verdict->result == NFT_CHANGED && !sync->request->dry_run),
		.learnt = verdict->learnt,
		.refused = thing->refused,
		.reason = verdict->reason,
	};

	count(&report->total, &item);
	if (item.target >= 0)
		count(&report->of[item.target], &item);
	report->unchanged += item.result == NFT_UNCHANGED;
	report->refused += item.refused;
	if (sync->request->item)
		sync->request->item(sync->request->context, &item);
}

static void sync_done(struct sync *sync)
{
	ruleset_done(&sync->ruleset);
	for (size_t i = 0; i < NFT_TARGETS_MAX; i++)
		free(sync->learnt.addresses[i]);
	sync->learnt = (struct learnt){ 0 };
}

int nft_sync(struct nft *nft, const struct nft_request *request,
	     struct nft_report *ret_report, struct err *ret_err)
{
	struct sync sync = { .nft = nft, .request = request };
	struct nft_report report = { 0 };
	int64_t begin = clock_now_us();
	int r;

	do {
		sync_done(&sync);
		report.attempts++;
		r = sync_once(&sync, &report, ret_err);
		report.total_us = clock_now_us() - begin;
	} while (r == -EINTR && report.attempts < TRIES_MAX &&
		 (report.attempts < TRIES_MIN || report.total_us < TRIES_US));

	if (r == 0) {
		report.truncated = sync.ruleset.truncated;
		if (request->services && !request->dry_run)
			service_collect(nft, request, &sync.ruleset, &report.services);
		for (size_t i = 0; i < sync.ruleset.thing_count; i++)
			tell(&sync, sync.ruleset.things[i], &report);
		*ret_report = report;
	}
	sync_done(&sync);
	if (r == -EINTR)
		return err_set(ret_err, -EAGAIN, "the ruleset changed %u times while "
			       "it was being brought into step", report.attempts);
	return r;
}
