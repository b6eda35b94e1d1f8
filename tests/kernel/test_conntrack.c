/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which connections go, and that all others stay.
 */
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "hairpin/conntrack.h"
#include "lab.h"

#define OLD "203.0.113.1"
#define NEW "198.51.100.7"

static struct conntrack *conntrack;

static struct addr address(const char *text)
{
	struct addr parsed;

	assert_true(addr_parse(text, &parsed));
	return parsed;
}

/* Entries whose listing matches an extended regular expression. */
static int count(const char *pattern)
{
	char command[512], *text;
	int number;

	snprintf(command, sizeof(command),
		 "conntrack -L 2>/dev/null | grep -Ec '%s' || true", pattern);
	text = lab_output(command);
	number = atoi(text);
	free(text);
	return number;
}

static int fresh(void **state)
{
	(void)state;
	lab_try("conntrack -F >/dev/null 2>&1; conntrack -F -f ipv6 >/dev/null 2>&1");
	return conntrack_new(&conntrack, NULL);
}

static int done(void **state)
{
	(void)state;
	conntrack_free(conntrack);
	return 0;
}

#define insert(entry) lab_run("conntrack -I -t 600 " entry " >/dev/null 2>&1")

static unsigned forget_old(const char *text)
{
	struct addr old = address(text);
	unsigned removed = 12345;
	struct err err;
	int r = conntrack_forget_old(conntrack, &old, &removed, &err);

	if (r < 0)
		print_message("# %s\n", err.text);
	assert_int_equal(r, 0);
	return removed;
}

static void entries_of_the_old_address_go(void **state)
{
	(void)state;
	/* inbound, hairpin; masqueraded and static source NAT; others */
	insert("-p udp -s 8.8.8.8 -d " OLD " --sport 1 --dport 53");
	insert("-p tcp --state ESTABLISHED -s 10.0.0.5 -d " OLD " --sport 2 --dport 80 "
		"--dst-nat 10.0.0.2 --src-nat 10.0.0.1");
	insert("-p tcp --state ESTABLISHED -s 10.0.0.5 -d 1.1.1.1 --sport 3 --dport 80 "
		"--src-nat " OLD "");
	insert("-p udp -s 10.0.0.5 -d 1.1.1.1 --sport 4 --dport 53 --src-nat " NEW "");
	insert("-p udp -s " OLD " -d 10.0.0.7 --sport 5 --dport 53 --src-nat 10.0.0.8");
	insert("-p icmp -s 10.0.0.5 -d 1.1.1.1 --icmp-type 8 --icmp-code 0 --icmp-id 9");
	assert_int_equal(count("."), 6);
	assert_int_equal(forget_old(OLD), 3);
	assert_int_equal(count("."), 3);
	assert_int_equal(count("dst=" OLD), 0);
	assert_int_equal(forget_old(OLD), 0);
	assert_int_equal(forget_old("203.0.113.2"), 0);
	assert_int_equal(count("."), 3);
}

static void without_entries(void **state)
{
	(void)state;
	assert_int_equal(forget_old(OLD), 0);
	assert_int_equal(forget_old("2001:db8::1"), 0);
}

static void no_address_is_refused(void **state)
{
	const struct nft_services nowhere = { .list = { { .port_last = 1 } }, .count = 1 };
	struct addr none = { 0 }, zero = address("0.0.0.0");
	unsigned removed = 77;

	(void)state;
	insert("-p udp -s 8.8.8.8 -d " OLD " --sport 1 --dport 53");
	assert_true(conntrack_forget_old(conntrack, &none, &removed, NULL) < 0);
	assert_true(conntrack_forget_old(conntrack, &zero, &removed, NULL) < 0);
	assert_true(conntrack_forget_stale(conntrack, &nowhere, &removed, NULL) < 0);
	assert_int_equal(removed, 77);
	assert_int_equal(count("."), 1);
}

static void ipv6_entries_go_too(void **state)
{
	(void)state;
	insert("-p udp -s 2001:db8::9 -d 2001:db8::1 --sport 1 --dport 53");
	insert("-p udp -s 2001:db8::9 -d 2001:db8::2 --sport 1 --dport 53");
	insert("-p udp -s 8.8.8.8 -d " OLD " --sport 1 --dport 53");
	assert_int_equal(forget_old("2001:db8::1"), 1);
	assert_int_equal(count("."), 2);
}

/* So many that they are asked for by the kernel's filter, and deleted by it. */
static void many_entries_go_at_once(void **state)
{
	const int many = 3000;
	FILE *batch;

	(void)state;
	insert("-p udp -s 10.0.0.5 -d 1.1.1.1 --sport 4 --dport 53");
	batch = fopen("/tmp/hairpin-conntrack.batch", "w");
	assert_non_null(batch);
	for (int i = 0; i < many; i++)
		fprintf(batch, "-I -t 600 -p udp -s 10.0.%d.%d -d " OLD " --sport %d "
			"--dport 53\n",
			i / 200, i % 200 + 1, i + 1);
	fclose(batch);
	if (lab_try("conntrack -R /tmp/hairpin-conntrack.batch >/dev/null 2>&1") != 0)
		lab_run("while read -r line; do eval conntrack $line; done < "
			"/tmp/hairpin-conntrack.batch >/dev/null 2>&1");
	unlink("/tmp/hairpin-conntrack.batch");
	assert_int_equal(count("dst=" OLD), many);
	assert_int_equal(forget_old(OLD), many);
	assert_int_equal(count("."), 1);
}

