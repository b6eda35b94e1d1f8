/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rule's bytes as a kernel (or nobody sane) could dump them, in a chain that packets
 * walk through: whatever it says, the walk ends, and in a way that the result can tell.
 *
 * Input: family and hook, type and protocol, expressions.
 */
#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/walk_private.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WAN = 2, LAN = 3, ROOM = 64 };

/* A kernel that knows two networks; it stands in for the real one. */
int router_route(const struct router *router, const struct router_question *question,
		 struct router_answer *ret_answer, struct err *ret_err)
{
	struct router_answer answer = { .type = RTN_UNICAST, .out = WAN };

	(void)router;
	(void)ret_err;
	if (question->destination.bytes[0] == 203)
		answer = (struct router_answer){ .type = RTN_LOCAL, .out = 1 };
	else if (question->destination.bytes[0] == 192)
		answer.out = LAN;
	else if (question->destination.bytes[0] == 10)
		answer = (struct router_answer){ .error = -ENETUNREACH };
	answer.source = addr_from_bytes(question->destination.family,
					(uint8_t[16]){ 203, 0, 113, 5 });
	*ret_answer = answer;
	return 0;
}

/* Sets of each kind under the names that the kernel gives first. */
static void add_set(struct walk *walk, struct walk_table_inside *table, const char *name,
		    uint32_t flags, uint32_t bytes, const struct walk_verdict *verdict)
{
	static const uint8_t from[ROOM] = { 0, 80, 0, 0, 192, 168 };
	static const uint8_t to[ROOM] = { 1, 80, 0, 0, 203, 0, 113, 5 };
	static const uint8_t value[ROOM] = { 192, 168, 1, 2, 0, 80 };
	struct walk_set *set = arena_alloc(&walk->arena, sizeof(*set));
	struct walk_element *element = arena_alloc(&walk->arena, sizeof(*element));

	require(set && element);
	*element = (struct walk_element){
		.from = from, .to = flags & NFT_SET_INTERVAL ? to : from,
		.data = { value, 16 } };
	if (verdict)
		element->verdict = *verdict;
	*set = (struct walk_set){
		.next = table->sets, .name = name, .flags = flags, .key_bytes = bytes,
		.elements = element, .count = 1 };
	if (flags & NFT_SET_CONCAT) {
		set->field_count = 2;
		set->field_bytes[0] = 4;
		set->field_bytes[1] = (uint8_t)(bytes - 4);
	}
	table->sets = set;
}

static struct walk_chain_inside *add_chain(struct walk *walk, const struct walk_table *table,
					   const char *name)
{
	struct walk_chain_inside *chain = arena_alloc(&walk->arena, sizeof(*chain));

	require(chain);
	chain->chain = (struct walk_chain){ .table = table, .name = name, .type = "" };
	walk->chains[walk->chain_count] = &chain->chain;
	walk->by_name[walk->chain_count++] = &chain->chain;
	return chain;
}

/* Twice the rule, in a base chain and in one that it may jump to. */
static void add_rules(struct walk *walk, const struct walk_table_inside *table,
		      struct walk_chain *chain, struct span expressions)
{
	struct walk_rule *rules = arena_alloc(&walk->arena, 2 * sizeof(*rules));

	require(rules);
	for (size_t i = 0; i < 2; i++) {
		rules[i] = (struct walk_rule){ .chain = chain, .handle = i, .comment = "" };
		require(walk_compile(walk, table, expressions, &rules[i]) == 0);
		require(rules[i].code != NULL);
	}
	chain->rules = rules;
	chain->rule_count = 2;
}

static void build(struct walk *walk, uint8_t where, uint8_t type, struct span expressions)
{
	static const int families[] = { NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6 };
	static const char *const types[] = { "nat", "filter", "route" };
	struct walk_table_inside *table = arena_alloc(&walk->arena, sizeof(*table));
	struct walk_chain *base, *side;

	walk->chains = calloc(2, sizeof(*walk->chains));
	walk->by_name = arena_alloc(&walk->arena, 2 * sizeof(*walk->by_name));
	require(table && walk->chains && walk->by_name);
	table->table = (struct walk_table){
		.family = families[where % 3], .name = "t", .owner = "" };
	base = &add_chain(walk, &table->table, "a")->chain;
	side = &add_chain(walk, &table->table, "b")->chain;
	base->type = types[type % 3];
	base->hook = where / 3 % WALK_HOOKS;
	base->drops = type & 0x40;
	add_set(walk, table, "__set0", NFT_SET_ANONYMOUS, 2, NULL);
	add_set(walk, table, "__set1", NFT_SET_INTERVAL, 4, NULL);
	add_set(walk, table, "__set2", NFT_SET_INTERVAL | NFT_SET_CONCAT, 8, NULL);
	add_set(walk, table, "__map0", NFT_SET_MAP, 2, NULL);
	add_set(walk, table, "__map1", NFT_SET_MAP, 8, NULL);
	add_set(walk, table, "v", NFT_SET_MAP, 2, &(struct walk_verdict){
		.code = NFT_JUMP, .to = side, .name = "jump" });
	add_rules(walk, table, base, expressions);
	add_rules(walk, table, side, expressions);
	require(walk_arrange(walk) == 0);
}

