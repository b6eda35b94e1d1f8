/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expressions that do something, that hold a rule up, or that load what is mostly not
 * known of a packet that does not exist.
 */
#include "walk_compile.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

typedef bool compile_fn(struct walk_compiler *compiler);

/* The last one's register is the first one's where it is not said. */
static bool place_pair(const struct walk_compiler *compiler, uint16_t first, uint16_t last,
		       size_t length, uint8_t places[2])
{
	places[0] = places[1] = WALK_NO_REGISTER;
	if (!compiler->attrs[first])
		return true;
	if (!walk_place(compiler, first, length, &places[0]))
		return false;
	places[1] = places[0];
	return !compiler->attrs[last] || walk_place(compiler, last, length, &places[1]);
}

static bool compile_nat(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;
	uint8_t addresses[2], ports[2];

	op->kind = WALK_OP_NAT;
	op->tracks = true;
	op->key = walk_number(compiler, NFTA_NAT_TYPE, UINT32_MAX);
	op->flags = walk_number(compiler, NFTA_NAT_FLAGS, 0);
	op->length = walk_number(compiler, NFTA_NAT_FAMILY, 0);
	if (op->key > NFT_NAT_DNAT ||
	    (op->length != NFPROTO_IPV4 && op->length != NFPROTO_IPV6) ||
	    !place_pair(compiler, NFTA_NAT_REG_ADDR_MIN, NFTA_NAT_REG_ADDR_MAX,
			op->length == NFPROTO_IPV4 ? 4 : 16, addresses) ||
	    !place_pair(compiler, NFTA_NAT_REG_PROTO_MIN, NFTA_NAT_REG_PROTO_MAX, 2,
			ports))
		return false;
	op->source = addresses[0];
	op->source2 = addresses[1];
	op->target = ports[0];
	op->target2 = ports[1];
	return true;
}

static bool compile_masquerade(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;
	uint8_t ports[2];

	op->kind = WALK_OP_MASQUERADE;
	op->tracks = true;
	op->flags = walk_number(compiler, NFTA_MASQ_FLAGS, 0);
	if (!place_pair(compiler, NFTA_MASQ_REG_PROTO_MIN, NFTA_MASQ_REG_PROTO_MAX, 2,
			ports))
		return false;
	op->target = ports[0];
	op->target2 = ports[1];
	return true;
}

static bool compile_redirect(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;
	uint8_t ports[2];

	op->kind = WALK_OP_REDIRECT;
	op->tracks = true;
	op->flags = walk_number(compiler, NFTA_REDIR_FLAGS, 0);
	if (!place_pair(compiler, NFTA_REDIR_REG_PROTO_MIN, NFTA_REDIR_REG_PROTO_MAX, 2,
			ports))
		return false;
	op->target = ports[0];
	op->target2 = ports[1];
	return true;
}

static bool compile_reject(struct walk_compiler *compiler)
{
	compiler->op->kind = WALK_OP_VERDICT;
	compiler->op->verdict = (struct walk_verdict){
		.code = NF_DROP, .name = "reject", .rejected = true };
	return true;
}

static bool compile_queue(struct walk_compiler *compiler)
{
	compiler->op->kind = WALK_OP_VERDICT;
	compiler->op->verdict = (struct walk_verdict){ .code = NF_QUEUE, .name = "queue" };
	return true;
}

static bool compile_notrack(struct walk_compiler *compiler)
{
	compiler->op->kind = WALK_OP_NOTRACK;
	return true;
}

/* Within its rate the first packet is; over it, it is not. */
static void never_if(struct walk_compiler *compiler, bool over)
{
	compiler->op->kind = over ? WALK_OP_NEVER : WALK_OP_PASS;
}

static bool compile_limit(struct walk_compiler *compiler)
{
	never_if(compiler, walk_number(compiler, NFTA_LIMIT_FLAGS, 0) & NFT_LIMIT_F_INV);
	return true;
}

static bool compile_connlimit(struct walk_compiler *compiler)
{
	compiler->op->tracks = true;
	never_if(compiler,
		 walk_number(compiler, NFTA_CONNLIMIT_FLAGS, 0) & NFT_CONNLIMIT_F_INV);
	return true;
}

static bool compile_quota(struct walk_compiler *compiler)
{
	bool inverted = walk_number(compiler, NFTA_QUOTA_FLAGS, 0) & NFT_QUOTA_F_INV;
	uint64_t bytes = 0, consumed = 0;

	attr_be64(compiler->attrs[NFTA_QUOTA_CONSUMED], &consumed);
	if (!attr_be64(compiler->attrs[NFTA_QUOTA_BYTES], &bytes))
		return false;
	never_if(compiler, (consumed >= bytes) != inverted);
	return true;
}