static unsigned forget_stale(const struct nft_services *services)
{
	unsigned removed = 12345;

	assert_int_equal(conntrack_forget_stale(conntrack, services, &removed, NULL), 0);
	return removed;
}

static void stale_entries_go_by_service(void **state)
{
	const struct addr new = address(NEW), new6 = address("2001:db8::7");
	const struct nft_services services = {
		.list = {
			{ new, IPPROTO_TCP, 80, 80, false, false },
			{ new, IPPROTO_UDP, 5000, 5010, false, false },
		},
		.count = 2,
	}, both = {
		.list = { services.list[1], { new6, 0, 0, 65535, false, false } },
		.count = 2,
	}, guessed = {
		.list = { { new, 0, 0, 65535, true, false } }, .count = 1,
	};

	(void)state;
	insert("-p tcp --state ESTABLISHED -s 9.9.9.9 -d " NEW " --sport 1 --dport 80");
	insert("-p tcp --state ESTABLISHED -s 9.9.9.9 -d " NEW " --sport 2 --dport 22");
	insert("-p udp -s 9.9.9.9 -d " NEW " --sport 3 --dport 5005");
	insert("-p udp -s 9.9.9.9 -d " NEW " --sport 4 --dport 5011");
	insert("-p udp -s 9.9.9.9 -d " NEW " --sport 5 --dport 5001 --dst-nat 10.0.0.2");
	insert("-p tcp --state ESTABLISHED -s 9.9.9.9 -d " OLD " --sport 6 --dport 80");
	assert_int_equal(forget_stale(&services), 2);
	assert_int_equal(count("."), 4);
	assert_int_equal(count("dport=(22|5011|5001) "), 3);
	/* Two addresses, two families, one list. */
	insert("-p udp -s 9.9.9.9 -d " NEW " --sport 7 --dport 5005");
	insert("-p udp -s 2001:db8::9 -d 2001:db8::7 --sport 1 --dport 53");
	insert("-p udp -s 2001:db8::9 -d 2001:db8::8 --sport 1 --dport 53");
	assert_int_equal(forget_stale(&both), 2);
	assert_int_equal(count("."), 5);
	/* A guess: what answers for itself at the router stays, the rest goes. */
	assert_int_equal(forget_stale(&guessed), 1);
	assert_int_equal(count("dport=22 "), 1);
	assert_int_equal(count("dport=5001 "), 1);
}

/* What the router was answering while its connection was forgotten. */
static void answers_go_too(void **state)
{
	const struct nft_services services = {
		.list = { { address(NEW), IPPROTO_UDP, 5000, 5010, false, false } },
		.count = 1,
	}, everything = {
		.list = { { address(NEW), 0, 0, 65535, false, false } }, .count = 1,
	};

	(void)state;
	insert("-p udp -s " NEW " -d 9.9.9.9 --sport 5000 --dport 1");
	insert("-p udp -s " NEW " -d 9.9.9.9 --sport 4999 --dport 2");
	insert("-p udp -s 10.0.0.5 -d 9.9.9.9 --sport 5001 --dport 3 --src-nat " NEW);
	insert("-p tcp --state ESTABLISHED -s " NEW " -d 9.9.9.9 --sport 5002 --dport 4");
	assert_int_equal(forget_stale(&services), 1);
	assert_int_equal(count("."), 3);
	assert_int_equal(count("sport=5000 "), 0);
	assert_int_equal(forget_stale(&everything), 0);
}

/* Hairpin connections that were not masqueraded, but not those that have answers. */
static void stale_entries_lack_a_source(void **state)
{
	const struct nft_services services = {
		.list = { { address(NEW), 0, 0, 65535, false, true } }, .count = 1,
	};

	(void)state;
	insert("-p udp -s 10.0.0.5 -d " NEW " --sport 1 --dport 53 --dst-nat 10.0.0.2");
	insert("-p udp -s 10.0.0.5 -d " NEW " --sport 2 --dport 53 --dst-nat 10.0.0.2 "
		"--src-nat 10.0.0.1");
	insert("-p udp -s 9.9.9.9 -d " NEW " --sport 3 --dport 53 --dst-nat 10.0.0.2 "
		"-u SEEN_REPLY");
	insert("-p udp -s 10.0.0.5 -d " NEW " --sport 4 --dport 53");
	insert("-p udp -s 10.0.0.5 -d " OLD " --sport 5 --dport 53 --dst-nat 10.0.0.2");
	assert_int_equal(forget_stale(&services), 1);
	assert_int_equal(count("."), 4);
	assert_int_equal(count("sport=1 "), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entries_of_the_old_address_go, fresh, done),
		cmocka_unit_test_setup_teardown(without_entries, fresh, done),
		cmocka_unit_test_setup_teardown(no_address_is_refused, fresh, done),
		cmocka_unit_test_setup_teardown(ipv6_entries_go_too, fresh, done),
		cmocka_unit_test_setup_teardown(many_entries_go_at_once, fresh, done),
		cmocka_unit_test_setup_teardown(stale_entries_go_by_service, fresh, done),
		cmocka_unit_test_setup_teardown(stale_entries_lack_a_source, fresh, done),
		cmocka_unit_test_setup_teardown(answers_go_too, fresh, done),
	};

	(void)argc;
	lab_enter(argv);
	if (lab_try("conntrack -I -t 9 -p udp -s 8.8.8.8 -d 8.8.4.4 --sport 1 --dport "
		"1 >/dev/null 2>&1") != 0) {
		fprintf(stderr, "conntrack cannot make entries here\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
