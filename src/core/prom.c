/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prom.h"

#include <inttypes.h>
#include <stddef.h>

static const struct {
	uint64_t us;
	const char *le;
} bounds[PROM_BUCKETS] = {
	{ 100, "0.0001" }, { 250, "0.00025" }, { 500, "0.0005" },
	{ 1000, "0.001" }, { 2500, "0.0025" }, { 5000, "0.005" },
	{ 10000, "0.01" }, { 25000, "0.025" }, { 50000, "0.05" },
	{ 100000, "0.1" }, { 250000, "0.25" }, { 500000, "0.5" },
	{ 1000000, "1" },
};

void prom_family(struct prom *prom, const char *name, enum prom_type type,
		 const char *help)
{
	*prom = (struct prom){ .out = prom->out, .name = name, .help = help,
			       .type = type };
}

static void prom_head(struct prom *prom)
{
	static const char *const types[] = {
		[PROM_COUNTER] = "counter",
		[PROM_GAUGE] = "gauge",
		[PROM_HISTOGRAM] = "histogram",
	};

	if (prom->headed)
		return;
	text_addf(prom->out, "# HELP %s %s\n# TYPE %s %s\n", prom->name, prom->help,
		  prom->name, types[prom->type]);
	prom->headed = true;
}

/* The name of the series may be longer than the family's: _bucket, _sum, _count. */
static void prom_begin(struct prom *prom, const char *suffix)
{
	prom_head(prom);
	text_addf(prom->out, "%s%s", prom->name, suffix);
}

static void prom_quote(struct text *out, const char *value)
{
	for (; *value; value++) {
		unsigned char byte = (unsigned char)*value;

		if (byte == '\\' || byte == '"')
			text_add_char(out, '\\');
		text_add_char(out, byte < 0x20 || byte == 0x7f ? '?' : *value);
	}
}

void prom_label(struct prom *prom, const char *key, const char *value)
{
	if (!prom->labelled)
		prom_begin(prom, "");
	text_addf(prom->out, "%c%s=\"", prom->labelled ? ',' : '{', key);
	prom_quote(prom->out, value);
	text_add_char(prom->out, '"');
	prom->labelled = true;
}

void prom_value(struct prom *prom, uint64_t value)
{
	if (!prom->labelled)
		prom_begin(prom, "");
	text_addf(prom->out, "%s %" PRIu64 "\n", prom->labelled ? "}" : "", value);
	prom->labelled = false;
}

/* --- durations --- */

void histogram_add(struct histogram *histogram, int64_t us)
{
	uint64_t took_us = us > 0 ? (uint64_t)us : 0;
	size_t i = 0;

	while (i < PROM_BUCKETS && took_us > bounds[i].us)
		i++;
	histogram->buckets[i]++;
	histogram->sum_us += took_us;
}

void prom_histogram(struct prom *prom, const struct histogram *histogram)
{
	uint64_t count = 0;

	for (size_t i = 0; i <= PROM_BUCKETS; i++) {
		count += histogram->buckets[i];
		prom_begin(prom, "_bucket");
		text_addf(prom->out, "{le=\"%s\"} %" PRIu64 "\n",
			  i < PROM_BUCKETS ? bounds[i].le : "+Inf", count);
	}
	prom_begin(prom, "_sum");
	text_addf(prom->out, " %" PRIu64 ".%06" PRIu64 "\n", histogram->sum_us / 1000000,
		  histogram->sum_us % 1000000);
	prom_begin(prom, "_count");
	text_addf(prom->out, " %" PRIu64 "\n", count);
}
