/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is found around the forwards, and what is none of it. */
#include "doctor_room.h"

#include <linux/netfilter.h>
#include <unistd.h>

#include "hairpin/clock.h"
#include "scratch.h"

/* --- the machine's clock, which may be wrong where this is built --- */

static int64_t passed_ms, wall_s;

int64_t clock_now_ms(void) { return ++passed_ms; }
int64_t clock_now_us(void) { return ++passed_ms * 1000; }
int64_t clock_wall_s(void) { return wall_s; }

const char *clock_format(int64_t s, char out[CLOCK_TEXT_BYTES])
{
	snprintf(out, CLOCK_TEXT_BYTES, "%lld s", (long long)s);
	return out;
}

/* --- the uplink --- */

static void wan_is(struct room *room, const char *own, const char *outer,
		   const char *outer_from)
{
	room->patient.wans[0].own = address(own);
	room->patient.wans[0].outer = address(outer);
	room->patient.wans[0].outer_from = outer_from;
}

static void test_wan(void **state)
{
	struct room *room = *state;

	surroundings_wans(&room->patient);
	room_expect(room, "ok wan (fibre)\n");
	room->links[0].up = false;
	surroundings_wans(&room->patient);
	room_expect(room, "finding wan-down (fibre)\n");
	room->links[0].up = true;
	wan_is(room, "", "", "");
	surroundings_wans(&room->patient);
	room_expect(room, "finding wan-no-address (fibre)\n");
	/* DS-Lite: nothing is missing where nothing is forwarded by IPv4. */
	room->patient.wans[0].own6 = address("2a01:4f8::1");
	surroundings_wans(&room->patient);
	room_expect(room, "note wan-no-address (fibre)\n");
	room->options.config = &room->config;
	room->config_wan.ipv4 = CONFIG_OFF;
	surroundings_wans(&room->patient);
	room_expect(room, "");
	room->patient.wans[0].link = NULL;
	surroundings_wans(&room->patient);
	room_expect(room, "finding wan-missing (fibre)\n");
}

static void test_double_nat(void **state)
{
	struct room *room = *state;
	struct patient_forward *forward = &room->forwards[0];

	wan_is(room, "192.168.100.2", "", "");
	surroundings_wans(&room->patient);
	room_expect(room, "note double-nat (fibre)\n");
	/* Nobody knows what LAN clients meet. */
	room->patient.forward_count = 1;
	surroundings_wans(&room->patient);
	room_expect(room, "finding double-nat (fibre)\n");
	wan_is(room, "192.168.100.2", "81.2.69.7", "outside");
	surroundings_wans(&room->patient);
	room_expect(room, "note double-nat (fibre)\n");
	forward->networks[0] = PATIENT_UNKNOWN;
	surroundings_wans(&room->patient);
	room_expect(room, "finding double-nat (fibre)\n");
	/* What is known to be wrong is told by another code. */
	forward->networks[0] = PATIENT_NO;
	surroundings_wans(&room->patient);
	room_expect(room, "note double-nat (fibre)\n");
	forward->internet = PATIENT_UNKNOWN;
	report_add(&room->patient.report, DOCTOR_FINDING, "twin-missing", NULL, "a fault");
	surroundings_wans(&room->patient);
	room_expect(room, "finding twin-missing ()\nnote double-nat (fibre)\n");
}

/* Both lines, in the words of the forward that there is. */
static void test_twins_are_printed(void **state)
{
	struct room *room = *state;
	const struct json *check;
	char *whole;

	wan_is(room, "192.168.100.2", "81.2.69.7", "outside");
	room->patient.forward_count = 1;
	surroundings_wans(&room->patient);
	check = json_child(room->patient.report.checks);
	whole = json_print(check, false);
	assert_non_null(strstr(whole, "ip daddr 81.2.69.7 tcp dport 443 dnat to 192.168.1.2 "
				      "comment \\\"hairpin\\\""));
	assert_non_null(strstr(whole, "iifname \\\"wan0\\\" tcp dport 443 dnat to "
				      "192.168.1.2"));
	free(whole);
}

