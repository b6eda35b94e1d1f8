/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked into all that is built with sanitizers: their reports also go into the file
 * $HAIRPIND_REPORTS, whoever reads or throws away stderr; tests/run gives each test one and
 * fails it where something stands there. It is mapped at the start, so a process can still
 * report when it has closed its descriptors, changed its user and may open nothing. Where it
 * cannot be mapped, stderr is all there is. Two who report at once may spoil each other's
 * text, never that there is one.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPORTS_BYTES = 1 << 16 };	/* the file has this size and zeros */

static char *reports;

__attribute__((constructor)) static void reports_map(void)
{
	const char *path = getenv("HAIRPIND_REPORTS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	struct stat file;
	void *at;

	if (fd < 0)
		return;
	if (fstat(fd, &file) == 0 && file.st_size == REPORTS_BYTES) {
		at = mmap(NULL, REPORTS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		reports = at == MAP_FAILED ? NULL : at;
	}
	close(fd);
}

/* The sanitizers call it for each piece of text. Nothing of the C library may be used here. */
void __sanitizer_on_print(const char *text);
void __sanitizer_on_print(const char *text)
{
	size_t at = 0;

	if (!reports)
		return;
	while (at < REPORTS_BYTES && reports[at] != '\0')
		at++;
	while (at < REPORTS_BYTES && *text != '\0')
		reports[at++] = *text++;
}