/* What is done with the element that is added may hold the rule up. */
static bool compile_inner(struct walk_compiler *compiler, const struct nlattr *expression)
{
	struct span inside = attr_span(expression), name;
	struct walk_compiler within = *compiler;

	if (!attr_string(attr_find(inside, NFTA_EXPR_NAME), &name))
		return false;
	attr_index(attr_nest(inside, NFTA_EXPR_DATA), within.attrs, WALK_ATTRS);
	if (attr_is(name, "limit"))
		return compile_limit(&within);
	if (attr_is(name, "connlimit"))
		return compile_connlimit(&within);
	if (attr_is(name, "quota"))
		return compile_quota(&within);
	return true;
}

static bool compile_dynset(struct walk_compiler *compiler)
{
	const struct nlattr *expression;
	bool never = false;

	if (walk_number(compiler, NFTA_DYNSET_FLAGS, 0) & NFT_DYNSET_F_INV)
		return false;
	compiler->op->kind = WALK_OP_PASS;
	if (compiler->attrs[NFTA_DYNSET_EXPR] &&
	    !compile_inner(compiler, compiler->attrs[NFTA_DYNSET_EXPR]))
		return false;
	never |= compiler->op->kind == WALK_OP_NEVER;
	attr_for_each(expression, attr_span(compiler->attrs[NFTA_DYNSET_EXPRESSIONS])) {
		if (!compile_inner(compiler, expression))
			return false;
		never |= compiler->op->kind == WALK_OP_NEVER;
	}
	never_if(compiler, never);
	return true;
}

/* "tcp option maxseg size", which filters compare with what no sane client offers. */
static bool asks_segment_size(const struct walk_compiler *compiler)
{
	enum { MAXSEG = 2, AT = 2 };
	uint8_t option = 0;

	return attr_u8(compiler->attrs[NFTA_EXTHDR_TYPE], &option) && option == MAXSEG &&
	       walk_number(compiler, NFTA_EXTHDR_OFFSET, 0) == AT &&
	       walk_number(compiler, NFTA_EXTHDR_LEN, 0) == 2;
}

/*
 * A first packet has no extension headers; of TCP's options it has the size of segments,
 * an Ethernet's, and of the others nobody knows.
 */