static void test_classes(void **state)
{
	struct room *room = *state;

	wan_is(room, "100.64.7.2", "", "");
	surroundings_wans(&room->patient);
	room_expect(room, "note cgnat (fibre)\n");
	room->patient.forward_count = 1;
	surroundings_wans(&room->patient);
	room_expect(room, "finding cgnat (fibre)\n");
	wan_is(room, "203.0.113.5", "203.0.113.5", "interface");
	surroundings_wans(&room->patient);
	room_expect(room, "note wan-not-global (fibre)\n");
}

static void test_wan_differs(void **state)
{
	struct room *room = *state;

	room_says(room, "{\"records\": [{\"hostname\": \"a.example.org\", \"wan\": \"fibre\","
			" \"family\": \"ipv4\", \"state\": \"current\", \"verified\": true,"
			" \"published\": \"81.2.69.8\"}]}");
	surroundings_wans(&room->patient);
	room_expect(room, "ok wan (fibre)\nnote wan-differs (fibre)\n");
	room_says(room, "{\"records\": [{\"hostname\": \"a.example.org\", \"wan\": \"fibre\","
			" \"family\": \"ipv4\", \"state\": \"current\", \"verified\": true,"
			" \"published\": \"81.2.69.7\"}]}");
	surroundings_wans(&room->patient);
	room_expect(room, "ok wan (fibre)\n");
}

/* --- the kernel --- */

static const char well[] = "ok forwarding ()\nok rp-filter ()\nok bridges ()\n"
			   "ok iptables ()\n";

static void test_forwarding(void **state)
{
	struct room *room = *state;

	room->patient.forward_count = 1;
	surroundings_kernel(&room->patient);
	room_expect(room, well);
	room->links[1].forwarding4 = ROUTER_OFF;
	surroundings_kernel(&room->patient);
	room_expect(room, "finding forwarding-off (br0)\nok rp-filter ()\nok bridges ()\n"
			  "ok iptables ()\n");
	room->router.forwarding4 = ROUTER_OFF;
	surroundings_kernel(&room->patient);
	room_expect(room, "finding forwarding-off ()\nok rp-filter ()\nok bridges ()\n"
			  "ok iptables ()\n");
	room->patient.forward_count = 0;
	surroundings_kernel(&room->patient);
	room_expect(room, "note forwarding-off ()\nok rp-filter ()\nok bridges ()\n"
			  "ok iptables ()\n");
}

static void test_rp_filter(void **state)
{
	struct room *room = *state;

	fake.refused_link = 1;
	surroundings_kernel(&room->patient);
	room_expect(room, "ok forwarding ()\nfinding rp-filter (wan0)\nok bridges ()\n"
			  "ok iptables ()\n");
	fake.refused_link = 2;
	surroundings_kernel(&room->patient);
	room_expect(room, "ok forwarding ()\nfinding rp-filter (br0)\nok bridges ()\n"
			  "ok iptables ()\n");
}

#define ARP "IP address HW type Flags HW address Mask Device\n" \
	"192.168.1.2 0x1 0x2 02:00:00:00:00:01 * br0\n"

static void neighbours(const struct scratch *scratch, const char *text)
{
	scratch_write(scratch, "proc/net/arp", text, 0644);
}

/* Only behind one port that others share is the way to the server lost. */
static void test_bridges(void **state)
{
	struct room *room = *state;
	struct scratch scratch;
	char path[128];

	assert_int_equal(scratch_new(&scratch), 0);
	assert_int_equal(mkdir(scratch_path(&scratch, "proc", path), 0755), 0);
	assert_int_equal(mkdir(scratch_path(&scratch, "proc/net", path), 0755), 0);
	room->options.root = scratch.path;
	neighbours(&scratch, ARP "192.168.1.10 0x1 0x2 02:00:00:00:00:02 * br0\n");
	room->patient.forward_count = 1;
	room->router.bridge_calls_ip = ROUTER_ON;
	surroundings_kernel(&room->patient);
	room_expect(room, "ok forwarding ()\nok rp-filter ()\nnote bridge-netfilter (br0)\n"
			  "ok iptables ()\n");
	room->links[3].up = false;
	surroundings_kernel(&room->patient);
	room_expect(room, "ok forwarding ()\nok rp-filter ()\n"
			  "finding bridge-netfilter (br0)\nok iptables ()\n");
	neighbours(&scratch, ARP "192.168.1.10 0x1 0x0 00:00:00:00:00:00 * br0\n"
				 "192.168.1.11 0x1 0x2 02:00:00:00:00:02 * br1\n");
	surroundings_kernel(&room->patient);
	room_expect(room, "ok forwarding ()\nok rp-filter ()\nnote bridge-netfilter (br0)\n"
			  "ok iptables ()\n");
	neighbours(&scratch, ARP "192.168.1.10 0x1 0x2 02:00:00:00:00:02 * br0\n");
	room->forwards[0].server = address("192.168.3.2");
	surroundings_kernel(&room->patient);
	room_expect(room, "ok forwarding ()\nok rp-filter ()\nnote bridge-netfilter (br0)\n"
			  "ok iptables ()\n");
	scratch_done(&scratch);
}

