/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Start, loop and end of the core. */
#include "core.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "hairpin/clock.h"
#include "hairpin/json.h"
#include "hairpin/log.h"
#include "hairpin/loop.h"

#include "control.h"

enum {
	/* what stays due although it was done comes again so soon */
	CORE_PATIENCE_MS = 20,
	CORE_DEAF_MS = 1000,
	CORE_FAR_S = 50 * 365 * 86400,	/* seconds: further than any router lives */
};

/* --- the turn --- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t core_due_ms(const struct core *core, int64_t now_ms)
{
	int64_t due_ms = sync_due_ms(core, now_ms);

	due_ms = earlier(due_ms, leftover_due_ms(core));
	due_ms = earlier(due_ms, discover_due_ms(core));
	due_ms = earlier(due_ms, publisher_due_ms(core, now_ms));
	due_ms = earlier(due_ms, resolver_due_ms(core));
	due_ms = earlier(due_ms, events_due_ms(core));
	due_ms = earlier(due_ms, runner_due_ms(core));
	due_ms = earlier(due_ms, state_due_ms(core));
	due_ms = earlier(due_ms, control_due_ms(core->control));
	due_ms = earlier(due_ms, notice_due_ms(core));
	due_ms = earlier(due_ms, metrics_due_ms(core));
	due_ms = earlier(due_ms, pause_due_ms(core));
	due_ms = earlier(due_ms, level_due_ms(core));
	return earlier(due_ms, once_due_ms(core));
}

int64_t core_turn(struct core *core, int64_t now_ms)
{
	int64_t due_ms;

	pause_turn(core, now_ms);
	level_turn(core, now_ms);
	sync_turn(core, now_ms);
	now_ms = clock_now_ms();
	leftover_turn(core, now_ms);
	resolver_turn(core, now_ms);
	discover_turn(core, now_ms);
	publisher_turn(core, now_ms);
	runner_turn(core, now_ms);
	events_turn(core, now_ms);
	state_turn(core, now_ms);
	watch_turn(core);
	control_turn(core->control, now_ms);
	once_turn(core, now_ms);
	dry_run_turn(core, now_ms);
	notice_turn(core, now_ms);
	metrics_turn(core, now_ms);
	due_ms = core_due_ms(core, now_ms);
	/* A part that would be due for ever must not spin. */
	return due_ms > now_ms ? due_ms : now_ms + CORE_PATIENCE_MS;
}

void core_stop(struct core *core, int exit_status)
{
	core->stopping = true;
	core->exit_status = exit_status;
}

/* --- the loop --- */

/* The alarm is our own, because libev's timers do not count the time asleep. */
static void alarm_set(struct core *core, int64_t due_ms, int64_t now_ms)
{
	int64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 1;
	struct itimerspec when = { .it_value = { 0 } };

	if (due_ms == core->alarm_ms)
		return;
	core->alarm_ms = due_ms;
	if (due_ms != INT64_MAX) {
		when.it_value.tv_sec = (time_t)(wait_ms / 1000);
		when.it_value.tv_nsec = (long)(wait_ms % 1000) * 1000000;
	}
	(void)timerfd_settime(core->alarm, 0, &when, NULL);
}

/*
 * A socket that stays readable and cannot be read, for want of memory, would spin: it is
 * left alone for a while, and looked at without its word.
 */
static void deafen(struct core *core)
{
	ev_io_stop(core->loop, &core->rtnl_io);
	core->deaf_ms = clock_now_ms() + CORE_DEAF_MS;
}

static int64_t listen_again(struct core *core, int64_t now_ms)
{
	if (now_ms >= core->deaf_ms) {
		ev_io_start(core->loop, &core->rtnl_io);
		core->deaf_ms = INT64_MAX;
	}
	return core->deaf_ms;
}

/*
 * Runs before every sleep: what the callbacks noted is done here, once for all of them.
 */
static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct core *core = prepare->data;
	int64_t due_ms;

	(void)events;
	due_ms = core->stopping ? INT64_MAX : core_turn(core, clock_now_ms());
	if (core->stopping)
		ev_break(loop, EVBREAK_ALL);
	else
		alarm_set(core, earlier(due_ms, listen_again(core, clock_now_ms())),
			  clock_now_ms());
}

static void on_alarm(struct ev_loop *loop, ev_io *io, int events)
{
	struct core *core = io->data;
	uint64_t times;

	(void)loop;
	(void)events;
	if (read(core->alarm, &times, sizeof(times)) > 0)
		core->alarm_ms = INT64_MAX;
}

static void on_links(struct ev_loop *loop, ev_io *io, int events)
{
	struct core *core = io->data;
	bool changed = false;

	(void)loop;
	(void)events;
	if (!core->sync.woken_us)
		core->sync.woken_us = clock_now_us();
	if (rtnl_read(core->rtnl, &changed) < 0) {
		changed = true;
		deafen(core);
	}
	if (changed)
		core->sync.links_changed = true;
	else if (!core->sync.links_changed)
		core->sync.woken_us = 0;
}

static void on_rules(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	rules_readable(io->data);
}

static void on_supervisor(struct ev_loop *loop, ev_io *io, int events)
{
	struct core *core = io->data;

	(void)events;
	if (supervisor_receive(core))
		return;
	/*
	 * It is gone, and with it our listening socket and lock: whoever comes next
	 * starts afresh.
	 */
	core_stop(core, 1);
	core->state.directory = -1;
	ev_break(loop, EVBREAK_ALL);
}

