/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The router of a real kernel: a bridge with a port, a WAN, an address or two, sockets of
 * our own, and what the kernel says of packets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "hairpin/router.h"
#include "kernel/router_private.h"
#include "lab.h"

static int make_router(void **state)
{
	(void)state;
	return lab_try("for i in br0 wan0 port0 tun0; do ip link del $i 2>/dev/null; done; "
		       "set -e; ip link add br0 type bridge; ip link set br0 up; "
		       "ip link add port0 type veth peer name host0; "
		       "ip link set port0 up master br0 group 7; ip link set host0 up; "
		       "ip link add wan0 type veth peer name net0; "
		       "ip link set wan0 up; ip link set net0 up; "
		       "ip addr add 192.168.1.1/24 dev br0; "
		       "ip addr add 203.0.113.5/24 dev wan0; "
		       "ip route add default via 203.0.113.1; "
		       "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 "
		       "net.ipv4.conf.wan0.rp_filter=0 net.ipv4.conf.br0.rp_filter=0");
}

static struct router *look(void)
{
	struct router *router;

	assert_int_equal(router_new(&router, NULL), 0);
	return router;
}

static struct addr parse(const char *text)
{
	struct addr address = { 0 };

	if (*text)
		assert_true(addr_parse(text, &address));
	return address;
}

static void links(void **state)
{
	const struct router_link *bridge, *port, *lo;
	struct router *router;

	(void)state;
	lab_run("ip link set host0 address 02:00:00:00:00:07; ip link set net0 down; "
		"sysctl -qw net.ipv4.conf.br0.forwarding=0 net.ipv4.conf.all.rp_filter=2 "
		"net.ipv4.conf.br0.rp_filter=1");
	router = look();
	bridge = router_link_find(router, "br0");
	port = router_link_find(router, "port0");
	lo = router_link_find(router, "lo");
	assert_null(router_link_find(router, "br"));
	assert_true(bridge && port && lo && lo->loopback && !bridge->loopback);
	assert_string_equal(bridge->kind, "bridge");
	assert_string_equal(bridge->master_kind, "");
	assert_string_equal(port->kind, "veth");
	assert_string_equal(port->master_kind, "bridge");
	assert_int_equal(port->master, bridge->index);
	assert_int_equal(bridge->master, 0);
	assert_int_equal(port->group, 7);
	assert_int_equal(port->type, ARPHRD_ETHER);
	assert_ptr_equal(router_link_of(router, port->index), port);
	assert_memory_equal(router_link_find(router, "host0")->mac, "\x02\0\0\0\0\x07", 6);
	assert_true(port->up);
	assert_false(router_link_find(router, "wan0")->up);	/* nobody at its other end */
	assert_int_equal(router->forwarding4, ROUTER_ON);
	assert_int_equal(bridge->forwarding4, ROUTER_OFF);
	assert_int_equal(port->forwarding4, ROUTER_ON);
	assert_int_equal(bridge->rp_filter, 2);
	router_free(router);
}

static void addresses(void **state)
{
	const struct router_address *entry;
	struct router *router;
	struct addr address;

	(void)state;
	lab_run("ip link add tun0 type bridge; ip link set tun0 up; "
		"ip addr add 10.64.0.9 peer 10.64.0.1/32 dev tun0; "
		"ip addr add 192.168.1.9/28 dev wan0; "
		"ip -6 addr add 2001:db8::1/64 dev br0 nodad preferred_lft 0");
	router = look();
	address = parse("203.0.113.5");
	assert_string_equal(router_owner(router, &address)->name, "wan0");
	address = parse("203.0.113.6");
	assert_null(router_owner(router, &address));
	entry = router_network_of(router, &address);
	assert_non_null(entry);
	assert_int_equal(entry->bits, 24);
	address = parse("192.168.1.12");	/* in both: the longest */
	assert_int_equal(router_network_of(router, &address)->bits, 28);
	address = parse("192.168.1.200");
	assert_int_equal(router_network_of(router, &address)->bits, 24);
	address = parse("10.64.0.1");
	entry = router_network_of(router, &address);
	assert_non_null(entry);
	assert_true(addr_equal(&entry->peer, &address));
	address = parse("10.64.0.9");
	assert_true(addr_equal(&entry->address, &address));
	assert_null(router_network_of(router, &address));
	assert_string_equal(router_owner(router, &address)->name, "tun0");
	address = parse("2001:db8::77");
	entry = router_network_of(router, &address);
	assert_non_null(entry);
	assert_true(entry->deprecated && !entry->tentative && !entry->temporary);
	assert_true(addr_is_none(&entry->peer));
	address = parse("8.8.8.8");
	assert_null(router_network_of(router, &address));
	router_free(router);
}

