/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients of the control socket may ask for, and the answers. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/json.h"
#include "hairpin/log.h"

#include "control.h"
#include "core.h"
#include "status.h"

typedef void command_fn(struct client *client, const struct json *request,
			int64_t now_ms);

void command_fail(struct client *client, const char *sentence)
{
	struct json *object = json_new_object();

	json_add_string(object, "error", sentence);
	json_print_take(&client->out, object);
}

static void command_fail_about(struct client *client, const char *before,
			       const char *foreign, const char *after)
{
	TEXT_CLEANUP struct text sentence = TEXT_INIT;
	char shown[300];

	text_escape(shown, sizeof(shown), foreign, strlen(foreign));
	text_addf(&sentence, "%s%s%s", before, shown, after);
	command_fail(client, sentence.bytes);
}

/* --- reading --- */

static void command_status(struct client *client, const struct json *request,
			   int64_t now_ms)
{
	char *text = status_print(client->control->core, now_ms);

	(void)request;
	if (text)
		text_add(&client->out, text);
	else
		command_fail(client, "out of memory");
	free(text);
}

static void command_version(struct client *client, const struct json *request,
			    int64_t now_ms)
{
	struct json *object = json_new_object();

	(void)request;
	(void)now_ms;
	json_add_string(object, "version", HAIRPIN_VERSION);
	json_print_take(&client->out, object);
}

/* The items as they come, while there is room for them in what a client will read. */
struct rules_answer {
	const struct core *core;
	struct text items;
	bool truncated;
};

static void rules_answer_item(void *context, const struct nft_item *item)
{
	struct rules_answer *answer = context;

	if (answer->items.length > STATUS_TEXT_MAX) {
		answer->truncated = true;
		return;
	}
	text_add(&answer->items, answer->items.length ? "," : "");
	json_print_take(&answer->items, status_format_item(answer->core, item));
}

static void command_rules(struct client *client, const struct json *request,
			  int64_t now_ms)
{
	struct core *core = client->control->core;
	struct rules_answer answer = { .core = core, .items = TEXT_INIT };
	struct err err = { "" };
	int result = 0;

	(void)request;
	(void)now_ms;
	if (core->config->nat.enabled)
		result = rules_ask(core, NULL, rules_answer_item, &answer, &err);
	if (result < 0)
		command_fail_about(client, "", err.text, "");
	else if (answer.items.failed)
		command_fail(client, "out of memory");
	else
		text_addf(&client->out, "{\"items\":[%s]%s}", answer.items.bytes,
			  answer.truncated ? ",\"truncated\":true" : "");
	text_done(&answer.items);
}

/* The address asked about; false: answered with why not. */
static bool take_address(struct client *client, const struct json *value,
			 struct addr *ret_address)
{
	const char *text = json_string(value);

	if (!value || json_kind(value) == JSON_NULL) {
		*ret_address = (struct addr){ 0 };
		return true;
	}
	if (text && addr_parse(text, ret_address) && !addr_is_unspecified(ret_address))
		return true;
	command_fail(client, "\"address\" is to be an IPv4 or IPv6 address");
	return false;
}

static void command_plan(struct client *client, const struct json *request,
			 int64_t now_ms)
{
	struct err err = { "" };
	struct addr address;
	char *text = NULL;

	if (!take_address(client, json_get(request, "address"), &address))
		return;
	if (plan_print(client->control->core, addr_is_none(&address) ? NULL : &address,
		       now_ms, &text, &err) < 0)
		command_fail_about(client, "", err.text, "");
	else
		text_add(&client->out, text);
	free(text);
}

static void command_watch(struct client *client, const struct json *request,
			  int64_t now_ms)
{
	(void)request;
	(void)now_ms;
	watch_turn(client->control->core);
	if (control_watch(client))
		watch_hello(client->control->core, &client->out);
	else
		command_fail(client, "so many watch already that there is no room");
}

static void command_metrics(struct client *client, const struct json *request,
			    int64_t now_ms)
{
	TEXT_CLEANUP struct text text = TEXT_INIT;
	struct json *object = json_new_object();

	(void)request;
	/* Each line has a few quotes, which are longer in JSON. */
	metrics_text(client->control->core, STATUS_TEXT_MAX * 3 / 4, now_ms, &text);
	if (text.failed)
		json_add_string(object, "error", "out of memory");
	else
		json_add_string(object, "text", text.bytes);
	json_print_take(&client->out, object);
}

/* --- changing --- */