static void test_legacy(void **state)
{
	struct room *room = *state;

	room->router.legacy_nat4 = ROUTER_LEGACY_RULES;
	room->router.legacy_nat6 = ROUTER_LEGACY_EMPTY;
	surroundings_kernel(&room->patient);
	room_expect(room, "ok forwarding ()\nok rp-filter ()\nok bridges ()\n"
			  "finding legacy-iptables (IPv4)\nnote legacy-iptables (IPv6)\n");
}

/* --- rules of others --- */

static void test_tables(void **state)
{
	static const struct walk_table tables[] = {
		{ .family = NFPROTO_INET, .name = "fw4", .owner = "" },
		{ .family = NFPROTO_IPV4, .name = "nat", .owner = "" },
		{ .family = NFPROTO_INET, .name = "firewalld", .owner = "firewalld" },
	};
	static const struct walk_rule rule = { .xt = true, .comment = "" };
	static const struct walk_chain chains[] = {
		{ .table = &tables[0], .name = "forward", .type = "filter" },
		{ .table = &tables[1], .name = "DOCKER", .type = "" },
		{ .table = &tables[1], .name = "DOCKER-USER", .type = "" },
		{ .table = &tables[1], .name = "POSTROUTING", .type = "nat", .rules = &rule,
		  .rule_count = 1 },
		{ .table = &tables[2], .name = "nat_PREROUTING", .type = "nat" },
	};
	struct room *room = *state;

	fake.tables = tables;
	fake.table_count = 3;
	fake.chains = chains;
	fake.chain_count = 5;
	surroundings_tables(&room->patient);
	room_expect(room, "");		/* who may not read rules knows nothing of them */
	room->patient.walk = (struct walk *)room;
	surroundings_tables(&room->patient);
	room_expect(room, "note table-owned (table firewalld)\nnote foreign-table (fw4)\n"
			  "note foreign-table (Docker)\nnote foreign-table (firewalld)\n"
			  "note foreign-table (iptables)\n");
	room->patient.walk = NULL;
}

/* --- the daemon --- */

static void test_no_daemon(void **state)
{
	struct room *room = *state;

	surroundings_daemon(&room->patient);
	room_expect(room, "");		/* and nothing for it to do */
	room->options.config = &room->config;
	room->config.provider_count = 1;
	surroundings_daemon(&room->patient);
	room_expect(room, "note daemon-absent ()\n");
	room->config.provider_count = 0;
	room->options.config = NULL;
	room->options.config_note = "hairpind.json:1:1: error: no object";
	surroundings_daemon(&room->patient);
	room_expect(room, geteuid() == 0 ? "finding config-broken ()\n"
					 : "unknown rights (configuration)\n");
}

static void test_daemon(void **state)
{
	struct room *room = *state;

	room_says(room, "{}");
	surroundings_daemon(&room->patient);
	room_expect(room, "ok daemon ()\n");
	room_says(room, "{\"publisher\": \"failed\", \"paused_until\": \"2026-11-21T20:00:00Z\","
			"\"wans\": [{\"name\": \"a\", \"rules\": {\"error\": null}},"
			" {\"name\": \"b\", \"rules\": {\"error\": \"x\"}},"
			" {\"name\": \"c\", \"rules\": {\"error\": \"x\"}}],"
			"\"names\": [{\"name\": \"n.example.org\", \"reason\": \"none\"},"
			" {\"name\": \"m.example.org\", \"reason\": null}]}");
	surroundings_daemon(&room->patient);
	room_expect(room, "ok daemon ()\nfinding rules-refused (b)\n"
			  "finding publisher-failed ()\nnote paused ()\n"
			  "note name-unresolved (n.example.org)\n");
}

