/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "parse.h"

bool import_parse(const char *name, enum import_from *ret_from)
{
	if (strcmp(name, "ddclient") == 0)
		*ret_from = IMPORT_DDCLIENT;
	else if (strcmp(name, "inadyn") == 0)
		*ret_from = IMPORT_INADYN;
	else
		return false;
	return true;
}

int import_run(enum import_from from, const char *path, const char *text, size_t length,
	       import_read_fn *read, void *context, struct import *ret_import,
	       struct err *ret_err)
{
	struct reader reader = { .read = read, .context = context };
	struct draft *draft;
	int rc = -ENOMEM;

	if (length > IMPORT_TEXT_MAX)
		return err_set(ret_err, -EBADMSG, "%s: longer than %d bytes", path,
			       IMPORT_TEXT_MAX);
	if (memchr(text, '\0', length))
		return err_set(ret_err, -EBADMSG, "%s: holds a NUL byte: it is no text",
			       path);
	draft = calloc(1, sizeof(*draft));
	if (!draft)
		return err_set(ret_err, rc, "out of memory");
	draft_init(draft, ret_import, path);
	rc = from == IMPORT_DDCLIENT ? ddclient_read(draft, text, length, ret_err)
				     : inadyn_read(draft, &reader, text, length, ret_err);
	if (rc == 0 &&
	    draft_finish(draft, from == IMPORT_DDCLIENT ? "ddclient" : "inadyn") < 0)
		rc = err_set(ret_err, -ENOMEM, "out of memory");
	draft_done(draft);
	free(draft);
	if (rc < 0)
		import_done(ret_import);
	return rc;
}
