/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of the control socket that says anything, by the way of every request: the
 * first byte says who it is (root, one who may look, a stranger) and where its words are
 * cut in two. It gets lines of JSON without a control character, one line unless it
 * watches; who may only look changes nothing; and nobody stays.
 */
#include <sys/socket.h>

#include "unit/core_room.h"

#define JSON_MUTATE_SKIP 1
#include "json_mutate.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOT, LOOKER, STRANGER, LOOK_GROUP = 500, ANSWER_MAX = 1 << 20 };

static struct room room;

static void begin(void)
{
	kernel.now_ms = 1000000;
	kernel.wall_s = 1790000000;
	room_begin(&room);
	log_set_level(LOG_EMERG);
	room.options.control_group = LOOK_GROUP;
	room_ppp("81.2.69.7");
	fake_rule("hairpin \x1b[31m\xff\"", "81.2.69.1");
	sync_turn(&room.core, kernel.now_ms);
	room.core.loop = loop_new();
	require(room.core.loop && control_new(&room.core, &room.core.control) == 0);
}

static void end(void)
{
	struct ev_loop *loop = room.core.loop;

	room_end(&room);
	ev_loop_destroy(loop);
}

static void turn(void)
{
	for (int i = 0; i < 3; i++) {
		ev_run(room.core.loop, EVRUN_NOWAIT);
		control_turn(room.core.control, kernel.now_ms);
	}
}

static int connect_as(unsigned who)
{
	struct unixsock_peer peer = { .pid = 1, .uid = who == ROOT ? 0 : geteuid() + 1,
				      .gid = who == LOOKER ? LOOK_GROUP : 1000 };
	int ends[2];

	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			   ends) == 0);
	control_adopt(room.core.control, ends[0], &peer, kernel.now_ms);
	return ends[1];
}

static void say(int fd, const uint8_t *bytes, size_t length)
{
	/* What does not fit, or nobody hears any more, is lost as on any socket. */
	if (length > 0)
		(void)!send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	turn();
}

/* Each line is strict JSON, an object. */
static void check_lines(char *text, size_t length, bool watching)
{
	struct json_error error;
	unsigned lines = 0;

	require(length == 0 || text[length - 1] == '\n');
	for (char *line = text, *next; line < text + length; line = next) {
		struct json *object;

		next = memchr(line, '\n', (size_t)(text + length - line));
		next++;
		for (char *c = line; c + 1 < next; c++)
			require((unsigned char)*c >= ' ' && *c != 0x7f);
		object = json_parse(line, (size_t)(next - line) - 1, JSON_STRICT, &error);
		require(object && json_kind(object) == JSON_OBJECT);
		json_free(object);
		lines++;
	}
	require(lines <= 1 || watching);
}

static bool is_watching(void)
{
	return control_watchers(room.core.control) > 0;
}

static void hear(int fd)
{
	static char text[ANSWER_MAX];
	bool watching = is_watching();
	size_t length = 0;
	ssize_t got;

	while ((got = recv(fd, text + length, sizeof(text) - length, MSG_DONTWAIT)) > 0) {
		length += (size_t)got;
		turn();
	}
	check_lines(text, length, watching);
}

/* The supervisor's answers to what was passed on to it. */
static void be_supervisor(unsigned *ret_asked)
{
	struct message_reply reply = { .status = -EINVAL, .text = "a.json:1:1: bad\n" };
	union {
		struct message head;
		struct message_hook hook;
		struct message_notice notice;
	} any;
	ssize_t got;

	while ((got = channel_receive(room.far, &any, sizeof(any), NULL)) > 0) {
		require(message_to_supervisor_ok(&any, (size_t)got));
		++*ret_asked;
		reply.head = (struct message){ MESSAGE_CONFIG, any.head.number };
		if (any.head.type == MESSAGE_RELOAD)
			control_reloaded(room.core.control, &reply, "it stays as it was");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned who, asked = 0, commits, syncs;
	size_t cut;
	int fd;

	if (size == 0)
		return 0;
	who = data[0] % 3;
	cut = data[0] / 3 < size - 1 ? data[0] / 3 : size - 1;
	begin();
	be_supervisor(&asked);
	asked = 0;
	commits = kernel.commits;
	syncs = kernel.syncs;
	fd = connect_as(who);
	say(fd, data + 1, cut);
	say(fd, data + 1 + cut, size - 1 - cut);
	say(fd, (const uint8_t *)"\n", 1);
	hear(fd);
	be_supervisor(&asked);
	turn();
	hear(fd);
	if (who != ROOT)
		require(!asked && kernel.commits == commits && !pause_is_on(&room.core));
	if (who == STRANGER)
		require(kernel.syncs == syncs);
	/* Who says nothing more has a limit; who watches goes when it wants. */
	close(fd);
	turn();
	room_wait(CONTROL_RELOAD_MS + CONTROL_HOOK_MS);
	turn();
	require(room.core.control->count == 0);
	end();
	return 0;
}
