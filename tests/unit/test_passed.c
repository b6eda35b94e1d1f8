/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that others pass along: a connection that nobody reads and that is to linger
 * for a minute holds up neither who reads it nor who closes the socket it came by.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "figure.h"
#include "hairpin/channel.h"
#include "hairpin/passed.h"

enum { LINGER_S = 60, SLOW_MS = 30000, PASSED = 8 };

static int silent = -1;			/* the ends that are not read */

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int group_setup(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(address);

	(void)state;
	silent = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(silent, (struct sockaddr *)&address, bytes) < 0 || listen(silent, 64) < 0)
		return -1;
	return 0;
}

/* Connected, full of what is never read, and to linger when it is closed. */
static int make_lingering(void)
{
	struct linger linger = { .l_onoff = 1, .l_linger = LINGER_S };
	static const char stuff[65536];
	struct sockaddr_in address;
	socklen_t bytes = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(getsockname(silent, (struct sockaddr *)&address, &bytes), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, bytes), 0);
	while (send(fd, stuff, sizeof(stuff), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	return fd;
}

/* Passed along and closed here: whoever gets them is the last to close them. */
static void pass(int ends[2])
{
	assert_int_equal(channel_pair(ends), 0);
	for (int i = 0; i < PASSED; i++) {
		int fd = make_lingering();

		assert_int_equal(channel_send(ends[0], "hello", 5, fd), 0);
		close(fd);
	}
}

static void nobody_waits(const char *what, void (*act)(int))
{
	int ends[2];
	long began_ms;

	pass(ends);
	began_ms = now_ms();
	act(ends[1]);
	figure_at_most("S9", what, now_ms() - began_ms, SLOW_MS);
	close(ends[0]);
}

static void read_packets(int channel)
{
	char packet[16];

	for (int i = 0; i < PASSED; i++)
		assert_int_equal(channel_receive(channel, packet, sizeof(packet), NULL), 5);
	close(channel);
}

static void read_bytes(int socket)
{
	char bytes[16];

	for (int i = 0; i < PASSED; i++)
		assert_int_equal(passed_receive(socket, bytes, sizeof(bytes)), 5);
	close(socket);
}

static void reading(void **state)
{
	(void)state;
	nobody_waits("milliseconds to read 8 packets with connections that linger a minute",
		     read_packets);
	nobody_waits("the same where the kernel closes them", read_bytes);
}

static void closing(void **state)
{
	(void)state;
	nobody_waits("milliseconds to close a socket with 8 of them unread", passed_close);
}

/* What recv() says is kept, and no signal comes later. */
static void plain_words(void **state)
{
	char bytes[16];
	int ends[2];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(passed_receive(ends[0], bytes, sizeof(bytes)), -1);
	assert_int_equal(channel_send(ends[1], "hello", 5, -1), 0);
	assert_int_equal(passed_receive(ends[0], bytes, sizeof(bytes)), 5);
	assert_int_equal(nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL), 0);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading),
		cmocka_unit_test(closing),
		cmocka_unit_test(plain_words),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
