/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole nft_sync() against a kernel that may answer anything: whatever it says, what we
 * send is a batch of well-formed messages that replace rules, make twins of anonymous
 * sets and exchange elements. Or one rule gets a tag. Input: fuzz/netlink_input.h.
 */
#include <linux/netfilter.h>
#include <sys/socket.h>

#include "fake/netlink.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BATCH_BYTES_MAX = 1 << 25 };

struct told {
	struct nft_count total;
	unsigned unchanged, refused;
	bool dry_run;
};

static bool has_string(struct span attributes, uint16_t type, const char *string)
{
	struct span text;

	return attr_string(attr_find(attributes, type), &text) &&
	       (!string || attr_is(text, string));
}

static void check_rule(const struct nlmsghdr *message, struct span attributes)
{
	uint64_t handle;

	require(message->nlmsg_flags & NLM_F_REPLACE);
	require(!(message->nlmsg_flags & (NLM_F_CREATE | NLM_F_APPEND)));
	require(has_string(attributes, NFTA_RULE_TABLE, NULL));
	require(has_string(attributes, NFTA_RULE_CHAIN, NULL));
	require(attr_be64(attr_find(attributes, NFTA_RULE_HANDLE), &handle));
	require(attr_well_formed(attr_nest(attributes, NFTA_RULE_EXPRESSIONS)));
	require(!attr_find(attributes, NFTA_RULE_POSITION) &&
		!attr_find(attributes, NFTA_RULE_ID));
}

static void check_set(const struct nlmsghdr *message, struct span attributes)
{
	const struct nlattr *table[NFTA_SET_ID + 1];
	uint32_t flags = 0, id;

	attr_index(attributes, table, NFTA_SET_ID + 1);	/* the last one counts */
	require(message->nlmsg_flags & NLM_F_CREATE);
	require(has_string(attributes, NFTA_SET_NAME, "__set%d") ||
		has_string(attributes, NFTA_SET_NAME, "__map%d"));
	require(attr_be32(table[NFTA_SET_FLAGS], &flags));
	require(flags & NFT_SET_ANONYMOUS);
	require(attr_be32(table[NFTA_SET_ID], &id) && id);
}

static void check_elements(struct span attributes)
{
	require(has_string(attributes, NFTA_SET_ELEM_LIST_TABLE, NULL));
	require(has_string(attributes, NFTA_SET_ELEM_LIST_SET, NULL));
	require(attr_well_formed(attr_nest(attributes, NFTA_SET_ELEM_LIST_ELEMENTS)));
}

static void check_message(const struct nlmsghdr *message)
{
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg));

	require(attr_well_formed(attributes));
	require(message->nlmsg_flags & NLM_F_REQUEST);
	require(!(message->nlmsg_flags & NLM_F_DUMP) || message->nlmsg_type ==
		(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE));
	switch (message->nlmsg_type) {
	case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE:
		check_rule(message, attributes);
		break;
	case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET:
		check_set(message, attributes);
		break;
	case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM:
		require(message->nlmsg_flags & NLM_F_CREATE);
		check_elements(attributes);
		break;
	case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELSETELEM:
		check_elements(attributes);
		/* Without elements it would empty the set. */
		require(attr_nest(attributes, NFTA_SET_ELEM_LIST_ELEMENTS).length);
		break;
	default:
		abort();
	}
}

static void fake_batch(const uint8_t *bytes, size_t length)
{
	const struct nlmsghdr *message = (const void *)bytes;
	int left = (int)length;
	uint32_t seq;

	require(length <= BATCH_BYTES_MAX && mnl_nlmsg_ok(message, left));
	require(message->nlmsg_type == NFNL_MSG_BATCH_BEGIN);
	seq = message->nlmsg_seq;
	require(attr_find(attr_of_message(message, sizeof(struct nfgenmsg)),
			  NFNL_BATCH_GENID));
	for (message = mnl_nlmsg_next(message, &left);
	     mnl_nlmsg_ok(message, left) && message->nlmsg_type != NFNL_MSG_BATCH_END;
	     message = mnl_nlmsg_next(message, &left)) {
		require(message->nlmsg_seq == ++seq);
		check_message(message);
	}
	require(mnl_nlmsg_ok(message, left) && message->nlmsg_seq == seq + 1);
	require((size_t)left == message->nlmsg_len);
}

/* Outside of a batch there are only questions: NFT_MSG_GETTABLE, and every third on. */
static void fake_question(const struct wire *request)
{
	require(input_kind(request) % 3 == NFT_MSG_GETTABLE);
}

static void take_item(void *context, const struct nft_item *item)
{
	struct told *told = context;

	told->total.tagged++;
	told->total.changed += item->result == NFT_CHANGED;
	told->total.skipped += item->result == NFT_SKIPPED;
	told->unchanged += item->result == NFT_UNCHANGED;
	told->refused += item->refused;
	require((item->result == NFT_SKIPPED) == (item->reason != NULL));
	require((item->result == NFT_SKIPPED) == addr_is_none(&item->new));
	require(item->table && item->chain && item->comment);
	require(strlen(item->comment) < NFT_COMMENT_BYTES);
	require(!item->refused || item->result == NFT_SKIPPED);
	require(!item->learnt || item->result == NFT_CHANGED);
}

static void check_report(const struct told *told, const struct nft_report *report)
{
	require(told->total.tagged == report->total.tagged);
	require(told->total.changed == report->total.changed);
	require(told->total.skipped == report->total.skipped);
	require(told->unchanged == report->unchanged);
	require(told->refused == report->refused);
	require(told->total.changed || report->commit_us == 0);
}

/* The command "tag": one rule gets another comment. */
static void tag_one(struct nft *nft)
{
	struct input_request input;
	struct nft_tagging wish = { .family = NFPROTO_IPV4, .table = "t", .chain = "pre",
				    .handle = 2, .word = "hairpin" };
	struct nft_tagged tagged = { .old = "" };
	struct err err = { "" };
	int r;

	input_request(&input, (const uint8_t *)"\0\0");
	wish.tag = &input.targets[0].tag;
	r = nft_tag_rule(nft, &wish, &tagged, &err);
	require(r == 0 || r == -EALREADY || err.text[0] != '\0');
	require(memchr(tagged.old, '\0', sizeof(tagged.old)) &&
		memchr(tagged.new, '\0', sizeof(tagged.new)));
	if (r == 0)
		require(strncmp(tagged.new, "hairpin", 7) == 0 && fake.batches > 0);
	input_done(&input);
}

static void sync_all(struct nft *nft, const uint8_t *options)
{
	struct input_request input;
	struct nft_report report = { 0 };
	struct told told = { 0 };
	struct err err = { "" };

	input_request(&input, options);
	input.request.item = take_item;
	input.request.context = &told;
	if (nft_sync(nft, &input.request, &report, &err) == 0)
		check_report(&told, &report);
	else
		require(err.text[0] != '\0' && told.total.tagged == 0);
	require(!input.request.dry_run || !fake.batches);
	input_done(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { "" };
	struct nft *nft;

	if (size < INPUT_OPTIONS)
		return 0;
	memset(&fake, 0, sizeof(fake));
	fake.bytes = data + INPUT_OPTIONS;
	fake.length = size - INPUT_OPTIONS;
	require(nft_new(&nft, &err) == 0);
	if (data[1] == INPUT_TAG)
		tag_one(nft);
	else
		sync_all(nft, data);
	nft_free(nft);
	return 0;
}
