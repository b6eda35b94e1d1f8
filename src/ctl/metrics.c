/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics: the daemon's numbers in Prometheus' text format. */
#include "run.h"

#include <string.h>

/*
 * The daemon escapes label values as the format wants it; beyond that no control byte is
 * let through, and on a terminal nothing else that could move anything there.
 */
static void add_line(struct text *out, const char *line, size_t length, bool terminal)
{
	char shown[4096];

	if (terminal) {
		text_add(out, text_escape(shown, sizeof(shown), line, length));
		return;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)line[i];

		text_add_char(out, byte < 0x20 || byte == 0x7f ? '?' : line[i]);
	}
}

static int show(const char *metrics, const struct ctl_view *view)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;

	while (*metrics) {
		size_t length = strcspn(metrics, "\n");

		add_line(&out, metrics, length, view->terminal);
		text_add_char(&out, '\n');
		metrics += length + (metrics[length] == '\n');
	}
	return run_print(&out);
}

int run_metrics(const struct ctl_options *options, const struct ctl_view *view)
{
	struct ctl_answer answer;
	const char *error, *text;
	struct err err;
	int rc = run_ask(options, &answer, &err), status;

	if (rc < 0)
		return run_complain(run_exit_of(rc), err.text);
	error = json_string(json_get(answer.root, "error"));
	text = json_string(json_get(answer.root, "text"));
	if (options->json) {
		status = run_print_json(answer.text, answer.length, view);
		status = status == CTL_DONE && !text ? CTL_FAILED : status;
	} else if (text) {
		status = show(text, view);
	} else {
		status = run_show_refusal(view, answer.root,
					  error ? error : "the daemon gives no numbers");
	}
	ctl_answer_done(&answer);
	return status;
}
