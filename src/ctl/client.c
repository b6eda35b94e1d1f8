/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/ctl.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hairpin/clock.h"
#include "hairpin/control.h"
#include "hairpin/unixsock.h"

enum { CLIENT_CHUNK_BYTES = 16384 };

void ctl_answer_done(struct ctl_answer *answer)
{
	json_free(answer->root);
	free(answer->text);
	*answer = (struct ctl_answer){ 0 };
}

/* Waits until the socket is ready; the deadline is that of the whole conversation. */
static int client_wait(int fd, short events, int64_t deadline_ms)
{
	struct pollfd one = { .fd = fd, .events = events };
	int64_t left_ms;
	int ready;

	do {
		left_ms = deadline_ms - clock_now_ms();
		if (left_ms <= 0)
			return -ETIMEDOUT;
		ready = poll(&one, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return -errno;
	return ready ? 0 : -ETIMEDOUT;
}

static int client_send(int fd, const char *bytes, size_t length, int64_t deadline_ms)
{
	ssize_t sent;
	int rc;

	while (length) {
		rc = client_wait(fd, POLLOUT, deadline_ms);
		if (rc < 0)
			return rc;
		sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		/* Turned away at the door: the reason is there to be read. */
		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (sent < 0)
			return -errno;
		bytes += sent;
		length -= (size_t)sent;
	}
	return 0;
}

/* Everything until the end of the stream, or more than any answer may have. */
static int client_receive(int fd, struct text *answer, int64_t deadline_ms)
{
	char chunk[CLIENT_CHUNK_BYTES];
	ssize_t got;
	int rc;

	for (;;) {
		rc = client_wait(fd, POLLIN, deadline_ms);
		if (rc < 0)
			return rc;
		got = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0 && errno != ECONNRESET)
			return -errno;
		if (got <= 0)
			return 0;
		text_add_bytes(answer, chunk, (size_t)got);
		if (answer->failed)
			return -ENOMEM;
		if (answer->length > JSON_MAX_BYTES + 1)
			return -EMSGSIZE;
	}
}

/* One line that is one object, as include/hairpin/control.h promises. */
static int client_check(const char *who, struct text *line, struct ctl_answer *ret_answer,
			struct err *ret_err)
{
	struct ctl_answer answer = { 0 };
	struct json_error error;

	if (line->length == 0)
		return err_set(ret_err, -EPROTO,
			       "%s closed the connection without an answer; "
			       "see the daemon's log", who);
	if (line->bytes[line->length - 1] != '\n')
		return err_set(ret_err, -EPROTO,
			       "the answer of %s was cut off after %zu bytes; try again",
			       who, line->length);
	line->bytes[--line->length] = '\0';
	answer.root = json_parse(line->bytes, line->length, JSON_STRICT, &error);
	if (!answer.root)
		return err_set(ret_err, -EPROTO,
			       "what %s answers is no JSON (column %u: %s): "
			       "is it hairpind's socket?",
			       who, error.place.column, error.text);
	if (json_kind(answer.root) != JSON_OBJECT) {
		ctl_answer_done(&answer);
		return err_set(ret_err, -EPROTO,
			       "what %s answers is no object: is it hairpind's socket?",
			       who);
	}
	answer.length = line->length;
	answer.text = text_take(line);
	if (!answer.text) {
		ctl_answer_done(&answer);
		return err_set(ret_err, -ENOMEM, "out of memory");
	}
	*ret_answer = answer;
	return 0;
}

static int client_complain(struct err *ret_err, int rc, const char *who,
			   int64_t limit_ms)
{
	char limit[24];

	if (rc == -ETIMEDOUT)
		return err_set(ret_err, rc,
			       "%s gives no answer within %s; see the daemon's log", who,
			       text_format_duration(limit_ms, limit));
	if (rc == -EMSGSIZE)
		return err_set(ret_err, rc, "the answer of %s is longer than %d bytes",
			       who, JSON_MAX_BYTES);
	return err_set_errno(ret_err, rc, "cannot talk to %s", who);
}

int ctl_ask_on(int fd, const char *who, const char *request, int64_t limit_ms,
	       struct ctl_answer *ret_answer, struct err *ret_err)
{
	int64_t deadline_ms = clock_now_ms() + limit_ms;
	TEXT_CLEANUP struct text line = TEXT_INIT;
	TEXT_CLEANUP struct text answer = TEXT_INIT;
	int rc;

	text_add(&line, request);
	text_add_char(&line, '\n');
	if (line.failed)
		return err_set(ret_err, -ENOMEM, "out of memory");
	if (line.length > CONTROL_REQUEST_BYTES)
		return err_set(ret_err, -EINVAL,
			       "a request has at most %d bytes, this one %zu",
			       CONTROL_REQUEST_BYTES, line.length);
	rc = client_send(fd, line.bytes, line.length, deadline_ms);
	if (rc == 0)
		rc = client_receive(fd, &answer, deadline_ms);
	if (rc < 0)
		return client_complain(ret_err, rc, who, limit_ms);
	return client_check(who, &answer, ret_answer, ret_err);
}

/* Who may connect is written on the socket itself. */
static int client_refused(const char *socket_path, const char *shown, struct err *ret_err)
{
	struct group *group = NULL;
	struct stat status;

	if (stat(socket_path, &status) == 0 && status.st_gid != 0 &&
	    (status.st_mode & S_IWGRP))
		group = getgrgid(status.st_gid);
	if (!group)
		return err_set(ret_err, -EACCES,
			       "only root may talk to the daemon at %s: be root, or set "
			       "\"control\": {\"group\": ...} in its configuration",
			       shown);
	return err_set(ret_err, -EACCES,
		       "only root and the group %s may talk to the daemon at %s: be "
		       "root, or join the group (usermod -aG %s YOU) and log in again",
		       group->gr_name, shown, group->gr_name);
}

static int client_connect(const char *socket_path, const char *shown, int64_t limit_ms,
			  int *ret_fd, struct err *ret_err)
{
	struct err why;
	int rc = unixsock_connect(socket_path, (int)limit_ms, ret_fd, &why);

	switch (rc) {
	case 0:
		return 0;
	case -ENOENT:
	case -ENOTDIR:
	case -ECONNREFUSED:
		return err_set(ret_err, -ENOENT,
			       "no daemon answers at %s: start it (systemctl start "
			       "hairpind), or name its socket with --socket", shown);
	case -EACCES:
	case -EPERM:
		return client_refused(socket_path, shown, ret_err);
	case -EAGAIN:
		return client_complain(ret_err, -ETIMEDOUT, shown, limit_ms);
	case -ENAMETOOLONG:
		rc = -EINVAL;
	}
	return err_set(ret_err, rc, "%s", why.text);
}

int ctl_connect(const char *socket_path, int64_t limit_ms, int *ret_fd,
		struct err *ret_err)
{
	char shown[200];

	text_escape(shown, sizeof(shown), socket_path, strlen(socket_path));
	return client_connect(socket_path, shown, limit_ms, ret_fd, ret_err);
}

int ctl_ask(const char *socket_path, const char *request, int64_t limit_ms,
	    struct ctl_answer *ret_answer, struct err *ret_err)
{
	char shown[200];
	int fd, rc;

	text_escape(shown, sizeof(shown), socket_path, strlen(socket_path));
	rc = client_connect(socket_path, shown, limit_ms, &fd, ret_err);
	if (rc < 0)
		return rc;
	rc = ctl_ask_on(fd, shown, request, limit_ms, ret_answer, ret_err);
	close(fd);
	return rc;
}
