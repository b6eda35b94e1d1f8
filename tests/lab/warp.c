/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time for whole programs, by LD_PRELOAD; tests/lab/warp.py is its other half and
 * says how the two work together.
 *
 * Clocks are the kernel's plus offsets that stand in a shared file. A wait with a time-out
 * is made of short real ones, so that it notices when the offsets moved, and while it lasts
 * a slot of the file says until when. A timerfd is armed by the program in virtual time; the
 * kernel's own timer is set, to at once, only when that has come, so that epoll and read()
 * need no help.
 *
 * The file is mapped before main(), hence before any sandbox, and only system calls are made
 * that a program which waits and reads clocks makes anyway. One thread a process.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NEVER INT64_MAX

enum {
	SLOTS = 248,		/* eight more are the other side's */
	TIMERS = 16,
	SLICE_MS = 1,		/* while time is led */
	SLICE_IDLE_MS = 10,	/* while it flows by itself */
	CREEP_NS = 100000,
};

static const int64_t second_ns = 1000000000;

/* All numbers are 64 bits wide, so that the other side needs no layout. */
struct slot {
	int64_t pid;		/* 0: free */
	int64_t waiting;
	int64_t until_ns;	/* of CLOCK_MONOTONIC in virtual time */
	int64_t turns;		/* waits that ended */
	int64_t epoch;		/* the offsets that until_ns was made with */
	int64_t unused[3];
};

struct board {
	int64_t monotonic_ns;	/* offsets: of every clock, */
	int64_t boot_ns;	/* of those that count sleep, */
	int64_t wall_ns;	/* of the wall clock alone */
	int64_t epoch;		/* how often an offset changed */
	int64_t steps;		/* how often the wall clock stepped */
	int64_t led;		/* somebody leads: look often */
	int64_t start_ns;	/* CLOCK_BOOTTIME when all this began */
	int64_t stands;		/* time does not flow; it is still what the kernel said */
	int64_t stood_ns[3];	/* of each kind of clock, as above */
	int64_t sequence;	/* odd while these and an offset change together */
	int64_t unused[3];
	struct slot slots[SLOTS];
};

struct timer {
	int fd;			/* 0: none */
	clockid_t clock;
	int64_t due_ns;		/* on its clock; NEVER: disarmed */
	int64_t steps;		/* TFD_TIMER_CANCEL_ON_SET: those seen; else -1 */
};

static struct board *board;
static struct slot *mine;
static struct timer timers[TIMERS];

__attribute__((constructor)) static void board_map(void)
{
	const char *path = getenv("HAIRPIND_WARP");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *memory;

	if (fd < 0)
		return;
	memory = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory != MAP_FAILED)
		board = memory;
}

static int64_t peek(const int64_t *number)
{
	return __atomic_load_n(number, __ATOMIC_SEQ_CST);
}

static void poke(int64_t *number, int64_t value)
{
	__atomic_store_n(number, value, __ATOMIC_SEQ_CST);
}

/* --- clocks --- */

enum kind { MONOTONIC, BOOT, WALL, OTHER };

static enum kind kind_of(clockid_t clock)
{
	switch (clock) {
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
		return MONOTONIC;
	case CLOCK_BOOTTIME:
		return BOOT;
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		return WALL;
	default:
		return OTHER;
	}
}

static int64_t kernel_ns(clockid_t clock)
{
	struct timespec now = { 0 };

	(void)syscall(SYS_clock_gettime, clock, &now);
	return now.tv_sec * second_ns + now.tv_nsec;
}

