/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers, and what expressions do with them.
 */
#include "walk_private.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

/* The kernel clears the rest of the last four bytes. */
void walk_store(struct walk_state *state, size_t place, const void *bytes, size_t length,
		enum walk_miss about)
{
	const uint8_t *from = bytes;
	size_t whole = (length + NFT_REG32_SIZE - 1) / NFT_REG32_SIZE * NFT_REG32_SIZE;

	for (size_t i = 0; i < whole && place + i < WALK_REGISTER_BYTES; i++)
		state->registers[place + i] = (struct walk_byte){
			.value = i < length ? from[i] : 0, .known = 0xff,
			.about = i < length ? about : WALK_MATCHES,
		};
}

void walk_store_unknown(struct walk_state *state, size_t place, size_t length,
			enum walk_miss about)
{
	for (size_t i = 0; i < length && place + i < WALK_REGISTER_BYTES; i++)
		state->registers[place + i] = (struct walk_byte){ .about = about };
}

static void forget_all(struct walk_state *state)
{
	walk_store_unknown(state, 0, WALK_REGISTER_BYTES, WALK_MISS_OTHER);
}

static enum walk_miss about_of(const struct walk_byte *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i].about != WALK_MATCHES)
			return bytes[i].about;
	}
	return WALK_MISS_OTHER;
}

static bool all_known(const struct walk_byte *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i].known != 0xff)
			return false;
	}
	return true;
}

/* Less, equal or more, of bytes that are known. */
static int order_of(const struct walk_byte *bytes, struct span value)
{
	for (size_t i = 0; i < value.length; i++) {
		if (bytes[i].value != value.bytes[i])
			return bytes[i].value < value.bytes[i] ? -1 : 1;
	}
	return 0;
}

/* `ret_about`: what the first byte that differs speaks of. */
static enum walk_answer equal(const struct walk_byte *bytes, struct span value,
			      enum walk_miss *ret_about)
{
	for (size_t i = 0; i < value.length; i++) {
		if (!((bytes[i].value ^ value.bytes[i]) & bytes[i].known))
			continue;
		*ret_about = about_of(bytes + i, value.length - i);
		return WALK_NO;
	}
	return all_known(bytes, value.length) ? WALK_YES : WALK_MAYBE;
}

static bool order_fits(int order, uint32_t op)
{
	switch (op) {
	case NFT_CMP_LT: return order < 0;
	case NFT_CMP_LTE: return order <= 0;
	case NFT_CMP_GT: return order > 0;
	default: return order >= 0;
	}
}

static enum walk_answer match_cmp(struct walk_state *state, const struct walk_op *op,
				  enum walk_miss *ret_about)
{
	const struct walk_byte *bytes = state->registers + op->source;
	enum walk_answer answer;

	if (op->key == NFT_CMP_EQ)
		return equal(bytes, op->value, ret_about);
	if (op->key == NFT_CMP_NEQ) {
		answer = equal(bytes, op->value, ret_about);
		if (answer == WALK_MAYBE)
			return answer;
		*ret_about = about_of(bytes, op->value.length);
		return answer == WALK_YES ? WALK_NO : WALK_YES;
	}
	*ret_about = about_of(bytes, op->value.length);
	if (!all_known(bytes, op->value.length))
		return WALK_MAYBE;
	return order_fits(order_of(bytes, op->value), op->key) ? WALK_YES : WALK_NO;
}

static enum walk_answer match_range(struct walk_state *state, const struct walk_op *op,
				    enum walk_miss *ret_about)
{
	const struct walk_byte *bytes = state->registers + op->source;
	bool inside;

	*ret_about = about_of(bytes, op->value.length);
	if (!all_known(bytes, op->value.length))
		return WALK_MAYBE;
	inside = order_of(bytes, op->value) >= 0 && order_of(bytes, op->value2) <= 0;
	return inside != op->inverted ? WALK_YES : WALK_NO;
}

static enum walk_answer match_lookup(struct walk_state *state, const struct walk_op *op,
				     enum walk_miss *ret_about)
{
	const struct walk_byte *key = state->registers + op->source;
	const struct walk_element *element = NULL;
	enum walk_answer answer = walk_lookup(op->set, key, &element, ret_about);

