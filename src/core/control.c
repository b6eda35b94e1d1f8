/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/channel.h"
#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/passed.h"

#include "core.h"

/* --- clients --- */

void client_free(struct client *client)
{
	struct control *control = client->control;
	size_t i = 0;

	while (control->clients[i] != client)
		i++;
	control->clients[i] = control->clients[--control->count];
	if (control->core->loop)
		ev_io_stop(control->core->loop, &client->io);
	passed_close(client->fd);
	if (client->pass >= 0)
		close(client->pass);
	text_done(&client->out);
	free(client);
}

static int client_events(const struct client *client)
{
	if (client->state == CLIENT_WATCHING)
		return EV_READ | (client->blocked ? EV_WRITE : 0);
	if (client->state == CLIENT_QUEUED)
		return 0;
	return client->state == CLIENT_WRITING ? EV_WRITE : EV_READ;
}

static void client_watch(struct client *client)
{
	struct ev_loop *loop = client->control->core->loop;
	int events = client_events(client);

	if (!loop || (client->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(loop, &client->io);
	ev_io_set(&client->io, client->fd, events);
	if (events)
		ev_io_start(loop, &client->io);
}

/* All of it is taken: a watcher goes on, and hears what it missed. False: it is gone. */
static bool client_written(struct client *client)
{
	if (client->state != CLIENT_WATCHING) {
		client_free(client);
		return false;
	}
	text_clear(&client->out);
	client->sent = 0;
	client->blocked = false;
	if (client->lost)
		watch_lagged(&client->out, client->lost);
	client->lost = 0;
	client_watch(client);
	return true;
}

/* False: the client is gone. */
static bool client_write(struct client *client, int64_t now_ms)
{
	while (client->sent < client->out.length) {
		ssize_t put = send(client->fd, client->out.bytes + client->sent,
				   client->out.length - client->sent,
				   MSG_NOSIGNAL | MSG_DONTWAIT);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			client->blocked = true;
			client_watch(client);
			return true;
		}
		if (put <= 0) {
			client_free(client);
			return false;
		}
		client->sent += (size_t)put;
		client->progress_ms = now_ms;
	}
	return client_written(client);
}

/* An answer with a descriptor is short and the first: there is room for it, or nobody. */
static bool client_pass(struct client *client)
{
	int rc = channel_send(client->fd, client->out.bytes, client->out.length,
			      client->pass);

	if (rc < 0)
		log_debug("control: a client does not take its answer: %s", strerror(-rc));
	client_free(client);
	return false;
}

bool client_answer(struct client *client, int64_t now_ms)
{
	text_add_char(&client->out, '\n');
	if (client->out.failed) {
		client_free(client);
		return false;
	}
	if (client->pass >= 0)
		return client_pass(client);
	if (client->state != CLIENT_WATCHING)
		client->state = CLIENT_WRITING;
	client->progress_ms = now_ms;
	return client_write(client, now_ms);
}

/* What has come so far: a whole line waits for its turn, too much of none is refused. */
static void client_take(struct client *client, int64_t now_ms)
{
	if (memchr(client->in, '\n', client->in_length)) {
		client->state = CLIENT_QUEUED;
		client->progress_ms = now_ms;
		client_watch(client);
	} else if (client->in_length == sizeof(client->in)) {
		command_fail(client, "the request is longer than 4096 bytes");
		(void)client_answer(client, now_ms);
	}
}

/* Its turn has come. */
static void client_run(struct client *client, int64_t now_ms)
{
	const char *end = memchr(client->in, '\n', client->in_length);

	client->state = CLIENT_READING;
	client->progress_ms = now_ms;
	command_run(client, client->in, (size_t)(end - client->in), now_ms);
	if (client->state == CLIENT_WAITING)
		client_watch(client);
	else
		(void)client_answer(client, now_ms);
}

static void client_read(struct client *client, int64_t now_ms)
{
	ssize_t got = passed_receive(client->fd, client->in + client->in_length,
				     sizeof(client->in) - client->in_length);

	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (got <= 0) {
		client_free(client);
		return;
	}
	client->in_length += (size_t)got;
	client_take(client, now_ms);
}

/*
 * Who waits, or watches, has said its line: more words are of no interest, but bounded.
 */
static void client_ignore(struct client *client)
{
	char rest[512];
	ssize_t got = passed_receive(client->fd, rest, sizeof(rest));

	if (got > 0)
		client->in_length += (size_t)got;
	if (got == 0 || client->in_length > CONTROL_WORDS_BYTES ||
	    (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		client_free(client);
}

static void client_ready(struct ev_loop *loop, ev_io *io, int events)
{
	struct client *client = io->data;

	(void)loop;
	if (events & EV_WRITE)
		(void)client_write(client, clock_now_ms());
	else if (client->state == CLIENT_READING)
		client_read(client, clock_now_ms());
	else
		client_ignore(client);
}

void client_begin(struct client *client)
{
	ev_init(&client->io, client_ready);
	client->io.data = client;
	client_watch(client);
}

/* --- who comes --- */

static void control_pause(struct control *control, int64_t until_ms)
{
	control->pause_ms = until_ms;
	if (!control->core->loop || control->listener < 0)
		return;
	if (until_ms == INT64_MIN)
		ev_io_start(control->core->loop, &control->io);
	else
		ev_io_stop(control->core->loop, &control->io);
}

static void control_ready(struct ev_loop *loop, ev_io *io, int events)
{
	struct control *control = io->data;
	struct unixsock_peer peer;
	int fd, result = 0;

	(void)loop;
	(void)events;
	for (int i = 0; i < CONTROL_ACCEPTS && result == 0; i++) {
		result = unixsock_accept(control->listener, &fd, &peer);
		if (result == 0)
			control_adopt(control, fd, &peer, clock_now_ms());
	}
	if (result == 0 || result == -EAGAIN || result == -ECONNABORTED ||
	    result == -EINTR)
		return;
	log_debug("control: no client can be taken: %s", strerror(-result));
	control_pause(control, clock_now_ms() + CONTROL_PAUSE_MS);
}

/* --- those who watch --- */

size_t control_watchers(const struct control *control)
{
	size_t count = 0;

	for (size_t i = 0; control && i < control->count; i++)
		count += control->clients[i]->state == CLIENT_WATCHING;
	return count;
}

bool control_is_watched(const struct control *control)
{
	return control_watchers(control) > 0;
}

/* Something waits that the loop does not wait for room for. */
static bool watcher_has_more(const struct client *client)
{
	return client->out.length > client->sent && !client->blocked;
}

/* Whole lines only: what finds no room is counted until all before it is taken. */
static void watcher_tell(struct client *client, const char *line, size_t length)
{
	struct text *out = &client->out;

	if (client->lost || !line || out->length + length > CONTROL_WATCH_BYTES) {
		client->lost++;
		return;
	}
	text_add_bytes(out, line, length);
	if (out->failed)
		client_free(client);
}

void control_tell(struct control *control, const char *line, size_t length)
{
	for (size_t i = control ? control->count : 0; i > 0; i--)
		if (control->clients[i - 1]->state == CLIENT_WATCHING)
			watcher_tell(control->clients[i - 1], line, length);
}

/* --- commands --- */

/*
 * Only for a while: a look at a big ruleset takes long, and those who may only read must
 * not keep the rules waiting. What a command left to do is done in the next turn.
 */
static void control_serve(struct control *control, int64_t now_ms)
{
	int64_t until_ms = clock_now_ms() + CONTROL_TURN_MS;
	struct client *client;

	control->again_ms = INT64_MAX;
	do {
		client = control_next(control);
		if (!client)
			return;
		control->served = client->uid;
		client_run(client, now_ms);
		control->again_ms = clock_now_ms() + 1;
	} while (control->again_ms <= until_ms);
}

/* --- the whole --- */

int control_new(struct core *core, struct control **ret_control)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control)
		return -ENOMEM;
	control->core = core;
	control->listener = core->options->control;
	control->pause_ms = INT64_MIN;
	control->again_ms = INT64_MAX;
	if (core->loop && control->listener >= 0) {
		ev_io_init(&control->io, control_ready, control->listener, EV_READ);
		control->io.data = control;
		ev_io_start(core->loop, &control->io);
	}
	*ret_control = control;
	return 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	while (control->count > 0)
		client_free(control->clients[0]);
	if (control->core->loop && control->listener >= 0)
		ev_io_stop(control->core->loop, &control->io);
	free(control);
}

static int64_t client_due_ms(const struct client *client)
{
	int64_t wait_ms = client->reload ? CONTROL_RELOAD_MS : CONTROL_HOOK_MS;

	if (client->state == CLIENT_WATCHING)
		return watcher_has_more(client) ? 0 : INT64_MAX;
	if (client->state == CLIENT_QUEUED)
		return INT64_MAX;
	if (client->state != CLIENT_WAITING)
		wait_ms = CONTROL_IDLE_MS;
	return client->progress_ms + wait_ms;
}

int64_t control_due_ms(const struct control *control)
{
	int64_t due_ms;

	if (!control)
		return INT64_MAX;
	due_ms = control->again_ms;
	if (control->pause_ms != INT64_MIN && control->pause_ms < due_ms)
		due_ms = control->pause_ms;
	for (size_t i = 0; i < control->count; i++) {
		int64_t client_ms = client_due_ms(control->clients[i]);

		due_ms = client_ms < due_ms ? client_ms : due_ms;
	}
	return due_ms;
}

void control_turn(struct control *control, int64_t now_ms)
{
	if (!control)
		return;
	control_serve(control, now_ms);
	for (size_t i = control->count; i > 0; i--) {
		struct client *client = control->clients[i - 1];

		if (client_due_ms(client) > now_ms)
			continue;
		if (client->state == CLIENT_WATCHING)
			(void)client_write(client, now_ms);
		else
			client_free(client);
	}
	if (control->pause_ms != INT64_MIN && control->pause_ms <= now_ms)
		control_pause(control, INT64_MIN);
}
