/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever answers on the control socket: shown to people, it is harmless and within its
 * columns. The first byte chooses the width.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/ctl.h"

#define JSON_MUTATE_SKIP 1
#include "json_mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef void show_fn(const struct json *object, const struct ctl_view *view,
		     struct text *out);

static void check_text(const struct text *out, const struct ctl_view *view)
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
		if (byte < 0x20 || byte == 0x7f || column > view->columns)
			abort();
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
		if ((unsigned char)out.bytes[i] >= 0x7f)
			abort();
	}
	/* \uXXXX is longer than what it stands for: the limit of size may be hit. */
	again = json_parse(out.bytes, out.length, JSON_STRICT, &error);
	if (!again && !out.failed && out.length <= JSON_MAX_BYTES)
		abort();
	json_free(again);
	text_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static show_fn *const shows[] = { ctl_status_show, ctl_rules_show, ctl_sync_show,
					  ctl_update_show, ctl_hooks_show,
					  ctl_hook_test_show };
	struct ctl_view view = { .relative = true, .now_s = 1767268800 };
	struct json_error error;
	struct json *root;
	size_t i;

	if (size == 0)
		return 0;
	view.columns = 20 + *data % 80;
	root = json_parse((const char *)data + 1, size - 1, JSON_STRICT, &error);
	if (!root)
		return 0;
	for (i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
		struct text out = TEXT_INIT;

		shows[i](root, &view, &out);
		check_text(&out, &view);
		text_done(&out);
	}
	check_json(data + 1, size - 1);
	json_free(root);
	return 0;
}
