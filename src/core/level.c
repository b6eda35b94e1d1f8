/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "level.h"

#include "hairpin/channel.h"
#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/message.h"
#include "hairpin/order.h"

#include "core.h"

enum { TELLS_AT_ONCE = 20, TELLS_APART_MS = 200 };

void level_tell_publisher(struct core *core)
{
	struct message_level message = { { MESSAGE_LEVEL, 0 }, log_level() };

	if (core->publisher.channel >= 0 &&
	    channel_send(core->publisher.channel, &message, sizeof(message), -1) < 0)
		log_debug("publisher: the log's level was not taken");
}

/* Now, or with the next turn: who asks for one level after another waits for none. */
static void tell_supervisor(struct core *core, int64_t now_ms)
{
	struct level *level = &core->level;
	struct message_level message = { { MESSAGE_LEVEL, 0 }, level->wanted };

	if (level->told == level->wanted || !allowance_is_due(&level->tells, now_ms))
		return;
	allowance_spend(&level->tells, now_ms);
	if (supervisor_send(core, &message, sizeof(message)) < 0)
		log_debug("supervisor: the log's level was not taken");
	else
		level->told = level->wanted;
}

void level_begin(struct core *core)
{
	int level = core->config->log.level;

	log_set_level(level);
	core->level = (struct level){
		.until_ms = INT64_MAX, .wanted = level, .told = level,
		.tells = { .apart_ms = TELLS_APART_MS, .at_once = TELLS_AT_ONCE } };
}

static void level_hold(struct core *core, int level, int64_t now_ms)
{
	core->level.is_set = level != core->config->log.level;
	core->level.until_ms = INT64_MAX;
	core->level.until_wall_s = 0;
	core->level.wanted = level;
	log_set_level(level);
	tell_supervisor(core, now_ms);
	level_tell_publisher(core);
	watch_plain(core, "log", "level", log_level_name(level));
}

void level_set(struct core *core, int level, int64_t seconds, int64_t now_ms)
{
	level_hold(core, level, now_ms);
	if (core->level.is_set && seconds) {
		core->level.until_ms = now_ms + seconds * 1000;
		core->level.until_wall_s = clock_wall_s() + seconds;
	}
}

void level_reset(struct core *core, int64_t now_ms)
{
	if (log_level() != core->config->log.level || core->level.is_set)
		level_hold(core, core->config->log.level, now_ms);
}

void level_turn(struct core *core, int64_t now_ms)
{
	if (core->level.is_set && core->level.until_ms <= now_ms)
		level_reset(core, now_ms);
	tell_supervisor(core, now_ms);
}

void level_clock(struct core *core, int64_t now_ms)
{
	struct level *level = &core->level;

	if (level->until_wall_s)
		level->until_wall_s =
			clock_wall_s() + (level->until_ms - now_ms + 999) / 1000;
}

int64_t level_due_ms(const struct core *core)
{
	const struct level *level = &core->level;
	int64_t end_ms = level->is_set ? level->until_ms : INT64_MAX;

	if (level->told == level->wanted)
		return end_ms;
	return MIN(end_ms, allowance_due_ms(&level->tells, 0));
}
