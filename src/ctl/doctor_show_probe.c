/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "doctor_show.h"

static enum plain_colour probe_colour(const char *verdict)
{
	if (verdict && strcmp(verdict, "answered") == 0)
		return PLAIN_GREEN;
	if (verdict && strcmp(verdict, "failed") == 0)
		return PLAIN_RED;
	return PLAIN_YELLOW;
}

static void probe_paint_verdict(const struct json *object, const struct ctl_view *view,
				struct text *out, unsigned *ret_width)
{
	TEXT_CLEANUP struct text word = TEXT_INIT;

	plain_member(&word, object, "verdict");
	if (word.length && word.bytes[0] >= 'a' && word.bytes[0] <= 'z')
		word.bytes[0] = (char)(word.bytes[0] - 'a' + 'A');
	plain_paint(out, view, probe_colour(json_string(json_get(object, "verdict"))),
		    word.bytes);
	*ret_width = (unsigned)plain_width(word.bytes);
	if (word.failed)
		out->failed = true;
}

/* "ip nat prerouting: dnat by ip daddr ... # handle 4" */
static void probe_show_step(const struct json *step, const struct ctl_view *view,
			    struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	int64_t handle = 0;

	plain_member(&line, step, "family");
	text_add_char(&line, ' ');
	plain_member(&line, step, "table");
	text_add_char(&line, ' ');
	plain_member(&line, step, "chain");
	text_add(&line, ": ");
	plain_member(&line, step, "verdict");
	if (json_string(json_get(step, "rule"))) {
		text_add(&line, " by ");
		plain_member(&line, step, "rule");
	} else if (json_integer(json_get(step, "handle"), 1, INT64_MAX, &handle)) {
		text_add(&line, " by handle ");
		plain_number(&line, step, "handle");
	}
	plain_wrap(out, view, 4, 6, line.bytes);
	if (line.failed)
		out->failed = true;
}

/* Of the question, or of its answer. */
static void probe_show_way(const struct json *trace, const char *packet,
			   const char *heading, const struct ctl_view *view,
			   struct text *out)
{
	const struct json *step;
	bool begun = false;
	const char *of;

	for (step = json_child(trace); step; step = json_next(step)) {
		of = json_string(json_get(step, "packet"));
		if (!of || strcmp(of, packet) != 0)
			continue;
		if (!begun)
			plain_wrap(out, view, 2, 2, heading);
		begun = true;
		probe_show_step(step, view, out);
	}
}

static void probe_show(const struct json *probe, const struct ctl_view *view,
		       struct text *out)
{
	const struct json *trace = json_get(probe, "trace");
	TEXT_CLEANUP struct text line = TEXT_INIT;
	unsigned width;

	text_add_char(out, '\n');
	probe_paint_verdict(probe, view, out, &width);
	text_add_char(out, ' ');
	text_add(&line, "from ");
	plain_member(&line, probe, "interface");
	if (json_string(json_get(probe, "client"))) {
		text_add(&line, " as ");
		plain_member(&line, probe, "client");
	}
	if (json_string(json_get(probe, "code"))) {
		text_add(&line, ": ");
		plain_member(&line, probe, "code");
	}
	plain_wrap_from(out, view, width + 1, 2, line.bytes);
	text_clear(&line);
	plain_member(&line, probe, "text");
	plain_wrap(out, view, 2, 2, line.bytes);
	doctor_show_list(json_get(probe, "evidence"), view, out);
	probe_show_way(trace, "question", "The packet's way:", view, out);
	probe_show_way(trace, "answer", "Its answer's way:", view, out);
	if (line.failed)
		out->failed = true;
}

void doctor_show_probe(const struct json *report, const struct ctl_view *view,
		       struct text *out)
{
	const struct json *probe = json_child(json_get(report, "probes"));
	TEXT_CLEANUP struct text line = TEXT_INIT;
	unsigned width;

	probe_paint_verdict(report, view, out, &width);
	text_add(&line, ": ");
	plain_member(&line, report, "address");
	text_add(&line, " port ");
	plain_number(&line, report, "port");
	text_add_char(&line, '/');
	plain_member(&line, report, "protocol");
	text_add(&line, ", by one more client of the LAN.");
	plain_wrap_from(out, view, width, 2, line.bytes);
	for (; probe; probe = json_next(probe))
		probe_show(probe, view, out);
	if (line.failed)
		out->failed = true;
}
