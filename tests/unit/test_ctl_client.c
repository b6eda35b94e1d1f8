/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Daemons of every kind, and what hairpinctl makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/clock.h"
#include "hairpin/control.h"
#include "hairpin/ctl.h"

/* How the fake daemon behaves on its end of the connection. */
typedef void daemon_fn(int fd);

/* Where an answer comes: no machine is so slow that it takes as long. */
enum { PATIENT_MS = 100000 };

static void write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		length -= (size_t)sent;
	}
}

static void say(int fd, const char *string)
{
	write_all(fd, string, strlen(string));
}

static void read_request(int fd)
{
	char bytes[CONTROL_REQUEST_BYTES];

	if (read(fd, bytes, sizeof(bytes)) < 0)
		_exit(1);
}

static int ask(daemon_fn *daemon, int64_t limit_ms, struct ctl_answer *ret_answer,
	       struct err *ret_err)
{
	int ends[2], rc, status;
	pid_t child;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		daemon(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	rc = ctl_ask_on(ends[0], "the socket", "{\"command\":\"status\"}", limit_ms,
			ret_answer, ret_err);
	close(ends[0]);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return rc;
}

static void check_refused(daemon_fn *daemon, int expected, const char *sentence)
{
	struct ctl_answer answer;
	struct err err = { "" };

	memset(&answer, 0x5a, sizeof(answer));
	assert_int_equal(ask(daemon, PATIENT_MS, &answer, &err), expected);
	if (!strstr(err.text, sentence))
		fail_msg("\"%s\" does not say \"%s\"", err.text, sentence);
	/* Untouched on failure. */
	assert_int_equal(answer.length, (size_t)0x5a5a5a5a5a5a5a5a);
}

/* --- daemons --- */

static void daemon_good(int fd)
{
	char request[CONTROL_REQUEST_BYTES] = "";
	ssize_t got = read(fd, request, sizeof(request) - 1);

	if (got > 0 && strcmp(request, "{\"command\":\"status\"}\n") == 0)
		say(fd, "{\"version\": \"0.1.0\"}\n");
}

static void daemon_error(int fd)
{
	read_request(fd);
	say(fd, "{\"error\": \"only root may do this\"}\n");
}

/* One byte every 5 ms is slow, but in time. */
static void daemon_slow(int fd)
{
	static const char answer[] = "{\"version\": \"0.1.0\"}\n";
	size_t i;

	read_request(fd);
	for (i = 0; i < sizeof(answer) - 1; i++) {
		usleep(5000);
		write_all(fd, answer + i, 1);
	}
}

static void daemon_silent(int fd)
{
	read_request(fd);
	pause();
}

/* Never done: each byte is in time, the whole is not. */
static void daemon_dripping(int fd)
{
	read_request(fd);
	for (;;) {
		usleep(20000);
		write_all(fd, " ", 1);
	}
}

static void daemon_mute(int fd)
{
	read_request(fd);
	close(fd);
}

static void daemon_cut(int fd)
{
	read_request(fd);
	say(fd, "{\"version\": \"0.");
}

static void daemon_html(int fd)
{
	read_request(fd);
	say(fd, "<html>\033[2J</html>\n");
}

static void daemon_list(int fd)
{
	read_request(fd);
	say(fd, "[1, 2]\n");
}

static void daemon_twice(int fd)
{
	read_request(fd);
	say(fd, "{}\n{}\n");
}

static void daemon_nul(int fd)
{
	read_request(fd);
	write_all(fd, "{\"a\": \"b\0c\"}\n", 13);
}

static void daemon_deep(int fd)
{
	size_t i;

	read_request(fd);
	for (i = 0; i < 100000; i++)
		write_all(fd, "[", 1);
	say(fd, "\n");
}

static void daemon_huge(int fd)
{
	static char chunk[65536];

	memset(chunk, ' ', sizeof(chunk));
	read_request(fd);
	for (;;)
		write_all(fd, chunk, sizeof(chunk));
}

/* As the daemon does to one client too many: the reason, without reading. */
static void daemon_turning_away(int fd)
{
	say(fd, "{\"error\": \"too many clients\"}\n");
	shutdown(fd, SHUT_RDWR);
	close(fd);
}

/* --- tests --- */

static void test_good(void **state)
{
	static daemon_fn *const daemons[] = { daemon_good, daemon_slow };
	struct ctl_answer answer;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++) {
		assert_int_equal(ask(daemons[i], PATIENT_MS, &answer, &err), 0);
		assert_string_equal(answer.text, "{\"version\": \"0.1.0\"}");
		assert_int_equal(answer.length, strlen(answer.text));
		assert_string_equal(json_string(json_get(answer.root, "version")),
				    "0.1.0");
		ctl_answer_done(&answer);
		assert_null(answer.root);
	}
}