/* What both sides change at once is read again until it was one moment's. */
static int64_t now_ns(clockid_t clock)
{
	enum kind kind = board ? kind_of(clock) : OTHER;
	int64_t sequence, now;

	if (kind == OTHER)
		return kernel_ns(clock);
	do {
		sequence = peek(&board->sequence);
		now = peek(&board->stands) ? peek(&board->stood_ns[kind]) : kernel_ns(clock);
		now += peek(&board->monotonic_ns);
		now += kind >= BOOT ? peek(&board->boot_ns) : 0;
		now += kind == WALL ? peek(&board->wall_ns) : 0;
	} while (sequence % 2 || sequence != peek(&board->sequence));
	return now;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int64_t now;

	if (syscall(SYS_clock_gettime, clock, ret) < 0)
		return -1;
	if (!board || kind_of(clock) == OTHER)
		return 0;
	now = now_ns(clock);
	ret->tv_sec = now / second_ns;
	ret->tv_nsec = now % second_ns;
	return 0;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -1;
	ret->tv_sec = now.tv_sec;
	ret->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

/*
 * Who finds his time come, or asks without a wait, may count in coarser pieces than we do and
 * come again and again until a little more has passed: so much of it passes each time.
 */
static void time_creep(void)
{
	if (peek(&board->stands))
		(void)__atomic_add_fetch(&board->monotonic_ns, CREEP_NS, __ATOMIC_SEQ_CST);
}

/* --- timers --- */

int timerfd_create(clockid_t clock, int flags)
{
	int fd = (int)syscall(SYS_timerfd_create, clock, flags);
	int i, free = -1;

	for (i = 0; fd >= 0 && i < TIMERS; i++) {
		if (timers[i].fd == fd || (free < 0 && !timers[i].fd))
			free = i;
		if (timers[i].fd == fd)
			break;
	}
	if (free >= 0)
		timers[free] = (struct timer){ fd, clock, NEVER, -1 };
	return fd;
}

static int timer_set_real(int fd, long nanoseconds)
{
	struct itimerspec when = { .it_value.tv_nsec = nanoseconds };

	return (int)syscall(SYS_timerfd_settime, fd, 0, &when, NULL);
}

/* One that comes again and again is none of our programs'. */
int timerfd_settime(int fd, int flags, const struct itimerspec *when,
		    struct itimerspec *ret_old)
{
	int64_t value_ns = when->it_value.tv_sec * second_ns + when->it_value.tv_nsec;
	int i = 0;

	while (i < TIMERS && timers[i].fd != fd)
		i++;
	if (i == TIMERS || !board)
		return (int)syscall(SYS_timerfd_settime, fd, flags, when, ret_old);
	timers[i].due_ns = NEVER;
	timers[i].steps = -1;
	if (value_ns) {
		timers[i].due_ns = flags & TFD_TIMER_ABSTIME
					   ? value_ns
					   : value_ns + now_ns(timers[i].clock);
		if (flags & TFD_TIMER_CANCEL_ON_SET)
			timers[i].steps = peek(&board->steps);
	}
	return timer_set_real(fd, 0);
}

/* Fires what is due. Returns when the next one is, on CLOCK_MONOTONIC. */
static int64_t timers_turn(void)
{
	int64_t next_ns = NEVER;
	int i;

	for (i = 0; i < TIMERS; i++) {
		struct timer *timer = &timers[i];
		int64_t left_ns;

		if (!timer->fd || timer->due_ns == NEVER)
			continue;
		left_ns = timer->due_ns - now_ns(timer->clock);
		if (left_ns <= 0 ||
		    (timer->steps >= 0 && timer->steps != peek(&board->steps))) {
			timer->due_ns = NEVER;
			(void)timer_set_real(timer->fd, 1);
			time_creep();
		} else if (now_ns(CLOCK_MONOTONIC) + left_ns < next_ns) {
			next_ns = now_ns(CLOCK_MONOTONIC) + left_ns;
		}
	}
	return next_ns;
}

/* --- waits --- */

/* After a fork the child gets one of its own. The other side frees those of the dead. */
static struct slot *slot_find(void)
{
	int64_t pid = getpid();
	int i;

	if (mine && peek(&mine->pid) == pid)
		return mine;
	for (i = 0; i < SLOTS; i++) {
		int64_t nobody = 0;

		mine = &board->slots[i];
		if (!__atomic_compare_exchange_n(&mine->pid, &nobody, pid, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		poke(&mine->waiting, 0);
		poke(&mine->turns, 0);
		return mine;
	}
	abort();
}

typedef int look_function(void *what, int slice_ms);

static int slice_ms(int64_t left_ns)
{
	int64_t most_ms = peek(&board->led) ? SLICE_MS : SLICE_IDLE_MS;

	if (left_ns <= 0)
		return 0;
	return left_ns / 1000000 < most_ms ? (int)(left_ns / 1000000) + 1 : (int)most_ms;
}

static int wait_virtually(look_function *look, void *what, int timeout_ms)
{
	int64_t end_ns = timeout_ms < 0 ? NEVER
					: now_ns(CLOCK_MONOTONIC) + timeout_ms * INT64_C(1000000);
	struct slot *slot = slot_find();
	int64_t left_ns;
	int got;

	do {
		int64_t epoch = peek(&board->epoch);
		int64_t until_ns = timers_turn();

		if (end_ns < until_ns)
			until_ns = end_ns;
		left_ns = until_ns == NEVER ? NEVER : until_ns - now_ns(CLOCK_MONOTONIC);
		poke(&slot->until_ns, until_ns);
		poke(&slot->epoch, epoch);
		poke(&slot->waiting, 1);
		got = look(what, slice_ms(left_ns));
	} while (got == 0 && now_ns(CLOCK_MONOTONIC) < end_ns);
	if (got == 0)
		time_creep();
	poke(&slot->turns, slot->turns + 1);
	poke(&slot->waiting, 0);
	return got;
}

static int look_at_once(look_function *look, void *what)
{
	int got = look(what, 0);

	if (got == 0 && board)
		time_creep();
	return got;
}

struct epoll_look {
	int fd;
	struct epoll_event *events;
	int count;
	const sigset_t *mask;
};

static int epoll_look(void *what, int timeout_ms)
{
	const struct epoll_look *look = what;

	return (int)syscall(SYS_epoll_pwait, look->fd, look->events, look->count,
			    timeout_ms, look->mask, (size_t)(NSIG / 8));
}

int epoll_pwait(int fd, struct epoll_event *events, int count, int timeout_ms,
		const sigset_t *mask)
{
	struct epoll_look look = { fd, events, count, mask };

	if (timeout_ms == 0)
		return look_at_once(epoll_look, &look);
	if (!board)
		return epoll_look(&look, timeout_ms);
	return wait_virtually(epoll_look, &look, timeout_ms);
}

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout_ms)
{
	return epoll_pwait(fd, events, count, timeout_ms, NULL);
}

struct poll_look {
	struct pollfd *fds;
	nfds_t count;
};

static int poll_look(void *what, int timeout_ms)
{
	struct timespec slice = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };
	const struct poll_look *look = what;

	return (int)syscall(SYS_ppoll, look->fds, look->count,
			    timeout_ms < 0 ? NULL : &slice, NULL, (size_t)(NSIG / 8));
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	struct poll_look look = { fds, count };

	if (timeout_ms == 0)
		return look_at_once(poll_look, &look);
	if (!board)
		return poll_look(&look, timeout_ms);
	return wait_virtually(poll_look, &look, timeout_ms);
}
