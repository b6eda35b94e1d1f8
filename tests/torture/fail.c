/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A library put before the sanitizer's into a test program: makes it a server that runs its
 * tests one by one, each in a child of its own, and lets one allocation of a run fail.
 * tests/torture/torture.py asks:
 *
 *	tests			-> "test NAME" each, "end 0"
 *	count TEST		-> "stack N HASH FRAME..." each new stack's first allocation
 *				   (the Nth of the run), "end STATUS"
 *	fail TEST N HASH	-> "end STATUS"; the Nth allocation fails
 *
 * STATUS as wait() gives it, -1: it hung. Only allocations count whose first caller in the
 * program itself is our code, not a test's (TORTURE_CODE: ranges of addresses, in hex).
 * TEST is the number of a cmocka test, or 0 of a program without: all of it. "tests" is asked
 * first.
 */
#include <dlfcn.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

#include "refuse.h"

#include <setjmp.h>

#include <cmocka.h>

enum {
	FRAMES_MAX = 48,
	FOREIGN_FRAMES = 3,
	STACKS_MAX = 1 << 14,
	RANGES_MAX = 1024,
	TESTS_MAX = 256,
	NAME_BYTES = 128,
	ALONE_MS = 600 * 1000,		/* untouched; the slowest takes eight seconds */
	RUN_MS = 60 * 1000,		/* and so much longer, by as many times, when one fails */
	RUN_TIMES = 5,
	ASKING = 198, ANSWERING = 199,	/* descriptors of the server */
};

struct stack {
	uint64_t hash;
	unsigned long number;
	unsigned count;
	uintptr_t frames[FRAMES_MAX];
};

/* What a child tells its parent. */
struct told {
	unsigned test_count, stack_count;
	bool reached;
	char tests[TESTS_MAX][NAME_BYTES];
	struct stack stacks[STACKS_MAX];
};

enum mode { MODE_OFF, MODE_LIST, MODE_COUNT, MODE_FAIL };

static struct {
	enum mode mode;
	bool armed, inside;
	unsigned test, tests_seen;
	unsigned long number, wanted;
	uint64_t wanted_hash;
	uintptr_t base, end;		/* of the program */
	uintptr_t library, library_end;	/* of this one */
	size_t range_count;
	struct { uintptr_t from, to; } ranges[RANGES_MAX];
	int (*main)(int, char **, char **);
	struct told *told;
	int alone_ms;			/* what the test asked for last took untouched */
} torture;

/* --- which allocation this is --- */

/* Return addresses: the call stands before. */
static bool is_ours(uintptr_t address)
{
	uintptr_t at = address - 1 - torture.base;

	for (size_t i = 0; i < torture.range_count; i++)
		if (at >= torture.ranges[i].from && at < torture.ranges[i].to)
			return true;
	return false;
}

static bool is_in_program(uintptr_t address)
{
	return address >= torture.base && address < torture.end;
}

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *argument)
{
	struct stack *stack = argument;
	uintptr_t at = (uintptr_t)_Unwind_GetIP(context);

	if (at >= torture.library && at < torture.library_end)
		return _URC_NO_REASON;
	for (unsigned i = 0; i < stack->count; i++)	/* a recursion's depth is not new */
		if (stack->frames[i] == at)
			return _URC_NO_REASON;
	stack->frames[stack->count++] = at;
	return stack->count < FRAMES_MAX ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/*
 * Who allocates: false where it is not our code. Its hash is of our callers and of the last
 * few of a library's that they called; neither a library's depths nor the test's callers
 * make another stack of it.
 */
static bool stack_take(struct stack *stack)
{
	uint64_t hash = 14695981039346656037u;
	unsigned first = 0, i;

	*stack = (struct stack){ .count = 0 };
	torture.inside = true;
	(void)_Unwind_Backtrace(note_frame, stack);
	torture.inside = false;
	while (first < stack->count && !is_in_program(stack->frames[first]))
		first++;
	if (first == stack->count || !is_ours(stack->frames[first]))
		return false;
	for (i = first > FOREIGN_FRAMES ? first - FOREIGN_FRAMES : 0; i < stack->count; i++) {
		hash = (hash ^ stack->frames[i]) * 1099511628211u;
		if (is_ours(stack->frames[i]))
			stack->hash = hash;
	}
	return true;
}

static void count_stack(void)
{
	struct told *told = torture.told;
	struct stack stack;

	if (!stack_take(&stack))
		return;
	for (unsigned i = 0; i < told->stack_count; i++)
		if (told->stacks[i].hash == stack.hash)
			return;
	if (told->stack_count == STACKS_MAX)
		abort();
	stack.number = torture.number;
	told->stacks[told->stack_count++] = stack;
}

/* The run may have taken another way than the one that was counted: then the stack tells. */
static bool is_wanted(void)
{
	struct stack stack;

	if (torture.number < torture.wanted || !stack_take(&stack) ||
	    stack.hash != torture.wanted_hash)
		return false;
	torture.armed = false;
	torture.told->reached = true;
	return true;
}

static bool refuse(void)
{
	if (!torture.armed || torture.inside)
		return false;
	torture.number++;
	if (torture.mode == MODE_FAIL)
		return is_wanted();
	count_stack();
	return false;
}

static void disarm(void)
{
	torture.armed = false;	/* a child of the test is not the test */
}

/* --- cmocka: one test of all --- */

typedef int run_group(const char *, const struct CMUnitTest *, size_t, CMFixtureFunction,
		      CMFixtureFunction);

static void list_tests(const struct CMUnitTest *tests, size_t count)
{
	struct told *told = torture.told;

	for (size_t i = 0; i < count && told->test_count < TESTS_MAX; i++)
		snprintf(told->tests[told->test_count++], NAME_BYTES, "%s", tests[i].name);
}

int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *const tests,
			    const size_t count, CMFixtureFunction setup,
			    CMFixtureFunction teardown)
{
	run_group *run = (run_group *)dlsym(RTLD_NEXT, "_cmocka_run_group_tests");
	size_t first = torture.tests_seen;
	int failed;

	torture.tests_seen += count;
	if (torture.mode == MODE_OFF)
		return run(name, tests, count, setup, teardown);
	if (torture.mode == MODE_LIST) {
		list_tests(tests, count);
		return 0;
	}
	if (torture.test < first || torture.test >= first + count)
		return 0;
	torture.armed = true;
	failed = run(name, &tests[torture.test - first], 1, setup, teardown);
	torture.armed = false;
	return failed;
}

