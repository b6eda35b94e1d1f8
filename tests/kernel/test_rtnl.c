/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, addresses and routes of a real kernel: veth pairs stand for every kind
 * of link.
 */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "hairpin/rtnl.h"
#include "kernel/netlink.h"
#include "lab.h"

struct lab {
	struct rtnl *rtnl;
	struct rtnl_snapshot snapshot;
	struct rtnl_routes routes;
};

/*
 * The kernel's worker tells of a carrier when it comes to it. What is behind that waits for
 * the worker's lock, so that nothing is still to be told.
 */
#define WAIT_FOR_CARRIER(link, state) \
	"for i in $(seq 5000); do ip link show " link " | grep -q 'state " state "' && break; " \
	"sleep 0.02; done; ip link set lo up; "

/* No link-local addresses: nothing changes but by the test, however long it takes. */
static int open_lab(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	lab_try("ip link del wan0 2>/dev/null; ip link add wan0 type veth peer name "
		"wan1 && ip link set wan0 addrgenmode none && "
		"ip link set wan1 addrgenmode none && "
		"sysctl -qw net.ipv6.conf.wan0.dad_transmits=100; "
		"ip link set wan0 up && ip link set wan1 up; "
		WAIT_FOR_CARRIER("wan0", "UP") WAIT_FOR_CARRIER("wan1", "UP"));
	*state = lab;
	return !lab || rtnl_new(&lab->rtnl, NULL) < 0;
}

static int close_lab(void **state)
{
	struct lab *lab = *state;

	rtnl_snapshot_done(&lab->snapshot);
	rtnl_routes_done(&lab->routes);
	rtnl_free(lab->rtnl);
	free(lab);
	return lab_try("ip link del wan0 2>/dev/null; true");
}

static const struct rtnl_snapshot *look(struct lab *lab)
{
	assert_int_equal(rtnl_snapshot(lab->rtnl, &lab->snapshot, NULL), 0);
	return &lab->snapshot;
}

static bool changed(struct lab *lab)
{
	bool seen = false;

	assert_int_equal(rtnl_read(lab->rtnl, &seen), 0);
	return seen;
}

static const struct wan_candidate *find(struct lab *lab, const char *text)
{
	const struct rtnl_snapshot *snapshot = look(lab);
	struct addr address;

	assert_true(addr_parse(text, &address));
	for (size_t i = 0; i < snapshot->address_count; i++) {
		if (addr_equal(&snapshot->addresses[i].address, &address))
			return &snapshot->addresses[i];
	}
	return NULL;
}

static void links_have_names_and_states(void **state)
{
	struct lab *lab = *state;
	const struct rtnl_link *link = rtnl_link_find(look(lab), "wan0");

	assert_non_null(link);
	assert_true(link->up);
	assert_null(rtnl_link_find(&lab->snapshot, "wan"));
	lab_run("ip link set wan1 down; " WAIT_FOR_CARRIER("wan0", "LOWERLAYERDOWN"));
	assert_true(changed(lab));
	assert_false(changed(lab));
	assert_false(rtnl_link_find(look(lab), "wan0")->up);
}

static void an_interface_made_again_has_another_index(void **state)
{
	struct lab *lab = *state;
	uint32_t first = rtnl_link_find(look(lab), "wan0")->index;

	lab_run("ip link del wan0");
	assert_true(changed(lab));
	assert_null(rtnl_link_find(look(lab), "wan0"));
	lab_run("ip link add wan0 type veth peer name wan1");
	assert_true(changed(lab));
	assert_non_null(rtnl_link_find(look(lab), "wan0"));
	assert_int_not_equal(rtnl_link_find(&lab->snapshot, "wan0")->index, first);
	lab_run("ip link set wan0 name wan7");
	assert_true(changed(lab));
	assert_non_null(rtnl_link_find(look(lab), "wan7"));
	lab_run("ip link set wan7 name wan0");
}

