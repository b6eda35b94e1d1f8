/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands "hooks", "hook" and "run-hooks". */
#include <errno.h>
#include <string.h>

#include "hairpin/json.h"

#include "control.h"
#include "core.h"

void command_hooks(struct client *client, const struct json *request, int64_t now_ms)
{
	const struct core *core = client->control->core;
	const struct hookbook *book = &core->events.book;
	const char *directory = core->config->hooks.directory;
	struct json *object = json_new_object();

	(void)request;
	(void)now_ms;
	json_add_string(object, "directory", directory[0] ? directory : NULL);
	json_add_string(object, "reason", runner_reason(core));
	runner_format(core, object, "runner");
	json_add(object, "hooks", hookbook_format(book));
	json_print_take(&client->out, object);
}

/* The event that is meant; false: there is no such one. */
static bool read_event(const struct json *request, enum message_event *ret_event)
{
	const struct json *value = json_get(request, "event");
	const char *name = json_string(value);

	if (value)
		return name && message_event_find(name, ret_event);
	*ret_event = MESSAGE_EVENT_ADDRESS;
	return true;
}

void command_hook(struct client *client, const struct json *request, int64_t now_ms)
{
	const char *name = json_string(json_get(request, "name"));
	enum message_event event;
	int result;

	(void)now_ms;
	if (!name || !message_is_hook_name(name)) {
		command_fail(client, "\"name\" is to be the name of a file that may be a "
				     "hook");
		return;
	}
	if (!read_event(request, &event)) {
		command_fail(client, "\"event\" is to be startup, address, lost, record, "
				     "failed or rules");
		return;
	}
	result = events_test(client->control->core, name, event);
	if (result == 0)
		client->state = CLIENT_WAITING;
	else if (result == -ENOTCONN)
		command_fail(client, runner_reason(client->control->core));
	else if (result == -EBUSY)
		command_fail(client, "another hook is being tested, or too many events "
				     "wait for hooks; try again when that is done");
	else
		command_fail(client, "no hooks are configured: \"hooks\" in the "
				     "configuration names their directory");
}

void command_hook_tested(struct client *client, const struct message_hook_result *result)
{
	TEXT_CLEANUP struct text outcome = TEXT_INIT;
	struct json *object;

	if (result->outcome == MESSAGE_HOOK_IGNORED) {
		command_fail(client, result->text);
		return;
	}
	hookbook_result(result->outcome, result->code, &outcome);
	object = json_new_object();
	json_add_string(object, "name", result->name);
	json_add_string(object, "event", message_event_name(result->event));
	json_add_string(object, "result", outcome.bytes);
	json_add_string(object, "output", result->text);
	json_print_take(&client->out, object);
}

/* Answered with the version, for both ends of the channel are to be of one build. */
void command_run_hooks(struct client *client, const struct json *request, int64_t now_ms)
{
	struct core *core = client->control->core;
	struct json *object;
	int rc;

	(void)request;
	(void)now_ms;
	if (!client->may_run_hooks) {
		command_fail(client, "you may not run hooks: that is for root, hairpind's "
				     "own user, the user hairpind-hooks (or hooks.user) "
				     "and the group control.admin_group");
		return;
	}
	rc = runner_claim(core, client->pid, client->uid, &client->pass);
	if (rc == -EBUSY) {
		command_fail(client, "another process runs the hooks already; hairpinctl "
				     "--json hook list tells which");
		return;
	}
	if (rc < 0) {
		command_fail(client, "no channel can be made for who runs hooks; try "
				     "again");
		return;
	}
	object = json_new_object();
	json_add_string(object, "version", HAIRPIN_VERSION);
	json_print_take(&client->out, object);
}
