/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket: what clients get, and that none of them can hurt the others. */
#include <fcntl.h>

#include "control_room.h"
#include "figure.h"

static struct control *control;

static int begin(void **state)
{
	(void)state;
	control_room_begin("hairpin \x1b[31m\xff\"", "81.2.69.1");
	control = room.core.control;
	return 0;
}

static void turn(void)
{
	control_room_spin();
	control_turn(control, kernel.now_ms);
}

static int client(void)
{
	return control_room_client(0, 0, 0);
}

/* All that comes until the end of the stream, without its newline; NULL: no end comes. */
static const char *hear(int fd, char *out, size_t out_bytes)
{
	size_t length = 0;
	ssize_t got;

	for (int i = 0; i < 1000; i++) {
		turn();
		got = recv(fd, out + length, out_bytes - 1 - length, 0);
		if (got > 0)
			length += (size_t)got;
		if (got == 0 || (got < 0 && errno == ECONNRESET)) {
			out[length] = '\0';
			if (length && out[length - 1] == '\n')
				out[length - 1] = '\0';
			return out;
		}
	}
	return NULL;
}

/* The answer as an object. */
static struct json *ask_as(uid_t uid, gid_t gid, const char *request)
{
	static char text[1 << 20];
	struct json_error error;
	struct json *root;
	int fd = control_room_client(uid, gid, 0);

	control_room_say(fd, request, strlen(request));
	assert_non_null(hear(fd, text, sizeof(text)));
	close(fd);
	root = json_parse(text, strlen(text), JSON_STRICT, &error);
	if (!root)
		fail_msg("no JSON: %s: %s", error.text, text);
	return root;
}

static const char *error_of(const struct json *root)
{
	const char *error = json_string(json_get(root, "error"));

	return error ? error : "";
}

static void answers(void **state)
{
	struct json *root = ask_as(0, 0, "{\"command\": \"version\"}\n");
	const struct json *item;
	int64_t number = -1;
	bool in_step = false;

	(void)state;
	assert_string_equal(json_string(json_get(root, "version")), HAIRPIN_VERSION);
	json_free(root);

	root = ask_as(0, 0, "{\"command\": \"status\"}\n");
	assert_int_equal(json_count(json_get(root, "wans")), 1);
	assert_int_equal(json_count(json_get(root, "records")), 1);
	json_free(root);

	root = ask_as(0, 0, "{\"command\": \"sync\"}\n");
	assert_true(json_integer(json_get(root, "tagged"), 0, 10, &number) &&
		    number == 1);
	assert_true(json_integer(json_get(root, "changed"), 0, 10, &number) &&
		    number == 0);
	json_free(root);

	root = ask_as(0, 0, "{\"command\": \"rules\"}\n");
	item = json_child(json_get(root, "items"));
	assert_string_equal(json_string(json_get(item, "comment")), "hairpin "
								    "\\x1b[31m\\xff\"");
	assert_string_equal(json_string(json_get(item, "wan")), "fibre");
	assert_string_equal(json_string(json_get(item, "old")), "81.2.69.7");
	assert_string_equal(json_string(json_get(item, "kind")), "rule");
	assert_true(json_bool(json_get(item, "in_step"), &in_step) && in_step);
	json_free(root);
}

static void looking_changes_nothing(void **state)
{
	unsigned commits = kernel.commits;
	struct json *root;

	(void)state;
	kernel.rules[0].address = fake_addr("9.9.9.9");
	root = ask_as(0, 0, "{\"command\": \"rules\"}\n");
	json_free(root);
	assert_int_equal(kernel.commits, commits);
	assert_addr(kernel.rules[0].address, "9.9.9.9");
	assert_int_equal(room.core.wans[0].former_count, 1);
	root = ask_as(0, 0, "{\"command\": \"sync\"}\n");
	json_free(root);
	assert_addr(kernel.rules[0].address, "81.2.69.7");
}