#define RECORD(name, state, attempts) \
	"{\"hostname\": \"" name "\", \"family\": \"ipv4\", \"state\": \"" state "\", " \
	"\"attempts\": " attempts ", \"wanted\": \"81.2.69.7\", \"published\": null}"

static void test_records(void **state)
{
	struct room *room = *state;

	room_says(room, "{\"records\": [" RECORD("a.example.org", "current", "0") "]}");
	surroundings_daemon(&room->patient);
	room_expect(room, "ok daemon ()\nok records ()\n");
	room_says(room, "{\"records\": [" RECORD("a.example.org", "disabled", "1") ","
			RECORD("b.example.org", "waiting", "2") ","
			RECORD("c.example.org", "waiting", "3") ","
			RECORD("d.example.org", "sending", "0") ", 1, {}]}");
	surroundings_daemon(&room->patient);
	room_expect(room, "ok daemon ()\nfinding record-refused (a.example.org (ipv4))\n"
			  "note record-failing (b.example.org (ipv4))\n"
			  "finding record-failing (c.example.org (ipv4))\n");
}

/* --- names --- */

static void asked(struct room *room, const char *answer, const char *expected)
{
	fake.address = answer;
	surroundings_dns(&room->patient);
	room_expect(room, expected);
}

static void test_names(void **state)
{
	struct config_hostname hostnames[] = {
		{ .name = "a.example.org" }, { .name = "*.example.org" },
		{ .name = "six.example.org", .families = CONFIG_IPV6 },
	};
	struct config_provider provider = { .hostnames = hostnames, .hostname_count = 1,
					    .check = true };
	struct room *room = *state;

	room->options.config = &room->config;
	room->config.providers = &provider;
	room->config.provider_count = 1;
	asked(room, "81.2.69.7", "ok dns ()\n");
	fake.ttl_s = 86400;
	asked(room, "81.2.69.7", "note dns-ttl (a.example.org)\nok dns ()\n");
	fake.ttl_s = 300;
	asked(room, "192.168.1.2", "note dns-split (a.example.org)\n");
	asked(room, "127.0.1.1", "note dns-split (a.example.org)\n");
	asked(room, "81.2.69.5", "finding dns-stale (a.example.org)\n");
	asked(room, "2a01:4f8::1", "finding dns-unpublished (a.example.org)\n");
	fake.answer = NAME_NONE;
	asked(room, NULL, "finding dns-unpublished (a.example.org)\n");
	fake.answer = NAME_FAILED;
	asked(room, NULL, "unknown dns-unasked ()\n");
	/* While the daemon runs it is its work. */
	fake.answer = NAME_ANSWERED;
	room_says(room, "{\"records\": [" RECORD("a.example.org", "current", "0") "]}");
	asked(room, "81.2.69.5", "note dns-stale (a.example.org)\n");
	room->options.status = NULL;
	provider.hostname_count = 3;
	asked(room, "81.2.69.7", "ok dns ()\n");
	provider.check = false;		/* proxied */
	asked(room, "45.11.1.80", "");
	wan_is(room, "192.168.100.2", "", "");
	provider.check = true;
	asked(room, "45.11.1.80", "");
}

/* --- hooks --- */

/* The configuration names an empty directory; scratch_done() ends it. */
static void hooks_begin(struct room *room, struct scratch *ret_scratch)
{
	assert_int_equal(scratch_new(ret_scratch), 0);
	room->options.config = &room->config;
	snprintf(room->config.hooks.directory, sizeof(room->config.hooks.directory), "%s",
		 ret_scratch->path);
}

