/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prometheus' text format, version 0.0.4: families, their samples, labels. Pure.
 *
 * prom_family() opens one; then for each sample its labels, then its value. A family
 * without samples leaves nothing in the text.
 */
#ifndef CORE_PROM_H
#define CORE_PROM_H

#include <stdbool.h>
#include <stdint.h>

#include "hairpin/text.h"

enum prom_type { PROM_COUNTER, PROM_GAUGE, PROM_HISTOGRAM };

struct prom {
	struct text *out;
	const char *name, *help;	/* of the family */
	enum prom_type type;
	bool headed;			/* its HELP and TYPE are there */
	bool labelled;			/* a sample is begun */
};

void prom_family(struct prom *prom, const char *name, enum prom_type type,
		 const char *help);

/* The value may be any UTF-8; control characters become "?". */
void prom_label(struct prom *prom, const char *key, const char *value);
/* Ends the sample. */
void prom_value(struct prom *prom, uint64_t value);

/* --- durations --- */

enum { PROM_BUCKETS = 13 };	/* from 100 us to 1 s; beyond is +Inf */

struct histogram {
	uint64_t buckets[PROM_BUCKETS + 1];	/* each for itself; the last is beyond */
	uint64_t sum_us;
};

void histogram_add(struct histogram *histogram, int64_t us);
/* All samples of a family without labels. */
void prom_histogram(struct prom *prom, const struct histogram *histogram);

#endif