static void kernel_says_no(void **state)
{
	struct json *root;

	(void)state;
	kernel.sync_fails = -EPERM;
	root = ask_as(0, 0, "{\"command\": \"sync\"}\n");
	assert_string_equal(error_of(root), "the kernel says no");
	json_free(root);
	root = ask_as(0, 0, "{\"command\": \"rules\"}\n");
	assert_string_equal(error_of(root), "the kernel says no");
	json_free(root);
}

static void update(void **state)
{
	struct json *root;
	int64_t number = -1;

	(void)state;
	room_wait(120000);
	root = ask_as(0, 0,
		      "{\"command\": \"update\", \"hostnames\": "
		      "[\"other.example.org\"]}\n");
	assert_non_null(strstr(error_of(root), "other.example.org"));
	json_free(root);
	root = ask_as(0, 0,
		      "{\"command\": \"update\", \"hostnames\": "
		      "[\"home.example.org\"]}\n");
	assert_true(json_integer(json_get(root, "records"), 0, 10, &number) &&
		    number == 1);
	json_free(root);
	root = ask_as(0, 0, "{\"command\": \"update\", \"force\": 1}\n");
	assert_true(error_of(root)[0] != '\0');
	json_free(root);
	root = ask_as(0, 0, "{\"command\": \"update\", \"hostnames\": [7]}\n");
	assert_true(error_of(root)[0] != '\0');
	json_free(root);
}

static void rights(void **state)
{
	struct json *root;
	uid_t stranger = geteuid() + 1;	/* not who runs the test */
	char text[4096];
	int fd;

	(void)state;
	room.options.control_group = 500;
	room.options.admin_group = 600;
	fd = control_room_client(stranger, 1000, 0);
	assert_non_null(strstr(hear(fd, text, sizeof(text)), "\"error\""));
	close(fd);
	assert_int_equal(control->count, 0);
	root = ask_as(stranger, 500, "{\"command\": \"version\"}\n");
	assert_string_equal(error_of(root), "");
	json_free(root);
	kernel.syncs = 0;
	root = ask_as(stranger, 500, "{\"command\": \"sync\"}\n");
	assert_non_null(strstr(error_of(root), "you may look"));
	json_free(root);
	root = ask_as(stranger, 500, "{\"command\": \"reload\"}\n");
	assert_non_null(strstr(error_of(root), "you may look"));
	json_free(root);
	assert_int_equal(kernel.syncs, 0);
	root = ask_as(stranger, 600, "{\"command\": \"sync\"}\n");
	assert_string_equal(error_of(root), "");
	json_free(root);
	root = ask_as(geteuid(), 1000, "{\"command\": \"sync\"}\n");
	assert_string_equal(error_of(root), "");
	json_free(root);
	/* A group that does not exist is nobody's, also not of who has its number. */
	room.options.control_group = room.options.admin_group = (gid_t)-1;
	fd = control_room_client(stranger, (gid_t)-1, 0);
	assert_non_null(strstr(hear(fd, text, sizeof(text)), "you may not ask"));
	close(fd);
}

static void garbage(void **state)
{
#define REQUEST(text) { text, sizeof(text) - 1 }
	static const struct { const char *text; size_t length; } requests[] = {
		REQUEST("\0\0\0\n"),
		REQUEST("\n"),
		REQUEST("[]\n"),
		REQUEST("{\"command\": 7}\n"),
		REQUEST("{\"command\": \"x\\u0000\"}\n"),
		REQUEST("\xff\xfe\n"),
		REQUEST("{\"command\": \"status\"\n"),
		REQUEST("{\"command\": \"\x1b[31m\"}\n"),
		REQUEST("{\"command\": \"st\0\"}\n"),
		REQUEST("{\"command\":\"status\",\"command\":\"sync\"}\n"),
	};
	char text[4096];
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		fd = client();
		control_room_say(fd, requests[i].text, requests[i].length);
		assert_non_null(hear(fd, text, sizeof(text)));
		assert_non_null(strstr(text, "{\"error\":"));
		assert_null(strchr(text, '\x1b'));
		close(fd);
	}
	assert_int_equal(control->count, 0);
}

