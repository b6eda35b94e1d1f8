/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One event of those who watch, as a line for people. */
#include <string.h>

#include "plain.h"

static const char *event_string(const struct json *event, const char *key)
{
	return json_string(json_get(event, key));
}

static int64_t event_number(const struct json *event, const char *key)
{
	int64_t number = 0;

	(void)json_integer(json_get(event, key), 0, INT32_MAX, &number);
	return number;
}

static void event_wan(struct text *line, const struct json *event)
{
	text_add(line, "wan ");
	plain_member(line, event, "wan");
	text_add(line, ": ");
}

static const char *event_family(const struct json *event)
{
	const char *family = event_string(event, "family");

	return family && strcmp(family, "ipv6") == 0 ? "IPv6" : "IPv4";
}

/* "; 13 rules rewritten in 0.4 ms" */
static void event_rules(struct text *line, const struct json *event)
{
	int64_t rules = event_number(event, "rules");

	if (!rules)
		return;
	text_add(line, "; ");
	plain_count(line, rules, "rule", "rules");
	text_addf(line, " rewritten in %.1f ms",
		  (double)event_number(event, "commit_us") / 1000);
}

static void event_replaces(struct text *line, const struct json *event)
{
	const char *old = event_string(event, "old");
	const char *new = event_string(event, "new");

	if (!new) {
		plain_foreign(line, old);
		text_add(line, " lost");
	} else {
		plain_foreign(line, new);
		text_add(line, old ? " replaces " : " is there");
		if (old)
			plain_foreign(line, old);
	}
	event_rules(line, event);
}

static void show_address(struct text *line, const struct json *event)
{
	event_wan(line, event);
	text_addf(line, "%s ", event_family(event));
	event_replaces(line, event);
}

static void show_prefix(struct text *line, const struct json *event)
{
	event_wan(line, event);
	text_add(line, "IPv6 prefix ");
	event_replaces(line, event);
}

static void show_link(struct text *line, const struct json *event)
{
	bool up = false;

	(void)json_bool(json_get(event, "up"), &up);
	event_wan(line, event);
	plain_member(line, event, "interface");
	text_add(line, up ? " is up" : " is down");
}

static void show_rules(struct text *line, const struct json *event)
{
	const char *error = event_string(event, "error");

	if (event_string(event, "wan"))
		event_wan(line, event);
	else
		text_add(line, "rules: ");
	plain_member(line, event, "reason");
	if (error) {
		text_add(line, ": ");
		plain_foreign(line, error);
	}
	event_rules(line, event);
}

/* "record home.example.org A (cf-home): " */
static void event_record(struct text *line, const struct json *event)
{
	bool six = strcmp(event_family(event), "IPv6") == 0;

	text_add(line, "record ");
	plain_member(line, event, "hostname");
	text_addf(line, " %s (", six ? "AAAA" : "A");
	plain_member(line, event, "provider");
	text_add(line, "): ");
}

static void event_reason(struct text *line, const struct json *event, const char *key)
{
	const char *reason = event_string(event, key);

	if (!reason || !*reason)
		return;
	text_add(line, ": ");
	plain_foreign(line, reason);
}

static void show_state(struct text *line, const struct json *event)
{
	event_record(line, event);
	plain_member(line, event, "from");
	text_add(line, " -> ");
	plain_member(line, event, "to");
	event_reason(line, event, "reason");
}

static void show_published(struct text *line, const struct json *event)
{
	event_record(line, event);
	plain_member(line, event, "new");
	text_add(line, " is published");
}

static void show_failed(struct text *line, const struct json *event)
{
	event_record(line, event);
	plain_member(line, event, "new");
	text_add(line, " is not published");
	event_reason(line, event, "message");
}

static void show_hook(struct text *line, const struct json *event)
{
	text_add(line, "hook ");
	plain_member(line, event, "name");
	text_add(line, " (");
	plain_member(line, event, "for");
	text_add(line, "): ");
	plain_member(line, event, "result");
}

