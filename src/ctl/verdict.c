/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict.h"

#include <string.h>

/* What is to be said, per level, and the numbers for when all is well. */
struct verdict {
	struct text facts[VERDICT_ATTENTION + 1];
	int64_t in_step, out_of_step;
	int64_t current, pending, disabled, strange;
	int64_t resolved, unresolved;	/* names in comments */
	int64_t hooks_failed;
};

enum plain_colour verdict_colour(enum verdict_level level)
{
	static const enum plain_colour colours[] = {
		[VERDICT_WELL] = PLAIN_GREEN,
		[VERDICT_WAITING] = PLAIN_YELLOW,
		[VERDICT_ATTENTION] = PLAIN_RED,
	};

	return colours[level];
}

enum verdict_level verdict_of_state(const char *state)
{
	static const char *const waiting[] = { "stale", "sending", "verifying",
					       "waiting" };
	size_t i;

	if (state && strcmp(state, "current") == 0)
		return VERDICT_WELL;
	for (i = 0; state && i < sizeof(waiting) / sizeof(waiting[0]); i++) {
		if (strcmp(state, waiting[i]) == 0)
			return VERDICT_WAITING;
	}
	return VERDICT_ATTENTION;
}

bool verdict_is_inner(const struct json *side)
{
	const char *class = json_string(json_get(side, "class"));

	return class && strcmp(class, "global") != 0;
}

/* A new fact of that level; what is added to the text belongs to it. */
static struct text *verdict_fact(struct verdict *verdict, enum verdict_level level)
{
	struct text *facts = &verdict->facts[level];

	if (facts->length)
		text_add(facts, "; ");
	return facts;
}

static void verdict_of_side(struct verdict *verdict, const struct json *wan,
			    const char *family, const char *name)
{
	const struct json *side = json_get(wan, family);
	struct text *fact;

	if (!verdict_is_inner(side))
		return;
	fact = verdict_fact(verdict, VERDICT_ATTENTION);
	text_addf(fact, "the %s address of WAN ", name);
	plain_member(fact, wan, "name");
	text_add(fact, " is not global (");
	plain_member(fact, side, "class");
	text_add_char(fact, ')');
}

static bool verdict_has_address(const struct json *wan, const char *family)
{
	return json_string(json_get(json_get(wan, family), "address")) != NULL;
}

static void verdict_of_rules(struct verdict *verdict, const struct json *wan)
{
	const struct json *rules = json_get(wan, "rules");
	int64_t tagged = 0, in_step = 0, skipped = 0;
	struct text *fact;

	(void)json_integer(json_get(rules, "tagged"), 0, INT32_MAX, &tagged);
	(void)json_integer(json_get(rules, "in_step"), 0, INT32_MAX, &in_step);
	(void)json_integer(json_get(rules, "skipped"), 0, INT32_MAX, &skipped);
	verdict->in_step += in_step;
	if (tagged > in_step + skipped)
		verdict->out_of_step += tagged - in_step - skipped;
	if (!json_string(json_get(rules, "error")))
		return;
	fact = verdict_fact(verdict, VERDICT_ATTENTION);
	text_add(fact, "the rules of WAN ");
	plain_member(fact, wan, "name");
	text_add(fact, " cannot be brought into step");
}

static void verdict_of_wan(struct verdict *verdict, const struct json *wan)
{
	bool up = true;
	struct text *fact;

	verdict_of_side(verdict, wan, "ipv4", "IPv4");
	verdict_of_side(verdict, wan, "ipv6", "IPv6");
	verdict_of_rules(verdict, wan);
	(void)json_bool(json_get(wan, "up"), &up);
	if (up && (verdict_has_address(wan, "ipv4") || verdict_has_address(wan, "ipv6")))
		return;
	fact = verdict_fact(verdict, VERDICT_WAITING);
	text_add(fact, "WAN ");
	plain_member(fact, wan, "name");
	text_add(fact, up ? " has no address" : " is down");
}

static void verdict_of_record(struct verdict *verdict, const struct json *record)
{
	const char *state = json_string(json_get(record, "state"));

	if (state && strcmp(state, "disabled") == 0) {
		verdict->disabled++;
		return;
	}
	switch (verdict_of_state(state)) {
	case VERDICT_WELL:
		verdict->current++;
		break;
	case VERDICT_WAITING:
		verdict->pending++;
		break;
	case VERDICT_ATTENTION:
		verdict->strange++;
	}
}

static void verdict_of_name(struct verdict *verdict, const struct json *name)
{
	const char *state = json_string(json_get(name, "state"));

	if (verdict_of_state(state) == VERDICT_WELL)
		verdict->resolved++;
	else
		verdict->unresolved++;
}

static void verdict_count(struct verdict *verdict, enum verdict_level level,
			  int64_t count, const char *one, const char *many)
{
	if (count)
		plain_count(verdict_fact(verdict, level), count, one, many);
}

