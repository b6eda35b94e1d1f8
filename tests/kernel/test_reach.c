/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real connections on a loopback of our own, with a firewall that drops and refuses.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "hairpin/clock.h"
#include "hairpin/reach.h"
#include "lab.h"

enum { LIMIT_MS = 500, EACH = 40 };	/* so long for those that are silent; all at once */
enum { PORT_OPEN = 8001, PORT_NOBODY, PORT_DROPPED, PORT_FORBIDDEN, PORT_FULL };

static struct addr parse(const char *text)
{
	struct addr address = { 0 };

	if (*text)
		assert_true(addr_parse(text, &address));
	return address;
}

static struct reach reach_to(const char *source, const char *destination, uint16_t port)
{
	return (struct reach){ .source = parse(source), .destination = parse(destination),
			       .port = port, .error = -1 };
}

/* One that is answered. */
static struct reach reach_one(const char *source, const char *destination, uint16_t port)
{
	struct reach reach = reach_to(source, destination, port);

	assert_int_equal(reach_all(&reach, 1, LAB_PATIENCE_MS), 0);
	return reach;
}

/* On both families. */
static int listen_at(uint16_t port, int backlog)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static void open_and_refused(void **state)
{
	int server = listen_at(PORT_OPEN, 8);
	struct reach reach = reach_one("", "127.0.0.1", PORT_OPEN);

	(void)state;
	assert_int_equal(reach.result, REACH_OPEN);
	assert_int_equal(reach.error, 0);
	assert_int_equal(reach_one("", "::1", PORT_OPEN).result, REACH_OPEN);
	reach = reach_one("", "127.0.0.1", PORT_NOBODY);
	assert_int_equal(reach.result, REACH_REFUSED);
	assert_int_equal(reach.error, ECONNREFUSED);
	assert_int_equal(reach_one("", "::1", PORT_NOBODY).result, REACH_REFUSED);
	close(server);
}

static void nothing_lingers(void **state)
{
	int server = listen_at(PORT_OPEN, 8), fd;
	struct reach reach = reach_one("127.0.0.7", "127.0.0.1", PORT_OPEN);
	struct sockaddr_in6 peer;
	socklen_t length = sizeof(peer);
	char *sockets, byte;

	(void)state;
	assert_int_equal(reach.result, REACH_OPEN);
	fd = accept(server, (struct sockaddr *)&peer, &length);
	assert_true(fd >= 0);
	assert_memory_equal(peer.sin6_addr.s6_addr + 12, "\x7f\0\0\x07", 4);
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
	close(server);
	sockets = lab_output("cat /proc/net/tcp | tail -n +2");
	assert_string_equal(sockets, "");
	free(sockets);
}

static void no_way_and_no_right(void **state)
{
	struct reach reach = reach_one("", "198.51.100.1", PORT_OPEN);

	(void)state;
	assert_int_equal(reach.result, REACH_NO_HOST);
	assert_int_equal(reach.error, ENETUNREACH);
	reach = reach_one("198.51.100.7", "127.0.0.1", PORT_OPEN);
	assert_int_equal(reach.result, REACH_NOT_TRIED);
	assert_int_equal(reach.error, EADDRNOTAVAIL);
	assert_int_equal(reach_one("::1", "127.0.0.1", PORT_OPEN).result, REACH_NOT_TRIED);
}

static void all_at_the_same_time(void **state)
{
	enum { KINDS = 4 };
	static const enum reach_result expected[KINDS] = {
		REACH_OPEN, REACH_REFUSED, REACH_SILENT, REACH_NO_HOST };
	int server = listen_at(PORT_OPEN, 2 * EACH);
	struct reach reaches[EACH * KINDS];
	int64_t before, took;

	(void)state;
	lab_nft("table inet t { chain in { type filter hook input priority 0\n"
		"tcp dport 8003 drop\n"
		"tcp dport 8004 reject with icmpx type admin-prohibited\n}\n}\n");
	/* Over the loopback an ICMPv6 error comes too early to be heard. */
	for (unsigned i = 0; i < EACH * KINDS; i++)
		reaches[i] = reach_to("", i & 4 && i % 4 != 3 ? "::1" : "127.0.0.1",
				      (uint16_t)(PORT_OPEN + i % KINDS));
	before = clock_now_ms();
	assert_int_equal(reach_all(reaches, EACH * KINDS, LIMIT_MS), 0);
	took = clock_now_ms() - before;
	/* One after the other it would be the whole. */
	assert_true(took >= LIMIT_MS && took < EACH * LIMIT_MS / 2);
	for (unsigned i = 0; i < EACH * KINDS; i++) {
		assert_int_equal(reaches[i].result, expected[i % KINDS]);
		assert_int_equal(reaches[i].error == 0,
				 expected[i % KINDS] == REACH_OPEN ||
				 expected[i % KINDS] == REACH_SILENT);
	}
	close(server);
	lab_flush();
}

static void a_full_server_is_silent(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT_FULL) };
	int server = listen_at(PORT_FULL, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	struct pollfd queued = { .fd = server, .events = POLLIN };
	struct reach reach;

	(void)state;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(poll(&queued, 1, LAB_PATIENCE_MS), 1);
	reach = reach_to("", "127.0.0.1", PORT_FULL);
	assert_int_equal(reach_all(&reach, 1, LIMIT_MS), 0);
	assert_int_equal(reach.result, REACH_SILENT);
	close(fd);
	close(server);
}

static void no_more_descriptors(void **state)
{
	struct rlimit before, few;
	struct reach reaches[64];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 16;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int i = 0; i < 64; i++)
		reaches[i] = reach_to("", "127.0.0.1", PORT_NOBODY);
	assert_int_equal(reach_all(reaches, 64, LIMIT_MS), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(reaches[63].result, REACH_NOT_TRIED);
	assert_int_equal(reaches[63].error, EMFILE);
	assert_int_equal(reach_all(NULL, 0, LIMIT_MS), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_and_refused),
		cmocka_unit_test(nothing_lingers),
		cmocka_unit_test(no_way_and_no_right),
		cmocka_unit_test(all_at_the_same_time),
		cmocka_unit_test(a_full_server_is_silent),
		cmocka_unit_test(no_more_descriptors),
	};

	(void)argc;
	lab_enter(argv);
	lab_need_ipv6();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
