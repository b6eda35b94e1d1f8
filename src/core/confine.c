/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core's rights: what it keeps is CAP_NET_ADMIN, the state directory, and that of the
 * text file of metrics.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "hairpin/log.h"
#include "hairpin/sandbox.h"

#include "core.h"

static const char title[] = "hairpind: core";

/*
 * /proc/self/stat tells where the arguments lie: fields 48 and 49, counted behind the
 * name, which may hold anything and ends with the last ')'.
 */
static bool find_arguments(char **ret_start, size_t *ret_bytes)
{
	unsigned long start, end;
	char line[2048], *at;
	FILE *file = fopen("/proc/self/stat", "re");

	if (!file)
		return false;
	at = fgets(line, sizeof(line), file);
	fclose(file);
	at = at ? strrchr(line, ')') : NULL;
	for (int field = 3; at && field <= 48; field++)
		at = strchr(at + 1, ' ');
	if (!at || sscanf(at, "%lu %lu", &start, &end) != 2 || start == 0 || end <= start)
		return false;
	*ret_start = (char *)start;
	*ret_bytes = end - start;
	return true;
}

/*
 * So that ps tells core and supervisor apart. The arguments are the supervisor's:
 * nobody reads ours.
 */
static void set_title(void)
{
	size_t bytes, length = sizeof(title);
	char *start;

	(void)prctl(PR_SET_NAME, title, 0, 0, 0);
	if (!find_arguments(&start, &bytes))
		return;
	memset(start, 0, bytes);
	memcpy(start, title, length < bytes ? length : bytes - 1);
}

static void confine_paths(const struct core_options *options)
{
	const char *file = options->metrics_path;
	const char *end = file ? strrchr(file, '/') : NULL;
	struct sandbox_path paths[2];
	struct err err = { "" };
	char directory[CONFIG_PATH_BYTES];
	size_t count = 0;

	if (options->state_path && options->state_directory >= 0)
		paths[count++] = (struct sandbox_path){ options->state_path, true };
	if (options->metrics_directory >= 0 && end) {
		(void)snprintf(directory, sizeof(directory), "%.*s",
			       (int)(end - file + 1), file);
		paths[count++] = (struct sandbox_path){ directory, true };
	}
	if (sandbox_paths(paths, count, &err) < 0)
		log_info("sandbox: the core sees the whole file system: %s", err.text);
}

int confine_begin(const struct core_options *options)
{
	struct err err = { "" };
	int result;

	set_title();
	result = sandbox_drop(options->uid, options->gid, SANDBOX_NET_ADMIN, &err);
	if (result < 0 && options->uid != (uid_t)-1) {
		log_error("sandbox: %s", err.text);
		return result;
	}
	if (result < 0)
		log_notice("sandbox: the core keeps more rights than it needs: %s",
			   err.text);
	confine_paths(options);
	if (sandbox_syscalls(SANDBOX_CORE, &err) < 0)
		log_notice("sandbox: the core's system calls are not filtered: %s",
			   err.text);
	return 0;
}