static void test_error_object(void **state)
{
	struct ctl_answer answer;
	struct err err;

	(void)state;
	assert_int_equal(ask(daemon_error, PATIENT_MS, &answer, &err), 0);
	assert_string_equal(json_string(json_get(answer.root, "error")),
			    "only root may do this");
	ctl_answer_done(&answer);
	assert_int_equal(ask(daemon_turning_away, PATIENT_MS, &answer, &err), 0);
	assert_string_equal(json_string(json_get(answer.root, "error")),
			    "too many clients");
	ctl_answer_done(&answer);
}

static void test_time_limit(void **state)
{
	static daemon_fn *const daemons[] = { daemon_silent, daemon_dripping };
	struct ctl_answer answer;
	struct err err;
	int64_t began_ms, took_ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++) {
		began_ms = clock_now_ms();
		assert_int_equal(ask(daemons[i], 200, &answer, &err), -ETIMEDOUT);
		took_ms = clock_now_ms() - began_ms;
		assert_true(took_ms >= 200 && took_ms < PATIENT_MS);	/* they never end */
		assert_non_null(strstr(err.text, "no answer within 200ms"));
	}
}

static void test_no_answer(void **state)
{
	(void)state;
	check_refused(daemon_mute, -EPROTO, "without an answer");
	check_refused(daemon_cut, -EPROTO, "cut off after 15 bytes");
	check_refused(daemon_html, -EPROTO, "no JSON (column 1:");
	check_refused(daemon_list, -EPROTO, "no object");
	check_refused(daemon_twice, -EPROTO, "no JSON");
	check_refused(daemon_nul, -EPROTO, "no JSON");
	check_refused(daemon_deep, -EPROTO, "no JSON");
	check_refused(daemon_huge, -EMSGSIZE, "longer than 1048576 bytes");
}

static void test_harmless_sentence(void **state)
{
	struct ctl_answer answer;
	struct err err;
	const char *byte;

	(void)state;
	assert_int_equal(ask(daemon_html, PATIENT_MS, &answer, &err), -EPROTO);
	for (byte = err.text; *byte; byte++)
		assert_true((unsigned char)*byte >= 0x20);
}

static void test_request_too_long(void **state)
{
	char request[CONTROL_REQUEST_BYTES + 1];
	struct ctl_answer answer;
	struct err err;

	(void)state;
	memset(request, ' ', sizeof(request));
	request[CONTROL_REQUEST_BYTES] = '\0';
	assert_int_equal(ctl_ask_on(-1, "nobody", request, 100, &answer, &err), -EINVAL);
}

/* --- the socket's path --- */

struct place {
	char directory[64];
	char path[80];
};

static int place_make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->directory, "/tmp/test_ctl_client.XXXXXX");
	if (!mkdtemp(place->directory) || chmod(place->directory, 0755) < 0)
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/control.sock", place->directory);
	*state = place;
	return 0;
}

static int place_remove(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	rmdir(place->directory);
	free(place);
	return 0;
}

