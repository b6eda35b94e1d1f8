/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ruleset that does not stand still: others commit all the while, tables with tagged
 * rules and sets come and go, and somebody reads.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "kernel/nft_journal.h"
#include "raw.h"
#include "rules.h"
#include "unit/figure.h"

static const uint8_t old_bytes[4] = { 203, 0, 113, 1 }, new_bytes[4] = { 198, 51, 100, 7 };

/* Chains of 200 rules that the base chain jumps to; every tenth rule has a set. */
static void load(int count)
{
	static char text[1 << 16];

	lab_nft("table ip t {\n set wan { type ipv4_addr; comment \"hairpin set\"; "
		"elements = { " OLD " } }\n"
		"chain pre { type nat hook prerouting priority -100; }\n}\n");
	for (int i = 0; i < count; i++) {
		static char *end;

		if (i % 200 == 0)
			end = text + sprintf(text, "add chain ip t c%d\nadd rule ip t pre jump "
					     "c%d\n", i / 200, i / 200);
		end += sprintf(end, "add rule ip t c%d ip daddr " OLD " tcp dport %s%d%s counter "
			       "dnat to 10.0.0.2:80 comment \"hairpin %d\"\n", i / 200,
			       i % 10 ? "" : "{ 60000, ", i + 1, i % 10 ? "" : " }", i);
		if (i % 200 == 199 || i + 1 == count)
			lab_nft(text);
	}
}

