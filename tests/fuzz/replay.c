/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gives every file of the named folders to a fuzz target, without clang: linked with one
 * tests/fuzz/fuzz_*.c, it makes its corpus a test. Prints TAP.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX_BYTES = 1 << 21 };

/* An allocation of the file's exact size, so that a byte read beyond it is caught. */
static void replay_file(const char *path)
{
	static uint8_t room[INPUT_MAX_BYTES];
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t size;

	if (!file) {
		perror(path);
		exit(1);
	}
	size = fread(room, 1, sizeof(room), file);
	fclose(file);
	data = malloc(size > 0 ? size : 1);
	if (!data)
		abort();
	memcpy(data, room, size);
	fprintf(stderr, "%s\n", path);	/* the last one named is the one that failed */
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static unsigned replay_folder(const char *folder)
{
	unsigned count = 0;
	struct dirent *entry;
	char path[4096];
	DIR *dir = opendir(folder);

	if (!dir) {
		perror(folder);
		exit(1);
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		replay_file(path);
		count++;
	}
	closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	printf("1..%d\n", argc - 1);
	fflush(stdout);
	for (int i = 1; i < argc; i++) {
		unsigned count = replay_folder(argv[i]);

		printf("%sok %d - %s: %u inputs\n", count > 0 ? "" : "not ", i, argv[i],
		       count);
		fflush(stdout);
	}
	return argc < 2;
}
