/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One WAN of the status: its addresses, what is asked for them, its rules. */
#include <string.h>

#include "plain.h"
#include "verdict.h"

/* What to do about an address that the internet cannot reach. */
static const char *status_advice(const char *class)
{
	if (strcmp(class, "private") == 0)
		return "not published: another router in front of this one holds the "
		       "public address. Make it a bridge, or see DOUBLE NAT in "
		       "hairpind(8).";
	if (strcmp(class, "cgnat") == 0)
		return "not published: the provider shares its public address among "
		       "customers (CGNAT), nothing from outside comes in. Ask for an "
		       "address of your own, or use IPv6.";
	return "not published: nobody outside can reach such an address.";
}

/* Of a family whose address is found from outside: what stands in the way, if anything. */
static void status_show_outside(const struct json *wan, const char *family,
				const struct ctl_view *view, struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const struct json *outside = json_child(json_get(wan, "outside"));
	const char *of, *address, *inner, *reason, *next;
	bool needed = false;

	while (outside && !((of = json_string(json_get(outside, "family"))) &&
			    strcmp(of, family) == 0))
		outside = json_next(outside);
	(void)json_bool(json_get(outside, "needed"), &needed);
	if (!needed)
		return;
	address = json_string(json_get(json_get(wan, family), "address"));
	inner = json_string(json_get(outside, "interface_address"));
	if (inner && (!address || strcmp(inner, address) != 0)) {
		text_add(&line, "the interface's own is ");
		plain_foreign(&line, inner);
	}
	if (!address) {
		text_add(plain_join(&line), "the public one is asked for by ");
		plain_member(&line, outside, "source");
	}
	reason = json_string(json_get(outside, "reason"));
	next = json_string(json_get(outside, "next_look"));
	if (reason) {
		text_add(plain_join(&line), "the last look failed: ");
		plain_foreign(&line, reason);
	}
	if (reason && next) {
		text_add(plain_join(&line), "next look ");
		plain_time(&line, view, next, PLAIN_NEXT);
	}
	if (line.length)
		plain_labelled(out, view, "", line.bytes);
	if (line.failed)
		out->failed = true;
}

static void status_show_side(const struct json *wan, const char *family,
			     const char *label, const struct ctl_view *view,
			     struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const struct json *side = json_get(wan, family);
	const char *source = json_string(json_get(side, "source"));

	if (!side || json_kind(side) == JSON_NULL) {
		plain_labelled(out, view, label, "none");
		status_show_outside(wan, family, view, out);
		return;
	}
	plain_member(&line, side, "address");
	text_add_char(&line, ' ');
	plain_member(&line, side, "class");
	text_add(&line, ", ");
	plain_time(&line, view, json_string(json_get(side, "since")), PLAIN_SINCE);
	if (source && strcmp(source, "interface") != 0) {
		text_add(&line, ", source ");
		plain_foreign(&line, source);
	}
	plain_labelled(out, view, label, line.bytes);
	if (verdict_is_inner(side))
		plain_labelled(out, view, "",
			       status_advice(json_string(json_get(side, "class"))));
	status_show_outside(wan, family, view, out);
	if (line.failed)
		out->failed = true;
}

/* What IPv6 rules follow, where that is not the address. */
static void status_show_prefix(const struct json *wan, const struct ctl_view *view,
			       struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const struct json *prefix = json_get(wan, "ipv6_prefix");

	if (!prefix || json_kind(prefix) == JSON_NULL)
		return;
	if (!json_string(json_get(prefix, "prefix"))) {
		plain_labelled(out, view, "prefix",
			       "none; rules stay what they are, names of "
			       "its hosts are not published");
		return;
	}
	plain_member(&line, prefix, "prefix");
	text_add(&line, ", ");
	plain_time(&line, view, json_string(json_get(prefix, "since")), PLAIN_SINCE);
	plain_labelled(out, view, "prefix", line.bytes);
	if (line.failed)
		out->failed = true;
}