static void too_much(void **state)
{
	static char much[100000];
	char text[4096];
	int fd = client();
	ssize_t put;

	(void)state;
	memset(much, 'x', sizeof(much));
	put = send(fd, much, sizeof(much), MSG_NOSIGNAL);
	assert_true(put > CONTROL_REQUEST_BYTES);
	assert_non_null(hear(fd, text, sizeof(text)));
	assert_int_equal(control->count, 0);
	figure_at_most("S9", "bytes of a request", CONTROL_REQUEST_BYTES, 4096);
	close(fd);
	/* One byte less than too much, then the newline. */
	fd = client();
	memset(much, ' ', CONTROL_REQUEST_BYTES);
	memcpy(much, "{\"command\": \"version\"}", 22);
	much[CONTROL_REQUEST_BYTES - 1] = '\n';
	control_room_say(fd, much, CONTROL_REQUEST_BYTES);
	assert_non_null(strstr(hear(fd, text, sizeof(text)), HAIRPIN_VERSION));
	close(fd);
}

static void slow(void **state)
{
	static const char request[] = "{\"command\": \"version\"}\n";
	char text[4096];
	int fd = client();

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		control_room_say(fd, request + i, 1);
		room_wait(1000);
		turn();
		assert_int_equal(control->count, 1);
	}
	/* It is its whole request that has ten seconds, not each byte. */
	assert_true(control_due_ms(control) == kernel.now_ms + 1000);
	room_wait(1000);
	turn();
	figure_exactly("S9", "clients that say a byte a second, after 10 s",
		       (long)control->count, 0);
	assert_string_equal(hear(fd, text, sizeof(text)), "");
	close(fd);
	/* In pieces but in time is fine. */
	fd = client();
	for (size_t i = 0; i < sizeof(request) - 1; i++) {
		control_room_say(fd, request + i, 1);
		turn();
	}
	assert_non_null(strstr(hear(fd, text, sizeof(text)), HAIRPIN_VERSION));
	close(fd);
}

static void many(void **state)
{
	int fds[100], last;
	size_t most = 0;
	struct json *root;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		room_wait(1);
		fds[i] = client();
		most = control->count > most ? control->count : most;
	}
	figure_at_most("S9", "clients at once, of 100 that come", (long)most, 16);
	/*
	 * Who comes while all places are held is answered; the longest silent one went.
	 */
	root = ask_as(0, 0, "{\"command\": \"version\"}\n");
	assert_string_equal(error_of(root), "");
	json_free(root);
	assert_int_equal(recv(fds[0], &last, 1, 0), 0);
	assert_int_equal(recv(fds[99], &last, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	room_wait(CONTROL_IDLE_MS);
	turn();
	assert_int_equal(control->count, 0);
	for (size_t i = 0; i < 100; i++)
		close(fds[i]);
}

/* An answer that nobody takes holds its place for ten seconds and no longer. */
static void never_reads(void **state)
{
	static char text[1 << 20];
	int small = 4096, fd;

	(void)state;
	for (size_t i = 1; i < FAKE_RULES_MAX; i++)
		fake_rule("hairpin x", "81.2.69.7");
	fd = client();
	assert_int_equal(setsockopt(control->clients[0]->fd, SOL_SOCKET, SO_SNDBUF,
				    &small, sizeof(small)),
			 0);
	for (int i = 0; i < 4000; i++)
		text_add(&control->clients[0]->out, "                                    "
						    "    "
						    "                                    "
						    "                            ");
	control_room_say(fd, "{\"command\": \"rules\"}\n", 21);
	turn();
	assert_int_equal(control->count, 1);
	assert_int_equal(control->clients[0]->state, CLIENT_WRITING);
	room_wait(CONTROL_IDLE_MS - 1);
	turn();
	assert_int_equal(control->count, 1);
	/* A little progress, and it may go on. */
	while (recv(fd, text, 1000, 0) > 0)
		;
	turn();
	room_wait(CONTROL_IDLE_MS - 1);
	turn();
	assert_int_equal(control->count, 1);
	room_wait(1);
	turn();
	assert_int_equal(control->count, 0);
	close(fd);
}

static void vanishes(void **state)
{
	int fd = client();

	(void)state;
	control_room_say(fd, "{\"comm", 6);
	close(fd);
	turn();
	assert_int_equal(control->count, 0);
	fd = client();
	control_room_say(fd, "{\"command\": \"rules\"}\n", 21);
	close(fd);
	turn();
	assert_int_equal(control->count, 0);
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void passed_descriptors(void **state)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(100 * sizeof(int))];
	} ancillary = { 0 };
	char request[] = "{\"command\": \"version\"}\n";
	struct iovec part = { .iov_base = request, .iov_len = sizeof(request) - 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
				  .msg_control = ancillary.bytes,
				  .msg_controllen = sizeof(ancillary.bytes) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	unsigned before = open_descriptors();
	char text[4096];
	int fd = client();

	(void)state;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(100 * sizeof(int));
	for (int i = 0; i < 100; i++)
		((int *)(void *)CMSG_DATA(header))[i] = fd;
	assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), 23);
	assert_non_null(strstr(hear(fd, text, sizeof(text)), HAIRPIN_VERSION));
	close(fd);
	assert_int_equal(open_descriptors(), before);
}

