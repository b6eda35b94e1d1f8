/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hairpinctl import: the files are read here, src/import only knows text. */
#include "run.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/import.h"

enum { IMPORT_FILE_MAX = 1 << 20 };

static int import_read_file(const char *path, struct text *ret_text)
{
	FILE *file = fopen(path, "re");
	char chunk[8192];
	size_t got;
	int rc = 0;

	if (!file)
		return -errno;
	while (rc == 0 && (got = fread(chunk, 1, sizeof(chunk), file)) > 0) {
		text_add_bytes(ret_text, chunk, got);
		if (ret_text->failed || ret_text->length > IMPORT_FILE_MAX)
			rc = -EFBIG;
	}
	if (rc == 0 && ferror(file))
		rc = errno ? -errno : -EIO;
	explicit_bzero(chunk, sizeof(chunk));
	fclose(file);
	return rc;
}

/* inadyn's include: relative to the file that says it, or to the home directory. */
static int import_include(void *context, const char *path, struct text *ret_text)
{
	char directory[PATH_MAX], whole[2 * PATH_MAX];
	const char *home = getenv("HOME");

	snprintf(directory, sizeof(directory), "%s", (const char *)context);
	if (strncmp(path, "~/", 2) == 0 && home)
		snprintf(whole, sizeof(whole), "%s/%s", home, path + 2);
	else if (*path == '/')
		snprintf(whole, sizeof(whole), "%s", path);
	else
		snprintf(whole, sizeof(whole), "%s/%s", dirname(directory), path);
	return import_read_file(whole, ret_text);
}

/* The other program's values are in there, with whatever would act on a terminal. */
static int import_print(const struct text *document, const struct ctl_view *view)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;
	int status;

	if (!view->terminal)
		return run_print(document);
	ctl_json_show(document->bytes, document->length, &out);
	status = run_print(&out);
	explicit_bzero(out.bytes, out.length);
	return status;
}

static int import_show(const struct ctl_options *options, const struct ctl_view *view,
		       const struct import *import)
{
	struct json *answer;
	int status;

	if (!options->json) {
		fputs(import->lost.bytes, stderr);
		if (import->lost_count)
			fprintf(stderr, "hairpinctl: %u not taken over; what is above is left "
				"to you\n", import->lost_count);
		return import_print(&import->document, view);
	}
	answer = json_new_object();
	json_add_integer(answer, "schema", 1);
	json_add_string(answer, "document", import->document.bytes);
	json_add_integer(answer, "lost", import->lost_count);
	json_add_string(answer, "problems", import->lost.bytes);
	status = run_print_object(answer, view);
	json_free(answer);
	return status;
}

int run_import(const struct ctl_options *options, const struct ctl_view *view)
{
	TEXT_CLEANUP struct text text = TEXT_INIT;
	const char *path = options->words[1];
	struct import import;
	enum import_from from;
	char sentence[400], shown[200];
	struct err err;
	int rc, status;

	if (!import_parse(options->words[0], &from))
		return run_complain(CTL_USAGE, "import takes over from ddclient or inadyn");
	rc = import_read_file(path, &text);
	if (rc < 0) {
		snprintf(sentence, sizeof(sentence), "%s: %s",
			 text_escape(shown, sizeof(shown), path, strlen(path)),
			 strerror(-rc));
		return run_complain(CTL_FAILED, sentence);
	}
	rc = import_run(from, path, text.bytes, text.length, import_include, (void *)path,
			&import, &err);
	explicit_bzero(text.bytes, text.length);
	if (rc < 0)
		return run_complain(CTL_FAILED, err.text);
	status = import_show(options, view, &import);
	import_done(&import);
	return status;
}