static int place_bind(const struct place *place)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(strlen(place->path) < sizeof(address.sun_path));
	memcpy(address.sun_path, place->path, strlen(place->path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void test_nobody_there(void **state)
{
	struct place *place = *state;
	struct ctl_answer answer;
	struct err err;

	assert_int_equal(ctl_ask(place->path, "{}", 100, &answer, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no daemon answers"));
	assert_non_null(strstr(err.text, place->path));
	close(place_bind(place));	/* killed: its socket is still there */
	assert_int_equal(ctl_ask(place->path, "{}", 100, &answer, &err), -ENOENT);
	assert_non_null(strstr(err.text, "systemctl start hairpind"));
}

static void test_impossible_path(void **state)
{
	struct ctl_answer answer;
	char path[200];
	struct err err;

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(ctl_ask(path, "{}", 100, &answer, &err), -EINVAL);
	assert_int_equal(ctl_ask("relative", "{}", 100, &answer, &err), -EINVAL);
}

/* In the child: 0 when nobody may connect and the sentence names the group. */
static int refused_as_nobody(const char *path, const char *expected)
{
	struct ctl_answer answer;
	struct err err;

	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	if (ctl_ask(path, "{}", 100, &answer, &err) != -EACCES)
		return 2;
	return strstr(err.text, expected) ? 0 : 3;
}

static void check_permission(const struct place *place, mode_t mode, const char *expected)
{
	int status;
	pid_t child;

	assert_int_equal(chmod(place->path, mode), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(refused_as_nobody(place->path, expected));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_permission(void **state)
{
	struct place *place = *state;
	int fd;

	if (geteuid() != 0) {
		print_message("needs root: only root can become somebody else\n");
		skip();
	}
	fd = place_bind(place);
	assert_int_equal(listen(fd, 1), 0);
	check_permission(place, 0600, "only root may talk");
	/* Group 1 is "daemon" since the first UNIX systems and has a name everywhere. */
	assert_int_equal(chown(place->path, (uid_t)-1, 1), 0);
	check_permission(place, 0660, "the group ");
	check_permission(place, 0660, "usermod -aG ");
	close(fd);
}

/* --- requests --- */

static void check_request(enum ctl_command command, bool force, const char *const *names,
			  const char *expected)
{
	struct ctl_options options = { .command = command, .force = force,
				       .words = names };
	struct err err;
	char *request;

	assert_int_equal(ctl_request(&options, &request, &err), 0);
	assert_string_equal(request, expected);
	free(request);
}

static void test_requests(void **state)
{
	static const char *const names[] = { "Home.Example.ORG.", "a.b", NULL };
	static const char *const none[] = { NULL };

	(void)state;
	check_request(CTL_STATUS, false, NULL, "{\"command\":\"status\"}");
	check_request(CTL_RELOAD, false, none, "{\"command\":\"reload\"}");
	check_request(CTL_UPDATE, false, none,
		      "{\"command\":\"update\",\"force\":false}");
	check_request(CTL_UPDATE, true, names,
		      "{\"command\":\"update\",\"force\":true,"
		      "\"hostnames\":[\"home.example.org\",\"a.b\"]}");
}

static void test_bad_requests(void **state)
{
	static const char *const bad[] = { "", ".", "nodot", "a b.c", "a..b",
					   "\033[2J.org", "-", "a.b\n" };
	const char *many[CONTROL_HOSTNAMES_MAX + 2] = { NULL };
	struct ctl_options options = { .command = CTL_UPDATE };
	char longest[254];
	struct err err;
	char *request;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *const names[] = { bad[i], NULL };

		options.words = names;
		assert_int_equal(ctl_request(&options, &request, &err), -EINVAL);
		assert_null(strchr(err.text, '\033'));
	}
	for (i = 0; i <= CONTROL_HOSTNAMES_MAX; i++)
		many[i] = "a.example.org";
	options.words = many;
	assert_int_equal(ctl_request(&options, &request, &err), -E2BIG);
	for (i = 0; i < 253; i++)
		longest[i] = i % 50 == 49 ? '.' : 'a';
	longest[253] = '\0';
	for (i = 0; i < 20; i++)
		many[i] = longest;
	many[20] = NULL;
	assert_int_equal(ctl_request(&options, &request, &err), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_error_object),
		cmocka_unit_test(test_time_limit),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_harmless_sentence),
		cmocka_unit_test(test_request_too_long),
		cmocka_unit_test_setup_teardown(test_nobody_there, place_make,
						place_remove),
		cmocka_unit_test(test_impossible_path),
		cmocka_unit_test_setup_teardown(test_permission, place_make,
						place_remove),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_bad_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
