/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A core with a control socket and a real loop; clients are the far ends of socket pairs.
 * Its WAN is at 81.2.69.7 and has one rule.
 */
#ifndef CONTROL_ROOM_H
#define CONTROL_ROOM_H

#include <sys/socket.h>

#include "core_room.h"

static struct room room;

static inline int control_room_begin(const char *comment, const char *address)
{
	room_begin(&room);
	room_ppp("81.2.69.7");
	fake_rule(comment, address);
	sync_turn(&room.core, kernel.now_ms);
	assert_non_null(room.core.nft);	/* the fake's events are in no loop */
	room.core.loop = loop_new();
	assert_non_null(room.core.loop);
	assert_int_equal(control_new(&room.core, &room.core.control), 0);
	return 0;
}

static inline int control_room_end(void **state)
{
	struct ev_loop *loop = room.core.loop;

	(void)state;
	room_end(&room);
	ev_loop_destroy(loop);
	return 0;
}

/* The loop until nothing is ready. */
static inline void control_room_spin(void)
{
	for (int i = 0; i < 50; i++)
		ev_run(room.core.loop, EVRUN_NOWAIT);
}

/* The client's end; of what is sent to it so many bytes wait, or what is usual (0). */
static inline int control_room_client(uid_t uid, gid_t gid, int bytes)
{
	struct unixsock_peer peer = { .pid = 1, .uid = uid, .gid = gid };
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				    0, ends), 0);
	if (bytes)
		setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	control_adopt(room.core.control, ends[0], &peer, kernel.now_ms);
	return ends[1];
}

static inline void control_room_say(int fd, const char *text, size_t length)
{
	assert_int_equal(send(fd, text, length, MSG_NOSIGNAL), (ssize_t)length);
}

#endif
