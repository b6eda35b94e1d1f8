/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose transaction it was: ours, somebody else's, nobody's (forged), or too many to
 * tell.
 */
#include <poll.h>
#include <sys/socket.h>

#include "raw.h"
#include "rules.h"

static bool readable(const struct nft *nft)
{
	struct pollfd fd = { .fd = nft_monitor_fd(nft), .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static bool foreign(struct nft *nft)
{
	bool seen = true;

	assert_int_equal(nft_monitor_read(nft, &seen), 0);
	assert_false(readable(nft));
	return seen;
}

static void load(void)
{
	lab_nft("table ip t {\n chain pre { type nat hook prerouting priority -100;\n"
		"ip daddr " OLD " tcp dport 80 dnat to 10.0.0.2 comment "
		"\"hairpin\"\n}\n}\n");
}

static void own_transactions_are_not_foreign(void **state)
{
	struct rules rules;

	(void)state;
	rules_open(&rules);
	assert_false(foreign(rules.nft));
	load();
	assert_true(readable(rules.nft));
	assert_true(foreign(rules.nft));
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 1);
	assert_false(foreign(rules.nft));
	rules_sync(&rules);
	assert_false(readable(rules.nft));	/* nothing differs: nothing is sent */
	lab_run("nft add table ip other");
	lab_run("nft list ruleset >/dev/null");
	assert_true(foreign(rules.nft));
	rules_close(&rules);
}

static void a_reload_is_heard_and_mended(void **state)
{
	struct rules rules;

	(void)state;
	load();
	rules_open(&rules);
	rules_sync(&rules);
	lab_run("nft list ruleset | sed s/" NEW "/" OLD "/ > /tmp/hairpin-reload.$PPID; "
		"(echo flush ruleset; cat /tmp/hairpin-reload.$PPID) | nft -f -; rm "
		"/tmp/hairpin-reload.$PPID");
	assert_true(foreign(rules.nft));
	rules_sync(&rules);
	rules_changed(&rules, "hairpin", OLD, NEW);
	assert_false(foreign(rules.nft));
	lab_flush();
	assert_true(foreign(rules.nft));
	rules_sync(&rules);
	assert_int_equal(rules.count, 0);
	rules_close(&rules);
}

static void one_message_a_transaction(void **state)
{
	struct netlink netlink;
	struct rules rules;
	char buffer[4096];
	ssize_t got;
	int count = 0;

	(void)state;
	rules_open(&rules);
	assert_int_equal(netlink_open(&netlink, NETLINK_NETFILTER, NULL), 0);
	load();
	for (int i = 0; i < 20; i++)
		assert_int_equal(raw_churn(&netlink, i % 2 == 0), 0);
	while ((got = recv(nft_monitor_fd(rules.nft), buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
		count++;
	assert_int_equal(count, 21);
	netlink_close(&netlink);
	rules_close(&rules);
}

static void an_overrun_counts_as_foreign(void **state)
{
	struct netlink netlink;
	struct rules rules;
	int small = 1;

	(void)state;
	rules_open(&rules);
	assert_int_equal(setsockopt(nft_monitor_fd(rules.nft), SOL_SOCKET, SO_RCVBUF, &small,
				    sizeof(small)), 0);
	assert_int_equal(netlink_open(&netlink, NETLINK_NETFILTER, NULL), 0);
	for (int i = 0; i < 200; i++)
		assert_int_equal(raw_churn(&netlink, i % 2 == 0), 0);
	assert_true(foreign(rules.nft));
	assert_false(foreign(rules.nft));
	netlink_close(&netlink);
	rules_close(&rules);
}

/* Sends a message to a netlink socket of ours, as another process with rights could. */
static void forge(int fd, const struct wire *wire)
{
	struct sockaddr_nl to;
	socklen_t length = sizeof(to);
	int sender = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	assert_true(sender >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &length), 0);
	to.nl_groups = 0;
	assert_int_equal(sendto(sender, wire->bytes, wire->length, 0, (struct sockaddr *)&to,
				sizeof(to)), wire->length);
	close(sender);
}

static void forged_transactions_are_dropped(void **state)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	struct rules rules;
	size_t place;

	(void)state;
	rules_open(&rules);
	place = wire_nf_message(&wire, raw_type(NFT_MSG_NEWGEN), 0, 0, AF_UNSPEC);
	wire_put_be32(&wire, NFTA_GEN_ID, 77);
	wire_message_end(&wire, place);
	for (int i = 0; i < 50; i++)
		forge(nft_monitor_fd(rules.nft), &wire);
	assert_true(readable(rules.nft));
	assert_false(foreign(rules.nft));
	lab_run("nft add table ip other");
	assert_true(foreign(rules.nft));
	rules_close(&rules);
}

/* Puts the old address back again and again, at any moment, until it is told to end. */
static void fight(int end)
{
	struct pollfd told = { .fd = end, .events = POLLIN };
	struct rules rules;
	int r;

	rules_open(&rules);
	rules.target.ipv4 = rules_addr(OLD);
	for (unsigned i = 0; poll(&told, 1, 0) == 0; i++) {
		rules.count = 0;
		r = nft_sync(rules.nft, &rules.request, &rules.report, &rules.err);
		if (r < 0 && r != -EAGAIN)
			_exit(1);
		usleep(i * 7919 % 1500);
	}
	_exit(0);
}

/*
 * Whatever happens between two looks, the last word is ours: no foreign commit stays
 * unheard.
 */
static void nothing_is_missed_in_a_race(void **state)
{
	struct rules rules;
	int quiet = 0, status, answers = 0, ends[2];
	pid_t child;
	char *listing;

	(void)state;
	load();
	rules_open(&rules);
	rules_sync(&rules);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[1]);
		fight(ends[0]);
	}
	close(ends[0]);
	while (quiet < 3) {
		struct pollfd fd = { .fd = nft_monitor_fd(rules.nft), .events = POLLIN };
		bool seen;

		if (poll(&fd, 1, 100) == 0) {
			quiet += waitpid(child, &status, quiet ? 0 : WNOHANG) != 0;
			continue;
		}
		assert_int_equal(nft_monitor_read(rules.nft, &seen), 0);
		rules.count = 0;
		answers += seen;
		if (seen && answers == 200)
			close(ends[1]);
		if (seen)
			(void)!nft_sync(rules.nft, &rules.request, &rules.report, &rules.err);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(answers >= 200);
	listing = lab_listing();
	assert_non_null(strstr(listing, "ip daddr " NEW));
	free(listing);
	rules_close(&rules);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(own_transactions_are_not_foreign, lab_fresh),
		cmocka_unit_test_setup(a_reload_is_heard_and_mended, lab_fresh),
		cmocka_unit_test_setup(one_message_a_transaction, lab_fresh),
		cmocka_unit_test_setup(an_overrun_counts_as_foreign, lab_fresh),
		cmocka_unit_test_setup(nothing_is_missed_in_a_race, lab_fresh),
		cmocka_unit_test_setup(forged_transactions_are_dropped, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
