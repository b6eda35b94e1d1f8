/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands "pause", "resume" and "log". */
#include "hairpin/clock.h"
#include "hairpin/json.h"
#include "hairpin/log.h"

#include "control.h"
#include "core.h"

bool command_rests(struct client *client)
{
	const struct core *core = client->control->core;
	TEXT_CLEANUP struct text sentence = TEXT_INIT;
	char until[CLOCK_TEXT_BYTES];

	if (!pause_is_on(core))
		return false;
	text_addf(&sentence, "paused until %s: `hairpinctl resume` ends that",
		  clock_format(core->pause.until_wall_s, until));
	command_fail(client, sentence.bytes);
	return true;
}

void command_pause(struct client *client, const struct json *request, int64_t now_ms)
{
	struct core *core = client->control->core;
	struct json *object;
	char until[CLOCK_TEXT_BYTES];
	int64_t seconds;

	if (!json_integer(json_get(request, "seconds"), 1, CONTROL_PAUSE_S, &seconds)) {
		command_fail(client, "\"seconds\" is to be from 1 to 604800, a week");
		return;
	}
	pause_begin(core, seconds, now_ms);
	state_save(core, now_ms);
	object = json_new_object();
	json_add_string(object, "paused_until",
			clock_format(core->pause.until_wall_s, until));
	json_print_take(&client->out, object);
}

void command_resume(struct client *client, const struct json *request, int64_t now_ms)
{
	struct core *core = client->control->core;
	struct json *object = json_new_object();

	(void)request;
	json_add_bool(object, "resumed", pause_end(core));
	state_save(core, now_ms);
	json_print_take(&client->out, object);
}

void command_log(struct client *client, const struct json *request, int64_t now_ms)
{
	const char *name = json_string(json_get(request, "level"));
	const struct json *time = json_get(request, "seconds");
	struct core *core = client->control->core;
	struct json *object;
	char until[CLOCK_TEXT_BYTES];
	int64_t seconds = 0;
	int level;

	if (!name || !log_parse_level(name, &level)) {
		command_fail(client, "\"level\" is to be err, warning, notice, info or "
				     "debug");
		return;
	}
	if (time && !json_integer(time, 1, CONTROL_PAUSE_S, &seconds)) {
		command_fail(client, "\"seconds\" is to be from 1 to 604800, a week");
		return;
	}
	level_set(core, level, seconds, now_ms);
	object = json_new_object();
	json_add_string(object, "level", log_level_name(level));
	json_add_string(object, "until",
			core->level.until_wall_s
				? clock_format(core->level.until_wall_s, until)
				: NULL);
	json_print_take(&client->out, object);
}