static bool compile_exthdr(struct walk_compiler *compiler)
{
	static const uint8_t segment_size[] = { 1460 >> 8, 1460 & 0xff };
	struct walk_op *op = compiler->op;
	uint32_t kind = walk_number(compiler, NFTA_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
	uint32_t flags = walk_number(compiler, NFTA_EXTHDR_FLAGS, 0);

	op->kind = WALK_OP_PASS;
	if (!compiler->attrs[NFTA_EXTHDR_DREG])
		return true;
	op->length = 4;
	if (!walk_place(compiler, NFTA_EXTHDR_DREG, 4, &op->target))
		return false;
	if (kind == NFT_EXTHDR_OP_TCPOPT && asks_segment_size(compiler)) {
		op->kind = WALK_OP_IMMEDIATE;
		op->value = (struct span){ segment_size, sizeof(segment_size) };
	} else if (kind == NFT_EXTHDR_OP_TCPOPT) {
		op->kind = WALK_OP_UNKNOWN;
	} else {
		op->kind = flags & NFT_EXTHDR_F_PRESENT ? WALK_OP_ZERO : WALK_OP_NEVER;
	}
	return true;
}

static bool compile_rt(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;

	op->length = NFT_REG_SIZE;
	op->kind = walk_number(compiler, NFTA_RT_KEY, 0) == NFT_RT_XFRM ? WALK_OP_ZERO
								   : WALK_OP_UNKNOWN;
	return walk_place(compiler, NFTA_RT_DREG, op->length, &op->target) ||
	       (op->length = 4, walk_place(compiler, NFTA_RT_DREG, 4, &op->target));
}

/* A number that is drawn: known only where there is just one. */
static bool compile_drawn(struct walk_compiler *compiler, uint16_t target, uint16_t modulus,
			  uint16_t offset)
{
	struct walk_op *op = compiler->op;

	op->length = 4;
	op->offset = walk_number(compiler, offset, 0);
	op->kind = walk_number(compiler, modulus, 0) == 1 ? WALK_OP_NUMBER : WALK_OP_UNKNOWN;
	return walk_place(compiler, target, 4, &op->target);
}

static bool compile_numgen(struct walk_compiler *compiler)
{
	return compile_drawn(compiler, NFTA_NG_DREG, NFTA_NG_MODULUS, NFTA_NG_OFFSET);
}

static bool compile_hash(struct walk_compiler *compiler)
{
	return compile_drawn(compiler, NFTA_HASH_DREG, NFTA_HASH_MODULUS,
			     NFTA_HASH_OFFSET);
}

static bool unknown_register(struct walk_compiler *compiler, uint16_t type)
{
	struct walk_op *op = compiler->op;

	op->kind = WALK_OP_UNKNOWN;
	op->length = 4;
	if (!walk_place(compiler, type, 4, &op->target))
		return false;
	if (op->target + NFT_REG_SIZE <= WALK_REGISTER_BYTES)
		op->length = NFT_REG_SIZE;
	return true;
}

static bool compile_socket(struct walk_compiler *compiler)
{
	return unknown_register(compiler, NFTA_SOCKET_DREG);
}

static bool compile_osf(struct walk_compiler *compiler)
{
	return unknown_register(compiler, NFTA_OSF_DREG);
}

static bool compile_tunnel(struct walk_compiler *compiler)
{
	return unknown_register(compiler, NFTA_TUNNEL_DREG);
}

/* No packet here went through IPsec. */
static bool compile_xfrm(struct walk_compiler *compiler)
{
	compiler->op->kind = WALK_OP_NEVER;
	return true;
}

/* Extensions that have the kernel track connections. */
static bool xt_tracks(struct span name)
{
	static const char *const names[] = {
		"DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP", "CT", "CONNMARK",
		"CONNSECMARK", "SYNPROXY", "conntrack", "state", "connmark", "connlimit",
		"connbytes", "connlabel", "helper", "cluster",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (attr_is(name, names[i]))
			return true;
	}
	return false;
}

static bool compile_match(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;

	op->kind = WALK_OP_XT_MATCH;
	op->key = walk_number(compiler, NFTA_MATCH_REV, 0);
	op->value2 = attr_span(compiler->attrs[NFTA_MATCH_INFO]);
	if (!attr_string(compiler->attrs[NFTA_MATCH_NAME], &op->value))
		return false;
	op->tracks = xt_tracks(op->value);
	return true;
}

static bool compile_target(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;

	op->kind = WALK_OP_XT_TARGET;
	op->key = walk_number(compiler, NFTA_TARGET_REV, 0);
	op->value2 = attr_span(compiler->attrs[NFTA_TARGET_INFO]);
	if (!attr_string(compiler->attrs[NFTA_TARGET_NAME], &op->value))
		return false;
	op->tracks = xt_tracks(op->value);
	return true;
}

static bool compile_pass(struct walk_compiler *compiler)
{
	compiler->op->kind = WALK_OP_PASS;
	return true;
}

static bool compile_flow_offload(struct walk_compiler *compiler)
{
	compiler->op->kind = WALK_OP_PASS;
	compiler->op->tracks = true;
	return true;
}

static bool compile_unsure_deed(struct walk_compiler *compiler)
{
	compiler->op->kind = WALK_OP_UNSURE_DEED;
	return true;
}

static const struct { const char *name; compile_fn *compile; } compilers[] = {
	{ "counter", compile_pass },       { "match", compile_match },
	{ "target", compile_target },      { "nat", compile_nat },
	{ "masq", compile_masquerade },    { "redir", compile_redirect },
	{ "reject", compile_reject },      { "queue", compile_queue },
	{ "notrack", compile_notrack },    { "limit", compile_limit },
	{ "connlimit", compile_connlimit }, { "quota", compile_quota },
	{ "dynset", compile_dynset },      { "exthdr", compile_exthdr },
	{ "rt", compile_rt },              { "numgen", compile_numgen },
	{ "hash", compile_hash },          { "socket", compile_socket },
	{ "osf", compile_osf },            { "tunnel", compile_tunnel },
	{ "xfrm", compile_xfrm },          { "log", compile_pass },
	{ "last", compile_pass },          { "objref", compile_pass },
	{ "flow_offload", compile_flow_offload },  { "dup", compile_pass },
	{ "tproxy", compile_unsure_deed }, { "synproxy", compile_unsure_deed },
	{ "fwd", compile_unsure_deed },
};

bool walk_compile_more(struct walk_compiler *compiler, struct span name)
{
	for (size_t i = 0; i < sizeof(compilers) / sizeof(compilers[0]); i++) {
		if (attr_is(name, compilers[i].name))
			return compilers[i].compile(compiler);
	}
	return false;
}
