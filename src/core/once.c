/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --once: leave when rules, records, names and hooks are in step, or, after a minute, say
 * what is left. A WAN without an address is waited for where something is to hold its
 * address.
 */
#include <stdio.h>
#include <string.h>

#include "hairpin/text.h"

#include "core.h"
#include "status.h"

/* What people read who called --once; the log may go elsewhere. */
static void left(const char *subject, const char *fact)
{
	char shown[600];

	fprintf(stderr, "hairpind: %s: %s\n", subject,
		text_escape(shown, sizeof(shown), fact, strlen(fact)));
}

static bool name_wans(const struct core *core)
{
	bool well = true;

	for (size_t i = 0; i < core->config->wan_count; i++) {
		if (wan_has_address(&core->wans[i]))
			continue;
		left(core->config->wans[i].name, "has no address");
		well = false;
	}
	return well;
}

/* Of a family that has an address it is enough, whatever the last look found. */
static bool name_sources(const struct core *core)
{
	bool well = true;

	for (size_t i = 0; i < core->config->wan_count; i++)
		for (int side = 0; side < WAN_SIDES; side++) {
			const struct source *source = &core->wans[i].sides[side].source;

			if (source_is_settled(source) || !addr_is_none(&source->address))
				continue;
			left(core->config->wans[i].name,
			     source->reason[0] ? source->reason
					       : "its public address is not found yet");
			well = false;
		}
	return well;
}

static bool name_rules(const struct core *core)
{
	if (core->sync.error[0])
		left("rules", core->sync.error);
	else if (core->sync.refused)
		left("rules", "the kernel refused some; `hairpinctl rules` names them");
	return !core->sync.error[0] && !core->sync.refused;
}

static bool name_records(const struct core *core)
{
	bool well = true;

	for (size_t i = 0; i < schedule_count(core->schedule); i++) {
		const struct schedule_record *of = schedule_record(core->schedule, i);
		TEXT_CLEANUP struct text fact = TEXT_INIT;

		if (of->record.state == RECORD_CURRENT ||
		    !status_is_of_interest(core, i))
			continue;
		text_addf(&fact, "%s, %s: %s", wan_side_name(wan_side_of(of->family)),
			  record_state_name(of->record.state),
			  schedule_reason(core->schedule, i));
		left(of->hostname, fact.bytes);
		well = false;
	}
	return well;
}

static bool name_names(const struct core *core)
{
	bool well = true;

	for (size_t i = 0; i < core->names.count; i++) {
		const struct name *name = core->names.list[i];
		const char *state = name_state_name(name);
		TEXT_CLEANUP struct text fact = TEXT_INIT;

		if (!name_is_wanted(name) || strcmp(state, "current") == 0)
			continue;
		text_addf(&fact, "%s: %s", state, name_reason(name));
		left(name->name, fact.bytes);
		well = false;
	}
	return well;
}

static bool name_hooks(const struct core *core)
{
	bool well = events_are_settled(core);

	if (!well)
		left("hooks", "have not ended");
	return well;
}

/* A ruleset that moved is tried again within the second; other refusals stay. */
static bool rules_are_settled(const struct core *core)
{
	return !core->sync.error[0] || core->sync.unsteady == 0;
}

/* Is anything tagged or named for it? */
static bool wan_has_work(const struct core *core, size_t wan)
{
	bool has = core->wans[wan].rules.tagged > 0;

	for (size_t i = 0; i < schedule_count(core->schedule) && !has; i++) {
		const struct schedule_record *of = schedule_record(core->schedule, i);

		has = of->wan == wan && !of->optional;
	}
	return has;
}

/* At boot an address may come a little later than we do. */
static bool addresses_are_settled(const struct core *core)
{
	for (size_t i = 0; i < core->config->wan_count; i++)
		if (!wan_has_address(&core->wans[i]) && wan_has_work(core, i))
			return false;
	return true;
}

void once_turn(struct core *core, int64_t now_ms)
{
	bool in_time = now_ms < core->started_ms + CORE_ONCE_MS, well;

	if (core->options->mode != CORE_ONCE || core->stopping)
		return;
	if (in_time &&
	    (!core->sync.looked || !rules_are_settled(core) ||
	     !addresses_are_settled(core) || !discover_is_settled(core) ||
	     !schedule_is_settled(core->schedule) || !names_are_settled(&core->names) ||
	     core->sync.names_changed || !events_are_settled(core)))
		return;
	well = name_wans(core);
	well = name_sources(core) && well;
	well = name_rules(core) && well;
	well = name_records(core) && well;
	well = name_names(core) && well;
	well = name_hooks(core) && well;
	core_stop(core, well ? 0 : 1);
}

int64_t once_due_ms(const struct core *core)
{
	return core->options->mode == CORE_DAEMON ? INT64_MAX
						  : core->started_ms + CORE_ONCE_MS;
}
