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

/* Passes every item on, and keeps what it tells of former addresses and names. */
struct rules_walk {
	struct core *core;
	nft_item_fn *item;
	void *context;
	bool learn;
	struct wan_reasons *skipped;		/* one a WAN, or NULL: not wanted */
	const struct rules_guess *guess;	/* NULL: the addresses there are */
};

/* What rules held instead of the WAN's address: connections may hang on it. */
static void rules_corrected(struct sync *sync, const struct core_wan *wan,
			    const struct nft_item *item)
{
	if (item->result != NFT_CHANGED || item->bits || !wan_had(wan, &item->old) ||
	    sync->corrected_count == SYNC_CORRECTED_MAX)
		return;
	for (size_t i = 0; i < sync->corrected_count; i++)
		if (addr_equal(&sync->corrected[i], &item->old))
			return;
	sync->corrected[sync->corrected_count++] = item->old;
}

static void rules_learn(struct core *core, const struct nft_item *item)
{
	struct core_wan *wan = &core->wans[item->target];

	if (item->learnt && wan_remember(wan, &item->old))
		core->state.dirty = true;
	rules_corrected(&core->sync, wan, item);
}

static void rules_skipped(struct wan_reasons *reasons, const char *reason)
{
	for (size_t i = 0; i < reasons->count; i++) {
		if (strcmp(reasons->list[i].reason, reason) == 0) {
			reasons->list[i].count++;
			return;
		}
	}
	if (reasons->count == WAN_REASONS_MAX) {
		reasons->others++;
		return;
	}
	reasons->list[reasons->count].reason = reason;
	reasons->list[reasons->count++].count = 1;
}

static void rules_item(void *context, const struct nft_item *item)
{
	struct rules_walk *walk = context;
	/* Those of a name, or of two WANs, are no WAN's. */
	bool owned = item->target >= 0 &&
		     (size_t)item->target < walk->core->config->wan_count;

	if (walk->learn && owned)
		rules_learn(walk->core, item);
	if (walk->skipped && owned && item->reason)
		rules_skipped(&walk->skipped[item->target], item->reason);
	if (walk->learn && item->target == NFT_OF_NAME && item->name)
		names_want(&walk->core->names, item->name, item->name_family);
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

/* As if the WAN had that address, and what it has now were the newest former one. */
static void rules_suppose(const struct core *core, const struct rules_guess *guess,
			  struct addr former[WAN_FORMER_MAX + 1])
{
	const struct core_wan *wan = &core->wans[guess->wan];
	struct nft_target *target = &core->targets[guess->wan];
	int side = wan_side_of(guess->address.family);
	const struct addr now = wan_followed(wan, side)->now.address;
	struct addr address = wan_shape(wan, &guess->address);

	target->former = former;
	target->former_count = 0;
	if (!addr_is_none(&now) && !addr_equal(&now, &address))
		former[target->former_count++] = now;
	for (size_t i = 0; i < wan->former_count; i++)
		if (!addr_equal(&wan->former[i], &address))
			former[target->former_count++] = wan->former[i];
	if (side == WAN_IPV4)
		target->ipv4 = address;
	else
		target->ipv6 = target->prefix = address;
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
	struct addr former[WAN_FORMER_MAX + 1];
	int result = rules_open(core, ret_err);

	if (result < 0)
		return result;
	if (walk->learn)
		names_look(&core->names);
	request.name_count = names_view(&core->names, &request.names);
	wans_fill_targets(core->wans, core->config->wan_count, core->targets);
	if (walk->guess)
		rules_suppose(core, walk->guess, former);
	result = nft_sync(core->nft, &request, ret_report, ret_err);
	if (walk->guess)
		wans_fill_targets(core->wans, core->config->wan_count, core->targets);
	return result;
}

static void rules_count(struct core *core, const struct rules_walk *walk,
			const struct nft_report *report)
{
	for (size_t i = 0; i < core->config->wan_count; i++) {
		struct core_wan *wan = &core->wans[i];

		wan->rules = report->of[i];
		wan->skipped = walk->skipped[i];
		wan->rewritten += report->of[i].changed;
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
	core->metrics.refused += report->refused;
	if (report->commit_us)
		histogram_add(&core->metrics.commit, report->commit_us);
}

static void rules_names(struct core *core)
{
	if (names_looked(&core->names, clock_now_ms()))
		log_warning("names: more than %d are named in comments; only the first "
			    "ones are resolved",
			    NAMES_MAX);
}

int rules_sync(struct core *core, nft_item_fn *item, void *context,
	       struct nft_report *ret_report, struct err *ret_err)
{
	struct wan_reasons skipped[NFT_TARGETS_MAX] = { 0 };
	struct rules_walk walk = { .core = core, .item = item, .context = context,
				   .learn = !core->dry_run, .skipped = skipped };
	int result;

	core->sync.corrected_count = 0;
	result = rules_run(core, &walk, core->dry_run != NULL, ret_report, ret_err);
	if (result < 0)
		return result;
	rules_count(core, &walk, ret_report);
	if (walk.learn)
		rules_names(core);
	return 0;
}

int rules_ask(struct core *core, const struct rules_guess *guess, nft_item_fn *item,
	      void *context, struct err *ret_err)
{
	struct rules_walk walk = { .core = core, .item = item, .context = context,
				   .guess = guess };
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
		core->metrics.overruns += nft_overruns(core->nft);
		nft_free(core->nft);
		core->nft = NULL;
		log_warning("rules: the kernel's notices cannot be read: %s; opened "
			    "again",
			    strerror(-result));
		foreign = true;
	}
	core->metrics.foreign += foreign;
	if (foreign)
		foreign_note(&core->sync.foreign, clock_now_ms());
}
