/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every way to allocate asks refuse() first. Included once, by a library that is put before
 * the sanitizer's (fail.c) or by a test that refuses by itself (alone.h).
 */
#ifndef HAIRPIN_TESTS_REFUSE_H
#define HAIRPIN_TESTS_REFUSE_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(void);

/* The sanitizer's own, under the names that nobody overrides. */
void *__interceptor_malloc(size_t);
void *__interceptor_calloc(size_t, size_t);
void *__interceptor_realloc(void *, size_t);
void *__interceptor_reallocarray(void *, size_t, size_t);
char *__interceptor_strdup(const char *);
char *__interceptor_strndup(const char *, size_t);
int __interceptor_posix_memalign(void **, size_t, size_t);

#define REFUSED(value) do { if (refuse()) { errno = ENOMEM; return value; } } while (0)

void *malloc(size_t bytes)
{
	REFUSED(NULL);
	return __interceptor_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	REFUSED(NULL);
	return __interceptor_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
	REFUSED(NULL);
	return __interceptor_realloc(old, bytes);
}

void *reallocarray(void *old, size_t count, size_t bytes)
{
	REFUSED(NULL);
	return __interceptor_reallocarray(old, count, bytes);
}

char *strdup(const char *text)
{
	REFUSED(NULL);
	return __interceptor_strdup(text);
}

char *strndup(const char *text, size_t bytes)
{
	REFUSED(NULL);
	return __interceptor_strndup(text, bytes);
}

int posix_memalign(void **ret, size_t alignment, size_t bytes)
{
	return refuse() ? ENOMEM : __interceptor_posix_memalign(ret, alignment, bytes);
}

#endif
