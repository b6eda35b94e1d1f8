/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver.h"

#include <string.h>

#include "hairpin/log.h"

#include "core.h"

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void resolver_look(struct core *core, int64_t now_ms)
{
	struct resolver *resolver = &core->resolver;
	struct stat now;

	if (stat(resolver->path ? resolver->path : "/etc/resolv.conf", &now) < 0)
		memset(&now, 0, sizeof(now));
	resolver->looked_ms = now_ms;
	if (!resolver->looked || is_same(&now, &resolver->seen)) {
		resolver->looked = true;
		resolver->seen = now;
		return;
	}
	resolver->seen = now;
	resolver->generation++;
	log_info("resolv.conf is another one now");
	for (size_t i = 0; i < core->config->wan_count; i++)
		schedule_network(core->schedule, i, now_ms);
	names_network(&core->names, now_ms);
	discover_network(core, now_ms);
}

void resolver_turn(struct core *core, int64_t now_ms)
{
	const struct resolver *resolver = &core->resolver;

	if (!resolver->looked || now_ms - resolver->looked_ms >= RESOLVER_SPACING_MS)
		resolver_look(core, now_ms);
}

int64_t resolver_due_ms(const struct core *core)
{
	for (size_t i = 0; i < schedule_count(core->schedule); i++)
		if (record_lacks_network(&schedule_record(core->schedule, i)->record))
			return core->resolver.looked_ms + RESOLVER_POLL_MS;
	if (names_lack_resolver(&core->names))
		return core->resolver.looked_ms + RESOLVER_POLL_MS;
	return INT64_MAX;
}
