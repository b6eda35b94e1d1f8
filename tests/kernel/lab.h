/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests against the real kernel share. A test program runs in network
 * namespaces of its own (HAIRPIN_TEST_NETNS=1 says that it does); started outside it
 * starts itself again in fresh ones.
 */
#ifndef TESTS_KERNEL_LAB_H
#define TESTS_KERNEL_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LAB_UNUSED __attribute__((unused))

/* What comes at all comes sooner, on however slow a machine. */
enum { LAB_PATIENCE_MS = 120000 };

/* Returns inside the namespaces, or ends the program with status 77. */
static LAB_UNUSED void lab_enter(char **argv)
{
	const char *inside = getenv("HAIRPIN_TEST_NETNS");

	if (inside && strcmp(inside, "1") == 0) {
		if (system("ip link set lo up") != 0)
			exit(77);
		return;
	}
	setenv("HAIRPIN_TEST_NETNS", "1", 1);
	if (system("unshare -Urn true 2>/dev/null") == 0)
		execlp("unshare", "unshare", "-Urn", argv[0], (char *)NULL);
	if (system("unshare -n true 2>/dev/null") == 0)
		execlp("unshare", "unshare", "-n", argv[0], (char *)NULL);
	fprintf(stderr, "network namespaces are refused here\n");
	exit(77);
}

__attribute__((format(printf, 1, 2)))
static LAB_UNUSED int lab_try(const char *format, ...)
{
	char command[4096];
	va_list arguments;
	int status;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* For tests that are nothing without it. */
static LAB_UNUSED void lab_need_ipv6(void)
{
	if (access("/proc/sys/net/ipv6", F_OK) == 0)
		return;
	fprintf(stderr, "this kernel has no IPv6\n");
	exit(77);
}

#define lab_run(...) assert_int_equal(lab_try(__VA_ARGS__), 0)

/* Loads a ruleset with nft -f. */
static LAB_UNUSED void lab_nft(const char *rules)
{
	FILE *pipe = popen("nft -f -", "w");

	assert_non_null(pipe);
	fputs(rules, pipe);
	assert_int_equal(pclose(pipe), 0);
}

static LAB_UNUSED void lab_flush(void)
{
	lab_run("nft flush ruleset");
}

/* Each test begins with an empty ruleset, whatever became of the one before. */
static LAB_UNUSED int lab_fresh(void **state)
{
	(void)state;
	return lab_try("nft flush ruleset");
}

/* What a command prints; the caller frees. */
static LAB_UNUSED char *lab_output(const char *command)
{
	size_t length = 0, room = 1 << 16, got;
	char *text = malloc(room);
	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);
	assert_non_null(text);
	while ((got = fread(text + length, 1, room - length - 1, pipe)) > 0) {
		length += got;
		if (room - length < 4096)
			assert_non_null(text = realloc(text, room *= 2));
	}
	text[length] = '\0';
	assert_int_equal(pclose(pipe), 0);
	return text;
}

static LAB_UNUSED char *lab_listing(void)
{
	return lab_output("nft -a list ruleset");
}

static LAB_UNUSED int lab_by_size(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* What half of them do not exceed: a machine that stands still now and then does not show. */
static LAB_UNUSED int64_t lab_median(int64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), lab_by_size);
	return values[(count - 1) / 2];
}

/*
 * A listing as it shall be afterwards: `old` becomes `new` on every line that contains
 * `mark`. The caller frees.
 */
static LAB_UNUSED char *lab_expect(const char *before, const char *mark, const char *old,
				   const char *new)
{
	char *after = calloc(1, strlen(before) * 2 + 1), *end = after;

	assert_non_null(after);
	for (const char *line = before; *line;) {
		size_t length = strcspn(line, "\n") + 1;
		char copy[8192];

		if (!line[length - 1])
			length--;
		assert_true(length < sizeof(copy));
		memcpy(copy, line, length);
		copy[length] = '\0';
		line += length;
		for (char *at = copy, *hit; *at; at = hit + strlen(old)) {
			hit = strstr(copy, mark) ? strstr(at, old) : NULL;
			if (!hit) {
				end = stpcpy(end, at);
				break;
			}
			end = mempcpy(end, at, (size_t)(hit - at));
			end = stpcpy(end, new);
		}
	}
	return after;
}

#endif
