/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "figure.h"
#include "hairpin/err.h"
#include "hairpin/log.h"
#include "hairpin/text.h"

enum { PATIENT_S = 100 };	/* who waits at all waits for ever */

#define LOST "log: lines lost because nobody read them in time: "

/* Standard error is ours while a `capture` lasts: a pipe, or a socket as the journal's. */
struct capture {
	int saved, reader;
};

static void capture_start(struct capture *capture, int fds[2])
{
	capture->saved = dup(STDERR_FILENO);
	capture->reader = fds[0];
	assert_true(capture->saved >= 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
}

static void capture_pipe(struct capture *capture)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	capture_start(capture, fds);
}

static void capture_socket(struct capture *capture)
{
	int fds[2], some = 65536;	/* whatever is usual on this machine */

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &some, sizeof(some)), 0);
	capture_start(capture, fds);
}

/* What was written so far. */
static const char *capture_read(struct capture *capture, char *out, size_t out_bytes)
{
	ssize_t length = read(capture->reader, out, out_bytes - 1);

	out[length > 0 ? length : 0] = '\0';
	return out;
}

static void capture_end(struct capture *capture)
{
	dup2(capture->saved, STDERR_FILENO);
	close(capture->saved);
	if (capture->reader >= 0)
		close(capture->reader);
}

static void writes_lines_of_its_level(void **state)
{
	struct capture capture;
	char out[4096];

	(void)state;
	capture_pipe(&capture);
	log_notice("before it is opened");
	log_info("not before it is opened");
	log_open("test", LOG_TO_STDERR, LOG_INFO);
	log_info("wan %s: %d", "fibre", 7);
	log_debug("never seen");
	log_set_level(LOG_ERR);
	log_warning("never seen");
	errno = 77;
	log_error("seen: %m");
	assert_int_equal(errno, 77);
	assert_int_equal(log_level(), LOG_ERR);
	capture_read(&capture, out, sizeof(out));
	capture_end(&capture);
	assert_non_null(strstr(out, "before it is opened\nwan fibre: 7\nseen: "));
	assert_null(strstr(out, "not before"));
	assert_null(strstr(out, "never"));
}

/* One call is one line without control bytes, at most 1,000 bytes, whatever is in it. */
static void stays_one_line(void **state)
{
	struct capture capture;
	char out[4096], euros[3001] = "", escaped[200];
	static const char evil[] = "good\r\nMay 1 root: hairpind: all fine\x1b]0;x\a %s%n%n";

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		strcat(euros, "\xe2\x82\xac");
	log_open("test", LOG_TO_STDERR, LOG_NOTICE);
	capture_pipe(&capture);
	log_notice("%s\xc2\x9b|\x7f", evil);
	capture_read(&capture, out, sizeof(out));
	assert_string_equal(out, "good??May 1 root: hairpind: all fine?]0;x? %s%n%n??|?\n");
	log_notice("%s", text_escape(escaped, sizeof(escaped), evil, sizeof(evil) - 1));
	capture_read(&capture, out, sizeof(out));
	assert_string_equal(out, "good\\x0d\\x0aMay 1 root: hairpind: all fine"
				 "\\x1b]0;x\\x07 %s%n%n\n");
	log_notice("a%s", euros);
	capture_read(&capture, out, sizeof(out));
	capture_end(&capture);
	/* 'a', 332 euros, dots, newline; a 333rd would leave no room for the dots. */
	assert_int_equal(strlen(out), 1 + 332 * 3 + 3 + 1);
	assert_string_equal(out + 1 + 331 * 3, "\xe2\x82\xac...\n");
}

static void a_thousand_bytes_fit(void **state)
{
	struct capture capture;
	char out[4096];

	(void)state;
	log_open("test", LOG_TO_STDERR, LOG_NOTICE);
	capture_pipe(&capture);
	log_notice("%1000d", 1);
	capture_read(&capture, out, sizeof(out));
	assert_int_equal(strlen(out), 1001);
	assert_string_equal(out + 990, "         1\n");
	log_notice("%1001d", 1);
	capture_read(&capture, out, sizeof(out));
	capture_end(&capture);
	assert_int_equal(strlen(out), 1001);
	assert_string_equal(out + 990, "       ...\n");
}