static void show_reload(struct text *line, const struct json *event)
{
	const char *error = event_string(event, "error");

	text_add(line, "configuration: ");
	if (error)
		plain_foreign(line, error);
	else
		text_add(line, "read again");
}

static void show_pause(struct text *line, const struct json *event)
{
	text_add(line, "paused until ");
	plain_clock(line, event_string(event, "until"));
}

static void show_resume(struct text *line, const struct json *event)
{
	(void)event;
	text_add(line, "the pause is over");
}

static void show_log(struct text *line, const struct json *event)
{
	text_add(line, "log: level ");
	plain_member(line, event, "level");
}

static void show_publisher(struct text *line, const struct json *event)
{
	text_add(line, "publisher: ");
	plain_member(line, event, "state");
	event_reason(line, event, "reason");
}

static void show_lagged(struct text *line, const struct json *event)
{
	plain_count(line, event_number(event, "lost"), "event was", "events were");
	text_add(line, " missed: this reader was too slow");
}

static void show_hello(struct text *line, const struct json *event)
{
	text_add(line, "hairpind ");
	plain_member(line, event, "version");
	text_add(line, " answers");
}

/* `hairpinctl` itself says so. */
static void show_gone(struct text *line, const struct json *event)
{
	(void)event;
	text_add(line, "hairpind is gone; waiting until it is back");
}

static const struct shape {
	const char *name;
	void (*show)(struct text *line, const struct json *event);
	enum plain_colour colour;
} shapes[] = {
	{ "address", show_address, PLAIN_BOLD },
	{ "lost", show_address, PLAIN_RED },
	{ "prefix", show_prefix, PLAIN_BOLD },
	{ "link", show_link, PLAIN_NO_COLOUR },
	{ "rules", show_rules, PLAIN_NO_COLOUR },
	{ "state", show_state, PLAIN_NO_COLOUR },
	{ "record", show_published, PLAIN_GREEN },
	{ "failed", show_failed, PLAIN_RED },
	{ "hook", show_hook, PLAIN_NO_COLOUR },
	{ "reload", show_reload, PLAIN_NO_COLOUR },
	{ "pause", show_pause, PLAIN_YELLOW },
	{ "resume", show_resume, PLAIN_NO_COLOUR },
	{ "log", show_log, PLAIN_NO_COLOUR },
	{ "publisher", show_publisher, PLAIN_NO_COLOUR },
	{ "lagged", show_lagged, PLAIN_YELLOW },
	{ "hello", show_hello, PLAIN_NO_COLOUR },
	{ "gone", show_gone, PLAIN_RED },
};

static const struct shape *event_find(const char *name)
{
	size_t i;

	for (i = 0; name && i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (strcmp(shapes[i].name, name) == 0)
			return &shapes[i];
	}
	return NULL;
}

/* What needs somebody: an error, a hook that failed, a publisher that does. */
static bool event_is_bad(const struct json *event)
{
	const char *result = event_string(event, "result");
	const char *state = event_string(event, "state");

	return event_string(event, "error") || (result && strcmp(result, "ok") != 0) ||
	       (state && strcmp(state, "failed") == 0);
}

void ctl_event_show(const struct json *event, const struct ctl_view *view,
		    struct text *out)
{
	const char *name = event_string(event, "event");
	const struct shape *shape = event_find(name);
	TEXT_CLEANUP struct text line = TEXT_INIT;
	enum plain_colour colour = shape ? shape->colour : PLAIN_NO_COLOUR;

	plain_clock(out, event_string(event, "time"));
	text_add_char(out, ' ');
	if (shape)
		shape->show(&line, event);
	else	/* of a newer daemon */
		plain_foreign(&line, name);
	plain_paint(out, view, event_is_bad(event) ? PLAIN_RED : colour, line.bytes);
	text_add_char(out, '\n');
	if (line.failed)
		out->failed = true;
}