static void check(const struct walk_result *result)
{
	require(result->end <= WALK_NO_FORWARDING);
	require(result->step_count <= WALK_STEPS_MAX);
	require(!result->at || result->chain == result->at->chain);
	for (size_t i = 0; i < result->step_count; i++)
		require(result->steps[i].verdict != NULL);
}

static void ask(const struct walk *walk, const struct router *router,
		const struct walk_packet *packet)
{
	static struct walk_result result, back;
	struct walk_question question = { .packet = *packet };
	const struct walk_rule *rule = &walk->chains[0]->rules[0];
	struct walk_nat nat;
	struct err err;

	for (int i = 0; i < 2; i++) {
		question.regardless = i;
		if (walk_run(walk, router, &question, &result, &err) < 0)
			continue;
		check(&result);
		if (result.end == WALK_FORWARDED &&
		    walk_back(walk, router, packet, &result, &back, &err) == 0)
			check(&back);
	}
	require(walk_rule_miss(walk, router, rule, packet) <= WALK_MISS_UNSURE);
	if (walk_rule_nat(walk, router, rule, packet, &nat) == 0)
		require(nat.address.family == packet->destination.family);
}

static void ask_all(const struct walk *walk, uint8_t protocol)
{
	static struct router_link links[] = {
		{ .index = 1, .name = "lo", .loopback = true },
		{ .index = WAN, .name = "wan0", .type = 1 },
		{ .index = LAN, .name = "br0", .type = 1, .kind = "bridge" },
	};
	static struct router_address addresses[] = {
		{ .link = WAN, .bits = 24, .address = { AF_INET, { 203, 0, 113, 5 } } },
		{ .link = LAN, .bits = 24, .address = { AF_INET, { 192, 168, 1, 1 } } },
		{ .link = WAN, .bits = 64, .address = { AF_INET6, { 203, 0, 113, 5 } } },
	};
	const struct router router = {
		.links = links, .link_count = 3, .addresses = addresses,
		.address_count = 3, .forwarding4 = ROUTER_ON, .forwarding6 = ROUTER_ON };
	static const uint8_t targets[] = { 203, 192, 10 };
	struct walk_packet packet = {
		.protocol = protocol, .source_port = 40000, .destination_port = 80 };

	for (size_t i = 0; i < 12; i++) {
		int family = i % 2 ? AF_INET6 : AF_INET;

		packet.in = i < 6 ? WAN : 0;
		packet.source = addr_from_bytes(family, (uint8_t[16]){ 198, 18, 0, 77 });
		packet.destination = addr_from_bytes(family, (uint8_t[16]){
			targets[i / 2 % 3], 0, 113, 5 });
		ask(walk, &router, &packet);
	}
}

static void ask_constants(const struct walk *walk)
{
	const struct walk_rule *rule = &walk->chains[0]->rules[0];
	struct walk_constants constants;
	struct addr addresses[2];

	for (unsigned hook = 0; hook < WALK_HOOKS; hook++) {
		require(walk_constants(walk, "nat", hook, &constants) == 0);
		walk_constants_done(&constants);
	}
	(void)walk_rule_destinations(walk, rule, addresses, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	uint8_t *bytes;

	require(walk != NULL);
	/* A copy of its own, so that a byte too far is seen. */
	bytes = malloc(size < 3 ? 1 : size - 2);
	require(bytes != NULL);
	if (size >= 2) {
		memcpy(bytes, data + 2, size - 2);
		build(walk, data[0], data[1], (struct span){ bytes, size - 2 });
		ask_all(walk, data[1] & 0x80 ? IPPROTO_UDP : IPPROTO_TCP);
		ask_constants(walk);
	}
	walk_free(walk);
	free(bytes);
	return 0;
}
