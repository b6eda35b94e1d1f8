/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other programs' configurations: whatever stands there, what comes out is JSON or nothing. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/import.h"
#include "hairpin/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file that includes itself. */
static int read_again(void *context, const char *path, struct text *ret_text)
{
	if (!strchr(path, 'x'))
		return -ENOENT;
	text_add(ret_text, context);
	return 0;
}

static void check(enum import_from from, const char *text, size_t length)
{
	struct json_error error;
	struct import import;
	struct err err;
	struct json *root;

	if (import_run(from, "FILE", text, length, read_again, (void *)text, &import,
		       &err) < 0)
		return;
	root = json_parse(import.document.bytes, import.document.length, JSON_RELAXED,
			  &error);
	if (!root)
		abort();
	json_free(root);
	import_done(&import);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check(IMPORT_DDCLIENT, text, size);
	check(IMPORT_INADYN, text, size);
	free(text);
	return 0;
}
