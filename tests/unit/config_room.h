/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of a test's own, and the configuration loaded from it.
 */
#ifndef TESTS_CONFIG_ROOM_H
#define TESTS_CONFIG_ROOM_H

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hairpin/config.h"

struct room {
	char directory[64];
	struct config *config;			/* of the last load */
	struct config_problems problems;
	bool strict;
};

static inline int room_open(void **state)
{
	struct room *room = calloc(1, sizeof *room);

	strcpy(room->directory, "/tmp/hairpin-config-XXXXXX");
	assert_non_null(mkdtemp(room->directory));
	room->problems = (struct config_problems){ .text = TEXT_INIT };
	*state = room;
	return 0;
}

static inline int room_close(void **state)
{
	struct room *room = *state;
	char command[128];

	config_free(room->config);
	config_problems_done(&room->problems);
	snprintf(command, sizeof command, "rm -rf '%s'", room->directory);
	assert_int_equal(system(command), 0);
	free(room);
	return 0;
}

static inline const char *room_path(const struct room *room, const char *name)
{
	static char paths[8][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, PATH_MAX, "%s/%s", room->directory, name);
	return path;
}

static inline void room_write(const struct room *room, const char *name, const char *text,
			      mode_t mode)
{
	const char *path = room_path(room, name);
	size_t length = strlen(text);
	int fd;

	unlink(path);	/* it may have been made read-only */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), length);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/*
 * Loads DIRECTORY/hairpind.json; former results are forgotten. DIRECTORY/providers goes
 * before our own descriptions.
 */
static inline int room_load(struct room *room)
{
	const char *const catalogue[] = {
		room_path(room, "providers"), "conf/providers", NULL,
	};
	struct config_load load = {
		.path = room_path(room, "hairpind.json"), .catalogue = catalogue,
		.strict = room->strict,
	};
	int result;

	config_free(room->config);
	room->config = NULL;
	config_problems_done(&room->problems);
	result = config_load(&load, &room->config, &room->problems);
	assert_true((result == 0) == (room->config != NULL));
	assert_true((result == 0) == (room->problems.errors == 0));
	return result;
}

static inline int room_load_text(struct room *room, const char *text)
{
	room_write(room, "hairpind.json", text, 0600);
	return room_load(room);
}

#define assert_says(room, words)                                                        \
	do {                                                                            \
		if (!strstr((room)->problems.text.bytes, words))                        \
			fail_msg("not said: %s\nbut:\n%s", words,                       \
				 (room)->problems.text.bytes);                          \
	} while (0)

#define assert_says_not(room, words)                                                    \
	do {                                                                            \
		if (strstr((room)->problems.text.bytes, words))                         \
			fail_msg("said: %s\nin:\n%s", words,                            \
				 (room)->problems.text.bytes);                          \
	} while (0)

#endif
