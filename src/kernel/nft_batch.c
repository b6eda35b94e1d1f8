/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>

#include "nft_emit.h"
#include "nft_set.h"

/* Sets are read while the batch is built; their questions are numbered below it. */
enum { QUESTIONS_MAX = 1 << 24, ENVELOPE_BYTES = 64 };

static void put_begin(struct batch *batch)
{
	char bytes[ENVELOPE_BYTES] = "";
	struct nlmsghdr *message = nftnl_batch_begin(bytes, batch->begin_seq);

	mnl_attr_put_u32(message, NFNL_BATCH_GENID, htonl(batch->ruleset->generation));
	batch->generation_at = message->nlmsg_len - sizeof(uint32_t);
	wire_add(&batch->wire, bytes, message->nlmsg_len);
}

void batch_renew(struct batch *batch)
{
	uint32_t generation = htonl(batch->ruleset->generation);

	memcpy(batch->wire.bytes + batch->generation_at, &generation, sizeof(generation));
}

static void put_end(struct batch *batch)
{
	char bytes[ENVELOPE_BYTES] = "";
	struct nlmsghdr *message = nftnl_batch_end(bytes, ++batch->seq);

	wire_add(&batch->wire, bytes, message->nlmsg_len);
}

/* All messages up to the last one that have no owner yet are this thing's. */
static int own(struct batch *batch, struct ruleset_thing *thing)
{
	while (batch->owner_count < batch->seq - batch->begin_seq) {
		if (ruleset_grow((void **)&batch->owners, batch->owner_count,
				 &batch->owner_room, sizeof(*batch->owners)) < 0)
			return -ENOMEM;
		batch->owners[batch->owner_count++] = thing;
	}
	return 0;
}

static bool twin_made(const struct emit_twin *twins, size_t count, struct span set)
{
	for (size_t i = 0; i < count; i++) {
		if (twins[i].set.length == set.length &&
		    memcmp(twins[i].set.bytes, set.bytes, set.length) == 0)
			return true;
	}
	return false;
}

static int read_header(struct batch *batch, const struct ruleset_thing *thing,
		       struct span name, const struct set *loaded,
		       struct set_header *ret_header)
{
	if (!loaded)
		return set_read_header(batch->nft, &batch->ruleset->arena, thing->table,
				       name, ret_header);
	*ret_header = loaded->header;
	return 0;
}

/*
 * Makes the twins of a rule's anonymous sets. 1: the rule uses one that cannot be made
 * again.
 */
static int put_twins(struct batch *batch, const struct ruleset_thing *thing,
		     struct emit_rule *rule, struct emit_twin *twins)
{
	for (size_t i = 0; i < rule->view->lookup_count; i++) {
		const struct rule_lookup *lookup = &rule->view->lookups[i];
		const struct set *loaded = set_find(thing->sets, lookup->set);
		struct set_header header;
		const char *name;
		int r;

		if (twin_made(twins, rule->twin_count, lookup->set))
			continue;
		r = read_header(batch, thing, lookup->set, loaded, &header);
		if (r < 0)
			return r;
		if (!(header.flags & NFT_SET_ANONYMOUS))
			continue;
		if (lookup->dynamic)
			return 1;
		name = arena_string(&batch->ruleset->arena,
				    (const char *)lookup->set.bytes, lookup->set.length);
		if (!name)
			return -ENOMEM;
		twins[rule->twin_count++] = (struct emit_twin){
			lookup->set, set_twin_name(&header), ++batch->sets };
		r = set_write_twin(batch->nft, &batch->wire, thing->table, name, &header,
				   loaded, batch->sets, &batch->seq);
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_rule(struct batch *batch, struct ruleset_thing *thing)
{
	struct span expressions = { thing->expressions, thing->expressions_bytes };
	struct emit_twin twins[RULE_LOOKUPS_MAX];
	size_t place = batch->wire.length;
	uint32_t seq = batch->seq;
	struct rule_view view;
	struct emit_rule rule = {
		.family = (uint8_t)thing->table->family, .table = thing->table->name,
		.chain = thing->place, .handle = thing->handle,
		.expressions = expressions, .userdata = thing->userdata,
		.view = &view, .twins = twins,
		.missing = thing->verdict.adds ? thing->verdict.new : (struct addr){ 0 },
	};
	int r;

	rule_read(expressions, rule.family, &view);
	r = put_twins(batch, thing, &rule, twins);
	if (r < 0)
		return r;
	if (r > 0) {
		batch->wire.length = place;
		batch->seq = seq;
		ruleset_leave(batch->ruleset, thing,
			      "uses a meter, which cannot be made again", false);
		return 0;
	}
	batch->last = wire_nf_message(&batch->wire, nft_type(NFT_MSG_NEWRULE),
				      NLM_F_REPLACE, ++batch->seq, rule.family);
	emit_rule(&batch->wire, &rule);
	wire_message_end(&batch->wire, batch->last);
	return own(batch, thing);
}

/* One answer is enough: asking for one per message would overrun our own receive buffer. */
static void ask_for_answer(struct batch *batch)
{
	struct nlmsghdr message;

	if (batch->wire.failed || !batch->last)
		return;
	memcpy(&message, batch->wire.bytes + batch->last, sizeof(message));
	message.nlmsg_flags |= NLM_F_ACK;
	memcpy(batch->wire.bytes + batch->last, &message, sizeof(message));
}

/* One claim's messages about a named set. */
static int put_edits(struct batch *batch, const struct set *set, bool comes,
		     const struct element_edit **edit)
{
	struct element_claim *claim = (*edit)->claim;

	batch->last = set_write_edits(&batch->wire, set, comes, edit, &batch->seq,
				      batch->last);
	return own(batch, ruleset_thing_of(claim));
}

/* What goes makes room for what comes. */
static int put_set(struct batch *batch, const struct set *set)
{
	int r = 0;

	for (int comes = 0; comes <= 1; comes++) {
		const struct element_edit *edit = set->image.edits;

		while (edit && r == 0)
			r = put_edits(batch, set, comes, &edit);
	}
	return r;
}

/*
 * The kernel finds a handle by walking its chain from the front, and puts the new rule
 * before the old one: from back to front no walk is made longer by what was replaced
 * before.
 */
static int put_rules(struct batch *batch)
{
	int r = 0;

	for (size_t i = batch->ruleset->thing_count; i-- > 0 && r == 0;) {
		struct ruleset_thing *thing = batch->ruleset->things[i];

		if (thing->kind == NFT_RULE &&
		    (thing->resend || thing->verdict.result == NFT_CHANGED))
			r = put_rule(batch, thing);
	}
	return r;
}

int batch_build(struct batch *batch)
{
	int r = 0;

	batch->begin_seq = batch->seq = batch->nft->command.seq + QUESTIONS_MAX;
	put_begin(batch);
	for (const struct set *set = batch->ruleset->named; set && r == 0;
	     set = set->next)
		r = put_set(batch, set);
	if (r == 0)
		r = put_rules(batch);
	if (r < 0)
		return r;
	ask_for_answer(batch);
	put_end(batch);
	batch->nft->command.seq = batch->seq;
	return batch->wire.failed ? -ENOMEM : 0;
}

void batch_done(struct batch *batch)
{
	wire_done(&batch->wire);
	free(batch->owners);
	batch->owners = NULL;
}

struct ruleset_thing *batch_owner(const struct batch *batch, uint32_t seq)
{
	uint32_t index = seq - batch->begin_seq - 1;

	return index < batch->owner_count ? batch->owners[index] : NULL;
}
