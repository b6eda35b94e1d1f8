/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading files that decide where passwords go, or that hold them.
 *
 * A file is opened once, never through a symbolic link in its last part, and judged by
 * its descriptor: regular, of root or of our user, written by nobody else; no directory
 * above it may be written by others (a sticky one of root's, as /tmp, may). So what was
 * judged is what is read, whatever happens to the name meanwhile.
 */
#ifndef CONFIG_RIGHTS_H
#define CONFIG_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "hairpin/err.h"

/*
 * The whole file, with a NUL behind it; at most `max_bytes`. The caller wipes and frees.
 * `ret_exposed`: others may read it. -ENOENT: no such file; -EPERM: refused for its
 * rights; the sentence in `ret_err` names the path and the remedy.
 */
int rights_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_length,
		bool *ret_exposed, struct err *ret_err) must_check;

/* The same without a look at owner and directories: descriptions that came with us. */
int rights_read_ours(const char *path, size_t max_bytes, char **ret_text,
		     size_t *ret_length, struct err *ret_err) must_check;

#endif