static int listen_at(int family, int type, const char *address, uint16_t port, bool only6)
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(family, type | SOCK_CLOEXEC, 0), only = only6;
	bool ipv4 = family == AF_INET;

	assert_int_equal(inet_pton(family, address, ipv4 ? (void *)&to4.sin_addr :
						    (void *)&to6.sin6_addr), 1);
	if (!ipv4)
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only,
					    sizeof(only)), 0);
	assert_int_equal(bind(fd, ipv4 ? (void *)&to4 : (void *)&to6,
			      ipv4 ? sizeof(to4) : sizeof(to6)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static const struct router_socket *listener(const struct router *router, uint8_t protocol,
					    const char *text, uint16_t port)
{
	struct addr address = parse(text);

	return router_listener(router, protocol, &address, port);
}

static void sockets(void **state)
{
	struct router *router;
	int fds[] = {
		listen_at(AF_INET, SOCK_STREAM, "0.0.0.0", 80, false),
		listen_at(AF_INET, SOCK_STREAM, "192.168.1.1", 81, false),
		listen_at(AF_INET6, SOCK_STREAM, "::", 82, false),
		listen_at(AF_INET6, SOCK_STREAM, "::", 83, true),
		listen_at(AF_INET, SOCK_DGRAM, "0.0.0.0", 53, false),
		listen_at(AF_INET, SOCK_STREAM, "0.0.0.0", 84, false),
	};

	(void)state;
	prctl(PR_SET_NAME, "lab\033server");
	assert_int_equal(setsockopt(fds[5], SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	router = look();
	prctl(PR_SET_NAME, "test_router");
	assert_non_null(listener(router, IPPROTO_TCP, "203.0.113.5", 80));
	assert_string_equal(listener(router, IPPROTO_TCP, "203.0.113.5", 80)->program,
			    "lab\\x1bserver");
	assert_null(listener(router, IPPROTO_UDP, "203.0.113.5", 80));
	assert_null(listener(router, IPPROTO_TCP, "2001:db8::1", 80));
	assert_null(listener(router, IPPROTO_TCP, "203.0.113.5", 81));
	assert_non_null(listener(router, IPPROTO_TCP, "192.168.1.1", 81));
	assert_non_null(listener(router, IPPROTO_TCP, "203.0.113.5", 82));
	assert_non_null(listener(router, IPPROTO_TCP, "2001:db8::1", 82));
	assert_null(listener(router, IPPROTO_TCP, "203.0.113.5", 83));
	assert_non_null(listener(router, IPPROTO_TCP, "2001:db8::1", 83));
	assert_non_null(listener(router, IPPROTO_UDP, "203.0.113.5", 53));
	assert_null(listener(router, IPPROTO_TCP, "203.0.113.5", 84));
	assert_non_null(listener(router, IPPROTO_TCP, "127.0.0.1", 84));
	router_free(router);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
}

static void sockets_without_sock_diag(void **state)
{
	struct router *router = calloc(1, sizeof(*router));
	int fds[] = {
		listen_at(AF_INET, SOCK_STREAM, "192.168.1.1", 81, false),
		listen_at(AF_INET6, SOCK_DGRAM, "::1", 53, true),
		listen_at(AF_INET6, SOCK_STREAM, "::", 82, false),
	};

	(void)state;
	assert_non_null(router);
	assert_int_equal(router_read_sockets(router, false, NULL), 0);
	assert_int_equal(router->socket_count, 3);
	assert_non_null(listener(router, IPPROTO_TCP, "192.168.1.1", 81));
	assert_null(listener(router, IPPROTO_TCP, "192.168.1.2", 81));
	assert_non_null(listener(router, IPPROTO_UDP, "::1", 53));
	assert_non_null(listener(router, IPPROTO_TCP, "192.168.1.2", 82));
	assert_int_not_equal(listener(router, IPPROTO_TCP, "::2", 82)->inode, 0);
	router_free(router);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
}

/* A connection is nobody who listens, and neither is a client's UDP socket. */
static void clients_are_no_listeners(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7777) };
	int fd = listen_at(AF_INET, SOCK_DGRAM, "127.0.0.1", 7000, false);
	struct router *router;

	(void)state;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	router = look();
	assert_null(listener(router, IPPROTO_UDP, "127.0.0.1", 7000));
	router_free(router);
	close(fd);
}

static struct router_answer ask(const char *from, const char *to, const char *in)
{
	struct router_question question = { .destination = parse(to), .source = parse(from),
					    .protocol = IPPROTO_TCP, .source_port = 40000,
					    .destination_port = 80 };
	struct router *router = look();
	struct router_answer answer;

	if (*in)
		question.in = router_link_find(router, in)->index;
	assert_int_equal(router_route(router, &question, &answer, NULL), 0);
	router_free(router);
	return answer;
}

static void routes(void **state)
{
	struct router_answer answer;
	struct addr address;

	(void)state;
	answer = ask("", "8.8.8.8", "");
	assert_int_equal(answer.type, RTN_UNICAST);
	assert_int_equal(answer.out, if_nametoindex("wan0"));
	address = parse("203.0.113.1");
	assert_true(addr_equal(&answer.gateway, &address));
	address = parse("203.0.113.5");
	assert_true(addr_equal(&answer.source, &address));
	answer = ask("192.168.1.10", "192.168.1.2", "br0");
	assert_int_equal(answer.type, RTN_UNICAST);
	assert_int_equal(answer.out, if_nametoindex("br0"));
	assert_true(addr_is_none(&answer.gateway));
	assert_int_equal(ask("192.168.1.10", "203.0.113.5", "br0").type, RTN_LOCAL);
	assert_int_equal(ask("", "192.168.1.255", "").type, RTN_BROADCAST);
	lab_run("ip route add unreachable 9.9.9.9; ip route add prohibit 9.9.9.8; "
		"ip route del default");
	answer = ask("", "9.9.9.9", "");
	assert_int_equal(answer.error, -EHOSTUNREACH);
	assert_int_equal(answer.type, 0);
	assert_int_equal(ask("", "9.9.9.8", "").error, -EACCES);
	assert_int_equal(ask("", "8.8.8.8", "").error, -ENETUNREACH);
}

static void routes_of_ipv6(void **state)
{
	struct router_answer answer;
	struct addr gateway = parse("fe80::1");

	(void)state;
	lab_run("ip -6 addr add 2001:db8:1::1/64 dev br0 nodad; "
		"ip -6 route add default via fe80::1 dev wan0; "
		"ip route add 198.51.100.0/24 via inet6 fe80::1 dev wan0; "
		/* a worker of the kernel makes the address local, soon */
		"for i in $(seq 5000); do ip -6 route show table local | "
		"grep -q '^local 2001:db8:1::1 ' && break; sleep 0.01; done");
	answer = ask("", "2001:db8:2::1", "");
	assert_int_equal(answer.type, RTN_UNICAST);
	assert_int_equal(answer.out, if_nametoindex("wan0"));
	assert_true(addr_equal(&answer.gateway, &gateway));
	answer = ask("2001:db8:1::10", "2001:db8:1::2", "br0");
	assert_int_equal(answer.out, if_nametoindex("br0"));
	assert_int_equal(ask("2001:db8:1::10", "2001:db8:1::1", "br0").type, RTN_LOCAL);
	answer = ask("", "198.51.100.1", "");
	assert_true(addr_equal(&answer.gateway, &gateway));
}

static void forwarding_off(void **state)
{
	(void)state;
	lab_run("sysctl -qw net.ipv4.conf.br0.forwarding=0");
	assert_int_equal(ask("192.168.1.10", "8.8.8.8", "br0").error, -EHOSTUNREACH);
	assert_int_equal(ask("192.168.1.10", "203.0.113.5", "br0").type, RTN_LOCAL);
}

static void sources_are_refused(void **state)
{
	(void)state;
	assert_int_equal(ask("192.168.1.10", "8.8.8.8", "wan0").type, RTN_UNICAST);
	lab_run("sysctl -qw net.ipv4.conf.wan0.rp_filter=1");
	assert_int_equal(ask("192.168.1.10", "8.8.8.8", "wan0").error, -EXDEV);
	assert_int_equal(ask("8.8.4.4", "192.168.1.2", "wan0").type, RTN_UNICAST);
	assert_int_equal(ask("203.0.113.5", "192.168.1.2", "wan0").error, -EINVAL);
	lab_run("sysctl -qw net.ipv4.conf.wan0.rp_filter=2");
	assert_int_equal(ask("192.168.1.10", "8.8.8.8", "wan0").type, RTN_UNICAST);
	lab_run("ip route del default");
	assert_int_equal(ask("8.8.4.4", "192.168.1.2", "wan0").error, -EXDEV);
	lab_run("ip route add default via 203.0.113.1; ip route add blackhole 9.9.9.7");
	assert_int_equal(ask("8.8.4.4", "9.9.9.7", "wan0").error, -EINVAL);
}

static void marks_and_ports_choose(void **state)
{
	struct router_question question = { .destination = parse("8.8.8.8") };
	struct router *router;
	struct router_answer answer;

	(void)state;
	lab_run("ip route add 8.8.8.0/24 dev br0 table 7; "
		"ip rule add fwmark 5 table 7; ip rule add ipproto udp dport 9 table 7");
	router = look();
	assert_int_equal(router_route(router, &question, &answer, NULL), 0);
	assert_int_equal(answer.out, if_nametoindex("wan0"));
	question.mark = 5;
	assert_int_equal(router_route(router, &question, &answer, NULL), 0);
	assert_int_equal(answer.out, if_nametoindex("br0"));
	question = (struct router_question){ .destination = parse("8.8.8.8"),
					     .protocol = IPPROTO_UDP,
					     .destination_port = 9 };
	assert_int_equal(router_route(router, &question, &answer, NULL), 0);
	assert_int_equal(answer.out, if_nametoindex("br0"));
	question.destination_port = 10;
	assert_int_equal(router_route(router, &question, &answer, NULL), 0);
	assert_int_equal(answer.out, if_nametoindex("wan0"));
	question.source = parse("::1");
	assert_int_equal(router_route(router, &question, &answer, NULL), -EINVAL);
	router_free(router);
	lab_run("ip rule del fwmark 5; ip rule del ipproto udp dport 9 table 7");
}

static void the_old_iptables(void **state)
{
	struct router *router;

	(void)state;
	router = look();
	assert_int_equal(router->legacy_nat4, ROUTER_LEGACY_NONE);
	router_free(router);
	if (lab_try("iptables-legacy -t nat -N mine 2>/dev/null") != 0) {
		print_message("no old ip_tables here\n");
		skip();
	}
	if (access("/proc/net/ip_tables_names", R_OK) != 0) {
		print_message("an ordinary user's root may not see which tables there are\n");
		skip();
	}
	lab_run("iptables-legacy -t nat -A mine -j LOG; ip6tables-legacy -t nat -A "
		"POSTROUTING -j MASQUERADE");
	router = look();
	assert_int_equal(router->legacy_nat4, ROUTER_LEGACY_EMPTY);
	assert_int_equal(router->legacy_nat6, ROUTER_LEGACY_RULES);
	router_free(router);
	lab_run("iptables-legacy -t nat -A mine -p tcp --dport 80 -j DNAT --to 192.168.1.2");
	router = look();
	assert_int_equal(router->legacy_nat4, ROUTER_LEGACY_RULES);
	router_free(router);
}

#define in_lab(test) cmocka_unit_test_setup(test, make_router)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		in_lab(links),
		in_lab(addresses),
		in_lab(sockets),
		in_lab(sockets_without_sock_diag),
		in_lab(clients_are_no_listeners),
		in_lab(routes),
		in_lab(routes_of_ipv6),
		in_lab(forwarding_off),
		in_lab(sources_are_refused),
		in_lab(marks_and_ports_choose),
		in_lab(the_old_iptables),
	};

	(void)argc;
	lab_enter(argv);
	lab_need_ipv6();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