static void secondary_and_peer_addresses(void **state)
{
	struct lab *lab = *state;
	const struct wan_candidate *found;

	lab_run("ip addr add 203.0.113.1/24 dev wan0");
	lab_run("ip addr add 203.0.113.2/24 dev wan0");
	lab_run("ip addr add 198.51.100.5 peer 198.51.100.1/32 dev wan0");
	lab_run("ip addr add 192.0.2.9/24 dev wan0 scope link");
	assert_true(changed(lab));
	found = find(lab, "203.0.113.1");
	assert_non_null(found);
	assert_int_equal(found->flags & IFA_F_SECONDARY, 0);
	assert_int_equal(found->prefix_length, 24);
	assert_int_equal(found->scope, RT_SCOPE_UNIVERSE);
	assert_int_equal(found->ifindex, rtnl_link_find(&lab->snapshot, "wan0")->index);
	assert_false(found->has_peer);
	assert_true(find(lab, "203.0.113.2")->flags & IFA_F_SECONDARY);
	assert_true(find(lab, "198.51.100.5")->has_peer);
	assert_null(find(lab, "198.51.100.1"));		/* the peer's is never ours */
	assert_int_equal(find(lab, "192.0.2.9")->scope, RT_SCOPE_LINK);
	lab_run("ip addr del 203.0.113.2/24 dev wan0");
	assert_true(changed(lab));
	assert_null(find(lab, "203.0.113.2"));
}

static void ipv6_states(void **state)
{
	struct lab *lab = *state;
	const struct wan_candidate *found;

	if (lab_try("ip -6 addr add 2001:db8::1/64 dev wan0 nodad") != 0) {
		print_message("# this kernel has no IPv6\n");
		skip();
	}
	lab_run("ip -6 addr add 2001:db8::2/64 dev wan0");
	found = find(lab, "2001:db8::2");
	assert_non_null(found);
	assert_true(found->flags & IFA_F_TENTATIVE);
	assert_int_equal(find(lab, "2001:db8::1")->flags & IFA_F_TENTATIVE, 0);
	assert_int_equal(find(lab, "2001:db8::1")->prefix_length, 64);
	lab_run("ip -6 addr change 2001:db8::1/64 dev wan0 preferred_lft 0 valid_lft "
		"100");
	assert_true(find(lab, "2001:db8::1")->flags & IFA_F_DEPRECATED);
	lab_run("ip -6 addr add 2001:db8::5 peer 2001:db8::9/128 dev wan0 nodad");
	assert_true(find(lab, "2001:db8::5")->has_peer);
	assert_null(find(lab, "2001:db8::9"));
	/* Flags beyond eight bits come by IFA_FLAGS. */
	lab_run("ip -6 addr add 2001:db8::6/64 dev wan0 nodad noprefixroute");
	assert_true(find(lab, "2001:db8::6")->flags & IFA_F_NOPREFIXROUTE);
}

static void default_routes(void **state)
{
	struct lab *lab = *state;
	uint32_t wan0, wan1;

	lab_run("ip addr add 203.0.113.1/24 dev wan0 && ip addr add 10.9.0.1/24 dev "
		"wan1");
	wan0 = rtnl_link_find(look(lab), "wan0")->index;
	wan1 = rtnl_link_find(&lab->snapshot, "wan1")->index;
	assert_int_equal(rtnl_default_link(&lab->snapshot, AF_INET), 0);
	lab_run("ip route add default via 203.0.113.254 metric 100");
	assert_int_equal(rtnl_default_link(look(lab), AF_INET), wan0);
	lab_run("ip route add default dev wan1 metric 50");
	assert_int_equal(rtnl_default_link(look(lab), AF_INET), wan1);
	lab_run("ip route del default metric 50 && ip route add default dev wan1 table "
		"99 metric 1");
	assert_int_equal(rtnl_default_link(look(lab), AF_INET), wan0);
	/* That of another table is known too, but nobody follows it by himself. */
	assert_int_equal(lab->snapshot.default_count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct rtnl_default *route = &lab->snapshot.defaults[i];

		assert_int_equal(route->link, route->is_main ? wan0 : wan1);
	}
	assert_int_equal(rtnl_default_link(&lab->snapshot, AF_INET6), 0);
	lab_run("ip route replace default metric 100 nexthop via 10.9.0.9 dev wan1 "
		"nexthop via 203.0.113.254 dev wan0");
	assert_int_equal(look(lab)->default_count, 3);
	assert_int_equal(rtnl_default_link(&lab->snapshot, AF_INET), wan1);
	lab_run("ip route add blackhole default metric 1");
	assert_int_equal(look(lab)->default_count, 3);
	if (lab_try("ip -6 route add default dev wan1 metric 7") == 0)
		assert_int_equal(rtnl_default_link(look(lab), AF_INET6), wan1);
	lab_run("ip route flush table 99 && ip route del blackhole default metric 1");
}

