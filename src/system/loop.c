/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/loop.h"

#include <stdlib.h>
#include <unistd.h>

#include "hairpin/log.h"

/* libev would say so to stderr and leave by abort(). */
static void *loop_allocate(void *old, long bytes)
{
	void *room;

	if (bytes == 0) {
		free(old);
		return NULL;
	}
	room = realloc(old, (size_t)bytes);
	if (!room) {
		log_error("no memory for the event loop");
		_exit(EXIT_FAILURE);
	}
	return room;
}

static void on_nothing(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)io;
	(void)events;
}

static void on_no_time(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
}

/*
 * Every list is as long as it was at its longest. What is stopped before the loop runs
 * never reaches the kernel, so the descriptors need not be open.
 */
static void loop_make_room(struct ev_loop *loop)
{
	ev_timer timers[LOOP_WATCHERS];
	ev_io ios[LOOP_WATCHERS];

	for (int i = 0; i < LOOP_WATCHERS; i++) {
		ev_timer_init(&timers[i], on_no_time, 1, 0);
		ev_timer_start(loop, &timers[i]);
		ev_io_init(&ios[i], on_nothing, i, EV_READ);
		ev_io_start(loop, &ios[i]);
		ev_feed_event(loop, &ios[i], EV_READ);
	}
	for (int i = 0; i < LOOP_WATCHERS; i++) {
		ev_timer_stop(loop, &timers[i]);
		ev_io_stop(loop, &ios[i]);
	}
}

struct ev_loop *loop_new(void)
{
	struct ev_loop *loop;

	ev_set_allocator(loop_allocate);
	loop = ev_loop_new(EVFLAG_NOENV | EVBACKEND_EPOLL);
	if (!loop)
		loop = ev_loop_new(EVFLAG_NOENV | EVBACKEND_POLL);
	if (loop)
		loop_make_room(loop);
	return loop;
}
