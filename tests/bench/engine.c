/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long from the kernel's message about an address until all tagged rules are
 * committed.
 *
 * engine INTERFACE ROUNDS
 *
 * Run inside a network namespace that has the interface and the rules. Each round moves
 * the interface from one address to the other; the clock runs from the moment the
 * subscription is readable until the batch is acknowledged, and covers what the daemon
 * does between: reading the events, one dump of links, addresses and routes, the choice
 * of the address, the dump of the rules, the batch. Prints: rules, and median, 99th
 * percentile and largest of the rounds, then the median of the batch alone; in
 * microseconds.
 */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/clock.h"
#include "hairpin/nft.h"
#include "hairpin/rtnl.h"
#include "kernel/netlink.h"

enum { ROUNDS_MAX = 1000, WARM_UP = 2 };

static const char *const addresses[] = { "198.51.100.7", "203.0.113.1" };

struct bench {
	struct rtnl *rtnl;
	struct rtnl_snapshot snapshot;
	struct nft *nft;
	struct nft_target target;
	struct nft_report report;
	struct netlink mover;		/* somebody else: the DHCP client, say */
	uint32_t link;
	struct err err;
};

static void die(const char *what)
{
	fprintf(stderr, "engine: %s\n", what);
	exit(1);
}

static int ignore(void *context, const struct nlmsghdr *message)
{
	(void)context;
	(void)message;
	return 0;
}

/* RTM_NEWADDR or RTM_DELADDR, /24. */
static void move(struct bench *bench, uint16_t type, const char *text)
{
	struct ifaddrmsg header = { .ifa_family = AF_INET, .ifa_prefixlen = 24,
				    .ifa_index = bench->link };
	struct wire wire WIRE_CLEANUP = { 0 };
	uint8_t bytes[4];
	size_t message;

	inet_pton(AF_INET, text, bytes);
	message = wire_message(&wire, type, NLM_F_ACK |
			       (type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0),
			       ++bench->mover.seq, &header, sizeof(header));
	wire_put(&wire, IFA_LOCAL, bytes, sizeof(bytes));
	wire_put(&wire, IFA_ADDRESS, bytes, sizeof(bytes));
	wire_message_end(&wire, message);
	(void)!netlink_ask(&bench->mover, &wire, ignore, NULL);
}

static void look(struct bench *bench)
{
	if (rtnl_snapshot(bench->rtnl, &bench->snapshot, &bench->err) < 0)
		die(bench->err.text);
}

static struct addr choose(const struct bench *bench)
{
	const struct rtnl_snapshot *snapshot = &bench->snapshot;

	for (size_t i = 0; i < snapshot->address_count; i++) {
		const struct wan_candidate *candidate = &snapshot->addresses[i];

		if (candidate->ifindex == bench->link &&
		    candidate->address.family == AF_INET)
			return candidate->address;
	}
	return (struct addr){ 0 };
}

/* One change of address; microseconds from event to acknowledged commit. */
static int64_t round_of(struct bench *bench, int number)
{
	struct nft_request request = { .targets = &bench->target, .target_count = 1 };
	struct pollfd fd = { .fd = rtnl_fd(bench->rtnl), .events = POLLIN };
	bool changed = false, foreign;
	int64_t begin;

	move(bench, RTM_DELADDR, addresses[(number + 1) % 2]);
	if (rtnl_read(bench->rtnl, &changed) < 0)
		die("reading events");
	move(bench, RTM_NEWADDR, addresses[number % 2]);
	if (poll(&fd, 1, 1000) != 1)
		die("no event came");
	begin = clock_now_us();
	if (rtnl_read(bench->rtnl, &changed) < 0 || !changed)
		die("the event told nothing");
	look(bench);
	bench->target.ipv4 = choose(bench);
	if (nft_sync(bench->nft, &request, &bench->report, &bench->err) < 0)
		die(bench->err.text);
	begin = clock_now_us() - begin;
	(void)!nft_monitor_read(bench->nft, &foreign);
	return begin;
}

static int order(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void open_all(struct bench *bench, const char *interface)
{
	const struct rtnl_link *link;

	if (rtnl_new(&bench->rtnl, &bench->err) < 0 ||
	    nft_new(&bench->nft, &bench->err) < 0 ||
	    netlink_open(&bench->mover, NETLINK_ROUTE, &bench->err) < 0 ||
	    tag_init(&bench->target.tag, "hairpin", &bench->err) < 0)
		die(bench->err.text);
	look(bench);
	link = rtnl_link_find(&bench->snapshot, interface);
	if (!link)
		die("no such interface");
	bench->link = link->index;
	for (size_t i = 0; i < 2; i++)
		move(bench, RTM_DELADDR, addresses[i]);
}

int main(int argc, char **argv)
{
	static int64_t times[ROUNDS_MAX], commits[ROUNDS_MAX];
	struct bench bench = { 0 };
	int rounds;

	if (argc != 3 || (rounds = atoi(argv[2])) < 1 || rounds > ROUNDS_MAX)
		die("usage: engine INTERFACE ROUNDS");
	open_all(&bench, argv[1]);
	for (int i = -WARM_UP; i < rounds; i++) {
		int64_t time = round_of(&bench, i + WARM_UP);

		if (bench.report.total.changed != bench.report.total.tagged)
			die("not every rule changed");
		if (i >= 0) {
			times[i] = time;
			commits[i] = bench.report.commit_us;
		}
	}
	qsort(times, (size_t)rounds, sizeof(times[0]), order);
	qsort(commits, (size_t)rounds, sizeof(commits[0]), order);
	printf("%u %lld %lld %lld %lld\n", bench.report.total.changed,
	       (long long)times[rounds / 2], (long long)times[rounds * 99 / 100],
	       (long long)times[rounds - 1], (long long)commits[rounds / 2]);
	rtnl_snapshot_done(&bench.snapshot);
	rtnl_free(bench.rtnl);
	nft_free(bench.nft);
	netlink_close(&bench.mover);
	tag_done(&bench.target.tag);
	return 0;
}
