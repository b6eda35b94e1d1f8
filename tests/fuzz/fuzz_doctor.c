/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of the firewall's files, and answers of resolvers. */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/files_private.h"
#include "doctor/names_ask.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same line is like itself, with nothing that depends on chance. */
static void check_words(const char *line)
{
	static const struct patient_forward forward = {
		.protocol = IPPROTO_TCP, .port = 443, .port_last = 443,
		.server = { .family = AF_INET, .bytes = { 192, 168, 1, 2 } },
	};
	struct rule_words words, again;
	size_t i;

	require(rule_words_split(line, &words) && rule_words_split(line, &again));
	require(rule_words_equal(&words, &again));
	for (i = 1; i < words.count; i++)
		require(strcmp(words.list[i - 1], words.list[i]) <= 0);
	(void)rule_words_forward(&words, &forward);
	rule_words_done(&words);
	rule_words_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1);

	require(line);
	memcpy(line, data, size);
	line[size] = '\0';
	check_words(line);
	free(line);
	require(names_ttl(data, size) >= -1);
	return 0;
}