/* A child that goes on until it is killed; it dies with us. */
static pid_t start(void (*work)(int argument), int argument)
{
	pid_t parent = getpid(), child = fork();

	assert_true(child >= 0);
	setpgid(child, child);		/* with the programs it starts */
	if (child > 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		work(argument);
	_exit(1);
}

/* True: it worked until now. */
static bool stop(pid_t child)
{
	int status;

	kill(-child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status);
}

static void churn(int pause_us)
{
	struct netlink netlink;

	if (netlink_open(&netlink, NETLINK_NETFILTER, NULL) < 0)
		return;
	for (bool make = true; raw_churn(&netlink, make) == 0; make = !make)
		usleep((useconds_t)pause_us);
}

enum { ALONE = -1, ROUNDS_MAX = 20 };

/*
 * `rounds` changes of address beside a churner, which rests so long after each commit, or
 * ALONE; all get through. What half of them took at most, in µs.
 */
static int64_t change_beside(int rules_count, int pause_us, size_t rounds)
{
	int64_t took_us[ROUNDS_MAX];
	unsigned tries = 0;
	struct rules rules;
	pid_t child = 0;

	lab_flush();
	load(rules_count);
	rules_open(&rules);
	rules_former(&rules, OLD);
	rules_former(&rules, NEW);
	if (pause_us != ALONE)
		child = start(churn, pause_us);
	for (size_t i = 0; i < rounds; i++) {
		rules.target.ipv4 = rules_addr(i % 2 ? OLD : NEW);
		rules_sync(&rules);
		assert_true(rules.report.total.changed >= (unsigned)rules_count);
		tries += rules.report.attempts;
		took_us[i] = rules.report.total_us;
	}
	assert_true(!child || stop(child));
	rules_close(&rules);
	lab_median(took_us, rounds);
	print_message("# %d rules, a commit every %d us: %zu changes, %u tries, slowest %.0f ms\n",
		      rules_count, pause_us, rounds, tries, (double)took_us[rounds - 1] / 1000);
	return lab_median(took_us, rounds);
}

/* Where it takes a fifth of a second with nobody beside, the machine is measured, not we. */
static void fifty_commits_a_second(void **state)
{
	int64_t median_us, limit_us = 1000 * 1000;

	(void)state;
	median_us = change_beside(1000, 20 * 1000, 10);
	if (median_us > limit_us)
		limit_us = MAX(limit_us, 5 * change_beside(1000, ALONE, 10));
	figure_at_most("P3", "ms to change 1000 rules beside 50 commits a second, half of 10",
		       (long)(median_us / 1000), (long)(limit_us / 1000));
}

/*
 * The look alone takes longer than others leave us between two commits: where they work
 * in tables of their own it is good all the same.
 */
static void a_look_longer_than_the_pause(void **state)
{
	static char text[1 << 19];
	struct rules rules;
	pid_t child;

	(void)state;
	lab_nft("table ip t {\n chain pre { type nat hook prerouting priority -100; }\n}\n");
	for (int i = 0; i < 4000;) {
		char *end = text;

		do
			end += sprintf(end, "add rule ip t pre ip daddr " OLD " tcp dport %d "
				       "dnat to 10.0.0.2 comment \"hairpin %d\"\n", i + 1, i);
		while (++i % 200);	/* as an ordinary user nft sends no more at once */
		lab_nft(text);
	}
	rules_open(&rules);
	rules.request.item = NULL;
	child = start(churn, 10 * 1000);
	for (int i = 0; i < 3; i++) {
		rules.target.ipv4 = rules_addr(i % 2 ? OLD : NEW);
		assert_int_equal(nft_sync(rules.nft, &rules.request, &rules.report,
					  &rules.err), 0);
		assert_int_equal(rules.report.total.changed, 4000);
		print_message("# 4000 rules in a chain, a commit every 10 ms: %u tries, "
			      "%.0f ms\n", rules.report.attempts,
			      (double)rules.report.total_us / 1000);
	}
	assert_true(stop(child));
	rules_close(&rules);
}

/* What was read holds while others work elsewhere, and no longer. */
static void others_are_read_along(void **state)
{
	struct ruleset_table table = { .family = NFPROTO_IPV4, .name = "t" };
	struct ruleset_chain chain = { .table = &table, .name = "pre" };
	struct ruleset ruleset = { .walk = &chain };
	struct netlink netlink;
	struct rules rules;
	uint32_t now;
	int small = 1;

	(void)state;
	load(1);
	rules_open(&rules);
	assert_int_equal(netlink_open(&netlink, NETLINK_NETFILTER, NULL), 0);
	assert_int_equal(nft_journal_catch_up(rules.nft, &ruleset), -EINTR);	/* not begun */
	nft_journal_begin(rules.nft);
	lab_run("nft add chain ip t before");	/* before the look: it saw that */
	assert_int_equal(nft_settled_generation(rules.nft, &ruleset.generation), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(raw_churn(&netlink, i % 2 == 0), 0);
	lab_run("nft add table ip6 t");
	assert_int_equal(nft_generation(rules.nft, &now), 0);
	assert_int_not_equal(ruleset.generation, now);
	assert_int_equal(nft_journal_catch_up(rules.nft, &ruleset), 0);
	assert_int_equal(ruleset.generation, now);
	assert_int_equal(nft_journal_catch_up(rules.nft, &ruleset), 0);
	lab_run("nft 'add chain ip t after; add table ip other'");
	assert_int_equal(nft_journal_catch_up(rules.nft, &ruleset), -EINTR);
	nft_journal_end(rules.nft);
	nft_journal_begin(rules.nft);
	assert_int_equal(setsockopt(rules.nft->journal.fd, SOL_SOCKET, SO_RCVBUF, &small,
				    sizeof(small)), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(raw_churn(&netlink, i % 2 == 0), 0);
	assert_int_equal(nft_journal_catch_up(rules.nft, &ruleset), -EINTR);	/* overrun */
	netlink_close(&netlink);
	rules_close(&rules);
}

static void a_thousand_commits_a_second(void **state)
{
	(void)state;
	change_beside(20, 1000, 20);
}

static bool generation(struct netlink *netlink, uint32_t *ret_number)
{
	struct nft nft = { .command = *netlink };
	int r = nft_generation(&nft, ret_number);

	netlink->seq = nft.command.seq;
	return r == 0;
}

/* --- tables that come and go --- */

/* Another program, which commits right before one of our turns to the kernel. */
static struct {
	FILE *nft;
	struct netlink netlink;
	unsigned commits;
	int turns;		/* until then; below 0: it has no plan */
} other = { .turns = -1 };

static void other_commits(void)
{
	int64_t until_ms = clock_now_ms() + LAB_PATIENCE_MS;
	uint32_t before, now;

	other.turns = -1;
	assert_true(generation(&other.netlink, &before));
	if (other.commits++ % 2)
		fprintf(other.nft, "delete table ip z\n");
	else
		fprintf(other.nft, "add table ip z; add chain ip z pre { type nat hook prerouting "
			"priority -90; }; add set ip z wan { type ipv4_addr; comment \"hairpin "
			"z\"; }; add element ip z wan { " OLD " }; add rule ip z pre ip daddr @wan "
			"tcp dport 80 dnat to 10.0.0.2; add rule ip z pre ip daddr " OLD " tcp "
			"dport { %u, 2 } dnat to 10.0.0.2 comment \"hairpin z\"\n",
			3 + other.commits % 1000);
	fflush(other.nft);
	for (now = before; now == before; assert_true(generation(&other.netlink, &now)))
		assert_true(clock_now_ms() < until_ms);
}

static void before_a_turn(void)
{
	if (other.turns >= 0 && other.turns-- == 0)
		other_commits();
}

/* The engine turns to the kernel by these two, in the place of the libraries' own. */
ssize_t mnl_socket_sendto(const struct mnl_socket *socket, const void *bytes, size_t length)
{
	static typeof(mnl_socket_sendto) *real;

	if (!real)
		real = (typeof(mnl_socket_sendto) *)dlsym(RTLD_NEXT, "mnl_socket_sendto");
	before_a_turn();
	return real(socket, bytes, length);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	before_a_turn();
	return syscall(SYS_recvmsg, fd, message, flags);
}

/*
 * What vanishes between look and batch means "look again", never a failure; what appears is
 * seen. Right before each turn of ours in turn, of which a change takes about a hundred.
 */
static void tables_come_and_go(void **state)
{
	unsigned seen = 0, tries = 0;
	struct rules rules;

	(void)state;
	load(50);
	rules_open(&rules);
	rules_former(&rules, OLD);
	rules_former(&rules, NEW);
	assert_int_equal(netlink_open(&other.netlink, NETLINK_NETFILTER, NULL), 0);
	assert_non_null(other.nft = popen("nft -i >/dev/null 2>&1", "w"));
	for (int i = 0; i < 300; i++) {
		rules.target.ipv4 = rules_addr(i % 2 ? OLD : NEW);
		other.turns = i / 2 % 120;
		rules_sync(&rules);
		assert_int_equal(rules.report.refused, 0);
		assert_true(rules.report.total.changed >= 50);
		seen += rules.count > 51;
		tries += rules.report.attempts;
		if (other.turns >= 0)
			other_commits();
	}
	pclose(other.nft);
	netlink_close(&other.netlink);
	print_message("# 300 changes took %u tries; the other table was there in %u\n", tries,
		      seen);
	assert_true(tries > 300 && seen > 0);
	rules_close(&rules);
}

/*
 * A table that is flushed and restored, over and over, has all its rules in every
 * generation. Right after the generation was counted on, the kernel is still taking the
 * old rules out: a dump of that time misses some of the new.
 */
enum { RESTORED_RULES = 3000 };

static bool restore(void)
{
	static char text[1 << 19];
	FILE *pipe = popen("nft -f - 2>/dev/null", "w");
	char *end = text;

	end += sprintf(text, "flush chain ip r pre\n");
	for (int i = 0; i < RESTORED_RULES; i++)
		end += sprintf(end, "add rule ip r pre ip daddr " OLD " tcp dport %d dnat to "
			       "10.0.0.2 comment \"hairpin %d\"\n", i + 1, i);
	return pipe && fputs(text, pipe) >= 0 && pclose(pipe) == 0;
}

static void restore_for_ever(int unused)
{
	(void)unused;
	while (restore())
		;
}

static void a_look_is_never_torn(void **state)
{
	unsigned looks = 0, lost = 0;
	struct rules rules;
	pid_t child;

	(void)state;
	lab_nft("table ip r {\n chain pre { type nat hook prerouting priority -100; }\n}\n");
	if (!restore()) {
		print_message("# an ordinary user's nft cannot send so many at once\n");
		skip();
	}
	rules_open(&rules);
	rules.request.item = NULL;
	rules.request.dry_run = true;
	child = start(restore_for_ever, 0);
	while (looks < 200) {
		if (nft_sync(rules.nft, &rules.request, &rules.report, &rules.err) < 0)
			continue;
		lost += rules.report.total.tagged < RESTORED_RULES;
		looks++;
	}
	assert_true(stop(child));
	print_message("# %u looks\n", looks);
	figure_exactly("F23", "torn looks of 200, while 3000 rules are loaded without end",
		       lost, 0);
	rules_close(&rules);
}

/* --- a reader --- */

static int count_addresses(void *context, const struct nlmsghdr *message)
{
	size_t *counts = context;
	const uint8_t *bytes = mnl_nlmsg_get_payload(message);
	size_t length = mnl_nlmsg_get_payload_len(message);

	counts[0] += memmem(bytes, length, old_bytes, 4) != NULL;
	counts[1] += memmem(bytes, length, new_bytes, 4) != NULL;
	return 0;
}

/* One dump of the rules of a table: how many have the old address, and the new one. */
static int dump(struct netlink *netlink, size_t counts[2])
{
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place = wire_nf_message(&wire, raw_type(NFT_MSG_GETRULE), NLM_F_DUMP,
				       ++netlink->seq, NFPROTO_IPV4);

	counts[0] = counts[1] = 0;
	wire_put_string(&wire, NFTA_RULE_TABLE, "t");
	wire_message_end(&wire, place);
	return netlink_ask(netlink, &wire, count_addresses, counts);
}

enum { READER_RULES = 300 };

/*
 * Exits with 3 where one generation holds both addresses. How many there are cannot be
 * told: the kernel goes on by counting what somebody is just committing, too.
 */
static void read_for_ever(int fd)
{
	struct netlink netlink;
	uint32_t before, after;
	size_t counts[2];

	if (netlink_open(&netlink, NETLINK_NETFILTER, NULL) < 0)
		return;
	while (generation(&netlink, &before)) {
		int r = dump(&netlink, counts);

		if (!generation(&netlink, &after))
			return;
		if (r == -EINTR || before != after)
			continue;
		if (r < 0 || (counts[0] && counts[1]))
			_exit(3);
		if (write(fd, counts[0] ? "o" : "n", 1) < 0 && errno != EAGAIN)
			return;
	}
}

/* Two hundred changes, and more, ever more slowly, until the reader has seen some. */
static void nobody_sees_half_a_change(void **state)
{
	int64_t until_ms = clock_now_ms() + LAB_PATIENCE_MS;
	size_t looks[2] = { 0 };
	struct rules rules;
	char seen[4096];
	ssize_t got;
	pid_t child;
	int pipe_fds[2];

	(void)state;
	load(READER_RULES);
	rules_open(&rules);
	rules_former(&rules, OLD);
	rules_former(&rules, NEW);
	assert_int_equal(pipe2(pipe_fds, O_NONBLOCK), 0);
	child = start(read_for_ever, pipe_fds[1]);
	close(pipe_fds[1]);
	for (int i = 0; i < 200 || looks[0] <= 10 || looks[1] <= 10; i++) {
		rules.target.ipv4 = rules_addr(i % 2 ? OLD : NEW);
		rules_sync(&rules);
		assert_true(clock_now_ms() < until_ms);
		usleep((useconds_t)(i * 7919 % MAX(6000, 30 * i)));
		while ((got = read(pipe_fds[0], seen, sizeof(seen))) > 0)
			for (ssize_t at = 0; at < got; at++)
				looks[seen[at] == 'n']++;
	}
	assert_true(stop(child));
	close(pipe_fds[0]);
	print_message("# a reader saw the old address %zu times, the new one %zu times\n",
		      looks[0], looks[1]);
	figure_holds("F25", "a reader of 300 rules never saw half of one of 200 changes", true);
	rules_close(&rules);
}

/* What is in step costs no commit, however often it is looked at. */
static void nothing_to_do_is_nothing_done(void **state)
{
	struct netlink netlink;
	struct rules rules;
	uint32_t before, after;

	(void)state;
	load(50);
	rules_open(&rules);
	rules_former(&rules, OLD);
	rules_sync(&rules);
	assert_int_equal(netlink_open(&netlink, NETLINK_NETFILTER, NULL), 0);
	assert_true(generation(&netlink, &before));
	for (int i = 0; i < 20; i++) {
		rules_sync(&rules);
		assert_int_equal(rules.report.total.changed, 0);
		assert_int_equal(rules.report.attempts, 1);
	}
	assert_true(generation(&netlink, &after));
	assert_int_equal(before, after);
	netlink_close(&netlink);
	rules_close(&rules);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(fifty_commits_a_second, lab_fresh),
		cmocka_unit_test_setup(a_look_longer_than_the_pause, lab_fresh),
		cmocka_unit_test_setup(others_are_read_along, lab_fresh),
		cmocka_unit_test_setup(a_thousand_commits_a_second, lab_fresh),
		cmocka_unit_test_setup(tables_come_and_go, lab_fresh),
		cmocka_unit_test_setup(a_look_is_never_torn, lab_fresh),
		cmocka_unit_test_setup(nobody_sees_half_a_change, lab_fresh),
		cmocka_unit_test_setup(nothing_to_do_is_nothing_done, lab_fresh),
	};

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
