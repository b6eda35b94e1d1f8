/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events as they happen. A daemon that goes is waited for; what happened meanwhile shows in
 * the state, which is asked for at each beginning, after the first line has come: nothing
 * falls between the two.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/clock.h"
#include "hairpin/control.h"

#include "plain.h"
#include "run.h"
#include "verdict.h"

enum {
	WATCH_HELLO_MS = 10000,		/* the first line comes within */
	WATCH_CHUNK_BYTES = 16384,
	WATCH_RETRY_MS = 100,		/* doubling, */
	WATCH_RETRY_MAX_MS = 1000,
	WATCH_GO_ON = -1,		/* no exit status: the daemon went */
};

struct watching {
	const struct ctl_options *options;
	const struct ctl_view *view;
	int fd;
	struct text in;		/* the beginning of a line */
	bool begun;		/* this daemon has said hello */
	bool once;		/* some daemon has */
};

/* --- to standard output --- */

/* Who reads no more is no failure. */
static int watch_put(const struct text *out)
{
	if (out->failed)
		return run_complain(CTL_FAILED, "out of memory");
	fwrite(out->bytes, 1, out->length, stdout);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return WATCH_GO_ON;
	if (errno == EPIPE)
		return CTL_DONE;
	return run_complain(CTL_FAILED, "cannot write to standard output");
}

static int watch_put_json(const struct watching *watching, const char *json, size_t length)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;

	if (watching->view->terminal)
		ctl_json_show(json, length, &out);
	else
		text_add_bytes(&out, json, length);
	text_add_char(&out, '\n');
	return watch_put(&out);
}

static int watch_put_event(const struct watching *watching, const struct json *event)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;

	ctl_event_show(event, watching->view, &out);
	return watch_put(&out);
}

/* --- the state at the beginning --- */

static int watch_put_verdict(const struct watching *watching, const struct json *hello,
			     const struct json *status)
{
	struct ctl_view line = { .columns = 10000, .colour = watching->view->colour };
	TEXT_CLEANUP struct text out = TEXT_INIT;

	plain_clock(&out, json_string(json_get(hello, "time")));
	text_add(&out, " hairpind ");
	plain_member(&out, hello, "version");
	text_add(&out, ": ");
	verdict_show(status, &line, &out);
	return watch_put(&out);
}

static int watch_put_status(const struct watching *watching, const struct json *hello,
			    const struct ctl_answer *answer)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;
	struct json *event;

	if (!watching->options->json)
		return watch_put_verdict(watching, hello, answer->root);
	event = json_new_object();
	json_add_string(event, "event", "status");
	json_add_string(event, "time", json_string(json_get(hello, "time")));
	json_add(event, "status", json_copy(answer->root));
	json_print_take(&out, event);
	if (out.failed)
		return run_complain(CTL_FAILED, "out of memory");
	return watch_put_json(watching, out.bytes, out.length);
}

/* Only a state that cannot be had is passed over: the events go on. */
static int watch_begin(struct watching *watching, const struct json *hello)
{
	struct ctl_answer answer;
	struct err err;
	int status;

	watching->begun = watching->once = true;
	if (ctl_ask(watching->options->socket_path, "{\"command\":\"status\"}",
		    WATCH_HELLO_MS, &answer, &err) < 0)
		return watching->options->json ? WATCH_GO_ON
					       : watch_put_event(watching, hello);
	status = watch_put_status(watching, hello, &answer);
	ctl_answer_done(&answer);
	return status;
}

/* --- lines --- */

static int watch_line(struct watching *watching, const char *line, size_t length)
{
	struct json_error error;
	struct json *event = json_parse(line, length, JSON_STRICT, &error);
	const char *refused = json_string(json_get(event, "error"));
	int status = WATCH_GO_ON;
	char shown[600];

	if (!event || json_kind(event) != JSON_OBJECT)
		status = run_complain(CTL_FAILED, "what the daemon says is no event: is "
						  "it hairpind's socket?");
	else if (refused && !watching->begun)
		status = watching->once ? WATCH_GO_ON
					: run_complain(CTL_FAILED,
						       text_escape(shown, sizeof(shown),
								   refused,
								   strlen(refused)));
	else if (watching->options->json)
		status = watch_put_json(watching, line, length);
	else if (watching->begun)
		status = watch_put_event(watching, event);
	if (status == WATCH_GO_ON && !watching->begun && !refused)
		status = watch_begin(watching, event);
	json_free(event);
	return status;
}

