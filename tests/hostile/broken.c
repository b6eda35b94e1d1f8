/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Broken on purpose, for tests/system/test_reports.sh: broken memory|undefined|leak
 * [confined]. Confined it does so in a child that has lost all a process of ours loses.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/sandbox.h"

enum { NOBODY = 65534, FAILED = 77, DESCRIPTORS = 64 };

static int confine(void)
{
	struct err err;

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		close(fd);
	if (sandbox_begin(&err) < 0 ||
	    sandbox_drop(geteuid() == 0 ? NOBODY : (uid_t)-1, (gid_t)-1,
			 SANDBOX_NO_CAPS, &err) < 0)
		return -1;
	(void)!sandbox_paths(NULL, 0, &err);	/* not every kernel has it */
	return sandbox_syscalls(SANDBOX_PUBLISHER, &err);
}

static int break_this(const char *what)
{
	volatile int number = INT_MAX;
	char *volatile bytes = malloc(5);

	if (strcmp(what, "undefined") == 0)
		number++;
	for (int i = 0; i < 8 && strcmp(what, "leak") == 0; i++)
		bytes = malloc(5);	/* one may stay in a register */
	free(bytes);
	return strcmp(what, "memory") == 0 ? bytes[2] : 0;
}

int main(int argc, char **argv)
{
	int status = 0;
	pid_t pid;

	if (argc == 2)
		return break_this(argv[1]);
	pid = argc == 3 ? fork() : -1;
	if (pid == 0)
		_exit(confine() < 0 ? FAILED : break_this(argv[1]));
	return pid < 0 || waitpid(pid, &status, 0) != pid || status == FAILED << 8 ? FAILED : 0;
}