static void reload(void **state)
{
	struct message_reply reply = { .head = { MESSAGE_CONFIG, 0 },
				       .text = "a.json:1:1: bad" };
	struct message asked;
	char text[4096];
	int first = client(), second = client();

	(void)state;
	control_room_say(first, "{\"command\": \"reload\"}\n", 22);
	turn();
	control_room_say(second, "{\"command\": \"reload\"}\n", 22);
	turn();
	assert_true(room_hear(&room, MESSAGE_RELOAD, &asked, sizeof(asked)));
	assert_true(room_hear(&room, MESSAGE_RELOAD, &asked, sizeof(asked)));
	/*
	 * Another reload's answer (SIGHUP) is not theirs; -EBUSY means that theirs
	 * follows.
	 */
	control_reloaded(control, &reply, NULL);
	reply.head.number = asked.number;
	reply.status = -EBUSY;
	control_reloaded(control, &reply, "busy");
	assert_int_equal(control->count, 2);
	reply.head.number = asked.number - 1;
	reply.status = -EINVAL;
	control_reloaded(control, &reply, "it stays as it was");
	assert_int_equal(control->count, 1);
	assert_non_null(strstr(hear(first, text, sizeof(text)), "it stays as it was"));
	assert_non_null(strstr(text, "a.json:1:1: bad"));
	reply = (struct message_reply){ .head = { MESSAGE_CONFIG, asked.number } };
	control_reloaded(control, &reply, NULL);
	assert_string_equal(hear(second, text, sizeof(text)),
			    "{\"reloaded\":true,\"problems\":\"\"}");
	close(first);
	close(second);
}

#define CONTROL_TEST(name) cmocka_unit_test_setup_teardown(name, begin, control_room_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTROL_TEST(answers),
		CONTROL_TEST(looking_changes_nothing),
		CONTROL_TEST(kernel_says_no),
		CONTROL_TEST(update),
		CONTROL_TEST(rights),
		CONTROL_TEST(garbage),
		CONTROL_TEST(too_much),
		CONTROL_TEST(slow),
		CONTROL_TEST(many),
		CONTROL_TEST(never_reads),
		CONTROL_TEST(vanishes),
		CONTROL_TEST(passed_descriptors),
		CONTROL_TEST(reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
