/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long from the kernel's message about an address until everything tagged is
 * committed, and how long the kernel alone needs for the same messages.
 *
 * engine rounds INTERFACE ROUNDS	measures, inside a namespace that has the interface
 *					and rules or sets that hold OLD
 * engine time COMMAND...		microseconds and largest RSS (kB) of a command, whose
 *					own output is thrown away
 *
 * Each round moves the interface to the address NEW; one clock runs from the moment the
 * subscription is readable until nft_sync() is back, and covers what the daemon does
 * between: reading the events, one dump of links, addresses and routes, the choice of
 * the address. Another clock takes nft_sync() from its first question to the
 * acknowledged batch. Then what it would send to lead back to OLD is recorded and
 * replayed: the floor. So neither side of the ratio has to do with events and addresses,
 * nor with what follows the commit.
 *
 * Prints: what changed a round; medians of the whole, of nft_sync(), of the floor; 99th
 * percentiles of nft_sync() and of the floor, all in microseconds; by how many kB the
 * memory grew during the rounds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/clock.h"
#include "hairpin/nft.h"
#include "hairpin/rtnl.h"
#include "kernel/netlink.h"
#include "replay.h"

enum { ROUNDS_MAX = 2000 };

static const char *const OLD = "203.0.113.1", *const NEW = "198.51.100.7";

struct bench {
	struct rtnl *rtnl;
	struct rtnl_snapshot snapshot;
	struct nft *nft;
	struct nft_target target;
	struct addr former[2];
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

static int sync_to(struct bench *bench, const struct addr *address)
{
	struct nft_request request = { .targets = &bench->target, .target_count = 1,
				       .services = true };

	bench->target.ipv4 = *address;
	return nft_sync(bench->nft, &request, &bench->report, &bench->err);
}

/* One change of address; from event to the engine's end. */
static int64_t round_of(struct bench *bench, int64_t *ret_sync)
{
	struct pollfd fd = { .fd = rtnl_fd(bench->rtnl), .events = POLLIN };
	bool changed = false, foreign;
	struct addr address;
	int64_t begin;

	move(bench, RTM_DELADDR, NEW);
	if (rtnl_read(bench->rtnl, &changed) < 0)
		die("reading events");
	move(bench, RTM_NEWADDR, NEW);
	if (poll(&fd, 1, 1000) != 1)
		die("no event came");
	begin = clock_now_us();
	if (rtnl_read(bench->rtnl, &changed) < 0 || !changed)
		die("the event told nothing");
	look(bench);
	address = choose(bench);
	if (sync_to(bench, &address) < 0)
		die(bench->err.text);
	begin = clock_now_us() - begin;
	if (bench->report.total.changed != bench->report.total.tagged)
		die("not everything tagged changed");
	*ret_sync = bench->report.total_us;
	(void)!nft_monitor_read(bench->nft, &foreign);
	return begin;
}

/* The way back. */
static int64_t floor_of(struct bench *bench)
{
	struct replay replay = { 0 };
	bool foreign;
	int64_t time;

	replay_record(&replay);
	if (sync_to(bench, &bench->former[0]) != -EPERM)
		die("nothing to be replayed");
	replay_record_end();
	time = replay_run(&replay, bench->nft);
	replay_done(&replay);
	(void)!nft_monitor_read(bench->nft, &foreign);
	return time;
}

static int order(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static long long rank(int64_t *times, int count, int percent)
{
	qsort(times, (size_t)count, sizeof(times[0]), order);
	return times[count * percent / 100];
}

static long resident_kb(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		die("/proc/self/statm");
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void open_all(struct bench *bench, const char *interface)
{
	const struct rtnl_link *link;

	if (rtnl_new(&bench->rtnl, &bench->err) < 0 ||
	    nft_new(&bench->nft, &bench->err) < 0 ||
	    netlink_open(&bench->mover, NETLINK_ROUTE, &bench->err) < 0 ||
	    tag_init(&bench->target.tag, "hairpin", &bench->err) < 0 ||
	    !addr_parse(OLD, &bench->former[0]) || !addr_parse(NEW, &bench->former[1]))
		die(bench->err.text);
	bench->target.former = bench->former;
	bench->target.former_count = 2;
	look(bench);
	link = rtnl_link_find(&bench->snapshot, interface);
	if (!link)
		die("no such interface");
	bench->link = link->index;
	move(bench, RTM_DELADDR, OLD);
}

static void close_all(struct bench *bench)
{
	rtnl_snapshot_done(&bench->snapshot);
	rtnl_free(bench->rtnl);
	nft_free(bench->nft);
	netlink_close(&bench->mover);
	tag_done(&bench->target.tag);
}

static void measure(const char *interface, int rounds)
{
	static int64_t whole[ROUNDS_MAX], sync[ROUNDS_MAX], floor[ROUNDS_MAX];
	struct bench bench = { 0 };
	int64_t ignored;
	long before;

	open_all(&bench, interface);
	round_of(&bench, &ignored);
	floor_of(&bench);
	before = resident_kb();
	for (int i = 0; i < rounds; i++) {
		whole[i] = round_of(&bench, &sync[i]);
		floor[i] = floor_of(&bench);
	}
	printf("%u %lld %lld %lld %lld %lld %ld\n", bench.report.total.changed,
	       rank(whole, rounds, 50), rank(sync, rounds, 50), rank(floor, rounds, 50),
	       rank(sync, rounds, 99), rank(floor, rounds, 99),
	       resident_kb() - before);
	close_all(&bench);
}

static int run_timed(char **command)
{
	int64_t begin = clock_now_us();
	struct rusage usage;
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(127);
		execvp(command[0], command);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		die("wait");
	begin = clock_now_us() - begin;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return 1;
	printf("%lld %ld\n", (long long)begin, usage.ru_maxrss);
	return 0;
}

int main(int argc, char **argv)
{
	int rounds;

	if (argc > 2 && strcmp(argv[1], "time") == 0)
		return run_timed(argv + 2);
	if (argc != 4 || strcmp(argv[1], "rounds") != 0 || (rounds = atoi(argv[3])) < 1 ||
	    rounds > ROUNDS_MAX)
		die("usage: engine rounds INTERFACE ROUNDS | time COMMAND...");
	measure(argv[2], rounds);
	return 0;
}