static void on_publisher(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	publisher_readable(io->data, clock_now_ms());
}

/*
 * A watcher that never comes true makes libev notice steps of the wall clock, and asks
 * for its next time at each: then certificates that did not hold may hold.
 */
static ev_tstamp on_clock(ev_periodic *periodic, ev_tstamp now)
{
	struct core *core = periodic->data;

	if (core->schedule)
		schedule_clock(core->schedule, clock_now_ms());
	pause_clock(core, clock_now_ms());
	level_clock(core, clock_now_ms());
	return now + CORE_FAR_S;
}

static void on_never(struct ev_loop *loop, ev_periodic *periodic, int events)
{
	(void)loop;
	(void)periodic;
	(void)events;
}

static void watch(struct core *core, ev_io *io,
		  void (*callback)(struct ev_loop *, ev_io *, int), int fd)
{
	ev_io_init(io, callback, fd < 0 ? 0 : fd, EV_READ);
	io->data = core;
	if (fd >= 0)
		ev_io_start(core->loop, io);
}

static int loop_begin(struct core *core)
{
	core->loop = loop_new();
	core->alarm = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (!core->loop || core->alarm < 0)
		return -errno;
	watch(core, &core->rtnl_io, on_links, rtnl_fd(core->rtnl));
	watch(core, &core->nft_io, on_rules, -1);
	watch(core, &core->supervisor_io, on_supervisor, core->options->supervisor);
	watch(core, &core->alarm_io, on_alarm, core->alarm);
	watch(core, &core->publisher.io, on_publisher, -1);
	ev_periodic_init(&core->clock, on_never, 0, 0, on_clock);
	core->clock.data = core;
	ev_periodic_start(core->loop, &core->clock);
	ev_prepare_init(&core->prepare, on_prepare);
	core->prepare.data = core;
	ev_prepare_start(core->loop, &core->prepare);
	return 0;
}

/* --- start and end --- */

/* Jobs of 160 KiB shall not make the heap grow for good. */
static void tame_heap(void)
{
#ifdef M_MMAP_THRESHOLD
	(void)mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 64 * 1024);
#endif
}

static int configure(struct core *core, struct err *ret_err)
{
	struct json *document = NULL;
	struct config *config;
	int result = state_load(&core->state, core->options->state_directory, &document,
				ret_err);

	if (result == 0)
		result = reload_read(core->options->config, &config, ret_err);
	if (result == 0)
		result = core_configure(core, config, ret_err);
	if (result == 0) {
		state_restore_wans(core, document, clock_now_ms(), clock_wall_s());
		state_restore_records(core, document, clock_now_ms(), clock_wall_s());
		state_restore_names(core, document, clock_now_ms());
		pause_restore(core, document, clock_now_ms(), clock_wall_s());
	}
	json_free(document);
	return result;
}

static int begin(struct core *core, struct err *ret_err)
{
	const struct core_options *options = core->options;
	int result = rtnl_new(&core->rtnl, ret_err);

	if (result < 0)
		return result;
	if (confine_begin(options) < 0)
		return err_set(ret_err, -EPERM, "the core cannot give up its rights");
	result = configure(core, ret_err);
	if (result < 0)
		return result;
	level_begin(core);
	if (options->mode == CORE_DRY_RUN) {
		core->dry_run = dry_run_new(schedule_count(core->schedule));
		if (!core->dry_run)
			return err_set(ret_err, -ENOMEM, "out of memory");
	}
	result = loop_begin(core);
	if (result == 0 && options->control >= 0)
		result = control_new(core, &core->control);
	if (result < 0)
		return err_set_errno(ret_err, result, "the loop cannot be made");
	return 0;
}

static void end(struct core *core)
{
	control_free(core->control);
	publisher_done(core);
	runner_done(core);
	events_done(&core->events);
	metrics_done(&core->metrics);
	core_unconfigure(core);
	names_done(&core->names);
	dry_run_free(core->dry_run);
	conntrack_free(core->conntrack);
	nft_free(core->nft);
	rtnl_snapshot_done(&core->snapshot);
	rtnl_routes_done(&core->routes);
	rtnl_free(core->rtnl);
	if (core->alarm >= 0)
		close(core->alarm);
	if (core->loop)
		ev_loop_destroy(core->loop);
	free(core);
}

int core_run(const struct core_options *options)
{
	struct core *core = calloc(1, sizeof(*core));
	struct err err = { "" };
	int status = 1;

	if (!core) {
		log_error("core: out of memory");
		return status;
	}
	tame_heap();
	core->options = options;
	core->started_ms = core->metrics.reload_ms = clock_now_ms();
	core->alarm = -1;
	core->alarm_ms = core->deaf_ms = INT64_MAX;
	core->sync.retry_ms = INT64_MAX;
	core->state.directory = -1;
	publisher_init(&core->publisher);
	if (begin(core, &err) < 0) {
		log_error("core: %s", err.text);
		end(core);
		return status;
	}
	ev_run(core->loop, 0);
	if (core->options->mode != CORE_DRY_RUN)
		state_save(core, clock_now_ms());
	metrics_end(core, clock_now_ms());
	notice_end(core);
	status = core->exit_status;
	end(core);
	return status;
}
