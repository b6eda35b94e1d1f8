/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the metrics' text share: metrics_text.c (the families and the daemon),
 * metrics_rules.c (WANs, rules, names), metrics_records.c (records, providers, hooks).
 * Each emit_ writes the samples of one family.
 */
#ifndef CORE_METRICS_PARTS_H
#define CORE_METRICS_PARTS_H

#include "core.h"

/* What one text is made of. */
struct account {
	struct core *core;
	struct prom prom;
	size_t max_bytes;
	size_t records;			/* so many are told of */
	size_t left_out;
	bool shared[CONFIG_PROVIDERS_MAX];	/* an earlier entry has the same name */
};

void emit_number(struct account *account, uint64_t value);
void emit_time(struct account *account, int64_t then_ms);	/* of ours */

/* --- metrics_rules.c --- */

void emit_up(struct account *account);
void emit_global(struct account *account);
void emit_changes(struct account *account);
void emit_since(struct account *account);
void emit_looks(struct account *account);
void emit_address(struct account *account);
void emit_rules(struct account *account);
void emit_rewritten(struct account *account);
void emit_looked(struct account *account);
void emit_commit(struct account *account);
void emit_follow(struct account *account);
void emit_failures(struct account *account);
void emit_refused(struct account *account);
void emit_foreign(struct account *account);
void emit_conntrack(struct account *account);
void emit_names(struct account *account);

/* --- metrics_records.c --- */

/* How many records find room behind what is there already. */
void records_measure(struct account *account);
void emit_current(struct account *account);
void emit_success(struct account *account);
void emit_verified(struct account *account);
void emit_updates(struct account *account);
void emit_provider_success(struct account *account);
void emit_starts(struct account *account);
void emit_restarts(struct account *account);
void emit_hook_runs(struct account *account);
void emit_hook_time(struct account *account);

#endif
