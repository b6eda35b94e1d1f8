/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever answers on the control socket, and what we made of others' words ourselves: shown
 * to people it is harmless and, where it is laid out, within its columns. The first byte
 * chooses the width.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/doctor_show.h"
#include "ctl/verdict.h"
#include "hairpin/ctl.h"

#define JSON_MUTATE_SKIP 1
#include "json_mutate.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef void show_fn(const struct json *object, const struct ctl_view *view,
		     struct text *out);

static void check_text(const struct text *out, size_t columns)
{
	size_t i, column = 0;

	if (out->failed)
		return;
	for (i = 0; i < out->length; i++) {
		unsigned char byte = (unsigned char)out->bytes[i];

		if (byte == '\n') {
			column = 0;
			continue;
		}
		column += (byte & 0xc0) != 0x80;
		require(byte >= 0x20 && byte != 0x7f && column <= columns);
	}
}

/* What is shown of JSON means the same: it is read again as it was. */
static void check_json(const uint8_t *data, size_t size)
{
	struct text out = TEXT_INIT;
	struct json_error error;
	struct json *again;
	size_t i;

	ctl_json_show((const char *)data, size, &out);
	for (i = 0; !out.failed && i < out.length; i++) {
		require((unsigned char)out.bytes[i] < 0x7f);
	}
	/* \uXXXX is longer than what it stands for: the limit of size may be hit. */
	again = json_parse(out.bytes, out.length, JSON_STRICT, &error);
	if (!again && !out.failed && out.length <= JSON_MAX_BYTES)
		abort();
	json_free(again);
	text_done(&out);
}

/* As the client reads it: whole, an object; else a sentence says what it is. */
static void check_client(const uint8_t *data, size_t size)
{
	struct ctl_answer answer;
	struct err err = { "" };
	int ends[2];

	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	(void)!send(ends[1], data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	require(shutdown(ends[1], SHUT_WR) == 0);
	if (ctl_ask_on(ends[0], "the daemon", "{}", 10000, &answer, &err) == 0) {
		require(json_kind(answer.root) == JSON_OBJECT);
		require(strlen(answer.text) == answer.length);
		ctl_answer_done(&answer);
	} else {
		for (const char *c = err.text; *c; c++)
			require((unsigned char)*c >= ' ' && *c != 0x7f);
		require(err.text[0]);
	}
	close(ends[0]);
	close(ends[1]);
}

static void show_providers(const struct json *object, const struct ctl_view *view,
			   struct text *out)
{
	ctl_providers_show(object, false, view, out);
	ctl_providers_show(object, true, view, out);
}

static const struct {
	show_fn *show;
	bool laid_out;
} shows[] = {
	{ ctl_status_show, true }, { ctl_rules_show, true }, { ctl_sync_show, true },
	{ ctl_update_show, true }, { ctl_hooks_show, true }, { ctl_hook_test_show, true },
	{ ctl_plan_show, false }, { ctl_event_show, false }, { ctl_pause_show, false },
	{ ctl_resume_show, false }, { ctl_log_show, false }, { ctl_reload_show, false },
	{ show_providers, false }, { doctor_show, false }, { doctor_show_probe, false },
	{ verdict_show, false },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctl_view view = { .relative = true, .now_s = 1767268800 };
	struct json_error error;
	struct json *root;

	if (size == 0)
		return 0;
	view.columns = 20 + *data % 80;
	check_client(data + 1, size - 1);
	root = json_parse((const char *)data + 1, size - 1, JSON_STRICT, &error);
	if (!root)
		return 0;
	for (size_t i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
		struct text out = TEXT_INIT;

		shows[i].show(root, &view, &out);
		check_text(&out, shows[i].laid_out ? view.columns : SIZE_MAX);
		text_done(&out);
	}
	check_json(data + 1, size - 1);
	json_free(root);
	return 0;
}