	if (op->inverted && answer != WALK_MAYBE) {
		*ret_about = about_of(key, op->set->key_bytes);
		return answer == WALK_YES ? WALK_NO : WALK_YES;
	}
	if (op->target == WALK_NO_REGISTER || answer == WALK_NO)
		return answer;
	if (answer == WALK_MAYBE || !element ||
	    element->data.length > WALK_REGISTER_BYTES - (size_t)op->target)
		walk_store_unknown(state, op->target, NFT_REG_SIZE * 2, WALK_MISS_OTHER);
	else
		walk_store(state, op->target, element->data.bytes, element->data.length,
			   WALK_MISS_OTHER);
	return answer;
}

/* --- computing --- */

static struct walk_byte compute(uint32_t op, struct walk_byte left,
				struct walk_byte right)
{
	struct walk_byte result = { .about = left.about };
	uint8_t both = left.known & right.known;

	switch (op) {
	case WALK_AND:
		result.value = left.value & right.value;
		result.known = (uint8_t)(both | (left.known & ~left.value) |
					 (right.known & ~right.value));
		break;
	case WALK_OR:
		result.value = left.value | right.value;
		result.known = (uint8_t)(both | (left.known & left.value) |
					 (right.known & right.value));
		break;
	default:
		result.value = left.value ^ right.value;
		result.known = both;
		break;
	}
	return result;
}

static struct walk_byte constant(uint8_t value)
{
	return (struct walk_byte){ .value = value, .known = 0xff };
}

/* The kernel takes the words for one number, the first word its highest. */
static void shift_words(uint32_t *words, size_t count, unsigned bits, bool left)
{
	uint32_t carry = 0, next;

	if (!bits)
		return;
	for (size_t i = 0; i < count; i++) {
		uint32_t *word = &words[left ? count - 1 - i : i];

		next = left ? *word >> (32 - bits) : *word << (32 - bits);
		*word = (left ? *word << bits : *word >> bits) | carry;
		carry = next;
	}
}

/* What is not known moves as what is; what moves in is known to be 0. */
static void shift(struct walk_byte *bytes, const struct walk_op *op)
{
	uint32_t values[WALK_REGISTER_BYTES / 4] = { 0 };
	uint32_t unknown[WALK_REGISTER_BYTES / 4] = { 0 };
	uint8_t *value = (uint8_t *)values, *lack = (uint8_t *)unknown;
	size_t count = (op->length + 3) / 4;
	bool left = op->key == NFT_BITWISE_LSHIFT;
	enum walk_miss about = about_of(bytes, op->length);

	for (size_t i = 0; i < op->length; i++) {
		value[i] = bytes[i].value;
		lack[i] = (uint8_t)~bytes[i].known;
	}
	shift_words(values, count, op->offset, left);
	shift_words(unknown, count, op->offset, left);
	for (size_t i = 0; i < op->length; i++)
		bytes[i] = (struct walk_byte){ value[i], (uint8_t)~lack[i],
					       (uint8_t)about };
}

static void run_bitwise(struct walk_state *state, const struct walk_op *op)
{
	struct walk_byte result[WALK_REGISTER_BYTES];
	bool shifts = op->key == NFT_BITWISE_LSHIFT || op->key == NFT_BITWISE_RSHIFT;

	memcpy(result, state->registers + op->source, op->length * sizeof(result[0]));
	if (shifts)
		shift(result, op);
	for (size_t i = 0; i < op->length && !shifts; i++) {
		if (op->key == NFT_BITWISE_BOOL)
			result[i] = compute(WALK_XOR,
					    compute(WALK_AND, result[i],
						    constant(op->value.bytes[i])),
					    constant(op->value2.bytes[i]));
		else if (op->source2 != WALK_NO_REGISTER)
			result[i] = compute(op->key, result[i],
					    state->registers[op->source2 + i]);
		else
			result[i] = compute(op->key, result[i],
					    constant(op->value.bytes[i]));
	}
	memcpy(state->registers + op->target, result, op->length * sizeof(result[0]));
}

static void run_byteorder(struct walk_state *state, const struct walk_op *op)
{
	struct walk_byte result[WALK_REGISTER_BYTES];
	const struct walk_byte *from = state->registers + op->source;

	memcpy(result, from, op->length * sizeof(result[0]));
	if (BYTE_ORDER == LITTLE_ENDIAN) {
		for (size_t i = 0; i < op->length; i++) {
			size_t other = i / op->key * op->key + op->key - 1 - i % op->key;

			if (other < op->length)
				result[i] = from[other];
		}
	}
	memcpy(state->registers + op->target, result, op->length * sizeof(result[0]));
}

/* --- the rule --- */

