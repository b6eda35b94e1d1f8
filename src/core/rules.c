/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_sync() for all WANs: what it is asked, what is learnt and counted from its
 * answer.
 */
#include <errno.h>
#include <string.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"

#include "core.h"

/* Passes every item on, and keeps what the rules told of former addresses. */
struct rules_walk {
	struct core *core;
	nft_item_fn *item;
	void *context;
	unsigned learnt;
	bool learn;
};

static void rules_item(void *context, const struct nft_item *item)
{
	struct rules_walk *walk = context;

	if (walk->learn && item->learnt && item->target >= 0 &&
	    (size_t)item->target < walk->core->config->wan_count &&
	    wan_remember(&walk->core->wans[item->target], &item->old))
		walk->learnt++;
	if (walk->item)
		walk->item(walk->context, item);
}

/*
 * Opened when first needed: a kernel may get nf_tables later, and rights may be
 * missing.
 */
static int rules_open(struct core *core, struct err *ret_err)
{
	int result;

	if (core->nft)
		return 0;
	result = nft_new(&core->nft, ret_err);
	if (result < 0)
		return result;
	if (core->loop) {
		ev_io_set(&core->nft_io, nft_monitor_fd(core->nft), EV_READ);
		ev_io_start(core->loop, &core->nft_io);
	}
	return 0;
}

static int rules_run(struct core *core, struct rules_walk *walk, bool dry_run,
		     struct nft_report *ret_report, struct err *ret_err)
{
	struct nft_request request = {
		.targets = core->targets,
		.target_count = core->config->wan_count,
		.name_prefix = core->config->nat.names,
		.tables = core->tables,
		.table_count = core->config->nat.table_count,
		.dry_run = dry_run,
		.filter = core->config->nat.filter,
		.add_missing = core->config->nat.add_missing,
		.services = core->config->nat.conntrack,
		.max = (size_t)core->config->nat.max,
		.item = rules_item,
		.context = walk,
	};
	int result = rules_open(core, ret_err);

	if (result < 0)
		return result;
	wans_fill_targets(core->wans, core->config->wan_count, core->targets);
	return nft_sync(core->nft, &request, ret_report, ret_err);
}

/* Every tagged thing was changed, unchanged or skipped, however often it was looked at. */
static void count_add(struct nft_count *count, const struct nft_count *first)
{
	unsigned most = count->tagged - count->skipped;

	count->changed += first->changed;
	if (count->changed > most)
		count->changed = most;
}

/*
 * What both passes of one sync changed, as one report. The second finds unchanged what
 * the first has changed.
 */
static void rules_add(struct nft_report *report, const struct nft_report *first)
{
	count_add(&report->total, &first->total);
	report->unchanged =
		report->total.tagged - report->total.skipped - report->total.changed;
	for (size_t i = 0; i < NFT_TARGETS_MAX; i++)
		count_add(&report->of[i], &first->of[i]);
	report->commit_us += first->commit_us;
	report->total_us += first->total_us;
	for (size_t i = 0; i < first->services.count; i++)
		nft_service_add(&report->services, &first->services.list[i]);
}

static void rules_count(struct core *core, const struct nft_report *report)
{
	for (size_t i = 0; i < core->config->wan_count; i++) {
		struct core_wan *wan = &core->wans[i];

		wan->rules = report->of[i];
		wan->synced_wall_s = clock_wall_s();
		if (report->of[i].changed)
			wan->commit_us = report->commit_us;
		/* Without an address all are left alone: that is known already. */
		if (report->of[i].skipped <= wan->skipped_said || !wan_has_address(wan))
			continue;
		wan->skipped_said = report->of[i].skipped;
		log_info("wan %s: %u of %u tagged left alone; hairpinctl rules says why",
			 wan->config->name, report->of[i].skipped, report->of[i].tagged);
	}
	if (report->truncated && !core->sync.truncated_said)
		log_warning("rules: more than %ld are tagged; only the first ones are "
			    "kept in step (nat.max)",
			    core->config->nat.max);
	core->sync.truncated_said = report->truncated;
	core->sync.refused = report->refused;
}

int rules_sync(struct core *core, nft_item_fn *item, void *context,
	       struct nft_report *ret_report, struct err *ret_err)
{
	struct rules_walk walk = { .core = core, .item = item, .context = context,
				   .learn = !core->dry_run };
	struct nft_report first, *report = ret_report;
	int result;

	result = rules_run(core, &walk, core->dry_run != NULL, report, ret_err);
	if (result < 0)
		return result;
	if (walk.learnt) {
		/* What was just learnt may be what other tagged things still hold. */
		core->state.dirty = true;
		walk.learnt = 0;
		walk.item = NULL;
		first = *report;
		result = rules_run(core, &walk, false, report, ret_err);
		if (result < 0)
			return result;
		rules_add(report, &first);
	}
	rules_count(core, report);
	return 0;
}

int rules_ask(struct core *core, nft_item_fn *item, void *context, struct err *ret_err)
{
	struct rules_walk walk = { .core = core, .item = item, .context = context };
	struct nft_report report;

	return rules_run(core, &walk, true, &report, ret_err);
}

void rules_readable(struct core *core)
{
	bool foreign = false;
	int result = nft_monitor_read(core->nft, &foreign);

	if (result < 0) {
		/* Without its word the slow look must do, until it is opened again. */
		if (core->loop)
			ev_io_stop(core->loop, &core->nft_io);
		nft_free(core->nft);
		core->nft = NULL;
		log_warning("rules: the kernel's notices cannot be read: %s; opened "
			    "again",
			    strerror(-result));
		foreign = true;
	}
	if (foreign)
		foreign_note(&core->sync.foreign, clock_now_ms());
}
