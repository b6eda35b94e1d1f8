/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "hairpin/clock.h"
#include "nft_commit.h"
#include "nft_journal.h"
#include "nft_judge.h"
#include "nft_service.h"
#include "nft_set.h"

/*
 * Somebody else may commit between our look and our batch: again, at least so often and
 * so long. After PATIENCE tries others are read along.
 */
enum { PATIENCE = 3, TRIES_MIN = 10, TRIES_MAX = 500, TRIES_US = 1500 * 1000 };

struct sync {
	struct nft *nft;
	const struct nft_request *request;
	struct ruleset ruleset;
	struct judge judge;
};

static size_t apply(struct ruleset *ruleset)
{
	size_t changed = 0;

	for (size_t i = 0; i < ruleset->thing_count; i++) {
		struct ruleset_thing *thing = ruleset->things[i];

		if (thing->verdict.result != NFT_CHANGED)
			continue;
		if (thing->kind == NFT_RULE)
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
	if (generation == sync->ruleset.generation)
		return 0;
	return nft_journal_catch_up(sync->nft, &sync->ruleset);
}

static int sync_once(struct sync *sync, struct nft_report *report, struct err *ret_err)
{
	int r;

	r = ruleset_read(sync->nft, sync->request, &sync->ruleset);
	if (r == -EOPNOTSUPP)		/* no nf_tables here: nothing is tagged */
		return 0;
	if (r == 0)
		r = judge_all(&sync->judge);
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

/* The family of the addresses that a name gives to the set. */
static uint8_t name_family(const struct ruleset_thing *thing)
{
	const struct element_fields *keys = &thing->set->image.keys;

	return keys->count == 1 ? keys->list[0].family : 0;
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
		.name = thing->name,
	};

	if (thing->target == RULESET_CARRIER)
		return;
	if (thing->target == NFT_OF_NAME) {
		item.name_family = name_family(thing);
		count(&report->of_names, &item);
	}
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
	judge_done(&sync->judge);
}

int nft_sync(struct nft *nft, const struct nft_request *request,
	     struct nft_report *ret_report, struct err *ret_err)
{
	struct sync sync = {
		.nft = nft, .request = request,
		.judge = { .nft = nft, .request = request, .ruleset = &sync.ruleset },
	};
	struct nft_report report = { 0 };
	int64_t begin = clock_now_us();
	int r;

	do {
		sync_done(&sync);
		if (++report.attempts > PATIENCE)
			nft_journal_begin(nft);
		r = sync_once(&sync, &report, ret_err);
		report.total_us = clock_now_us() - begin;
	} while (r == -EINTR && report.attempts < TRIES_MAX &&
		 (report.attempts < TRIES_MIN || report.total_us < TRIES_US));
	/* Read along with others, what was seen may be of another generation. */
	if (r == 0 && !nft->journal_on)
		plain_end(&nft->plain, sync.ruleset.generation + (report.commit_us > 0));
	nft_journal_end(nft);

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
