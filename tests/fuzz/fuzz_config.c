/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configurations, as users write them (by a file in a directory of our own) and as the
 * supervisor hands them on. What is accepted prints to a document that comes back the
 * same; what is refused is told in words without control characters.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hairpin/config.h"

#include "json_mutate.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct config *config)
{
	char *first = config_print(config, CONFIG_REVEAL), *second;
	struct config *again = NULL;
	struct err err;

	require(first != NULL);
	require(config_parse(first, strlen(first), &again, &err) == 0);
	second = config_print(again, CONFIG_REVEAL);
	require(second && strcmp(first, second) == 0);
	config_free(again);
	free(first);
	free(second);
}

static void check_words(const char *text)
{
	for (; *text; text++)
		require(*text == '\n' || (unsigned char)*text >= ' ');
}

static void check_load(const char *path)
{
	static const char *const catalogue[] = { "conf/providers", NULL };
	const struct config_load load = { .path = path, .catalogue = catalogue };
	struct config_problems problems = { .text = TEXT_INIT };
	struct config *config = NULL;
	int result = config_load(&load, &config, &problems);

	require((result == 0) == (config != NULL));
	require((result == 0) == (problems.errors == 0));
	check_words(problems.text.bytes);
	if (config)
		check_round_trip(config);
	config_free(config);
	config_problems_done(&problems);
}

static void check_parse(const char *text, size_t length)
{
	struct config *config = NULL;
	struct err err = { "" };
	int result = config_parse(text, length, &config, &err);

	require((result == 0) == (config != NULL));
	require(config || err.text[0]);
	if (config)
		check_round_trip(config);
	config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char directory[] = "/tmp/hairpin-fuzz-XXXXXX", path[64];
	FILE *file;

	require(mkdtemp(directory) != NULL);
	snprintf(path, sizeof path, "%s/hairpind.json", directory);
	file = fopen(path, "we");
	require(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
	check_load(path);
	unlink(path);
	rmdir(directory);
	check_parse((const char *)data, size);
	return 0;
}
