/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The families, in their order; hairpind-metrics(7) lists them. Names stay: people's
 * dashboards and alerts hang on them.
 */
#include "hairpin/clock.h"

#include "control.h"
#include "metrics_parts.h"

typedef void emit_fn(struct account *account);

void emit_number(struct account *account, uint64_t value)
{
	prom_value(&account->prom, value);
}

void emit_time(struct account *account, int64_t then_ms)
{
	int64_t wall_s = metrics_wall_s(&account->core->metrics, then_ms);

	prom_value(&account->prom, wall_s > 0 ? (uint64_t)wall_s : 0);
}

/* --- the daemon --- */

static void emit_build(struct account *account)
{
	prom_label(&account->prom, "version", HAIRPIN_VERSION);
	emit_number(account, 1);
}

static void emit_start(struct account *account)
{
	emit_time(account, account->core->started_ms);
}

static void emit_reload_well(struct account *account)
{
	emit_number(account, !account->core->metrics.reload_failed);
}

static void emit_reload_time(struct account *account)
{
	emit_time(account, account->core->metrics.reload_ms);
}

static void emit_reloads(struct account *account)
{
	const struct metrics *metrics = &account->core->metrics;

	prom_label(&account->prom, "result", "ok");
	emit_number(account, metrics->reloads);
	prom_label(&account->prom, "result", "failed");
	emit_number(account, metrics->reload_failures);
}

static void emit_look(struct account *account)
{
	emit_time(account, account->core->sync.look_ms);
}

static void emit_overruns(struct account *account)
{
	const struct core *core = account->core;
	uint64_t overruns = core->metrics.overruns;

	overruns += core->rtnl ? rtnl_overruns(core->rtnl) : 0;
	overruns += core->nft ? nft_overruns(core->nft) : 0;
	emit_number(account, overruns);
}

static void emit_paused(struct account *account)
{
	emit_number(account, pause_is_on(account->core));
}

static void emit_watchers(struct account *account)
{
	emit_number(account, control_watchers(account->core->control));
}

static void emit_left_out(struct account *account)
{
	emit_number(account, account->left_out);
}

/* --- all of them --- */

static const struct {
	const char *name;
	enum prom_type type;
	const char *help;
	emit_fn *emit;
} families[] = {
	{ "hairpind_build_info", PROM_GAUGE, "1, with the version of hairpind.", emit_build },
	{ "hairpind_start_timestamp_seconds", PROM_GAUGE,
	  "When counting began: the start of the process that counts.", emit_start },
	{ "hairpind_config_last_reload_successful", PROM_GAUGE,
	  "1 if the configuration in force is the one that was read last.",
	  emit_reload_well },
	{ "hairpind_config_last_reload_success_timestamp_seconds", PROM_GAUGE,
	  "When the configuration in force was taken over.", emit_reload_time },
	{ "hairpind_config_reloads_total", PROM_COUNTER,
	  "Readings of the configuration again, by result.", emit_reloads },
	{ "hairpind_look_timestamp_seconds", PROM_GAUGE,
	  "When hairpind looked at everything last: its sign of life.", emit_look },
	{ "hairpind_netlink_overruns_total", PROM_COUNTER,
	  "Times the kernel had more notices than could be taken.", emit_overruns },
	{ "hairpind_paused", PROM_GAUGE, "1 while hairpind was told to do nothing.",
	  emit_paused },
	{ "hairpind_watchers", PROM_GAUGE, "Clients that watch the events.",
	  emit_watchers },

	{ "hairpind_wan_up", PROM_GAUGE,
	  "1 if the link is up and has an address of the family.", emit_up },
	{ "hairpind_wan_address_info", PROM_GAUGE, "1, with the address.", emit_address },
	{ "hairpind_wan_address_global", PROM_GAUGE,
	  "1 if the address can be reached from the internet.", emit_global },
	{ "hairpind_wan_address_changes_total", PROM_COUNTER,
	  "Changes of the address, losses included.", emit_changes },
	{ "hairpind_wan_address_change_timestamp_seconds", PROM_GAUGE,
	  "When the address changed last.", emit_since },
	{ "hairpind_outside_looks_total", PROM_COUNTER,
	  "Questions for the address as it is seen from outside, by result.", emit_looks },

	{ "hairpind_rules", PROM_GAUGE,
	  "Tagged things of the ruleset: current hold the address, stale do not, "
	  "skipped are left alone for a reason.", emit_rules },
	{ "hairpind_rule_updates_total", PROM_COUNTER,
	  "Tagged things that were given another value.", emit_rewritten },
	{ "hairpind_rule_refusals_total", PROM_COUNTER,
	  "Changes of single things that the kernel would not take.", emit_refused },
	{ "hairpind_rule_sync_failures_total", PROM_COUNTER,
	  "Times the rules could not be brought into step.", emit_failures },
	{ "hairpind_rule_sync_timestamp_seconds", PROM_GAUGE,
	  "When the rules were looked at last.", emit_looked },
	{ "hairpind_rule_commit_seconds", PROM_HISTOGRAM,
	  "How long the kernel took for batches that changed something.", emit_commit },
	{ "hairpind_rule_follow_seconds", PROM_HISTOGRAM,
	  "From the notice of a new address until the rules were in step.", emit_follow },
	{ "hairpind_foreign_ruleset_changes_total", PROM_COUNTER,
	  "Notices that somebody else changed the ruleset.", emit_foreign },
	{ "hairpind_conntrack_deleted_total", PROM_COUNTER,
	  "Connections that were forgotten because they would have stayed wrong.",
	  emit_conntrack },
	{ "hairpind_names", PROM_GAUGE,
	  "Names in comments: current, stale (the last good addresses hold) or waiting.",
	  emit_names },

	{ "hairpind_provider_updates_total", PROM_COUNTER,
	  "Answers to updates, one for each record, by provider and result.",
	  emit_updates },
	{ "hairpind_provider_success_timestamp_seconds", PROM_GAUGE,
	  "When the provider took an update last.", emit_provider_success },
	{ "hairpind_publisher_starts_total", PROM_COUNTER,
	  "Starts of the publisher, which leaves when it has nothing to do.",
	  emit_starts },
	{ "hairpind_publisher_restarts_total", PROM_COUNTER,
	  "Times the publisher failed and had to be started again.", emit_restarts },
	{ "hairpind_hook_runs_total", PROM_COUNTER, "Runs of hooks by result.",
	  emit_hook_runs },
	{ "hairpind_hook_last_run_timestamp_seconds", PROM_GAUGE,
	  "When the hook was run last.", emit_hook_time },

	{ "hairpind_record_current", PROM_GAUGE,
	  "1 if the record is published and, where that is wanted, verified.",
	  emit_current },
	{ "hairpind_record_success_timestamp_seconds", PROM_GAUGE,
	  "When the record was published or confirmed by its provider last.",
	  emit_success },
	{ "hairpind_record_verified_timestamp_seconds", PROM_GAUGE,
	  "When the name servers were seen to hold the wanted address last.",
	  emit_verified },
	{ "hairpind_records_left_out", PROM_GAUGE,
	  "Records that found no room in this text.", emit_left_out },
};

void metrics_text(struct core *core, size_t max_bytes, int64_t now_ms, struct text *out)
{
	struct account account = { .core = core, .prom = { .out = out },
				   .max_bytes = max_bytes };

	metrics_clock(&core->metrics, now_ms, clock_wall_s());
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (families[i].emit == emit_current)
			records_measure(&account);
		prom_family(&account.prom, families[i].name, families[i].type,
			    families[i].help);
		families[i].emit(&account);
	}
}
