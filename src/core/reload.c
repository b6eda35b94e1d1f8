/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a configuration to the core's parts, and from one configuration to another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hairpin/clock.h"
#include "hairpin/json.h"
#include "hairpin/log.h"

#include "core.h"

/* --- the document --- */

/* Mapped, not read: it holds secrets, and so no copy of them is left on the heap. */
int reload_read(int fd, struct config **ret_config, struct err *ret_err)
{
	struct stat status;
	size_t length;
	void *text;
	int result;

	if (fstat(fd, &status) < 0)
		return err_set_errno(ret_err, -errno, "the configuration's document");
	if (status.st_size <= 0 || status.st_size > JSON_MAX_BYTES)
		return err_set(ret_err, -EFBIG,
			       "the configuration's document has %lld bytes",
			       (long long)status.st_size);
	length = (size_t)status.st_size;
	text = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return err_set_errno(ret_err, -errno, "the configuration's document");
	result = config_parse(text, length, ret_config, ret_err);
	munmap(text, length);
	return result;
}

/* --- the parts --- */

struct parts {
	struct config *config;
	struct core_wan *wans;
	struct nft_target *targets;
	struct nft_table *tables;
	struct schedule *schedule;
};

static void parts_free(struct parts *parts)
{
	size_t wans = parts->config ? parts->config->wan_count : 0;

	schedule_free(parts->schedule);
	wans_targets_free(parts->targets, wans);
	free(parts->tables);
	free(parts->wans);
	config_free(parts->config);
}

static int tables_new(const struct config *config, struct nft_table **ret_tables,
		      struct err *ret_err)
{
	struct nft_table *tables = calloc(config->nat.table_count + 1, sizeof(*tables));

	if (!tables)
		return err_set(ret_err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < config->nat.table_count; i++)
		if (!nft_table_parse(config->nat.tables[i].text, &tables[i])) {
			free(tables);
			return err_set(ret_err, -EINVAL, "nat.tables: \"%s\" is no table",
				       config->nat.tables[i].text);
		}
	*ret_tables = tables;
	return 0;
}

static int parts_make(const struct core *core, struct parts *parts, struct err *ret_err)
{
	uint64_t *fingerprints = state_fingerprints(&core->state, parts->config);
	int result;

	parts->wans = wans_new(parts->config);
	if (!parts->wans || !fingerprints)
		result = err_set(ret_err, -ENOMEM, "out of memory");
	else
		result = wans_targets(parts->wans, parts->config->wan_count,
				      &parts->targets, ret_err);
	if (result == 0)
		result = tables_new(parts->config, &parts->tables, ret_err);
	if (result == 0) {
		result = schedule_new(parts->config, fingerprints, clock_now_ms(),
				      clock_wall_s(), &parts->schedule);
		if (result < 0)
			(void)err_set(ret_err, result, "out of memory");
	}
	free(fingerprints);
	return result;
}

/* What the old configuration's parts knew goes over into the new ones. */
static void parts_adopt(struct core *core, struct parts *parts)
{
	int64_t now_ms = clock_now_ms();

	events_renumber(core, parts->config, parts->schedule);
	wans_adopt(parts->wans, parts->config->wan_count, core->wans,
		   core->config->wan_count);
	schedule_adopt(parts->schedule, core->schedule, now_ms);
	core->schedule = NULL;
	for (size_t i = 0; i < parts->config->wan_count; i++) {
		const struct core_wan *wan = &parts->wans[i];

		schedule_route(parts->schedule, i, wan->has_route, now_ms);
		for (int side = 0; side < WAN_SIDES; side++)
			schedule_address(parts->schedule, i, wan->sides[side].family,
					 &wan->sides[side].now.address, now_ms);
		schedule_prefix(parts->schedule, i, &wan->prefix.now.address, now_ms);
	}
}

/* False also where there is no memory to know it. */
static bool settings_stay(const struct core *core, const struct config *next)
{
	uint64_t *old = state_fingerprints(&core->state, core->config);
	uint64_t *new = state_fingerprints(&core->state, next);
	bool stay = old && new;

	for (size_t i = 0; stay && i < core->config->provider_count; i++) {
		stay = false;
		for (size_t j = 0; !stay && j < next->provider_count; j++)
			stay = old[i] == new[j];
	}
	free(old);
	free(new);
	return stay;
}

static struct parts parts_of(const struct core *core)
{
	return (struct parts){ core->config, core->wans, core->targets, core->tables,
			       core->schedule };
}

static void parts_set(struct core *core, const struct parts *parts)
{
	core->config = parts->config;
	core->wans = parts->wans;
	core->targets = parts->targets;
	core->tables = parts->tables;
	core->schedule = parts->schedule;
}

int core_configure(struct core *core, struct config *take, struct err *ret_err)
{
	struct parts parts = { .config = take }, old;
	int result = parts_make(core, &parts, ret_err);

	if (result < 0) {
		parts_free(&parts);
		return result;
	}
	if (core->config && !settings_stay(core, parts.config))
		publisher_settings_gone(core);
	if (core->config)
		parts_adopt(core, &parts);
	old = parts_of(core);
	parts_set(core, &parts);
	parts_free(&old);
	metrics_keep(&core->metrics, core->config);
	/* With another prefix the next look at the rules tells what is named. */
	if (!core->config->nat.enabled || !core->config->nat.names[0])
		names_drop(&core->names, clock_now_ms());
	return 0;
}

void core_unconfigure(struct core *core)
{
	struct parts parts = parts_of(core), none = { 0 };

	parts_free(&parts);
	parts_set(core, &none);
}

/* --- the reload --- */

int reload_run(struct core *core, int fd, struct err *ret_err)
{
	struct config *config;
	int result = reload_read(fd, &config, ret_err);

	if (result == 0)
		/* NOLINTNEXTLINE(*CallAndMessage): 0 means it was read */
		result = core_configure(core, config, ret_err);
	if (result < 0) {
		log_error("configuration: %s; the old one stays", ret_err->text);
		return result;
	}
	level_reset(core, clock_now_ms());
	runner_configured(core);
	core->state.dirty = true;
	core->sync.asked = true;
	core->sync.error[0] = '\0';
	log_debug("configuration: taken over");
	return 0;
}