static void other_routes_and_renewals_are_quiet(void **state)
{
	struct lab *lab = *state;

	lab_run("ip addr add 203.0.113.1/24 dev wan0");
	changed(lab);
	lab_run("for i in $(seq 1 200); do echo route add 10.$i.0.0/16 dev wan0; done "
		"| ip -batch -");
	lab_run("for i in $(seq 1 200); do echo route del 10.$i.0.0/16 dev wan0; done "
		"| ip -batch -");
	assert_false(changed(lab));
	lab_run("ip route add default dev wan0");
	assert_true(changed(lab));
	lab_run("ip route del default dev wan0");
	assert_true(changed(lab));
	assert_false(changed(lab));
}

static struct rtnl_watch watch_of(struct lab *lab, const char *link)
{
	look(lab);
	return (struct rtnl_watch){
		.links = { rtnl_link_find(&lab->snapshot, link)->index }, .count = 1,
		.bits = 64,
	};
}

/* NULL: none. */
static void expect_route(struct lab *lab, const struct rtnl_watch *watch, const char *to,
			 unsigned prefix_length, uint32_t priority)
{
	const struct wan_route *found;
	char text[ADDR_TEXT_BYTES];

	assert_int_equal(rtnl_routes(lab->rtnl, watch, &lab->routes, NULL), 0);
	assert_int_equal(lab->routes.count, to != NULL);
	if (!to)
		return;
	found = &lab->routes.list[0];
	assert_string_equal(addr_format(&found->to, text), to);
	assert_int_equal(found->prefix_length, prefix_length);
	assert_int_equal(found->priority, priority);
	assert_int_equal(found->ifindex, watch->links[0]);
}

static void need_ipv6(void)
{
	if (lab_try("ip -6 route show >/dev/null && ip -6 addr add 2001:db8:f::1/128 "
		    "dev lo nodad") == 0) {
		lab_run("ip -6 addr del 2001:db8:f::1/128 dev lo");
		return;
	}
	print_message("# this kernel has no IPv6\n");
	skip();
}

/* A route appears, changes and goes; those of other links, tables and kinds are not it. */
static void routes_of_a_link(void **state)
{
	struct rtnl_watch nothing = { .count = 0 }, watch;
	struct lab *lab = *state;

	need_ipv6();
	watch = watch_of(lab, "wan0");
	expect_route(lab, &watch, NULL, 0, 0);
	lab_run("ip -6 route add 2a00:1:2:300::/56 dev wan1 && "
		"ip -6 route add 2a00:1:2:500::/56 dev wan0 table 99 && "
		"ip -6 route add unreachable 2a00:1:2:400::/56 && "
		"ip -6 route add 2a00:1:2:300::7/128 dev wan0 && "
		"ip -6 route add 2000::/3 dev wan0 && ip -6 route add default dev wan0");
	/* The kernel's own, for an address: it stays when that is gone. */
	lab_run("ip -6 addr add 2a00:1:2:900::1/64 dev wan0 nodad valid_lft 7200 "
		"preferred_lft 0 && ip -6 addr del 2a00:1:2:900::1/64 dev wan0");
	lab_run("ip -6 route show 2a00:1:2:900::/64 dev wan0 | grep -q 'proto kernel'");
	expect_route(lab, &watch, NULL, 0, 0);
	lab_run("ip -6 route add 2a00:1:2:600::/56 via fe80::2 dev wan0 metric 77");
	expect_route(lab, &watch, "2a00:1:2:600::", 56, 77);
	expect_route(lab, &nothing, NULL, 0, 0);
	lab_run("ip -6 route add 2a00:1:2:800::/60 dev wan0 && "
		"ip -6 route del 2a00:1:2:600::/56");
	expect_route(lab, &watch, "2a00:1:2:800::", 60, 1024);
	watch.bits = 56;
	expect_route(lab, &watch, NULL, 0, 0);
	watch.bits = 64;
	lab_run("ip link del wan0");
	expect_route(lab, &watch, NULL, 0, 0);
	lab_run("ip -6 route flush table 99; ip -6 route del unreachable "
		"2a00:1:2:400::/56");
}

