/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lets one allocation of the whole daemon fail, by LD_PRELOAD into the plain programs;
 * tests/lab/starve.py is its other half. HAIRPIND_STARVE names a shared file that says
 * whose allocations count and which of them fails: also those of libraries, and of glibc.
 * It is mapped before main(), hence before any sandbox, and no system call is made later
 * but getpid().
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The core and the loaders are children of the supervisor that execute nothing. */
enum { NOBODY, SUPERVISOR, CHILD, PUBLISHER };

/* Numbers of 64 bits, so that the other side needs no layout. */
struct board {
	int64_t who;
	int64_t wanted;		/* the one that fails, once */
	int64_t number;		/* so many there were */
	int64_t failed;		/* so many failed: 0 or 1 */
};

static struct board *board;
static bool publishes;
static pid_t first;

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

__attribute__((constructor)) static void board_map(void)
{
	const char *path = getenv("HAIRPIND_STARVE");
	const char *name = strrchr(program_invocation_name, '/');
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *memory;

	publishes = strcmp(name ? name + 1 : program_invocation_name, "hairpin-publish") == 0;
	first = getpid();
	if (fd < 0)
		return;
	memory = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory != MAP_FAILED)
		board = memory;
}

static int64_t who_asks(void)
{
	if (publishes)
		return PUBLISHER;
	return getpid() == first ? SUPERVISOR : CHILD;
}

static bool refuse(void)
{
	int64_t number;

	if (!board || __atomic_load_n(&board->who, __ATOMIC_SEQ_CST) == NOBODY ||
	    board->who != who_asks())
		return false;
	number = __atomic_add_fetch(&board->number, 1, __ATOMIC_SEQ_CST);
	if (number != board->wanted)
		return false;
	(void)__atomic_add_fetch(&board->failed, 1, __ATOMIC_SEQ_CST);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t bytes)
{
	return refuse() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	return refuse() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
	return refuse() ? NULL : __libc_realloc(old, bytes);
}

void *reallocarray(void *old, size_t count, size_t bytes)
{
	size_t all;

	if (__builtin_mul_overflow(count, bytes, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, all);
}

void *memalign(size_t alignment, size_t bytes)
{
	return refuse() ? NULL : __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	return memalign(alignment, bytes);
}

int posix_memalign(void **ret, size_t alignment, size_t bytes)
{
	void *memory = memalign(alignment, bytes);

	if (!memory)
		return ENOMEM;
	*ret = memory;
	return 0;
}
