/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pause.h"

#include <inttypes.h>

#include "hairpin/clock.h"
#include "hairpin/control.h"
#include "hairpin/json.h"
#include "hairpin/log.h"
#include "hairpin/order.h"

#include "core.h"

bool pause_is_on(const struct core *core)
{
	return core->pause.seconds > 0 && core->options->mode == CORE_DAEMON;
}

static void pause_say(struct core *core, const char *how)
{
	char until[CLOCK_TEXT_BYTES];

	clock_format(core->pause.until_wall_s, until);
	log_notice("paused%s until %s: rules stay, nothing is published or looked up, no "
		   "hook is run; `hairpinctl resume` ends it", how, until);
	watch_plain(core, "pause", "until", until);
}

void pause_begin(struct core *core, int64_t seconds, int64_t now_ms)
{
	core->pause = (struct pause){
		.seconds = seconds,
		.until_ms = now_ms + seconds * 1000,
		.until_wall_s = clock_wall_s() + seconds,
	};
	/* What failed is tried again with everything else. */
	core->sync.retry_ms = INT64_MAX;
	core->state.dirty = true;
	pause_say(core, "");
}

static void pause_over(struct core *core, const char *how)
{
	core->pause = (struct pause){ .seconds = 0 };
	core->state.dirty = true;
	core->sync.asked = core->sync.links_changed = true;
	log_notice("the pause %s; everything is looked at", how);
	watch_plain(core, "resume", NULL, NULL);
}

bool pause_end(struct core *core)
{
	if (!pause_is_on(core))
		return false;
	pause_over(core, "was ended");
	return true;
}

void pause_turn(struct core *core, int64_t now_ms)
{
	if (pause_due_ms(core) <= now_ms)
		pause_over(core, "is over");
}

int64_t pause_due_ms(const struct core *core)
{
	return pause_is_on(core) ? core->pause.until_ms : INT64_MAX;
}

void pause_clock(struct core *core, int64_t now_ms)
{
	if (!core->pause.seconds)
		return;
	core->pause.until_wall_s =
		clock_wall_s() + (core->pause.until_ms - now_ms + 999) / 1000;
	core->state.dirty = true;
}

void pause_save(const struct core *core, struct text *out)
{
	if (core->pause.seconds)
		text_addf(out, "\"pause\": {\"until\": %" PRId64 ", \"seconds\": %" PRId64
			  "},\n", core->pause.until_wall_s, core->pause.seconds);
}

void pause_restore(struct core *core, const struct json *document, int64_t now_ms,
		   int64_t wall_s)
{
	const struct json *pause = json_get(document, "pause");
	int64_t until_s, seconds, left_s;

	if (!json_integer(json_get(pause, "seconds"), 1, CONTROL_PAUSE_S, &seconds) ||
	    !json_integer(json_get(pause, "until"), 0, INT64_MAX, &until_s))
		return;
	left_s = MIN(until_s - wall_s, seconds);
	if (left_s <= 0)
		return;
	core->pause = (struct pause){
		.seconds = seconds,
		.until_ms = now_ms + left_s * 1000,
		.until_wall_s = wall_s + left_s,
	};
	if (pause_is_on(core))
		pause_say(core, " still");
}