/* A reader that sleeps costs lines, and the next line says how many; it never blocks. */
static void never_blocks(struct capture *capture)
{
	char out[1 << 20];
	const char *note;
	unsigned long dropped, seen = 0;

	alarm(PATIENT_S);
	for (unsigned i = 0; i < 2000; i++)
		log_notice("line %04u %0490d", i, 0);
	capture_read(capture, out, sizeof(out));
	while (poll(&(struct pollfd){ .fd = capture->reader, .events = POLLIN }, 1, 0) == 1)
		capture_read(capture, out + strlen(out), sizeof(out) - strlen(out));
	for (const char *c = strstr(out, "line "); c; c = strstr(c + 1, "line "))
		seen++;
	assert_true(seen > 10 && seen < 2000);
	log_notice("awake");
	capture_read(capture, out, sizeof(out));
	alarm(0);
	note = strstr(out, "log: ");
	assert_ptr_equal(note, out);
	assert_int_equal(sscanf(note, LOST "%lu\n", &dropped), 1);
	assert_int_equal(seen + dropped, 2000);
	assert_non_null(strstr(out, "\nawake\n"));
	log_notice("no more about it");
	assert_string_equal(capture_read(capture, out, sizeof(out)), "no more about it\n");
}

static void pipe_never_blocks(void **state)
{
	struct capture capture;

	(void)state;
	log_open("test", LOG_TO_STDERR, LOG_NOTICE);
	capture_pipe(&capture);
	never_blocks(&capture);
	capture_end(&capture);
	figure_holds("F71", "standard error is a full pipe: nobody waits, lost lines are counted",
		     true);
}

static void socket_never_blocks(void **state)
{
	struct capture capture;

	(void)state;
	log_open("test", LOG_TO_STDERR, LOG_NOTICE);
	capture_socket(&capture);
	never_blocks(&capture);
	capture_end(&capture);
}

/* Nobody at the other end: no SIGPIPE. The count is said to the next reader. */
static void survives_a_lost_reader(void **state)
{
	struct capture capture;
	char out[4096];

	(void)state;
	log_open("test", LOG_TO_STDERR, LOG_NOTICE);
	capture_pipe(&capture);
	close(capture.reader);
	capture.reader = -1;
	log_notice("lost");
	capture_end(&capture);
	capture_socket(&capture);
	close(capture.reader);
	capture.reader = -1;
	log_notice("lost");
	capture_end(&capture);
	capture_pipe(&capture);
	log_notice("found");
	capture_read(&capture, out, sizeof(out));
	capture_end(&capture);
	assert_non_null(strstr(out, LOST "2\n"));
	assert_non_null(strstr(out, "\nfound\n"));
}

