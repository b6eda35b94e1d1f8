/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two languages that are read. */
#ifndef IMPORT_PARSE_H
#define IMPORT_PARSE_H

#include "draft.h"

enum { IMPORT_TEXT_MAX = 1 << 20, IMPORT_INCLUDES_MAX = 16 };

struct reader {
	import_read_fn *read;		/* NULL: nothing else is read */
	void *context;
	unsigned includes;		/* so many were read */
};

int ddclient_read(struct draft *draft, const char *text, size_t length,
		  struct err *ret_err) must_check;
int inadyn_read(struct draft *draft, struct reader *reader, const char *text,
		size_t length, struct err *ret_err) must_check;

#endif
