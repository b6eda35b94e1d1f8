/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is counted, and how it is told to Prometheus. Counters live as long as the core.
 * Labels are names of the configuration, of hooks and of enums, nothing that comes from
 * the network: so their number is bounded, and no stranger makes series.
 */
#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/config.h"
#include "hairpin/err.h"
#include "hairpin/fault.h"
#include "hairpin/message.h"
#include "hairpin/text.h"

#include "prom.h"

struct core;

enum {
	METRICS_VERDICTS = MESSAGE_TLS_REFUSED - MESSAGE_GOOD + 1,
	METRICS_SPACING_MS = 15 * 1000,	/* between two writings of the file */
	METRICS_COST_SHARE = 20,	/* making the text takes at most a part of the time */
	METRICS_FILE_MAX = 4 << 20,
};

struct metrics_provider {
	char name[CONFIG_LABEL_BYTES];
	uint64_t updates[METRICS_VERDICTS];
	int64_t success_ms;		/* INT64_MIN: never */
};

struct metrics {
	struct histogram commit;	/* of batches that changed something */
	struct histogram follow;	/* from an address' event until rules are in step */
	uint64_t sync_failures, refused, foreign, conntrack, overruns;
	uint64_t publisher_starts, publisher_restarts;
	uint64_t reloads, reload_failures;
	bool reload_failed;		/* the last one */
	int64_t reload_ms;		/* the last good one, or the start */
	struct metrics_provider *providers;	/* those that gave answers */
	size_t provider_count;

	/* wall clock less our own: kept, so that times do not tremble with rounding */
	int64_t offset_s;
	bool has_offset;

	/* the file */
	uint64_t written;		/* what stands there: a sum of it; 0: nothing */
	int64_t next_ms;		/* not before */
	bool held;			/* there was a turn before that */
	struct fault fault;
};

void metrics_done(struct metrics *metrics);

/* One record's answer to an update. */
void metrics_update(struct metrics *metrics, const char *provider,
		    enum message_verdict verdict, int64_t now_ms);

/* NULL: it gave no answer yet. */
const struct metrics_provider *metrics_provider_find(const struct metrics *metrics,
						     const char *name);

/* After a reload: entries that are no more are forgotten. */
void metrics_keep(struct metrics *metrics, const struct config *config);

/* A moment of ours as seconds since 1970. */
int64_t metrics_wall_s(const struct metrics *metrics, int64_t then_ms);
/* Once before a text is made. */
void metrics_clock(struct metrics *metrics, int64_t now_ms, int64_t wall_s);

/* --- metrics_text.c --- */

/*
 * All of it, about `max_bytes` at most: where records do not fit, the first ones are there
 * and the number of the others.
 */
void metrics_text(struct core *core, size_t max_bytes, int64_t now_ms, struct text *out);

/* --- metrics_file.c --- */

/*
 * Writes the file when it would say something else, at most every METRICS_SPACING_MS. Only
 * a turn that came sooner makes one be due: who has nothing to do is not woken up.
 */
void metrics_turn(struct core *core, int64_t now_ms);
int64_t metrics_due_ms(const struct core *core);
void metrics_end(struct core *core, int64_t now_ms);	/* the last word */

#endif
