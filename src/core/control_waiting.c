/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients that wait: for their turn, or for the supervisor. */
#include <errno.h>
#include <stdlib.h>

#include "hairpin/clock.h"
#include "hairpin/json.h"
#include "hairpin/message.h"

#include "control.h"

/* --- a turn --- */

/* Users take turns; of one's own commands the oldest is the next. */
static bool goes_before(const struct client *client, const struct client *other)
{
	bool again = client->uid == client->control->served;

	if (again != (other->uid == client->control->served))
		return !again;
	return client->progress_ms < other->progress_ms;
}

struct client *control_next(const struct control *control)
{
	struct client *found = NULL;

	for (size_t i = 0; i < control->count; i++) {
		struct client *client = control->clients[i];

		if (client->state == CLIENT_QUEUED &&
		    (!found || goes_before(client, found)))
			found = client;
	}
	return found;
}

/* --- reload --- */

static void reload_answer(struct client *client, const struct message_reply *reply,
			  const char *failed)
{
	struct json *object = json_new_object();
	char *text;

	if (failed)
		json_add_string(object, "error", failed);
	else
		json_add_bool(object, "reloaded", true);
	json_add_string(object, "problems", reply->text);
	text = json_print(object, false);
	json_free(object);
	if (text)
		text_add(&client->out, text);
	else
		client->out.failed = true;
	free(text);
}

void control_reloaded(struct control *control, const struct message_reply *reply,
		      const char *failed)
{
	uint32_t number = reply->head.number;

	/* -EBUSY: a later one was asked for, and is everybody's answer. */
	if (!control || reply->status == -EBUSY)
		return;
	for (size_t i = control->count; i > 0; i--) {
		struct client *client = control->clients[i - 1];

		if (client->state != CLIENT_WAITING || !client->reload ||
		    client->reload > number)
			continue;
		reload_answer(client, reply, failed);
		(void)client_answer(client, clock_now_ms());
	}
}

/* --- a hook's test --- */

void control_tested(struct control *control, const struct message_hook_result *result,
		    const char *why)
{
	for (size_t i = control ? control->count : 0; i > 0; i--) {
		struct client *client = control->clients[i - 1];

		if (client->state != CLIENT_WAITING || client->reload)
			continue;
		if (result)
			command_hook_tested(client, result);
		else
			command_fail(client, why);
		(void)client_answer(client, clock_now_ms());
	}
}
