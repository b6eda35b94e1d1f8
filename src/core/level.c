/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "level.h"

#include "hairpin/channel.h"
#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/message.h"

#include "core.h"

void level_tell_publisher(struct core *core)
{
	struct message_level message = { { MESSAGE_LEVEL, 0 }, log_level() };

	if (core->publisher.channel >= 0 &&
	    channel_send(core->publisher.channel, &message, sizeof(message), -1) < 0)
		log_debug("publisher: the log's level was not taken");
}

static void level_tell(struct core *core, int level)
{
	struct message_level message = { { MESSAGE_LEVEL, 0 }, level };

	log_set_level(level);
	if (supervisor_send(core, &message, sizeof(message)) < 0)
		log_debug("supervisor: the log's level was not taken");
	level_tell_publisher(core);
	watch_plain(core, "log", "level", log_level_name(level));
}

void level_set(struct core *core, int level, int64_t seconds, int64_t now_ms)
{
	core->level = (struct level){ .is_set = level != core->config->log.level,
				      .until_ms = INT64_MAX };
	if (core->level.is_set && seconds) {
		core->level.until_ms = now_ms + seconds * 1000;
		core->level.until_wall_s = clock_wall_s() + seconds;
	}
	level_tell(core, level);
}

void level_reset(struct core *core)
{
	if (log_level() == core->config->log.level && !core->level.is_set)
		return;
	core->level = (struct level){ .until_ms = INT64_MAX };
	level_tell(core, core->config->log.level);
}

void level_turn(struct core *core, int64_t now_ms)
{
	if (level_due_ms(core) <= now_ms)
		level_reset(core);
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
	return core->level.is_set ? core->level.until_ms : INT64_MAX;
}
