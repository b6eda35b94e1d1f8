/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that would stay wrong: those of an address that left or that rules held by
 * mistake, and those to the present address that passed while the rules were stale.
 * Never before the rules' commit.
 */
#include <string.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"

#include "core.h"

/*
 * The router may just be answering a connection that is forgotten: its answer begins one
 * of its own, which takes what the peer goes on to send.
 */
enum { LEFTOVER_AGAIN_MS = 100 };

static bool leftover_ready(struct core *core, struct err *ret_err)
{
	if (core->conntrack)
		return true;
	return conntrack_new(&core->conntrack, ret_err) == 0;
}

/*
 * A kernel without connection tracking has no connections to forget: said once, at
 * info.
 */
static void leftover_failed(struct core *core, const struct err *err)
{
	if (fault_again(&core->sync.conntrack_fault))
		log_info("conntrack: stale connections stay: %s", err->text);
}

static void forget_old(struct core *core, const struct addr *address)
{
	char text[ADDR_TEXT_BYTES];
	struct err err = { "" };
	unsigned removed = 0;

	if (!leftover_ready(core, &err) ||
	    conntrack_forget_old(core->conntrack, address, &removed, &err) < 0)
		leftover_failed(core, &err);
	else if (removed)
		log_info("conntrack: %u connections of %s forgotten", removed,
			 addr_format(address, text));
	core->metrics.conntrack += removed;
}

static void forget_left(struct core *core, struct core_side *side)
{
	struct addr leaving[WAN_LEAVING_MAX];
	size_t count = side->leaving_count;

	memcpy(leaving, side->leaving, sizeof(leaving));
	for (size_t i = 0; i < count; i++) {
		if (look_finds(core, &leaving[i]))
			continue;
		if (core->config->nat.conntrack && !core->dry_run)
			forget_old(core, &leaving[i]);
		wan_side_left(side, &leaving[i]);
	}
}

void leftover_after_look(struct core *core)
{
	for (size_t i = 0; i < core->config->wan_count; i++) {
		for (int which = 0; which < WAN_SIDES; which++) {
			struct core_side *side = &core->wans[i].sides[which];

			/* Nothing is forgotten while no other address took over. */
			if (!addr_is_none(&side->now.address) && !side->now.missing)
				forget_left(core, side);
		}
	}
}

static bool is_leaving(const struct core *core, const struct addr *address)
{
	for (size_t i = 0; i < core->config->wan_count; i++)
		if (wan_side_is_leaving(
			    &core->wans[i].sides[wan_side_of(address->family)], address))
			return true;
	return false;
}

/*
 * Somebody put former addresses back into rules: what was sent by such a rule meanwhile
 * goes by an address that nobody has. What is just leaving is forgotten as such.
 */
static void forget_corrected(struct core *core)
{
	const struct sync *sync = &core->sync;

	for (size_t i = 0; i < sync->corrected_count; i++)
		if (!is_leaving(core, &sync->corrected[i]) &&
		    !look_finds(core, &sync->corrected[i]))
			forget_old(core, &sync->corrected[i]);
}

/* How many there were. */
static unsigned forget_passed(struct core *core, const struct nft_services *services)
{
	struct err err = { "" };
	unsigned removed = 0;

	if (!leftover_ready(core, &err) ||
	    conntrack_forget_stale(core->conntrack, services, &removed, &err) < 0)
		leftover_failed(core, &err);
	else if (removed)
		log_info("conntrack: %u connections forgotten that had passed by the "
			 "rules", removed);
	core->metrics.conntrack += removed;
	return removed;
}

void leftover_after_commit(struct core *core, const struct nft_report *report)
{
	if (!core->config->nat.conntrack || core->dry_run)
		return;
	forget_corrected(core);
	if (report->services.count == 0 || !forget_passed(core, &report->services))
		return;
	core->leftover.passed = report->services;
	core->leftover.due_ms = clock_now_ms() + LEFTOVER_AGAIN_MS;
}

int64_t leftover_due_ms(const struct core *core)
{
	if (core->leftover.passed.count == 0 || pause_is_on(core))
		return INT64_MAX;
	return core->leftover.due_ms;
}

void leftover_turn(struct core *core, int64_t now_ms)
{
	if (leftover_due_ms(core) > now_ms)
		return;
	(void)forget_passed(core, &core->leftover.passed);
	core->leftover.passed.count = 0;
}
