/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: base */
/*
 * A sentence that travels up beside a negative errno: what was tried, what
 * came, what to do. Whoever stops the error's travel logs it, once.
 */
#ifndef HAIRPIN_ERR_H
#define HAIRPIN_ERR_H

#include <stddef.h>

struct err {
	char text[512];
};

/* Sets the sentence (cut to fit) and returns `code` (a negative errno), so that
 * `return err_set(err, -ENOENT, "...")` reads well. `err` may be NULL. */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same; appends ": " and the text of errno `-code`. */
int err_set_errno(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define must_check __attribute__((warn_unused_result))

#endif