static int watch_lines(struct watching *watching)
{
	struct text *in = &watching->in;
	int status = WATCH_GO_ON;
	size_t done = 0, length;
	char *end;

	while (status == WATCH_GO_ON && done < in->length) {
		end = memchr(in->bytes + done, '\n', in->length - done);
		if (!end)
			break;
		length = (size_t)(end - in->bytes) - done;
		status = watch_line(watching, in->bytes + done, length);
		done += length + 1;
	}
	if (done) {
		memmove(in->bytes, in->bytes + done, in->length - done);
		in->length -= done;
	}
	if (in->failed)
		return run_complain(CTL_FAILED, "out of memory");
	if (in->length > JSON_MAX_BYTES)
		return run_complain(CTL_FAILED, "a line of the daemon has no end");
	return status;
}

/* --- the connection --- */

/* CTL_DONE: nobody reads us any more; WATCH_GO_ON: something came, or the time is over. */
static int watch_wait(int fd, int limit_ms)
{
	struct pollfd ends[] = { { .fd = STDOUT_FILENO }, { .fd = fd, .events = POLLIN } };

	(void)poll(ends, fd < 0 ? 1 : 2, limit_ms);
	return ends[0].revents ? CTL_DONE : WATCH_GO_ON;
}

/* Until the daemon goes. */
static int watch_read(struct watching *watching)
{
	char chunk[WATCH_CHUNK_BYTES];
	int status = WATCH_GO_ON;
	ssize_t got;

	while (status == WATCH_GO_ON) {
		status = watch_wait(watching->fd, watching->begun ? -1 : WATCH_HELLO_MS);
		if (status != WATCH_GO_ON)
			break;
		got = recv(watching->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (got < 0 && (errno == EINTR || (errno == EAGAIN && watching->begun)))
			continue;
		if (got <= 0)
			break;
		text_add_bytes(&watching->in, chunk, (size_t)got);
		status = watch_lines(watching);
	}
	return status;
}

static int watch_session(struct watching *watching)
{
	static const char request[] = "{\"command\":\"watch\"}\n";
	int status = WATCH_GO_ON;

	watching->begun = false;
	text_clear(&watching->in);
	if (send(watching->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0)
		status = watch_read(watching);
	close(watching->fd);
	return status;
}

static int watch_gone(const struct watching *watching)
{
	struct json *event = json_new_object();
	TEXT_CLEANUP struct text line = TEXT_INIT;
	char time[CLOCK_TEXT_BYTES];
	int status;

	json_add_string(event, "event", "gone");
	json_add_string(event, "time", clock_format(clock_wall_s(), time));
	if (!watching->options->json) {
		status = watch_put_event(watching, event);
		json_free(event);
		return status;
	}
	json_print_take(&line, event);
	return watch_put_json(watching, line.bytes, line.length);
}

/* Until there is one again, in ever longer steps. */
static int watch_again(struct watching *watching)
{
	int wait_ms = WATCH_RETRY_MS, status;
	struct err err;

	for (;;) {
		status = watch_wait(-1, wait_ms);
		if (status != WATCH_GO_ON)
			return status;
		if (ctl_connect(watching->options->socket_path, WATCH_HELLO_MS,
				&watching->fd, &err) == 0)
			return WATCH_GO_ON;
		wait_ms = wait_ms < WATCH_RETRY_MAX_MS / 2 ? 2 * wait_ms
							   : WATCH_RETRY_MAX_MS;
	}
}

static int watch_run(struct watching *watching)
{
	int status = watch_session(watching);

	while (status == WATCH_GO_ON) {
		if (!watching->once)
			return run_complain(CTL_FAILED, "the daemon closed the connection "
							"without an answer; see its log");
		/* Of a daemon that is taken away again before its first word: once. */
		if (watching->begun)
			status = watch_gone(watching);
		if (status == WATCH_GO_ON)
			status = watch_again(watching);
		if (status == WATCH_GO_ON)
			status = watch_session(watching);
	}
	return status;
}

int run_watch(const struct ctl_options *options, const struct ctl_view *view)
{
	struct watching watching = { .options = options, .view = view, .in = TEXT_INIT };
	struct err err;
	int status, rc;

	if (options->run_hooks)
		return run_hooks(options);
	rc = ctl_connect(options->socket_path, WATCH_HELLO_MS, &watching.fd, &err);
	if (rc < 0)
		return run_complain(run_exit_of(rc), err.text);
	status = watch_run(&watching);
	text_done(&watching.in);
	return status;
}