/* --- the server --- */

static int wait_for(pid_t pid, int limit_ms)
{
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	struct timespec begin, over;
	int status = -1;
	bool hung;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	hung = poll(&end, 1, limit_ms) == 0;
	clock_gettime(CLOCK_MONOTONIC, &over);
	if (limit_ms == ALONE_MS)
		torture.alone_ms = (int)(over.tv_sec - begin.tv_sec + 1) * 1000;
	close(end.fd);
	(void)kill(-pid, SIGKILL);	/* whatever the test left, it is its own group */
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return hung ? -1 : status;
}

/* In the child this returns main's status: it ends as the program ends. */
static bool run_child(enum mode mode, int *ret_status)
{
	int limit_ms = mode == MODE_FAIL ? RUN_MS + RUN_TIMES * torture.alone_ms : ALONE_MS;
	pid_t pid;

	torture.told->stack_count = 0;
	torture.told->reached = false;
	pid = fork();
	if (pid != 0) {
		*ret_status = pid < 0 ? -1 : wait_for(pid, limit_ms);
		return false;
	}
	setpgid(0, 0);
	if (mode == MODE_FAIL)
		setenv("TORTURE_FAILS", "1", 1);	/* no use in being patient */
	close(ASKING);
	close(ANSWERING);
	torture.mode = mode;
	torture.number = 0;
	torture.armed = mode != MODE_LIST && torture.told->test_count == 0;
	return true;
}

static void answer_stacks(FILE *out)
{
	for (unsigned i = 0; i < torture.told->stack_count; i++) {
		const struct stack *stack = &torture.told->stacks[i];

		fprintf(out, "stack %lu %016llx", stack->number,
			(unsigned long long)stack->hash);
		for (unsigned f = 0; f < stack->count; f++)
			if (is_in_program(stack->frames[f]))
				fprintf(out, " %lx",
					(unsigned long)(stack->frames[f] - 1 - torture.base));
		fputc('\n', out);
	}
}

/* True in a child, which goes on to main. */
static bool obey(const char *line, FILE *out)
{
	unsigned long long hash = 0;
	int status = 0;

	if (strcmp(line, "tests\n") == 0) {
		if (run_child(MODE_LIST, &status))
			return true;
		for (unsigned i = 0; i < torture.told->test_count; i++)
			fprintf(out, "test %s\n", torture.told->tests[i]);
	} else if (sscanf(line, "count %u", &torture.test) == 1) {
		if (run_child(MODE_COUNT, &status))
			return true;
		answer_stacks(out);
	} else if (sscanf(line, "fail %u %lu %llx", &torture.test, &torture.wanted,
			  &hash) == 3) {
		torture.wanted_hash = hash;
		if (run_child(MODE_FAIL, &status))
			return true;
		fprintf(out, "reached %d\n", torture.told->reached);
	}
	fprintf(out, "end %d\n", status);
	fflush(out);
	return false;
}

static int find_object(struct dl_phdr_info *info, size_t bytes, void *argument)
{
	uintptr_t from = info->dlpi_addr, to = from;
	bool *first = argument;

	(void)bytes;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD)
			to = from + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
	if (*first) {
		torture.base = from;
		torture.end = to;
	} else if ((uintptr_t)&torture >= from && (uintptr_t)&torture < to) {
		torture.library = from;
		torture.library_end = to;
	}
	*first = false;
	return 0;
}

static void read_ranges(const char *text)
{
	unsigned long from, to;
	int length;

	while (torture.range_count < RANGES_MAX &&
	       sscanf(text, "%lx-%lx%n", &from, &to, &length) == 2) {
		torture.ranges[torture.range_count].from = from;
		torture.ranges[torture.range_count++].to = to;
		text += length;
	}
}

static int torture_main(int argc, char **argv, char **environment)
{
	const char *ranges = getenv("TORTURE_CODE");
	bool first = true;
	char line[256];
	FILE *in, *out;

	if (!ranges)
		return torture.main(argc, argv, environment);
	(void)unsetenv("LD_PRELOAD");	/* not for what the tests start */
	dl_iterate_phdr(find_object, &first);
	read_ranges(ranges);
	torture.told = mmap(NULL, sizeof(*torture.told), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	in = fdopen(ASKING, "r");
	out = fdopen(ANSWERING, "w");
	if (torture.told == MAP_FAILED || !in || !out ||
	    pthread_atfork(NULL, NULL, disarm) != 0)
		return 99;
	while (fgets(line, sizeof(line), in))
		if (obey(line, out))
			return torture.main(argc, argv, environment);
	_exit(0);
}

typedef int start_main(int (*)(int, char **, char **), int, char **, void (*)(void),
		       void (*)(void), void (*)(void), void *);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
		      void *stack_end);
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
		      void *stack_end)
{
	start_main *start = (start_main *)dlsym(RTLD_NEXT, "__libc_start_main");

	torture.main = main;
	return start(torture_main, argc, argv, init, fini, rtld_fini, stack_end);
}
