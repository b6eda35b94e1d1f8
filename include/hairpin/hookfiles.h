/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * Which files of a directory are hooks, and whether they can be trusted. Only root and the
 * user of the process that runs them (`self`) may have a say in what is run: about the file, its
 * directory, and every directory on the way there.
 */
#ifndef HAIRPIN_HOOKFILES_H
#define HAIRPIN_HOOKFILES_H

#include <stddef.h>
#include <sys/types.h>

#include "hairpin/err.h"

enum {
	HOOKFILES_MAX = 64,		/* hooks in one directory */
	HOOKFILES_LOOK_MAX = 512,	/* entries that are told of */
};

struct json;

/*
 * That user, for who is not hairpind: the `runner` that it tells of ({"uid"}, or NULL), else
 * whose the control socket is. Where there is none, the caller himself.
 */
uid_t hookfiles_user(const struct json *runner, const char *control_socket);

/*
 * The names of a directory that may be hooks, sorted. -ENOENT: no directory; -EPERM: others
 * may write it or a way to it.
 */
int hookfiles_list(const char *directory, uid_t self, char ***ret_names,
		   struct err *ret_err) must_check;
void hookfiles_free(char **names);

/*
 * Opens one and checks it by its descriptor; `kind` is what sentences call it. -ENOENT: to
 * be passed over (gone, no regular file, not executable); -EPERM: refused, with a
 * sentence.
 */
int hookfiles_open(const char *kind, const char *directory, const char *name, uid_t self,
		   int *ret_fd, struct err *ret_err) must_check;

enum hookfile_state { HOOKFILE_READY, HOOKFILE_REFUSED, HOOKFILE_IGNORED };

struct hookfile {
	char name[256];
	enum hookfile_state state;
	struct err why;			/* "" where it is ready */
};

/*
 * Every entry of the directory and what becomes of it, sorted; nothing is opened, so who
 * may not read a hook is told the same of it. The caller frees. Fails as hookfiles_list().
 */
int hookfiles_look(const char *directory, uid_t self, struct hookfile **ret_files,
		   size_t *ret_count, struct err *ret_err) must_check;

#endif