static void status_add_counts(struct text *line, const struct json *rules)
{
	TEXT_CLEANUP struct text parts = TEXT_INIT;
	int64_t tagged, in_step, skipped;

	if (!json_integer(json_get(rules, "tagged"), 0, INT32_MAX, &tagged) ||
	    !json_integer(json_get(rules, "in_step"), 0, INT32_MAX, &in_step) ||
	    !json_integer(json_get(rules, "skipped"), 0, INT32_MAX, &skipped)) {
		text_add_char(line, '?');
		return;
	}
	plain_part(&parts, in_step, "in step");
	if (tagged > in_step + skipped)
		plain_part(&parts, tagged - in_step - skipped, "not in step");
	plain_part(&parts, skipped, "left alone");
	plain_count(line, tagged, "tagged", "tagged");
	text_addf(line, "%s%s", parts.length ? ": " : "", parts.bytes);
	if (parts.failed)
		line->failed = true;
}

static void status_add_sync(struct text *line, const struct json *rules,
			    const struct ctl_view *view)
{
	const char *last_sync = json_string(json_get(rules, "last_sync"));
	int64_t commit_us = 0;

	if (!last_sync)
		return;
	text_add(line, "; seen ");
	plain_time(line, view, last_sync, PLAIN_AGO);
	(void)json_integer(json_get(rules, "last_commit_us"), 0, INT32_MAX, &commit_us);
	if (commit_us)
		text_addf(line, ", last commit %d us", (int)commit_us);
}

/* A line for each reason; which rules they are, the command "rules" says. */
static void status_show_reasons(const struct json *rules, const struct ctl_view *view,
				struct text *out)
{
	const struct json *each = json_child(json_get(rules, "left_alone"));
	TEXT_CLEANUP struct text line = TEXT_INIT;

	for (; each; each = json_next(each)) {
		const char *reason = json_string(json_get(each, "reason"));

		text_clear(&line);
		plain_number(&line, each, "count");
		text_add(&line, " left alone: ");
		plain_foreign(&line, reason ? reason : "other reasons, see hairpinctl rules");
		plain_labelled(out, view, "", line.bytes);
	}
	if (line.failed)
		out->failed = true;
}

static void status_show_rules(const struct json *wan, const struct ctl_view *view,
			      struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const struct json *rules = json_get(wan, "rules");
	const char *error = json_string(json_get(rules, "error"));

	if (!rules || json_kind(rules) == JSON_NULL) {
		plain_labelled(out, view, "rules", "not looked at");
		return;
	}
	status_add_counts(&line, rules);
	status_add_sync(&line, rules, view);
	plain_labelled(out, view, "rules", line.bytes);
	status_show_reasons(rules, view, out);
	if (error) {
		text_clear(&line);
		plain_foreign(&line, error);
		text_add(&line, "; it is tried again, and \"hairpinctl doctor\" looks "
				"further");
		plain_labelled(out, view, "error", line.bytes);
	}
	if (line.failed)
		out->failed = true;
}

void status_show_wan(const struct json *wan, const struct ctl_view *view,
			    struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const char *interface = json_string(json_get(wan, "interface"));
	bool up = false;

	text_add(&line, "WAN ");
	plain_member(&line, wan, "name");
	text_add(&line, ": ");
	if (interface && *interface) {
		plain_foreign(&line, interface);
		(void)json_bool(json_get(wan, "up"), &up);
		text_add(&line, up ? ", up" : ", down");
	} else {
		text_add(&line, "no interface; there is no default route");
	}
	text_add_char(out, '\n');
	plain_wrap(out, view, 0, 2, line.bytes);
	status_show_side(wan, "ipv4", "IPv4", view, out);
	status_show_side(wan, "ipv6", "IPv6", view, out);
	status_show_prefix(wan, view, out);
	status_show_rules(wan, view, out);
	if (line.failed)
		out->failed = true;
}