/* $JOURNAL_STREAM counts only where it names the very inode of standard error. */
static void knows_the_journal(void **state)
{
	struct capture capture;
	struct stat stat;
	char out[256], stream[64];

	(void)state;
	capture_socket(&capture);
	assert_int_equal(fstat(STDERR_FILENO, &stat), 0);
	snprintf(stream, sizeof(stream), "%lu:%lu", (unsigned long)stat.st_dev,
		 (unsigned long)stat.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("test", LOG_TO_STDERR, LOG_NOTICE);
	log_error("bad");
	log_notice("news");
	capture_read(&capture, out, sizeof(out));
	assert_string_equal(out, "<3>bad\n<5>news\n");
	snprintf(stream, sizeof(stream), "%lu:%lu", (unsigned long)stat.st_dev,
		 (unsigned long)stat.st_ino + 1);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("test", LOG_TO_STDERR, LOG_NOTICE);
	log_notice("news");
	capture_read(&capture, out, sizeof(out));
	capture_end(&capture);
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(out, "news\n");
}

/* --- syslog: a child with a /dev of its own plays syslogd and daemon ----------------- */

enum { CANNOT = 77 };

static int listen_as_syslogd(void)
{
	struct sockaddr_un address = { AF_UNIX, "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		_exit(CANNOT);
	return fd;
}

static bool got(int fd, const char *level, const char *message)
{
	char line[2000], when[64], expected[200];
	ssize_t length = recv(fd, line, sizeof(line) - 1, 0);
	int behind_time = -1;

	line[length > 0 ? length : 0] = '\0';
	snprintf(expected, sizeof(expected), "hairpind[%ld]: %s", (long)getpid(), message);
	if (strncmp(line, level, strlen(level)) != 0)
		return false;
	sscanf(line + strlen(level), "%20[A-Za-z] %*d %*d:%*d:%*d %n", when, &behind_time);
	return behind_time > 0 &&
	       strcmp(line + strlen(level) + behind_time, expected) == 0;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t length = fd >= 0 ? write(fd, text, strlen(text)) : -1;

	if (fd >= 0)
		close(fd);
	return length == (ssize_t)strlen(text);
}

/* An ordinary user needs a user namespace, and there an id to make files with. */
static bool have_own_dev(void)
{
	char users[32], groups[32];

	snprintf(users, sizeof(users), "0 %u 1", (unsigned)geteuid());
	snprintf(groups, sizeof(groups), "0 %u 1", (unsigned)getegid());
	if (unshare(CLONE_NEWNS) < 0 &&
	    (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
	     !write_file("/proc/self/setgroups", "deny") ||
	     !write_file("/proc/self/uid_map", users) ||
	     !write_file("/proc/self/gid_map", groups)))
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/dev", "tmpfs", 0, NULL) == 0;
}

/* Lines arrive, also after a restart of syslogd; without one they are counted. */
static int talk_to_syslogd(void)
{
	char dropped[100];
	int fd, lines = 0;

	if (!have_own_dev())
		return CANNOT;
	fd = listen_as_syslogd();
	log_open("hairpind", LOG_TO_SYSLOG, LOG_NOTICE);
	log_error("bad");
	log_info("never seen");
	log_notice("news");
	if (!got(fd, "<27>", "bad") || !got(fd, "<29>", "news"))
		return 1;
	close(fd);
	log_notice("nobody listens");
	fd = listen_as_syslogd();
	log_notice("back");
	snprintf(dropped, sizeof(dropped), LOST "1");
	if (!got(fd, "<28>", dropped) || !got(fd, "<29>", "back"))
		return 2;
	alarm(PATIENT_S);
	for (int i = 0; i < 5000; i++)
		log_notice("a syslogd that does not read");
	while (recv(fd, dropped, sizeof(dropped), 0) > 0)
		lines++;
	return lines > 0 && lines < 5000 ? 0 : 3;
}

static void speaks_to_syslog(void **state)
{
	struct capture capture;
	char out[256];
	int status;
	pid_t child;

	(void)state;
	capture_pipe(&capture);
	child = fork();
	if (child == 0)
		_exit(talk_to_syslogd());
	assert_int_equal(waitpid(child, &status, 0), child);
	capture_read(&capture, out, sizeof(out));
	capture_end(&capture);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT) {
		print_message("a mount namespace is refused here\n");
		skip();
	}
	assert_int_equal(status, 0);
	figure_holds("F71", "syslog's socket is absent, full, or gone: nobody waits", true);
	assert_string_equal(out, "");	/* none of it strayed to standard error */
}

static void knows_levels(void **state)
{
	static const char *const names[] = { "err", "warning", "notice", "info", "debug" };
	static const char *const bad[] = { "", "error", "Notice", "notice ", "3", "none" };
	int level = -1;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_true(log_parse_level(names[i], &level));
		assert_int_equal(level, LOG_ERR + i);
		assert_string_equal(log_level_name(level), names[i]);
	}
	level = -1;
	for (int i = 0; i < 6; i++)
		assert_false(log_parse_level(bad[i], &level));
	assert_int_equal(level, -1);
	assert_string_equal(log_level_name(LOG_EMERG), "err");
	assert_string_equal(log_level_name(99), "debug");
}

static void errors_carry_a_sentence(void **state)
{
	struct err err = { "old" };
	char longest[1000];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(err_set(NULL, -EPERM, "%s", "x"), -EPERM);
	assert_int_equal(err_set_errno(NULL, -EPERM, "%s", "x"), -EPERM);
	assert_int_equal(err_set(&err, -EPERM, "rule %d", 7), -EPERM);
	assert_string_equal(err.text, "rule 7");
	assert_int_equal(err_set_errno(&err, -ENOENT, "open %s", "x"), -ENOENT);
	assert_string_equal(err.text, "open x: No such file or directory");
	assert_int_equal(err_set_errno(&err, -ENOENT, "%s", longest), -ENOENT);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_int_equal(err_set(&err, -ENOENT, "%s", longest), -ENOENT);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_lines_of_its_level),
		cmocka_unit_test(stays_one_line),
		cmocka_unit_test(a_thousand_bytes_fit),
		cmocka_unit_test(pipe_never_blocks),
		cmocka_unit_test(socket_never_blocks),
		cmocka_unit_test(survives_a_lost_reader),
		cmocka_unit_test(knows_the_journal),
		cmocka_unit_test(speaks_to_syslog),
		cmocka_unit_test(knows_levels),
		cmocka_unit_test(errors_carry_a_sentence),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