static void test_hooks(void **state)
{
	struct room *room = *state;
	struct scratch scratch;
	char expected[200];

	hooks_begin(room, &scratch);
	scratch_write(&scratch, "10-good", "#!/bin/sh\n", 0755);
	surroundings_hooks(&room->patient);
	room_expect(room, "ok hooks ()\n");
	room_says(room, "{\"hooks\": [{\"name\": \"10-good\", \"result\": \"exit 2\"},"
			" {\"name\": \"15-well\", \"result\": \"ok\"},"
			" {\"name\": \"20-open\", \"result\": \"refused\"}]}");
	scratch_write(&scratch, "20-open", "#!/bin/sh\n", 0777);
	scratch_write(&scratch, "30-plain", "#!/bin/sh\n", 0644);
	surroundings_hooks(&room->patient);
	room_expect(room, "finding hook-refused (20-open)\nnote hook-ignored (30-plain)\n"
			  "finding hook-failing (10-good)\n");
	/* A directory that others may write makes each of its files theirs. */
	assert_int_equal(chmod(scratch.path, 0777), 0);
	room->options.status = NULL;
	snprintf(expected, sizeof(expected), geteuid() == 0 ? "finding hook-refused (%s)\n"
							    : "unknown rights (%s)\n",
		 scratch.path);
	surroundings_hooks(&room->patient);
	room_expect(room, expected);
	scratch_done(&scratch);
}

/* Whoever runs them may own them too: a service of their own has another user. */
static void test_hooks_of_a_service(void **state)
{
	static const char *const none = "{}", *const service =
			"{\"hooks_runner\": {\"pid\": 4711, \"uid\": 777}}";
	bool root = geteuid() == 0;
	struct room *room = *state;
	struct scratch scratch;
	char unknown[128];

	hooks_begin(room, &scratch);
	scratch_write(&scratch, "10-own", "#!/bin/sh\n", 0755);
	if (root)
		assert_int_equal(fchownat(scratch.fd, "10-own", 777, 777, 0), 0);
	room_says(room, root ? service : none);
	surroundings_hooks(&room->patient);
	room_expect(room, "ok hooks ()\n");
	room_says(room, root ? none : service);
	surroundings_hooks(&room->patient);
	/* only root can become somebody else, to try */
	snprintf(unknown, sizeof(unknown), "unknown rights (%s)\n", scratch.path);
	room_expect(room, root ? "finding hook-refused (10-own)\n" : unknown);
	assert_int_equal(fchownat(scratch.fd, "10-own", geteuid(), getegid(), 0), 0);
	room_says(room, "{\"hooks_runner\": null, \"hooks_reason\": \"nobody is there to run "
			"hooks: start hairpind-hooks, that is hairpinctl watch --run-hooks\"}");
	surroundings_hooks(&room->patient);
	room_expect(room, "finding hook-runner ()\n");
	scratch_done(&scratch);
}

/* What chmod and chown would change is the file that the link names. */
static void test_a_hook_that_is_a_link(void **state)
{
	struct room *room = *state;
	struct scratch scratch;
	const struct json *remedy;

	hooks_begin(room, &scratch);
	assert_int_equal(symlinkat("/etc/shadow", scratch.fd, "40-link"), 0);
	surroundings_hooks(&room->patient);
	remedy = json_get(json_child(room->patient.report.checks), "remedy");
	assert_non_null(json_string(json_get(remedy, "text")));
	assert_int_equal(json_count(json_get(remedy, "commands")), 0);
	room_expect(room, "finding hook-refused (40-link)\n");
	scratch_done(&scratch);
}

static void test_clock(void **state)
{
	struct room *room = *state;

	wall_s = INT64_C(4000000000);	/* 2096: later than this program was built */
	surroundings_clock(&room->patient);
	room_expect(room, "ok clock ()\n");
}

static void test_a_clock_in_1970(void **state)
{
	struct room *room = *state;

	wall_s = 60;
	surroundings_clock(&room->patient);
	room_expect(room, "finding clock ()\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		room_test(test_wan), room_test(test_double_nat),
		room_test(test_twins_are_printed), room_test(test_classes),
		room_test(test_wan_differs), room_test(test_forwarding),
		room_test(test_rp_filter), room_test(test_bridges), room_test(test_legacy),
		room_test(test_tables), room_test(test_no_daemon), room_test(test_daemon),
		room_test(test_records), room_test(test_names), room_test(test_hooks),
		room_test(test_hooks_of_a_service),
		room_test(test_a_hook_that_is_a_link), room_test(test_clock),
		room_test(test_a_clock_in_1970),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
