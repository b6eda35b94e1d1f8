/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From "look again" to rules in step, and to everybody who must hear of it. The rules
 * come first; schedule, hooks and the log wait until they are committed.
 */
#include <errno.h>
#include <string.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"

#include "core.h"
#include "said.h"

enum {
	/* the kernel refused: no NAT is no reason to be busy */
	SYNC_RETRY_MS = 60 * 1000,
	SYNC_LOOK_RETRY_MS = 1000,
	SYNC_UNSTEADY_MS = 20,		/* the ruleset moved all the while; doubling */
	SYNC_UNSTEADY_MAX_MS = 1000,
	SYNC_UNSTEADY_SAID = 6,		/* tries after which that is worth a line */
};

/* --- when --- */

static int64_t safety_ms(const struct core *core)
{
	int64_t watchdog_ms = core->options->watchdog_ms;

	if (watchdog_ms <= 0)
		return CORE_SAFETY_MS;
	/* The watchdog's tick may come a little early; it must not be missed for that. */
	return CORE_SAFETY_WATCHED_MS - watchdog_ms / 4;
}

static bool was_told_and_is_silent(const struct core_side *side)
{
	return !side->seen && side->told_known && !addr_is_none(&side->told);
}

/* A start without an address: hooks hear of the loss after a while, not at every boot. */
static int64_t silence_due_ms(const struct core *core)
{
	for (size_t i = 0; i < core->config->wan_count; i++)
		for (int side = 0; side < WAN_SIDES; side++)
			if (was_told_and_is_silent(&core->wans[i].sides[side]))
				return core->started_ms + CORE_SILENCE_MS;
	return INT64_MAX;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t sync_due_ms(const struct core *core, int64_t now_ms)
{
	const struct sync *sync = &core->sync;
	int64_t due_ms;

	if (!sync->looked || sync->asked || sync->links_changed)
		return now_ms < sync->look_retry_ms ? sync->look_retry_ms : now_ms;
	if (sync->names_changed)
		return now_ms;
	due_ms = earlier(look_due_ms(core), foreign_due_ms(&sync->foreign));
	due_ms = earlier(due_ms, sync->retry_ms);
	due_ms = earlier(due_ms, silence_due_ms(core));
	if (core->options->watchdog_ms > 0)
		return due_ms;		/* the safety net goes with its tick */
	return earlier(due_ms, sync->look_ms + CORE_SAFETY_MS);
}

/* Why the rules are to be looked at, whatever the look at the links finds. */
static enum sync_cause sync_cause(const struct core *core, int64_t now_ms)
{
	const struct sync *sync = &core->sync;

	if (!sync->looked)
		return SYNC_START;
	if (sync->asked)
		return SYNC_ASKED;
	if (sync->names_changed)
		return SYNC_NAMES;
	if (foreign_due_ms(&sync->foreign) <= now_ms)
		return SYNC_FOREIGN;
	if (sync->retry_ms <= now_ms)
		return SYNC_AGAIN;
	if (now_ms - sync->look_ms >= safety_ms(core))
		return SYNC_SAFETY;
	return SYNC_NONE;
}

/* --- the rules --- */

/* While the kernel refuses, only what people or addresses ask for is tried sooner. */
static bool rules_are_wanted(const struct core *core, enum sync_cause cause,
			     int64_t now_ms)
{
	if (!core->config->nat.enabled || cause == SYNC_NONE || pause_is_on(core))
		return false;
	if (core->dry_run && dry_run_waits(core, now_ms))
		return false;		/* each rule is said once, when all is known */
	if (!core->sync.error[0] || core->sync.retry_ms <= now_ms)
		return true;
	return cause != SYNC_FOREIGN && cause != SYNC_NAMES && cause != SYNC_SAFETY;
}

static void rules_failed(struct core *core, int code, const struct err *err)
{
	struct sync *sync = &core->sync;
	char count[FAULT_TEXT_BYTES];
	int64_t wait_ms = SYNC_RETRY_MS;

	core->metrics.sync_failures++;
	if (code == -EAGAIN) {
		wait_ms = SYNC_UNSTEADY_MS << (sync->unsteady < 6 ? sync->unsteady : 6);
		wait_ms = earlier(wait_ms, SYNC_UNSTEADY_MAX_MS);
		sync->unsteady++;
	}
	sync->retry_ms = clock_now_ms() + wait_ms;
	memcpy(sync->error, err->text, sizeof(sync->error));
	if (code == -EAGAIN && sync->unsteady < SYNC_UNSTEADY_SAID)
		return;
	if (!fault_again(&sync->rules_fault))
		return;
	watch_rules_fault(core, err->text);
	log_warning("rules: not in step: %s; tried again every %s%s", err->text,
		    code == -EAGAIN ? "second" : "minute",
		    fault_count(&sync->rules_fault, count));
}

static void rules_succeeded(struct core *core)
{
	struct sync *sync = &core->sync;

	sync->retry_ms = INT64_MAX;
	sync->error[0] = '\0';
	sync->unsteady = 0;
	if (!fault_over(&sync->rules_fault))
		return;
	watch_rules_fault(core, NULL);
	log_notice("rules: in step again");
}

static int rules_turn(struct core *core, enum sync_cause cause, struct nft_report *report,
		      struct err *ret_err)
{
	struct sync *sync = &core->sync;
	int64_t began_ms = clock_now_ms();
	bool corrected;
	int result;

	result = rules_sync(core, core->dry_run ? dry_run_rule : NULL, core, report,
			    ret_err);
	corrected = result == 0 && cause == SYNC_FOREIGN && report->total.changed > 0;
	if (foreign_looked(&sync->foreign, began_ms, clock_now_ms(), corrected))
		log_warning("rules: somebody sets our values back again and again; "
			    "they are looked at ever more slowly until that ends");
	if (result < 0)
		rules_failed(core, result, ret_err);
	else
		rules_succeeded(core);
	return result;
}

/* --- what follows --- */

static void tell_schedule(struct core *core, const struct look *look, int64_t now_ms)
{
	if (look->count > 0)
		names_network(&core->names, now_ms);
	for (size_t i = 0; i < look->count; i++) {
		const struct look_change *change = &look->changes[i];
		const struct core_side *side =
			&core->wans[change->wan].sides[change->side];

		schedule_address(core->schedule, change->wan, side->family,
				 &side->now.address, now_ms);
	}
	for (size_t i = 0; i < look->prefix_count; i++) {
		size_t wan = look->prefixes[i].wan;

		schedule_prefix(core->schedule, wan, &core->wans[wan].prefix.now.address,
				now_ms);
	}
}

static void tell_hooks_of_addresses(struct core *core, const struct look *look,
				    const struct nft_report *report)
{
	for (size_t i = 0; i < look->count; i++) {
		const struct look_change *change = &look->changes[i];
		struct core_wan *wan = &core->wans[change->wan];

		wan->sides[change->side].changes++;
		if (report)
			wan->sides[change->side].rules += report->of[change->wan].changed;
		if (!wan->started && change->event == WAN_CHANGED)
			events_started(core, change->wan);
		else if (wan->started)
			events_changed(core, change->wan, change->side);
	}
}

static bool is_among(const struct look_change *changes, size_t count, size_t wan)
{
	for (size_t i = 0; i < count; i++)
		if (changes[i].wan == wan)
			return true;
	return false;
}

/* Rules that were put in step though the WAN's address had not changed. */
static void tell_of_rules(struct core *core, const struct look *look,
			  const struct nft_report *report, enum sync_cause cause)
{
	for (size_t i = 0; i < core->config->wan_count; i++) {
		unsigned changed = report->of[i].changed;
		bool prefix = is_among(look->prefixes, look->prefix_count, i);

		if (changed == 0 || is_among(look->changes, look->count, i))
			continue;
		events_rules(core, i, changed,
			     prefix ? "new IPv6 prefix" : "ruleset changed");
		if (prefix)
			continue;
		said_rules(core, i, changed, report, cause);
		watch_rules(core, core->wans[i].config->name, changed, "ruleset changed",
			    report);
	}
	if (report->of_names.changed)
		watch_rules(core, NULL, report->of_names.changed,
			    cause == SYNC_NAMES ? "names changed" : "ruleset changed",
			    report);
	if (!names_said_changes(core) && report->of_names.changed && cause != SYNC_NAMES)
		said_names(core, report);
}

static void tell_of_silence(struct core *core, int64_t now_ms)
{
	if (silence_due_ms(core) > now_ms)
		return;
	for (size_t i = 0; i < core->config->wan_count; i++)
		for (int which = 0; which < WAN_SIDES; which++) {
			struct core_side *side = &core->wans[i].sides[which];

			if (was_told_and_is_silent(side)) {
				side->seen = true;
				events_changed(core, i, which);
			}
		}
}

/* --- the turn --- */

static int look_turn(struct core *core, int64_t now_ms, struct look *look,
		     struct err *ret_err)
{
	struct sync *sync = &core->sync;
	char count[FAULT_TEXT_BYTES];
	int result = look_at_links(core, now_ms, look, ret_err);

	if (result < 0) {
		sync->links_changed = true;
		sync->look_retry_ms = now_ms + SYNC_LOOK_RETRY_MS;
		if (fault_again(&sync->look_fault))
			log_error("links: %s; tried again every second%s", ret_err->text,
				  fault_count(&sync->look_fault, count));
		return result;
	}
	(void)fault_over(&sync->look_fault);
	sync->links_changed = false;
	sync->looked = true;
	return 0;
}

/*
 * All that `cause` and what the links show make necessary. `report`: of the rules, if
 * asked.
 */
static int sync_run(struct core *core, enum sync_cause cause, bool look_wanted,
		    int64_t now_ms, struct nft_report *report, struct err *ret_err)
{
	/* what became of the rules, if all went well */
	const struct nft_report *done = NULL;
	struct look look = { .count = 0, .prefix_count = 0 };
	bool first = !core->sync.looked;
	int result = 0;

	if (look_wanted) {
		result = look_turn(core, now_ms, &look, ret_err);
		if (result < 0)
			return result;
	}
	if (look.count + look.prefix_count > 0)
		cause = SYNC_ADDRESS;
	/* Where the rules are not looked at now, the next look sees it too. */
	core->sync.names_changed = false;
	if (rules_are_wanted(core, cause, now_ms)) {
		result = rules_turn(core, cause, report, ret_err);
		done = result == 0 ? report : NULL;
	} else if (cause == SYNC_FOREIGN) {
		core->sync.foreign.pending = false;	/* the next try sees it too */
	}
	core->sync.took_us = clock_now_us() - core->sync.woken_us;
	if (done && look.count > 0)
		histogram_add(&core->metrics.follow, core->sync.took_us);
	tell_schedule(core, &look, now_ms);
	if (look.count > 0)
		publisher_address_changed(core, now_ms);
	said_addresses(core, &look, done);
	said_prefixes(core, &look, done);
	watch_addresses(core, &look, done);
	watch_prefixes(core, &look, done);
	watch_states(core);
	if (first)
		said_waiting(core);
	tell_hooks_of_addresses(core, &look, done);
	if (done)
		tell_of_rules(core, &look, done, cause);
	/* Connections are slow work: whoever waits for the address begins meanwhile. */
	events_turn(core, now_ms);
	if (done)
		leftover_after_commit(core, done);
	if (look_wanted && !pause_is_on(core))
		leftover_after_look(core);
	return result;
}

static void sync_began(struct sync *sync, enum sync_cause cause, bool look_wanted,
		       int64_t now_ms)
{
	if (look_wanted && cause != SYNC_NONE)
		sync->look_ms = now_ms;
	sync->asked = false;
	if (!sync->woken_us)
		sync->woken_us = clock_now_us();
}

void sync_turn(struct core *core, int64_t now_ms)
{
	struct sync *sync = &core->sync;
	enum sync_cause cause = sync_cause(core, now_ms);
	bool look_wanted = sync->links_changed || look_due_ms(core) <= now_ms ||
			   (cause != SYNC_NONE && cause != SYNC_FOREIGN &&
			    cause != SYNC_NAMES);
	struct nft_report report = { .commit_us = 0 };
	struct err err = { "" };

	tell_of_silence(core, now_ms);
	if ((cause == SYNC_NONE && !look_wanted) ||
	    (look_wanted && now_ms < sync->look_retry_ms))
		return;
	sync_began(sync, cause, look_wanted, now_ms);
	(void)sync_run(core, cause, look_wanted, now_ms, &report, &err);
	sync->woken_us = 0;
}

int sync_now(struct core *core, int64_t now_ms, struct nft_report *ret_report,
	     struct err *ret_err)
{
	int result;

	memset(ret_report, 0, sizeof(*ret_report));
	if (!core->config->nat.enabled)
		return err_set(ret_err, -EOPNOTSUPP,
			       "rules are not hairpind's business here: nat.enabled is "
			       "false");
	sync_began(&core->sync, SYNC_ASKED, true, now_ms);
	result = sync_run(core, SYNC_ASKED, true, now_ms, ret_report, ret_err);
	core->sync.woken_us = 0;
	return result;
}
