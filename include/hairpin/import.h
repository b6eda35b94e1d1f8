/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: import */
/*
 * Configurations of other dynamic DNS programs, said in ours. Pure: text in, a document
 * and a list of what could not be taken over out. The text is foreign: bounds everywhere,
 * and no secret of it is ever in a message.
 */
#ifndef HAIRPIN_IMPORT_H
#define HAIRPIN_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "hairpin/err.h"
#include "hairpin/text.h"

enum import_from { IMPORT_DDCLIENT, IMPORT_INADYN };

/* "ddclient", "inadyn"; false: neither. */
bool import_parse(const char *name, enum import_from *ret_from);

struct import {
	/*
	 * The document as people like to read it, with comments (`//`) where something is
	 * to be looked at. Valid for hairpind --check, but for what `lost` names.
	 */
	struct text document;
	/* "FILE:LINE: what was not taken over, and what to do instead", a line each */
	struct text lost;
	unsigned lost_count;
};

/*
 * `path` is for messages and for including other files relative to it (inadyn's
 * include(), read by the `read` callback: NULL: not followed). -EBADMSG: the text is
 * none of that kind; the sentence has the line.
 */
typedef int import_read_fn(void *context, const char *path, struct text *ret_text);

int import_run(enum import_from from, const char *path, const char *text, size_t length,
	       import_read_fn *read, void *context, struct import *ret_import,
	       struct err *ret_err) must_check;
void import_done(struct import *import);

#endif
