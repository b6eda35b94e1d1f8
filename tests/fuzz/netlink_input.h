/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fuzz_netlink.c reads and record_netlink.c writes: one nft_sync() as its caller and
 * the kernel gave it.
 *
 * Input: INPUT_OPTIONS bytes that make the request, then answers, each a struct
 * input_answer and its bytes.
 */
#ifndef TESTS_FUZZ_NETLINK_INPUT_H
#define TESTS_FUZZ_NETLINK_INPUT_H

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/nft.h"
#include "kernel/wire.h"

enum input_option {
	INPUT_ADD_MISSING = 1 << 0,
	INPUT_FILTER = 1 << 1,
	INPUT_DRY_RUN = 1 << 2,
	INPUT_NAMES = 1 << 3,
	INPUT_SECOND_WAN = 1 << 4,
	INPUT_NO_FORMER = 1 << 5,
	INPUT_ONE_TABLE = 1 << 6,
	INPUT_FEW = 1 << 7,
};

enum {
	INPUT_OPTIONS = 2,		/* enum input_option; keep_bits, or INPUT_TAG */
	INPUT_TAG = 255,		/* no sync: one rule is tagged */
	INPUT_BATCH = 0,		/* the kind of answer that a batch gets */
	INPUT_HEARD = 255,		/* a datagram to those who only listen */
	INPUT_ALIGN = 4,
};

/* Little endian, as x86 has it; elsewhere the seeds are only noise. */
struct input_answer {
	uint8_t kind;			/* NFT_MSG_GET* of the question, or INPUT_BATCH */
	int8_t status;			/* what netlink_ask() gives: 0 or negative errno */
	uint16_t length;		/* of the messages that follow, or of refusals */
	uint32_t key;			/* input_key() of the question */
};

/* A question's attributes in 32 bits (FNV-1a). */
static inline uint32_t input_key(const struct wire *question)
{
	uint32_t key = 2166136261;

	for (size_t i = NLMSG_HDRLEN; i < question->length; i++)
		key = (key ^ question->bytes[i]) * 16777619;
	return key;
}

static inline uint8_t input_kind(const struct wire *question)
{
	struct nlmsghdr message;

	memcpy(&message, question->bytes, sizeof(message));
	return (uint8_t)message.nlmsg_type;
}

struct input_request {
	struct nft_request request;
	struct nft_target targets[2];
	struct addr former[3], named[2];
	struct nft_name name;
	struct nft_table table;
};

static inline struct addr input_addr(const char *text)
{
	struct addr address;

	if (!addr_parse(text, &address))
		abort();
	return address;
}

static inline void input_targets(struct input_request *input, unsigned options,
				 unsigned keep_bits)
{
	static const char *const tags[] = { "hairpin", "hairpin:wan2" };

	input->former[0] = input_addr("203.0.113.1");
	input->former[1] = input_addr("2001:db8::1");
	input->former[2] = input_addr("192.0.2.200");
	for (size_t i = 0; i < 2; i++) {
		struct nft_target *target = &input->targets[i];

		if (tag_init(&target->tag, tags[i], NULL) < 0)
			abort();
		target->former = input->former;
		target->former_count = options & INPUT_NO_FORMER ? 0 : 3;
		target->keep_bits = keep_bits <= 128 ? keep_bits : 0;
		target->prefix = input_addr("2001:db8:ffff::");
	}
	input->targets[0].ipv4 = input_addr("198.51.100.7");
	input->targets[0].ipv6 = input_addr("2001:db8:ffff::7");
	input->targets[1].ipv4 = input_addr("198.51.100.8");
}

/* input_done() afterwards. */
static inline void input_request(struct input_request *input, const uint8_t *bytes)
{
	unsigned options = bytes[0];
	struct nft_request *request = &input->request;

	memset(input, 0, sizeof(*input));
	input_targets(input, options, bytes[1]);
	input->named[0] = input_addr("198.51.100.90");
	input->named[1] = input_addr("2001:db8:ffff::90");
	input->name = (struct nft_name){ "example.org", input->named, 2 };
	input->table = (struct nft_table){ NFPROTO_IPV4, "t" };
	request->targets = input->targets;
	request->target_count = options & INPUT_SECOND_WAN ? 2 : 1;
	request->name_prefix = options & INPUT_NAMES ? "dns:" : NULL;
	request->names = &input->name;
	request->name_count = options & INPUT_NAMES ? 1 : 0;
	request->tables = &input->table;
	request->table_count = options & INPUT_ONE_TABLE ? 1 : 0;
	request->dry_run = options & INPUT_DRY_RUN;
	request->filter = options & INPUT_FILTER;
	request->add_missing = options & INPUT_ADD_MISSING;
	request->services = true;
	request->max = options & INPUT_FEW ? 3 : 0;
}

static inline void input_done(struct input_request *input)
{
	for (size_t i = 0; i < 2; i++)
		tag_done(&input->targets[i].tag);
}

#endif
