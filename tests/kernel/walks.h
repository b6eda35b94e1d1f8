/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A router of a test's own, and walks through it as text.
 */
#ifndef TESTS_KERNEL_WALKS_H
#define TESTS_KERNEL_WALKS_H

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "hairpin/walk.h"
#include "lab.h"

struct walks {
	struct walk *walk;
	struct router *router;
	struct walk_result *result;
	struct err err;
	char text[512];
};

/*
 * wan0 203.0.113.5/24, 2001:db8:1::5/64; br0 192.168.1.1/24 and 192.168.2.1/24,
 * fd00:1::1/64; ppp9 10.9.0.1 to 10.9.0.2; the default routes lead over wan0.
 */
static LAB_UNUSED int walks_router(void **state)
{
	(void)state;
	lab_need_ipv6();
	return lab_try("set -e; ip link add wan0 type veth peer name far0; "
		       "ip link add br0 type veth peer name far1; "
		       "ip link add ppp9 type veth peer name far2; "
		       "for i in wan0 br0 ppp9 far0 far1 far2; do "
		       "sysctl -qw net.ipv6.conf.$i.accept_dad=0; ip link set $i up; done; "
		       "ip addr add 203.0.113.5/24 dev wan0; "
		       "ip addr add 203.0.113.6/24 dev wan0; "
		       "ip addr add 192.168.1.1/24 dev br0; "
		       "ip addr add 192.168.2.1/24 dev br0; "
		       "ip addr add 10.9.0.1 peer 10.9.0.2 dev ppp9; "
		       "ip -6 addr add 2001:db8:1::5/64 dev wan0 nodad; "
		       "ip -6 addr add fd00:1::1/64 dev br0 nodad; "
		       "ip route add default via 203.0.113.1; "
		       "ip -6 route add default via 2001:db8:1::1 dev wan0; "
		       /* a worker of the kernel makes IPv6 addresses local, soon */
		       "for i in $(seq 5000); do n=$(ip -6 route show table local | "
		       "grep -cE '^local (2001:db8:1::5|fd00:1::1) ' || true); "
		       "[ $n = 2 ] && break; sleep 0.01; done; "
		       "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
}

static LAB_UNUSED void walks_open(struct walks *walks)
{
	memset(walks, 0, sizeof(*walks));
	walks->result = malloc(sizeof(*walks->result));
	assert_non_null(walks->result);
	if (walk_new(&walks->walk, &walks->err) < 0 ||
	    router_new(&walks->router, &walks->err) < 0)
		fail_msg("%s", walks->err.text);
}

static LAB_UNUSED void walks_close(struct walks *walks)
{
	walk_free(walks->walk);
	router_free(walks->router);
	free(walks->result);
}

static LAB_UNUSED struct addr walks_addr(const char *text, uint16_t *ret_port)
{
	char copy[64], *port;
	struct addr address;

	assert_true(strlen(text) < sizeof(copy));
	strcpy(copy, text);
	port = strrchr(copy, '#');
	if (port) {
		*port++ = '\0';
		*ret_port = (uint16_t)atoi(port);
	}
	assert_true(addr_parse(copy, &address));
	return address;
}

/*
 * "wan0 tcp 198.18.0.77#4000 > 203.0.113.5#80"; "own" for the router itself; a "-" is no
 * source.
 */
static LAB_UNUSED struct walk_packet walks_packet(const struct walks *walks,
						  const char *text)
{
	char link[IFNAMSIZ], protocol[8], source[64], destination[64];
	struct walk_packet packet = { .source_port = 40000 };

	assert_int_equal(sscanf(text, "%15s %7s %63s > %63s", link, protocol, source,
				destination), 4);
	packet.protocol = strcmp(protocol, "udp") == 0 ? IPPROTO_UDP : IPPROTO_TCP;
	if (strcmp(link, "own") != 0) {
		const struct router_link *found = router_link_find(walks->router, link);

		assert_non_null(found);
		packet.in = found->index;
	}
	if (strcmp(source, "-") != 0)
		packet.source = walks_addr(source, &packet.source_port);
	packet.destination = walks_addr(destination, &packet.destination_port);
	return packet;
}

/*
 * "forwarded br0 198.18.0.77#40000 > 192.168.1.2#80", "dropped by COMMENT", "dropped by
 * policy of CHAIN"; " unsure COMMENT" behind it.
 */
static LAB_UNUSED const char *walks_tell(struct walks *walks)
{
	static const char *const ends[] = {
		[WALK_LOCAL] = "local", [WALK_FORWARDED] = "forwarded",
		[WALK_DROPPED] = "dropped", [WALK_REJECTED] = "rejected",
		[WALK_NO_ROUTE] = "no route", [WALK_NO_FORWARDING] = "no forwarding",
	};
	const struct walk_result *result = walks->result;
	const struct router_link *out = router_link_of(walks->router, result->out);
	char source[ADDR_TEXT_BYTES], destination[ADDR_TEXT_BYTES], *end = walks->text;
	size_t room = sizeof(walks->text);

	if (result->end == WALK_LOCAL || result->end == WALK_FORWARDED)
		end += snprintf(end, room, "%s%s%s %s#%u > %s#%u", ends[result->end],
				out ? " " : "", out ? out->name : "",
				addr_format(&result->source, source), result->source_port,
				addr_format(&result->destination, destination),
				result->destination_port);
	else if (result->chain)
		end += snprintf(end, room, "%s by %s%s", ends[result->end],
				result->at ? result->at->comment : "policy of ",
				result->at ? "" : result->chain->name);
	else
		end += snprintf(end, room, "%s", ends[result->end]);
	if (result->unsure)
		snprintf(end, room - (size_t)(end - walks->text), " unsure %s",
			 result->unsure->comment);
	return walks->text;
}

static LAB_UNUSED const char *walks_ask(struct walks *walks, const char *packet,
					const char *assumed, bool regardless)
{
	struct walk_question question = {
		.packet = walks_packet(walks, packet), .regardless = regardless };

	if (assumed)
		question.assumed = walks_addr(assumed, &question.assumed_port);
	if (walk_run(walks->walk, walks->router, &question, walks->result,
		     &walks->err) < 0)
		fail_msg("%s: %s", packet, walks->err.text);
	return walks_tell(walks);
}

/* A ruleset, and what becomes of packets. */
struct walks_case {
	const char *rules;		/* of nft */
	const char *packet, *expected;	/* rules NULL: another one of the same */
};

static LAB_UNUSED void walks_check(const struct walks_case *cases, size_t count)
{
	struct walks walks = { 0 };
	bool open = false;

	for (size_t i = 0; i < count; i++) {
		const char *told;

		if (cases[i].rules) {
			if (open)
				walks_close(&walks);
			lab_flush();
			lab_nft(cases[i].rules);
			walks_open(&walks);
			open = true;
		}
		told = walks_ask(&walks, cases[i].packet, NULL, false);
		if (strcmp(told, cases[i].expected) != 0)
			fail_msg("case %zu: %s: %s, not %s", i, cases[i].packet, told,
				 cases[i].expected);
	}
	if (open)
		walks_close(&walks);
}

#endif
