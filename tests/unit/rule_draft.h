/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules as the kernel dumps them, made expression by expression.
 */
#ifndef TESTS_UNIT_RULE_DRAFT_H
#define TESTS_UNIT_RULE_DRAFT_H

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "kernel/nft_rewrite.h"
#include "kernel/wire.h"

#define DRAFT_UNUSED __attribute__((unused))

enum { PREROUTING = 1 << NF_INET_PRE_ROUTING, POSTROUTING = 1 << NF_INET_POST_ROUTING };

/* A rule while it is built: expressions, and the one that is open. */
struct draft {
	struct wire wire;
	size_t element, data;
};

static DRAFT_UNUSED void begin(struct draft *draft, const char *name)
{
	draft->element = wire_nest(&draft->wire, NFTA_LIST_ELEM);
	wire_put_string(&draft->wire, NFTA_EXPR_NAME, name);
	draft->data = wire_nest(&draft->wire, NFTA_EXPR_DATA);
}

static DRAFT_UNUSED void end(struct draft *draft)
{
	wire_nest_end(&draft->wire, draft->data);
	wire_nest_end(&draft->wire, draft->element);
}

static DRAFT_UNUSED void payload(struct draft *draft, uint32_t reg, uint32_t base,
				 uint32_t offset, uint32_t length)
{
	begin(draft, "payload");
	wire_put_be32(&draft->wire, NFTA_PAYLOAD_DREG, reg);
	wire_put_be32(&draft->wire, NFTA_PAYLOAD_BASE, base);
	wire_put_be32(&draft->wire, NFTA_PAYLOAD_OFFSET, offset);
	wire_put_be32(&draft->wire, NFTA_PAYLOAD_LEN, length);
	end(draft);
}

static DRAFT_UNUSED void compare(struct draft *draft, uint32_t reg, uint32_t op,
				 const void *bytes, size_t length)
{
	size_t value;

	begin(draft, "cmp");
	wire_put_be32(&draft->wire, NFTA_CMP_SREG, reg);
	wire_put_be32(&draft->wire, NFTA_CMP_OP, op);
	value = wire_nest(&draft->wire, NFTA_CMP_DATA);
	wire_put(&draft->wire, NFTA_DATA_VALUE, bytes, length);
	wire_nest_end(&draft->wire, value);
	end(draft);
}

static DRAFT_UNUSED void meta(struct draft *draft, uint32_t key, const void *bytes,
			      size_t length)
{
	begin(draft, "meta");
	wire_put_be32(&draft->wire, NFTA_META_DREG, NFT_REG_1);
	wire_put_be32(&draft->wire, NFTA_META_KEY, key);
	end(draft);
	compare(draft, NFT_REG_1, NFT_CMP_EQ, bytes, length);
}

static DRAFT_UNUSED void dnat(struct draft *draft)
{
	begin(draft, "nat");
	wire_put_be32(&draft->wire, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	end(draft);
}

static DRAFT_UNUSED void lookup(struct draft *draft, uint32_t reg, const char *set)
{
	begin(draft, "lookup");
	wire_put_string(&draft->wire, NFTA_LOOKUP_SET, set);
	wire_put_be32(&draft->wire, NFTA_LOOKUP_SREG, reg);
	end(draft);
}

static DRAFT_UNUSED void immediate(struct draft *draft, uint32_t reg, const void *bytes,
				   size_t length)
{
	size_t value;

	begin(draft, "immediate");
	wire_put_be32(&draft->wire, NFTA_IMMEDIATE_DREG, reg);
	value = wire_nest(&draft->wire, NFTA_IMMEDIATE_DATA);
	wire_put(&draft->wire, NFTA_DATA_VALUE, bytes, length);
	wire_nest_end(&draft->wire, value);
	end(draft);
}

static DRAFT_UNUSED void nat(struct draft *draft, uint32_t type, uint32_t first,
			     uint32_t last, uint32_t flags)
{
	begin(draft, "nat");
	wire_put_be32(&draft->wire, NFTA_NAT_TYPE, type);
	wire_put_be32(&draft->wire, NFTA_NAT_FAMILY, NFPROTO_IPV4);
	wire_put_be32(&draft->wire, NFTA_NAT_REG_ADDR_MIN, first);
	wire_put_be32(&draft->wire, NFTA_NAT_REG_ADDR_MAX, last);
	if (flags)
		wire_put_be32(&draft->wire, NFTA_NAT_FLAGS, flags);
	end(draft);
}

static DRAFT_UNUSED void bitwise(struct draft *draft, const void *mask, size_t length)
{
	static const uint8_t zero[16];
	size_t value;

	begin(draft, "bitwise");
	wire_put_be32(&draft->wire, NFTA_BITWISE_SREG, NFT_REG_1);
	wire_put_be32(&draft->wire, NFTA_BITWISE_DREG, NFT_REG_1);
	wire_put_be32(&draft->wire, NFTA_BITWISE_LEN, (uint32_t)length);
	value = wire_nest(&draft->wire, NFTA_BITWISE_MASK);
	wire_put(&draft->wire, NFTA_DATA_VALUE, mask, length);
	wire_nest_end(&draft->wire, value);
	value = wire_nest(&draft->wire, NFTA_BITWISE_XOR);
	wire_put(&draft->wire, NFTA_DATA_VALUE, zero, length);
	wire_nest_end(&draft->wire, value);
	end(draft);
}

static const uint8_t old4[4] = { 203, 0, 113, 1 };

static DRAFT_UNUSED void daddr(struct draft *draft, const uint8_t address[4])
{
	payload(draft, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
	compare(draft, NFT_REG_1, NFT_CMP_EQ, address, 4);
}

static DRAFT_UNUSED struct span bytes_of(const struct draft *draft)
{
	assert_false(draft->wire.failed);
	return (struct span){ draft->wire.bytes, draft->wire.length };
}

static DRAFT_UNUSED struct rewrite_policy policy_of(int family, unsigned hooks)
{
	static struct nft_target target;

	assert_true(addr_parse("198.51.100.7", &target.ipv4));
	assert_true(addr_parse("2001:db8:ffff::7", &target.ipv6));
	return (struct rewrite_policy){ .family = family, .hooks = hooks,
					.values = { .target = &target } };
}

#endif
