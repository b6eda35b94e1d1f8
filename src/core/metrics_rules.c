/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "metrics_parts.h"

/* --- WANs --- */

typedef void side_fn(struct account *account, const struct core_wan *wan,
		     const struct core_side *side);

static void each_side(struct account *account, side_fn *emit)
{
	const struct core *core = account->core;

	for (size_t i = 0; i < core->config->wan_count; i++)
		for (int side = 0; side < WAN_SIDES; side++)
			if (wan_side_is_on(&core->wans[i], side))
				emit(account, &core->wans[i],
				     &core->wans[i].sides[side]);
}

static void label_side(struct account *account, const struct core_wan *wan,
		       const struct core_side *side)
{
	prom_label(&account->prom, "wan", wan->config->name);
	prom_label(&account->prom, "family", addr_family_name(side->family));
}

static void side_up(struct account *account, const struct core_wan *wan,
		    const struct core_side *side)
{
	label_side(account, wan, side);
	emit_number(account, wan->up && !addr_is_none(&side->now.address));
}

static void side_address(struct account *account, const struct core_wan *wan,
			 const struct core_side *side)
{
	char text[ADDR_TEXT_BYTES];

	if (addr_is_none(&side->now.address))
		return;
	label_side(account, wan, side);
	prom_label(&account->prom, "address", addr_format(&side->now.address, text));
	emit_number(account, 1);
}

static void side_global(struct account *account, const struct core_wan *wan,
			const struct core_side *side)
{
	label_side(account, wan, side);
	emit_number(account, addr_is_global(&side->now.address));
}

static void side_changes(struct account *account, const struct core_wan *wan,
			 const struct core_side *side)
{
	label_side(account, wan, side);
	emit_number(account, side->changes);
}

static void side_since(struct account *account, const struct core_wan *wan,
		       const struct core_side *side)
{
	if (side->now.since_wall_s <= 0)
		return;
	label_side(account, wan, side);
	emit_number(account, (uint64_t)side->now.since_wall_s);
}

static void side_looks(struct account *account, const struct core_wan *wan,
		       const struct core_side *side)
{
	if (!source_is_on(&side->source))
		return;
	label_side(account, wan, side);
	prom_label(&account->prom, "result", "ok");
	emit_number(account, side->looks);
	label_side(account, wan, side);
	prom_label(&account->prom, "result", "failed");
	emit_number(account, side->look_failures);
}

void emit_up(struct account *account) { each_side(account, side_up); }
void emit_global(struct account *account) { each_side(account, side_global); }
void emit_changes(struct account *account) { each_side(account, side_changes); }
void emit_since(struct account *account) { each_side(account, side_since); }
void emit_looks(struct account *account) { each_side(account, side_looks); }

void emit_address(struct account *account)
{
	if (account->core->config->metrics_addresses)
		each_side(account, side_address);
}

/* --- rules --- */

typedef void wan_fn(struct account *account, const struct core_wan *wan);

static void each_wan(struct account *account, wan_fn *emit)
{
	const struct core *core = account->core;

	for (size_t i = 0; core->config->nat.enabled && i < core->config->wan_count; i++)
		emit(account, &core->wans[i]);
}

static void label_tag(struct account *account, const struct core_wan *wan)
{
	prom_label(&account->prom, "wan", wan->config->name);
	prom_label(&account->prom, "tag", wan->config->tag);
}

static void wan_state(struct account *account, const struct core_wan *wan,
		      const char *state, unsigned count)
{
	label_tag(account, wan);
	prom_label(&account->prom, "state", state);
	emit_number(account, count);
}

static void wan_rules(struct account *account, const struct core_wan *wan)
{
	/* After a failure nobody knows: what was counted was before. */
	bool failed = account->core->sync.error[0];
	unsigned in_step = failed ? 0 : wan->rules.in_step;
	unsigned settled = in_step + wan->rules.skipped;

	wan_state(account, wan, "current", in_step);
	wan_state(account, wan, "stale",
		  wan->rules.tagged > settled ? wan->rules.tagged - settled : 0);
	wan_state(account, wan, "skipped", wan->rules.skipped);
}

static void wan_rewritten(struct account *account, const struct core_wan *wan)
{
	label_tag(account, wan);
	emit_number(account, wan->rewritten);
}

static void wan_looked(struct account *account, const struct core_wan *wan)
{
	if (wan->synced_wall_s <= 0)
		return;
	prom_label(&account->prom, "wan", wan->config->name);
	emit_number(account, (uint64_t)wan->synced_wall_s);
}

void emit_rules(struct account *account) { each_wan(account, wan_rules); }
void emit_rewritten(struct account *account) { each_wan(account, wan_rewritten); }
void emit_looked(struct account *account) { each_wan(account, wan_looked); }

void emit_commit(struct account *account)
{
	prom_histogram(&account->prom, &account->core->metrics.commit);
}

void emit_follow(struct account *account)
{
	prom_histogram(&account->prom, &account->core->metrics.follow);
}

void emit_failures(struct account *account)
{
	emit_number(account, account->core->metrics.sync_failures);
}

void emit_refused(struct account *account)
{
	emit_number(account, account->core->metrics.refused);
}

void emit_foreign(struct account *account)
{
	emit_number(account, account->core->metrics.foreign);
}

void emit_conntrack(struct account *account)
{
	emit_number(account, account->core->metrics.conntrack);
}

void emit_names(struct account *account)
{
	static const char *const states[] = { "current", "stale", "waiting" };
	const struct names *names = &account->core->names;

	for (size_t state = 0; names->count && state < 3; state++) {
		unsigned count = 0;

		for (size_t i = 0; i < names->count; i++)
			count += name_is_wanted(names->list[i]) &&
				 strcmp(name_state_name(names->list[i]),
					states[state]) == 0;
		prom_label(&account->prom, "state", states[state]);
		emit_number(account, count);
	}
}