static enum walk_answer run(struct walk_state *state, const struct walk_op *op,
			    enum walk_miss *ret_about)
{
	static const uint8_t zeros[NFT_REG_SIZE];

	switch (op->kind) {
	case WALK_OP_BITWISE:
		run_bitwise(state, op);
		return WALK_YES;
	case WALK_OP_BYTEORDER:
		run_byteorder(state, op);
		return WALK_YES;
	case WALK_OP_IMMEDIATE:
		walk_store(state, op->target, op->value.bytes, op->value.length,
			   WALK_MISS_OTHER);
		return WALK_YES;
	case WALK_OP_UNKNOWN:
		walk_store_unknown(state, op->target, op->length, WALK_MISS_OTHER);
		return WALK_YES;
	case WALK_OP_ZERO:
		walk_store(state, op->target, zeros, op->length, WALK_MISS_OTHER);
		return WALK_YES;
	case WALK_OP_NUMBER:
		walk_store(state, op->target, &op->offset, 4, WALK_MISS_OTHER);
		return WALK_YES;
	case WALK_OP_UNSURE:
		forget_all(state);
		return WALK_MAYBE;
	case WALK_OP_NEVER:
		*ret_about = WALK_MISS_OTHER;
		return WALK_NO;
	default:
		return WALK_YES;
	}
}

enum walk_answer walk_match(struct walk_state *state, const struct walk_op *op,
			    enum walk_miss *ret_about)
{
	switch (op->kind) {
	case WALK_OP_PAYLOAD: return walk_load_payload(state, op, ret_about);
	case WALK_OP_META: return walk_load_meta(state, op, ret_about);
	case WALK_OP_CT: return walk_load_ct(state, op, ret_about);
	case WALK_OP_FIB: return walk_load_fib(state, op, ret_about);
	case WALK_OP_CMP: return match_cmp(state, op, ret_about);
	case WALK_OP_RANGE: return match_range(state, op, ret_about);
	case WALK_OP_LOOKUP: return match_lookup(state, op, ret_about);
	case WALK_OP_XT_MATCH:
		return walk_xt_match(state, op->value, op->key, op->value2, ret_about);
	default: return run(state, op, ret_about);
	}
}

/* Marks, addresses and ports decide over the way; TTL and DSCP do not. */
static bool sets_address(const struct walk_op *op)
{
	if (op->key == NFT_PAYLOAD_NETWORK_HEADER)
		return op->offset + op->length > 10;
	return op->key == NFT_PAYLOAD_TRANSPORT_HEADER && op->offset < 4;
}

bool walk_op_is_deed(const struct walk_op *op)
{
	switch (op->kind) {
	case WALK_OP_VERDICT:
		return op->verdict.code != NFT_CONTINUE && op->verdict.code != NFT_BREAK;
	case WALK_OP_XT_TARGET:
		return walk_xt_target_is_deed(op->value);
	case WALK_OP_PAYLOAD_SET:
		return sets_address(op);
	case WALK_OP_META_SET: case WALK_OP_CT_SET: case WALK_OP_VMAP: case WALK_OP_NAT:
	case WALK_OP_MASQUERADE: case WALK_OP_REDIRECT: case WALK_OP_NOTRACK:
	case WALK_OP_UNSURE_DEED:
		return true;
	default:
		return false;
	}
}

/* All that can fail or is not known is looked at before anything is done. */
enum walk_answer walk_rule_try(struct walk_state *state, const struct walk_rule *rule,
			       bool only_look, struct walk_verdict *ret_verdict,
			       enum walk_miss *ret_about)
{
	const struct walk_code *code = rule->code;
	enum walk_answer answer = WALK_YES, one;

	*ret_verdict = (struct walk_verdict){ .code = NFT_CONTINUE };
	state->rule = rule;
	forget_all(state);
	for (size_t i = 0; i < code->count; i++) {
		const struct walk_op *op = &code->ops[i];

		if (!walk_op_is_deed(op))
			one = walk_match(state, op, ret_about);
		else if (answer == WALK_MAYBE)
			return WALK_MAYBE;
		else
			one = walk_do(state, op, only_look, ret_verdict, ret_about);
		if (one == WALK_NO)
			return WALK_NO;
		if (one == WALK_MAYBE)
			answer = WALK_MAYBE;
		if (ret_verdict->code != NFT_CONTINUE)
			return answer;
	}
	/* Without a consequence it is all one. */
	return answer == WALK_MAYBE && !code->deed && !only_look ? WALK_NO : answer;
}