static void watched_routes_are_events(void **state)
{
	struct rtnl_watch nothing = { .count = 0 }, watch;
	struct lab *lab = *state;

	need_ipv6();
	watch = watch_of(lab, "wan0");
	changed(lab);
	lab_run("ip -6 route add 2a00:1:2:300::/56 dev wan0");
	assert_false(changed(lab));
	expect_route(lab, &watch, "2a00:1:2:300::", 56, 1024);
	lab_run("ip -6 route del 2a00:1:2:300::/56 dev wan0");
	assert_true(changed(lab));
	lab_run("ip -6 route add 2a00:1:2:400::/64 dev wan0");
	assert_true(changed(lab));
	lab_run("ip -6 route change 2a00:1:2:400::/64 via fe80::2 dev wan0");
	assert_true(changed(lab));
	/* Others are as quiet as ever. */
	lab_run("ip -6 route add 2a00:1:2:500::/56 dev wan1 && "
		"ip -6 route add 2a00:1:2:500::/56 dev wan0 table 99 && "
		"ip -6 route add 2a00:1:2:300::7/128 dev wan0 && "
		"ip -6 route add 2000::/3 dev wan0 && ip -6 route del 2000::/3 && "
		"ip -6 route add unreachable 2a00:1:2:600::/56 && "
		"ip -6 route del unreachable 2a00:1:2:600::/56 && "
		"ip route add 10.7.0.0/24 dev lo && ip -6 route flush table 99");
	assert_false(changed(lab));
	lab_run("ip -6 route add default dev wan1 && ip addr add 10.8.0.1/24 dev lo");
	assert_true(changed(lab));
	expect_route(lab, &nothing, NULL, 0, 0);
	lab_run("ip -6 route del 2a00:1:2:400::/64; ip addr del 10.8.0.1/24 dev lo");
	changed(lab);
	lab_run("ip -6 route add 2a00:1:2:400::/64 dev wan0");
	assert_false(changed(lab));
}

static void an_overrun_is_a_change(void **state)
{
	struct lab *lab = *state;
	int small = 1;

	changed(lab);
	assert_int_equal(setsockopt(rtnl_fd(lab->rtnl), SOL_SOCKET, SO_RCVBUF, &small,
				    sizeof(small)), 0);
	lab_run("for i in $(seq 1 250); do echo addr add 10.3.0.$i/24 dev wan0; done | "
		"ip -batch -");
	assert_true(changed(lab));
	assert_int_equal(look(lab)->address_count >= 250, 1);
	assert_false(changed(lab));
}

static void forged_messages_are_dropped(void **state)
{
	struct ifaddrmsg header = { .ifa_family = AF_INET, .ifa_prefixlen = 24 };
	struct wire wire WIRE_CLEANUP = { 0 };
	uint8_t address[4] = { 6, 6, 6, 6 };
	socklen_t length = sizeof(struct sockaddr_nl);
	struct lab *lab = *state;
	struct sockaddr_nl to;
	int sender = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	changed(lab);
	wire_message_end(&wire, wire_message(&wire, RTM_NEWADDR, 0, 0, &header, sizeof(header)));
	wire_put(&wire, IFA_LOCAL, address, sizeof(address));
	wire_message_end(&wire, 0);
	assert_int_equal(getsockname(rtnl_fd(lab->rtnl), (struct sockaddr *)&to, &length), 0);
	to.nl_groups = 0;
	assert_int_equal(sendto(sender, wire.bytes, wire.length, 0, (struct sockaddr *)&to,
				sizeof(to)), wire.length);
	close(sender);
	assert_false(changed(lab));
	assert_null(find(lab, "6.6.6.6"));
}

#define in_lab(test) cmocka_unit_test_setup_teardown(test, open_lab, close_lab)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		in_lab(links_have_names_and_states),
		in_lab(an_interface_made_again_has_another_index),
		in_lab(secondary_and_peer_addresses),
		in_lab(ipv6_states),
		in_lab(default_routes),
		in_lab(other_routes_and_renewals_are_quiet),
		in_lab(routes_of_a_link),
		in_lab(watched_routes_are_events),
		in_lab(an_overrun_is_a_change),
		in_lab(forged_messages_are_dropped),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
