/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics.h"

#include <stdlib.h>
#include <string.h>

void metrics_done(struct metrics *metrics)
{
	free(metrics->providers);
	*metrics = (struct metrics){ 0 };
}

const struct metrics_provider *metrics_provider_find(const struct metrics *metrics,
						     const char *name)
{
	for (size_t i = 0; i < metrics->provider_count; i++)
		if (strcmp(metrics->providers[i].name, name) == 0)
			return &metrics->providers[i];
	return NULL;
}

/* NULL: no memory. */
static struct metrics_provider *provider_of(struct metrics *metrics, const char *name)
{
	struct metrics_provider *list =
		(struct metrics_provider *)metrics_provider_find(metrics, name);

	if (list)
		return list;
	list = reallocarray(metrics->providers, metrics->provider_count + 1,
			    sizeof(*list));
	if (!list)
		return NULL;
	metrics->providers = list;
	list += metrics->provider_count++;
	*list = (struct metrics_provider){ .success_ms = INT64_MIN };
	(void)text_copy(list->name, sizeof(list->name), name);
	return list;
}

void metrics_update(struct metrics *metrics, const char *provider,
		    enum message_verdict verdict, int64_t now_ms)
{
	struct metrics_provider *of;

	if (verdict < MESSAGE_GOOD || verdict > MESSAGE_TLS_REFUSED)
		return;		/* a look at DNS */
	of = provider_of(metrics, provider);
	if (!of)
		return;
	of->updates[verdict - MESSAGE_GOOD]++;
	if (verdict == MESSAGE_GOOD || verdict == MESSAGE_UNCHANGED)
		of->success_ms = now_ms;
}

static bool is_configured(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->provider_count; i++)
		if (strcmp(config->providers[i].name, name) == 0)
			return true;
	return false;
}

void metrics_keep(struct metrics *metrics, const struct config *config)
{
	size_t kept = 0;

	for (size_t i = 0; i < metrics->provider_count; i++)
		if (is_configured(config, metrics->providers[i].name))
			metrics->providers[kept++] = metrics->providers[i];
	metrics->provider_count = kept;
}

/* --- time --- */

void metrics_clock(struct metrics *metrics, int64_t now_ms, int64_t wall_s)
{
	int64_t offset_s = wall_s - now_ms / 1000;
	int64_t moved_s = offset_s - metrics->offset_s;

	if (metrics->has_offset && moved_s >= -1 && moved_s <= 1)
		return;
	metrics->offset_s = offset_s;
	metrics->has_offset = true;
}

int64_t metrics_wall_s(const struct metrics *metrics, int64_t then_ms)
{
	return metrics->offset_s + then_ms / 1000;
}
