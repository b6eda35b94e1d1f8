/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole ruleset as a kernel (or nobody sane) could dump it, read for packets that walk
 * through it: what was read is whole, and every walk ends. Nothing is changed. Input:
 * fuzz/netlink_input.h, the options are not used.
 */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <sys/socket.h>

#include "fake/netlink.h"
#include "hairpin/router.h"
#include "hairpin/walk.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WAN = 12, LAN = 3, RULES_ASKED = 20 };

static void fake_batch(const uint8_t *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	abort();
}

/* Those about routes come here too; ipsets are asked by GET_BYINDEX, HEADER and TEST. */
static void fake_question(const struct wire *request)
{
	struct nlmsghdr message;

	memcpy(&message, request->bytes, sizeof(message));
	require(message.nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
		input_kind(request) % 3 == NFT_MSG_GETTABLE);
}

static void ask(const struct walk *walk, const struct router *router,
		const struct walk_packet *packet)
{
	static struct walk_result result, back;
	struct walk_question question = { .packet = *packet };
	struct err err;

	if (walk_run(walk, router, &question, &result, &err) < 0)
		return;
	require(result.end <= WALK_NO_FORWARDING && result.step_count <= WALK_STEPS_MAX);
	if (result.end == WALK_FORWARDED)
		(void)!walk_back(walk, router, packet, &result, &back, &err);
}

static void ask_rule(const struct walk *walk, const struct router *router,
		     const struct walk_rule *rule, const struct walk_packet *packet)
{
	struct addr addresses[2];
	struct walk_nat nat;

	require(rule->comment && rule->chain);
	require(walk_rule_miss(walk, router, rule, packet) <= WALK_MISS_UNSURE);
	(void)!walk_rule_nat(walk, router, rule, packet, &nat);
	(void)walk_rule_destinations(walk, rule, addresses, 2);
	(void)walk_rule_named(walk, rule, &packet->destination);
	(void)walk_rule_is_at(walk, rule, "nat", NF_INET_PRE_ROUTING);
}

static void ask_rules(const struct walk *walk, const struct router *router,
		      const struct walk_packet *packet)
{
	const struct walk_chain *chain;
	size_t asked = 0;

	for (size_t i = 0; (chain = walk_chain(walk, i)); i++) {
		require(chain->name && chain->type && chain->table && chain->table->name);
		for (size_t k = 0; k < chain->rule_count && asked < RULES_ASKED; k++) {
			require(chain->rules[k].chain == chain);
			ask_rule(walk, router, &chain->rules[k], packet);
			asked++;
		}
	}
}

static void ask_all(const struct walk *walk)
{
	static struct router_link links[] = {
		{ .index = 1, .name = "lo", .loopback = true },
		{ .index = WAN, .name = "wan0", .type = 1 },
		{ .index = LAN, .name = "br0", .type = 1, .kind = "bridge" },
	};
	static struct router_address addresses[] = {
		{ .link = WAN, .bits = 24, .address = { AF_INET, { 203, 0, 113, 1 } } },
		{ .link = LAN, .bits = 24, .address = { AF_INET, { 192, 168, 1, 1 } } },
		{ .link = WAN, .bits = 64, .address = { AF_INET6, { 32, 1, 13, 184 } } },
	};
	struct netlink netlink;
	const struct router router = {
		.links = links, .link_count = 3, .addresses = addresses,
		.address_count = 3, .forwarding4 = ROUTER_ON, .forwarding6 = ROUTER_ON,
		.netlink = &netlink };
	struct walk_packet packet = { .source_port = 40000, .destination_port = 80 };

	require(netlink_open(&netlink, NETLINK_ROUTE, NULL) == 0);
	for (unsigned i = 0; i < 8; i++) {
		packet.source = input_addr(i & 1 ? "2001:db8:7::9" : "198.18.0.77");
		packet.destination = input_addr(i & 1 ? "2001:db8::1" : "203.0.113.1");
		packet.protocol = i & 2 ? IPPROTO_UDP : IPPROTO_TCP;
		packet.in = i & 4 ? LAN : WAN;
		ask(walk, &router, &packet);
	}
	ask_rules(walk, &router, &packet);
	netlink_close(&netlink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct walk_constants constants;
	struct err err = { "" };
	struct walk *walk;

	if (size < INPUT_OPTIONS)
		return 0;
	memset(&fake, 0, sizeof(fake));
	fake.bytes = data + INPUT_OPTIONS;
	fake.length = size - INPUT_OPTIONS;
	if (walk_new(&walk, &err) < 0) {
		require(err.text[0] != '\0');
		return 0;
	}
	ask_all(walk);
	require(walk_constants(walk, "nat", NF_INET_PRE_ROUTING, &constants) == 0);
	walk_constants_done(&constants);
	walk_free(walk);
	return 0;
}
