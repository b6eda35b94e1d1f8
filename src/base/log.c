/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "hairpin/text.h"

enum {
	LINE_MAX_BYTES = 1000,	/* without head and newline; under PIPE_BUF with them */
	HEAD_MAX_BYTES = 96,	/* "<30>Jan  1 00:00:00 name[pid]: " */
};

static struct {
	char name[32];
	enum log_target target;
	int level;
	bool priorities;	/* stderr is the journal: it reads "<N>" */
	int syslog_fd;
	unsigned long dropped;
} the_log = { .level = LOG_NOTICE, .syslog_fd = -1 };

static const struct {
	const char *name;
	int level;
} levels[] = {
	{ "err", LOG_ERR }, { "warning", LOG_WARNING }, { "notice", LOG_NOTICE },
	{ "info", LOG_INFO }, { "debug", LOG_DEBUG },
};

enum { LEVELS = sizeof(levels) / sizeof(levels[0]) };

bool log_parse_level(const char *name, int *ret_level)
{
	for (unsigned i = 0; i < LEVELS; i++)
		if (strcmp(name, levels[i].name) == 0) {
			*ret_level = levels[i].level;
			return true;
		}
	return false;
}

const char *log_level_name(int level)
{
	for (unsigned i = 0; i < LEVELS; i++)
		if (level <= levels[i].level)
			return levels[i].name;
	return "debug";
}

/*
 * systemd sets $JOURNAL_STREAM to "device:inode" of the stream it gave us; whoever
 * redirected stderr since then has another inode there (systemd.exec(5)).
 */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char here[64];
	struct stat stat;

	if (!stream || fstat(STDERR_FILENO, &stat) < 0)
		return false;
	snprintf(here, sizeof(here), "%ju:%ju", (uintmax_t)stat.st_dev,
		 (uintmax_t)stat.st_ino);
	return strcmp(stream, here) == 0;
}

void log_open(const char *name, enum log_target target, int level)
{
	if (the_log.syslog_fd >= 0)
		close(the_log.syslog_fd);
	the_log.syslog_fd = -1;
	if (!text_copy(the_log.name, sizeof(the_log.name), name))
		text_copy(the_log.name, sizeof(the_log.name), "hairpind");
	the_log.target = target;
	the_log.level = level;
	the_log.priorities = target == LOG_TO_STDERR && stderr_is_journal();
	if (target != LOG_TO_SYSLOG)
		return;
	/* Now: a confined process may neither make sockets nor read the time zone. */
	the_log.syslog_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	tzset();
}

void log_set_level(int level)
{
	the_log.level = level;
}

int log_level(void)
{
	return the_log.level;
}

/* --- sinks: each takes a whole line at once, or says false ------------------------- */

/*
 * Not syslog(3): that one waits for a slow reader. Sent by path and not on a connected
 * socket, so that a restarted syslogd gets the next line.
 */
static bool send_to_syslog(const char *line, size_t length)
{
	static const struct sockaddr_un address = { AF_UNIX, "/dev/log" };

	ssize_t done = sendto(the_log.syslog_fd, line, length,
			      MSG_DONTWAIT | MSG_NOSIGNAL,
			      (const struct sockaddr *)&address, sizeof(address));

	return done == (ssize_t)length;
}

/*
 * The flag O_NONBLOCK would be shared with all who hold this stderr, a shell perhaps; so
 * it is asked first whether there is room. A pipe that polls writable takes PIPE_BUF
 * bytes. One without a reader polls as an error: no SIGPIPE.
 */
static bool write_to_stderr(const char *line, size_t length)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t done;

	done = send(STDERR_FILENO, line, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (done < 0 && errno == ENOTSOCK) {
		if (poll(&ready, 1, 0) != 1 || ready.revents != POLLOUT)
			return false;
		done = write(STDERR_FILENO, line, length);
	}
	return done == (ssize_t)length;
}

/* --- lines ------------------------------------------------------------------------- */

static void format_head(int level, char head[HEAD_MAX_BYTES])
{
	char when[32] = "";
	time_t now = time(NULL);
	struct tm local;

	head[0] = '\0';
	if (the_log.target == LOG_TO_SYSLOG) {
		if (localtime_r(&now, &local))
			strftime(when, sizeof(when), "%b %e %H:%M:%S", &local);
		snprintf(head, HEAD_MAX_BYTES, "<%d>%s %s[%ld]: ", LOG_DAEMON | level,
			 when, the_log.name, (long)getpid());
	} else if (the_log.priorities) {
		snprintf(head, HEAD_MAX_BYTES, "<%d>", level);
	}
}

/* Head, message and newline in one piece. */
static bool emit(int level, const char *message)
{
	char line[HEAD_MAX_BYTES + LINE_MAX_BYTES + 2];
	char head[HEAD_MAX_BYTES];
	int length;

	format_head(level, head);
	length = snprintf(line, sizeof(line), "%s%s\n", head, message);
	if (the_log.target == LOG_TO_SYSLOG)
		return send_to_syslog(line, (size_t)length - 1);
	return write_to_stderr(line, (size_t)length);
}

/* The second wall: control bytes, and C1 in UTF-8, show as question marks. */
static void blank_controls(char *message)
{
	for (unsigned char *c = (unsigned char *)message; *c; c++) {
		if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			c[0] = c[1] = '?';
		if (c[0] < 0x20 || c[0] == 0x7f)
			c[0] = '?';
	}
}

/* Ends a cut message with dots, and not within a character. */
static void mark_cut(char message[LINE_MAX_BYTES + 1])
{
	size_t at = LINE_MAX_BYTES - 3;

	while (at > 0 && (message[at] & 0xc0) == 0x80)
		at--;
	memcpy(message + at, "...", 4);
}

void log_writev(int level, const char *format, va_list arguments)
{
	char message[LINE_MAX_BYTES + 1];
	int saved_errno = errno;
	int length;

	if (level > the_log.level)
		return;
	length = vsnprintf(message, sizeof(message), format, arguments);
	if (length < 0)
		text_copy(message, sizeof(message), "(a line that cannot be formatted)");
	else if (length > LINE_MAX_BYTES)
		mark_cut(message);
	blank_controls(message);
	if (the_log.dropped > 0) {
		char note[80];

		snprintf(note, sizeof(note),
			 "log: lines lost because nobody read them in time: %lu",
			 the_log.dropped);
		if (emit(LOG_WARNING, note))
			the_log.dropped = 0;
	}
	if (the_log.dropped > 0 || !emit(level, message))
		the_log.dropped++;
	errno = saved_errno;
}

void log_write(int level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_writev(level, format, arguments);
	va_end(arguments);
}
