/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another comment for one rule. The comment is userdata, which no rule can be told alone:
 * the rule is replaced by itself, in the way of every other change.
 */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "nft_commit.h"

enum {
	TAG_TRIES = 10,
	/* NFT_USERDATA_MAXLEN of the kernel; nft takes comments of 128 with their NUL */
	USERDATA_BYTES = 256,
	COMMENT_BYTES = 128,
};

/* One rule on its way to its new comment. */
struct tagging {
	const struct nft_tagging *wish;
	struct ruleset ruleset;
	struct ruleset_table table;
	struct ruleset_chain chain;
	struct ruleset_thing thing, *things[1];
	bool found;
	uint8_t userdata[USERDATA_BYTES];
};

static int take_rule(void *argument, const struct nlmsghdr *message)
{
	struct tagging *tagging = argument;
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg));

	tagging->found = true;
	return ruleset_keep_rule(&tagging->ruleset, &tagging->chain, &tagging->thing,
				 attr_nest(attributes, NFTA_RULE_EXPRESSIONS),
				 attr_nest(attributes, NFTA_RULE_USERDATA));
}

static int read_rule(struct nft *nft, struct tagging *tagging, struct err *ret_err)
{
	const struct nft_tagging *wish = tagging->wish;
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message;
	int r;

	message = wire_nf_message(&wire, nft_type(NFT_MSG_GETRULE), NLM_F_ACK,
				  ++nft->command.seq, (uint8_t)wish->family);
	wire_put_string(&wire, NFTA_RULE_TABLE, wish->table);
	wire_put_string(&wire, NFTA_RULE_CHAIN, wish->chain);
	wire_put_be64(&wire, NFTA_RULE_HANDLE, wish->handle);
	wire_message_end(&wire, message);
	r = netlink_ask(&nft->command, &wire, take_rule, tagging);
	if (r == -ENOENT || r == -EOPNOTSUPP || (r == 0 && !tagging->found))
		return err_set(ret_err, -ENOENT,
			       "there is no such rule; \"nft -a list ruleset\" shows "
			       "tables, chains and handles");
	return r < 0 ? err_set_errno(ret_err, r, "reading the rule") : 0;
}

/* Its first comment, whoever wrote it: nft and iptables-nft have their own places. */
static int old_comment(const struct tagging *tagging, char ret_old[NFT_COMMENT_BYTES])
{
	const struct ruleset_thing *thing = &tagging->thing;
	struct span expressions = { thing->expressions, thing->expressions_bytes }, text;

	ret_old[0] = '\0';
	if (!rule_comment(thing->userdata, expressions, 0, &text))
		return 0;
	if (text.length >= NFT_COMMENT_BYTES)
		return -E2BIG;
	memcpy(ret_old, text.bytes, text.length);
	ret_old[text.length] = '\0';
	return 0;
}

/* What else is in there stays; the comment goes to its end. */
static int write_userdata(struct tagging *tagging, const char *comment)
{
	struct span old = tagging->thing.userdata, *userdata = &tagging->thing.userdata;
	size_t length = strlen(comment) + 1, at = 0, used = 0;

	while (old.length - at >= 2 && 2 + (size_t)old.bytes[at + 1] <= old.length - at) {
		size_t whole = 2 + (size_t)old.bytes[at + 1];

		if (old.bytes[at] != RULE_USERDATA_COMMENT) {
			if (used + whole > sizeof(tagging->userdata))
				return -E2BIG;
			memcpy(tagging->userdata + used, old.bytes + at, whole);
			used += whole;
		}
		at += whole;
	}
	if (at != old.length || length > COMMENT_BYTES ||
	    used + 2 + length > sizeof(tagging->userdata))
		return -E2BIG;
	tagging->userdata[used++] = RULE_USERDATA_COMMENT;
	tagging->userdata[used++] = (uint8_t)length;
	memcpy(tagging->userdata + used, comment, length);
	*userdata = (struct span){ tagging->userdata, used + length };
	return 0;
}

/* Two comments, one of an xt extension, are one too many: nobody knows which one counts. */
static bool has_xt_comment(const struct ruleset_thing *thing)
{
	struct span expressions = { thing->expressions, thing->expressions_bytes }, text;

	return rule_comment((struct span){ 0 }, expressions, 0, &text);
}

static int decide(struct tagging *tagging, struct nft_tagged *ret_tagged,
		  struct err *ret_err)
{
	const struct nft_tagging *wish = tagging->wish;
	int length;

	if (old_comment(tagging, ret_tagged->old) < 0)
		return err_set(ret_err, -E2BIG, "its comment is longer than any of nft's");
	if (tag_match(wish->tag, ret_tagged->old) != TAG_NO_MATCH)
		return err_set(ret_err, -EALREADY, "it is tagged already");
	if (has_xt_comment(&tagging->thing))
		return err_set(ret_err, -EOPNOTSUPP,
			       "its comment is an extension of iptables: replace the rule "
			       "with iptables -R and -m comment --comment \"%s\"",
			       wish->word);
	length = snprintf(ret_tagged->new, NFT_COMMENT_BYTES, "%s%s%s", wish->word,
			  ret_tagged->old[0] ? " " : "", ret_tagged->old);
	if (length >= NFT_COMMENT_BYTES || write_userdata(tagging, ret_tagged->new) < 0)
		return err_set(ret_err, -E2BIG,
			       "with the tag its comment would be longer than the %d "
			       "bytes that nft takes", COMMENT_BYTES - 1);
	return 0;
}

static int tag_once(struct nft *nft, const struct nft_tagging *wish,
		    struct nft_tagged *ret_tagged, struct err *ret_err)
{
	struct tagging tagging = {
		.wish = wish,
		.table = { .family = wish->family, .name = wish->table },
		.chain = { .table = &tagging.table, .name = wish->chain },
		.thing = { .handle = wish->handle },
		.things = { &tagging.thing },
	};
	struct nft_report report = { 0 };
	int r;

	r = nft_settled_generation(nft, &tagging.ruleset.generation);
	if (r == 0)
		r = read_rule(nft, &tagging, ret_err);
	else if (r != -EINTR)
		r = err_set_errno(ret_err, r, "reading the rule");
	if (r == 0)
		r = decide(&tagging, ret_tagged, ret_err);
	if (r == 0) {
		tagging.thing.verdict.result = NFT_CHANGED;
		tagging.ruleset.things = tagging.things;
		tagging.ruleset.thing_count = 1;
		r = nft_commit(nft, &tagging.ruleset, &report, ret_err);
		tagging.ruleset.things = NULL;
	}
	if (r == 0 && tagging.thing.verdict.result != NFT_CHANGED)
		r = err_set(ret_err, -EOPNOTSUPP, "%s", tagging.thing.verdict.reason);
	ruleset_done(&tagging.ruleset);
	return r;
}

int nft_tag_rule(struct nft *nft, const struct nft_tagging *wish,
		 struct nft_tagged *ret_tagged, struct err *ret_err)
{
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < TAG_TRIES; i++)
		r = tag_once(nft, wish, ret_tagged, ret_err);
	if (r == -EINTR)
		return err_set(ret_err, -EAGAIN, "somebody else changes the ruleset all "
			       "the time; try again");
	return r;
}