static void verdict_of_pause(struct verdict *verdict, enum verdict_level level,
			     const struct json *status, const struct ctl_view *view)
{
	const char *until = json_string(json_get(status, "paused_until"));
	struct text *fact;

	if (!until)
		return;
	fact = verdict_fact(verdict, level);
	text_add(fact, "paused, it goes on ");
	plain_time(fact, view, until, PLAIN_NEXT);
}

static void verdict_gather(struct verdict *verdict, const struct json *status,
			   const struct ctl_view *view)
{
	const char *publisher = json_string(json_get(status, "publisher"));
	const struct json *each;

	verdict_of_pause(verdict, VERDICT_WAITING, status, view);
	if (publisher && strcmp(publisher, "failed") == 0)
		text_add(verdict_fact(verdict, VERDICT_ATTENTION),
			 "the publisher fails, no record can be updated (the log says why)");
	each = json_child(json_get(status, "wans"));
	for (; each; each = json_next(each))
		verdict_of_wan(verdict, each);
	each = json_child(json_get(status, "records"));
	for (; each; each = json_next(each))
		verdict_of_record(verdict, each);
	each = json_child(json_get(status, "names"));
	for (; each; each = json_next(each))
		verdict_of_name(verdict, each);
	each = json_child(json_get(status, "hooks"));
	for (; each; each = json_next(each))
		verdict->hooks_failed += !hook_is_well(each);
	if (json_string(json_get(status, "hooks_reason")))
		text_add(verdict_fact(verdict, VERDICT_ATTENTION), "no hook is run");
	verdict_count(verdict, VERDICT_ATTENTION, verdict->hooks_failed,
		      "hook failed when it was run last", "hooks failed when they were "
		      "run last");
	verdict_count(verdict, VERDICT_ATTENTION, verdict->disabled,
		      "record is disabled", "records are disabled");
	verdict_count(verdict, VERDICT_ATTENTION, verdict->strange,
		      "record is in an unknown state", "records are in an unknown state");
	verdict_count(verdict, VERDICT_WAITING, verdict->out_of_step,
		      "rule is not in step", "rules are not in step");
	verdict_count(verdict, VERDICT_WAITING, verdict->pending,
		      "record is not yet current", "records are not yet current");
	verdict_count(verdict, VERDICT_WAITING, verdict->unresolved,
		      "name is not resolved just now", "names are not resolved just now");
	/* Whatever else stands in the first line, nobody may miss it. */
	if (verdict->facts[VERDICT_ATTENTION].length)
		verdict_of_pause(verdict, VERDICT_ATTENTION, status, view);
}

static const char *verdict_when_well(struct verdict *verdict)
{
	struct text *facts = &verdict->facts[VERDICT_WELL];

	if (!verdict->in_step && !verdict->current && !verdict->resolved) {
		text_add(facts, "no rule is tagged and no record is configured");
		return "Nothing to do";
	}
	if (verdict->in_step)
		plain_count(facts, verdict->in_step, "rule in step", "rules in step");
	if (verdict->current)
		plain_count(verdict_fact(verdict, VERDICT_WELL), verdict->current,
			    "record current", "records current");
	if (verdict->resolved)
		plain_count(verdict_fact(verdict, VERDICT_WELL), verdict->resolved,
			    "name resolved", "names resolved");
	return "All well";
}

static void verdict_say(struct verdict *verdict, const struct ctl_view *view,
			struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	TEXT_CLEANUP struct text wrapped = TEXT_INIT;
	enum verdict_level level = VERDICT_ATTENTION;
	const char *heading = "Attention";

	while (level > VERDICT_WELL && !verdict->facts[level].length)
		level--;
	if (level == VERDICT_WAITING)
		heading = "Waiting";
	else if (level == VERDICT_WELL)
		heading = verdict_when_well(verdict);
	text_addf(&line, "%s: %s.", heading, verdict->facts[level].bytes);
	plain_wrap(&wrapped, view, 0, 2, line.bytes);
	if (line.failed || wrapped.failed) {
		out->failed = true;
		return;
	}
	/* No heading is as wide as a line: it stands unbroken at the front. */
	plain_paint(out, view, verdict_colour(level), heading);
	text_add(out, wrapped.bytes + strlen(heading));
}

void verdict_show(const struct json *status, const struct ctl_view *view,
		  struct text *out)
{
	struct verdict verdict = { .facts = { TEXT_INIT, TEXT_INIT, TEXT_INIT } };
	size_t i;

	verdict_gather(&verdict, status, view);
	verdict_say(&verdict, view, out);
	for (i = 0; i <= VERDICT_ATTENTION; i++) {
		if (verdict.facts[i].failed)
			out->failed = true;
		text_done(&verdict.facts[i]);
	}
}
