/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text file for node_exporter. */
#include <errno.h>
#include <string.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/statefile.h"

#include "core.h"

/* FNV-1a; never 0. */
static uint64_t sum_of(const struct text *text)
{
	uint64_t sum = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < text->length; i++)
		sum = (sum ^ (unsigned char)text->bytes[i]) * UINT64_C(1099511628211);
	return sum ? sum : 1;
}

static bool is_on(const struct core *core)
{
	return core->options->metrics_directory >= 0 && !core->dry_run;
}

static const char *advice(int code)
{
	return code == -EACCES || code == -EPERM
		       ? "; the user that the core runs as must be allowed to write to "
			 "the directory"
		       : "";
}

static void write_file(struct core *core, const struct text *text)
{
	struct metrics *metrics = &core->metrics;
	struct err err = { "" };
	const char *path = core->options->metrics_path;
	char count[FAULT_TEXT_BYTES];
	int result = statefile_show(core->options->metrics_directory,
				    strrchr(path, '/') + 1, text->bytes, text->length,
				    &err);

	if (result == 0) {
		if (fault_over(&metrics->fault))
			log_notice("metrics: the text file is written again");
		return;
	}
	metrics->written = 0;
	if (fault_again(&metrics->fault))
		log_warning("metrics: %s%s%s", err.text, advice(result),
			    fault_count(&metrics->fault, count));
}

static void look_and_write(struct core *core, int64_t now_ms)
{
	TEXT_CLEANUP struct text text = TEXT_INIT;
	struct metrics *metrics = &core->metrics;
	int64_t began_ms = clock_now_ms();
	uint64_t sum;

	metrics_text(core, METRICS_FILE_MAX, now_ms, &text);
	sum = sum_of(&text);
	/* A thousand records take milliseconds: looks are not all that is done. */
	metrics->next_ms = now_ms + METRICS_COST_SHARE * (clock_now_ms() - began_ms);
	if (text.failed || sum == metrics->written)
		return;
	metrics->written = sum;
	metrics->next_ms = now_ms + METRICS_SPACING_MS;
	write_file(core, &text);
}

void metrics_turn(struct core *core, int64_t now_ms)
{
	struct metrics *metrics = &core->metrics;

	if (!is_on(core) || !core->sync.looked)
		return;
	metrics->held = now_ms < metrics->next_ms;
	if (!metrics->held)
		look_and_write(core, now_ms);
}

int64_t metrics_due_ms(const struct core *core)
{
	return core->metrics.held ? core->metrics.next_ms : INT64_MAX;
}

void metrics_end(struct core *core, int64_t now_ms)
{
	if (is_on(core) && core->sync.looked)
		look_and_write(core, now_ms);
}