static void command_sync(struct client *client, const struct json *request,
			 int64_t now_ms)
{
	struct nft_report report;
	struct err err = { "" };
	struct json *object;

	(void)request;
	if (command_rests(client))
		return;
	if (sync_now(client->control->core, now_ms, &report, &err) < 0) {
		command_fail_about(client, "", err.text, "");
		return;
	}
	object = json_new_object();
	json_add_integer(object, "tagged", report.total.tagged);
	json_add_integer(object, "changed", report.total.changed);
	json_add_integer(object, "unchanged", report.unchanged);
	json_add_integer(object, "skipped", report.total.skipped);
	json_add_integer(object, "commit_us", report.commit_us);
	json_print_take(&client->out, object);
}

static bool is_a_record(const struct schedule *schedule, const char *hostname)
{
	for (size_t i = 0; i < schedule_count(schedule); i++)
		if (strcmp(schedule_record((struct schedule *)schedule, i)->hostname,
			   hostname) == 0)
			return true;
	return false;
}

/* The names asked for, which must all be ours. False: answered with why not. */
static bool take_hostnames(struct client *client, const struct json *array,
			   const char *names[CONTROL_HOSTNAMES_MAX], size_t *ret_count)
{
	const struct schedule *schedule = client->control->core->schedule;
	const struct json *element = json_child(array);
	size_t count = 0;

	if (array && (json_kind(array) != JSON_ARRAY ||
		      json_count(array) > CONTROL_HOSTNAMES_MAX)) {
		command_fail(client, "\"hostnames\" is to be a list of at most 64 names");
		return false;
	}
	for (; element; element = json_next(element)) {
		const char *name = json_string(element);

		if (!name || !is_a_record(schedule, name)) {
			command_fail_about(client, "no record is called \"",
					   name ? name : "?",
					   "\"; `hairpinctl status` lists them");
			return false;
		}
		names[count++] = name;
	}
	*ret_count = count;
	return true;
}

static void command_update(struct client *client, const struct json *request,
			   int64_t now_ms)
{
	struct core *core = client->control->core;
	const struct json *force_value = json_get(request, "force");
	const char *names[CONTROL_HOSTNAMES_MAX];
	struct json *object;
	bool force = false;
	size_t count;

	if (force_value && !json_bool(force_value, &force)) {
		command_fail(client, "\"force\" is to be true or false");
		return;
	}
	if (!take_hostnames(client, json_get(request, "hostnames"), names, &count) ||
	    command_rests(client))
		return;
	count = schedule_update(core->schedule, names, count, force, now_ms);
	publisher_hurry(core, now_ms);
	object = json_new_object();
	json_add_integer(object, "records", (int64_t)count);
	json_print_take(&client->out, object);
}

static void command_reload(struct client *client, const struct json *request,
			   int64_t now_ms)
{
	struct control *control = client->control;
	struct message message = { MESSAGE_RELOAD, control->reload + 1 };

	(void)request;
	(void)now_ms;
	if (supervisor_send(control->core, &message, sizeof(message)) < 0) {
		command_fail(client, "the supervisor takes no wishes just now");
		return;
	}
	client->reload = ++control->reload;
	client->state = CLIENT_WAITING;
}

/* --- which --- */

static const struct command {
	const char *name;
	bool changes;
	command_fn *run;
} commands[] = {
	{ "status", false, command_status },
	{ "rules", false, command_rules },
	{ "plan", false, command_plan },
	{ "version", false, command_version },
	{ "hooks", false, command_hooks },
	{ "watch", false, command_watch },
	{ "metrics", false, command_metrics },
	{ "sync", true, command_sync },
	{ "update", true, command_update },
	{ "pause", true, command_pause },
	{ "resume", true, command_resume },
	{ "log", true, command_log },
	{ "reload", true, command_reload },
	{ "hook", true, command_hook },
	{ "run-hooks", false, command_run_hooks },
};

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void command_choose(struct client *client, const struct json *request,
			   int64_t now_ms)
{
	const char *name = json_string(json_get(request, "command"));
	const struct command *command;

	if (!name) {
		command_fail(client, "the request is to be an object with \"command\"");
		return;
	}
	command = command_find(name);
	if (!command)
		command_fail_about(client, "there is no command \"", name, "\"");
	else if (command->changes && !client->may_change)
		command_fail(client, "you may look, not change: that is for root, "
				     "hairpind's own user and the group "
				     "control.admin_group");
	else
		command->run(client, request, now_ms);
}

void command_run(struct client *client, const char *line, size_t length, int64_t now_ms)
{
	struct json_error error;
	struct json *request = json_parse(line, length, JSON_STRICT, &error);

	if (!request) {
		command_fail_about(client, "the request is no JSON: ", error.text, "");
		return;
	}
	command_choose(client, request, now_ms);
	json_free(request);
}
