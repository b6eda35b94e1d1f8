/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the expressions of a rule to what a walk does with them. What is malformed or
 * not known here becomes unsure, never an error. Attribute numbers:
 * linux/netfilter/nf_tables.h.
 */
#include "walk_compile.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "rule_reader.h"

enum { BITWISE_SREG2 = 8 };		/* NFTA_BITWISE_SREG2 of newer kernels */

typedef bool compile_fn(struct walk_compiler *compiler);

uint32_t walk_number(const struct walk_compiler *compiler, uint16_t type, uint32_t missing)
{
	uint32_t value = missing;

	attr_be32(compiler->attrs[type], &value);
	return value;
}

/* Where a register lies. False: it is not there, or too short. */
bool walk_place(const struct walk_compiler *compiler, uint16_t type, size_t length,
		  uint8_t *ret_place)
{
	uint32_t reg;
	size_t at;

	if (!attr_be32(compiler->attrs[type], &reg) || !reader_place(reg, length, &at))
		return false;
	*ret_place = (uint8_t)at;
	return true;
}

static bool value(const struct walk_compiler *compiler, uint16_t type, struct span *ret_value)
{
	*ret_value = attr_nest(attr_span(compiler->attrs[type]), NFTA_DATA_VALUE);
	return ret_value->length > 0 && ret_value->length <= WALK_REGISTER_BYTES;
}

bool walk_read_verdict(const struct walk *walk, const struct walk_table *table,
		       struct span verdict, struct walk_verdict *ret_verdict)
{
	static const struct { int32_t code; const char *name; } names[] = {
		{ NF_ACCEPT, "accept" }, { NF_DROP, "drop" }, { NF_QUEUE, "queue" },
		{ NFT_JUMP, "jump" }, { NFT_GOTO, "goto" }, { NFT_RETURN, "return" },
		{ NFT_CONTINUE, "continue" }, { NFT_BREAK, "continue" },
	};
	struct walk_verdict read = { 0 };
	struct span chain;
	uint32_t code;

	if (!attr_be32(attr_find(verdict, NFTA_VERDICT_CODE), &code))
		return false;
	read.code = (int32_t)code;
	if (rule_verdict_chain(verdict, &chain)) {
		read.to = walk_chain_of(walk, table, chain);
		if (!read.to)
			return false;
	} else if (read.code == NFT_JUMP || read.code == NFT_GOTO) {
		return false;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].code == read.code)
			read.name = names[i].name;
	}
	if (!read.name)
		return false;
	*ret_verdict = read;
	return true;
}

static bool compile_payload(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;

	op->key = walk_number(compiler, NFTA_PAYLOAD_BASE, UINT32_MAX);
	op->offset = walk_number(compiler, NFTA_PAYLOAD_OFFSET, UINT32_MAX);
	op->length = walk_number(compiler, NFTA_PAYLOAD_LEN, 0);
	if (op->offset > UINT16_MAX)
		return false;
	if (compiler->attrs[NFTA_PAYLOAD_SREG]) {
		op->kind = WALK_OP_PAYLOAD_SET;
		return walk_place(compiler, NFTA_PAYLOAD_SREG, op->length, &op->source);
	}
	op->kind = WALK_OP_PAYLOAD;
	return walk_place(compiler, NFTA_PAYLOAD_DREG, op->length, &op->target);
}

static bool compile_meta(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;

	op->key = walk_number(compiler, NFTA_META_KEY, UINT32_MAX);
	if (compiler->attrs[NFTA_META_SREG]) {
		op->kind = op->key == NFT_META_MARK ? WALK_OP_META_SET : WALK_OP_PASS;
		return walk_place(compiler, NFTA_META_SREG, 4, &op->source);
	}
	op->kind = WALK_OP_META;
	return walk_place(compiler, NFTA_META_DREG, 4, &op->target);
}

static bool compile_ct(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;

	op->tracks = true;
	op->key = walk_number(compiler, NFTA_CT_KEY, UINT32_MAX);
	op->direction = 0xff;
	attr_u8(compiler->attrs[NFTA_CT_DIRECTION], &op->direction);
	if (compiler->attrs[NFTA_CT_SREG]) {
		op->kind = op->key == NFT_CT_MARK || op->key == NFT_CT_ZONE
			? WALK_OP_CT_SET : WALK_OP_PASS;
		return walk_place(compiler, NFTA_CT_SREG, 4, &op->source);
	}
	op->kind = WALK_OP_CT;
	return walk_place(compiler, NFTA_CT_DREG, 4, &op->target);
}

static bool compile_fib(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;

	op->kind = WALK_OP_FIB;
	op->key = walk_number(compiler, NFTA_FIB_RESULT, 0);
	op->flags = walk_number(compiler, NFTA_FIB_FLAGS, 0);
	return walk_place(compiler, NFTA_FIB_DREG,
		     op->key == NFT_FIB_RESULT_OIFNAME &&
		     !(op->flags & NFTA_FIB_F_PRESENT) ? IFNAMSIZ : 4, &op->target);
}

static bool compile_cmp(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;

	op->kind = WALK_OP_CMP;
	op->key = walk_number(compiler, NFTA_CMP_OP, UINT32_MAX);
	return value(compiler, NFTA_CMP_DATA, &op->value) && op->key <= NFT_CMP_GTE &&
	       walk_place(compiler, NFTA_CMP_SREG, op->value.length, &op->source);
}

static bool compile_range(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;

	op->kind = WALK_OP_RANGE;
	op->inverted = walk_number(compiler, NFTA_RANGE_OP, 0) == NFT_RANGE_NEQ;
	return value(compiler, NFTA_RANGE_FROM_DATA, &op->value) &&
	       value(compiler, NFTA_RANGE_TO_DATA, &op->value2) &&
	       op->value.length == op->value2.length &&
	       walk_place(compiler, NFTA_RANGE_SREG, op->value.length, &op->source);
}

static bool compile_bitwise(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;
	struct span data;

	op->kind = WALK_OP_BITWISE;
	op->source2 = WALK_NO_REGISTER;
	op->key = walk_number(compiler, NFTA_BITWISE_OP, 0);
	op->length = walk_number(compiler, NFTA_BITWISE_LEN, 0);
	if (!walk_place(compiler, NFTA_BITWISE_SREG, op->length, &op->source) ||
	    !walk_place(compiler, NFTA_BITWISE_DREG, op->length, &op->target) || !op->length)
		return false;
	if (op->key == NFT_BITWISE_BOOL)
		return value(compiler, NFTA_BITWISE_MASK, &op->value) &&
		       value(compiler, NFTA_BITWISE_XOR, &op->value2) &&
		       op->value.length == op->length && op->value2.length == op->length;
	if (op->key == NFT_BITWISE_LSHIFT || op->key == NFT_BITWISE_RSHIFT) {
		if (!value(compiler, NFTA_BITWISE_DATA, &data) || data.length != 4)
			return false;
		memcpy(&op->offset, data.bytes, 4);
		return op->offset < 32;
	}
	if (op->key < WALK_AND || op->key > WALK_XOR)
		return false;
	if (walk_place(compiler, BITWISE_SREG2, op->length, &op->source2))
		return true;
	return value(compiler, NFTA_BITWISE_DATA, &op->value) &&
	       op->value.length == op->length;
}

static bool compile_byteorder(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;

	op->kind = WALK_OP_BYTEORDER;
	op->length = walk_number(compiler, NFTA_BYTEORDER_LEN, 0);
	op->key = walk_number(compiler, NFTA_BYTEORDER_SIZE, 0);
	return (op->key == 2 || op->key == 4 || op->key == 8) &&
	       walk_place(compiler, NFTA_BYTEORDER_SREG, op->length, &op->source) &&
	       walk_place(compiler, NFTA_BYTEORDER_DREG, op->length, &op->target);
}

static bool compile_lookup(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;
	struct span name;

	if (!attr_string(compiler->attrs[NFTA_LOOKUP_SET], &name))
		return false;
	op->set = walk_set_of(compiler->table, name);
	if (!op->set ||
	    !walk_place(compiler, NFTA_LOOKUP_SREG, op->set->key_bytes, &op->source))
		return false;
	op->inverted = walk_number(compiler, NFTA_LOOKUP_FLAGS, 0) & NFT_LOOKUP_F_INV;
	op->target = WALK_NO_REGISTER;
	op->kind = WALK_OP_LOOKUP;
	if (!compiler->attrs[NFTA_LOOKUP_DREG])
		return true;
	if (walk_number(compiler, NFTA_LOOKUP_DREG, NFT_REG_1) == NFT_REG_VERDICT)
		op->kind = WALK_OP_VMAP;
	else if (!walk_place(compiler, NFTA_LOOKUP_DREG, 4, &op->target))
		return false;
	return true;
}

static bool compile_immediate(struct walk_compiler *compiler)
{
	struct walk_op *op = compiler->op;
	struct span data = attr_span(compiler->attrs[NFTA_IMMEDIATE_DATA]);

	op->kind = WALK_OP_VERDICT;
	if (walk_number(compiler, NFTA_IMMEDIATE_DREG, NFT_REG_1) == NFT_REG_VERDICT)
		return walk_read_verdict(compiler->walk, &compiler->table->table,
					 attr_nest(data, NFTA_DATA_VERDICT),
					 &op->verdict);
	op->kind = WALK_OP_IMMEDIATE;
	return value(compiler, NFTA_IMMEDIATE_DATA, &op->value) &&
	       walk_place(compiler, NFTA_IMMEDIATE_DREG, op->value.length, &op->target);
}

static const struct { const char *name; compile_fn *compile; } compilers[] = {
	{ "payload", compile_payload },    { "cmp", compile_cmp },
	{ "meta", compile_meta },          { "ct", compile_ct },
	{ "lookup", compile_lookup },      { "immediate", compile_immediate },
	{ "bitwise", compile_bitwise },    { "range", compile_range },
	{ "byteorder", compile_byteorder }, { "fib", compile_fib },
};

static bool compile_here(struct walk_compiler *compiler, struct span name)
{
	for (size_t i = 0; i < sizeof(compilers) / sizeof(compilers[0]); i++) {
		if (attr_is(name, compilers[i].name))
			return compilers[i].compile(compiler);
	}
	return walk_compile_more(compiler, name);
}

static void compile_one(struct walk_compiler *compiler, struct span name)
{
	attr_index(compiler->data, compiler->attrs, WALK_ATTRS);
	/* It may be a match, and may have written any register. */
	if (!compile_here(compiler, name))
		*compiler->op = (struct walk_op){ .kind = WALK_OP_UNSURE };
}

/* What a rule needs, of its own NAT's family or of its table's ones. */
static void note_tracking(struct walk *walk, const struct walk_rule *rule,
			  const struct walk_op *op)
{
	int table = rule->chain->table->family;
	int family = op->kind == WALK_OP_NAT ? (int)op->length : table;

	if (!op->tracks)
		return;
	walk->tracks[0] |= family == NFPROTO_IPV4 || family == NFPROTO_INET;
	walk->tracks[1] |= family == NFPROTO_IPV6 || family == NFPROTO_INET;
}

static void note(struct walk_rule *rule, struct walk_code *code,
		 const struct walk_op *op)
{
	code->deed |= walk_op_is_deed(op);
	rule->xt |= op->kind == WALK_OP_XT_MATCH || op->kind == WALK_OP_XT_TARGET;
	if (op->kind == WALK_OP_NAT)
		*(op->key == NFT_NAT_DNAT ? &rule->nat_destination
					  : &rule->nat_source) = true;
	rule->nat_destination |= op->kind == WALK_OP_REDIRECT;
	rule->nat_source |= op->kind == WALK_OP_MASQUERADE;
	if (op->kind != WALK_OP_XT_TARGET)
		return;
	rule->nat_destination |= attr_is(op->value, "DNAT") ||
				 attr_is(op->value, "REDIRECT");
	rule->nat_source |= attr_is(op->value, "SNAT") ||
			    attr_is(op->value, "MASQUERADE");
}

static size_t count_expressions(struct span expressions)
{
	const struct nlattr *element;
	size_t count = 0;

	attr_for_each(element, expressions)
		count++;
	return count < RULE_EXPRESSIONS_MAX ? count : RULE_EXPRESSIONS_MAX;
}

int walk_compile(struct walk *walk, const struct walk_table_inside *table,
		 struct span expressions, struct walk_rule *rule)
{
	struct walk_compiler compiler = { .walk = walk, .table = table };
	struct walk_code *code = arena_alloc(&walk->arena, sizeof(*code));
	size_t count = count_expressions(expressions);
	const struct nlattr *element;
	struct span name = { 0 };

	if (!code)
		return -ENOMEM;
	code->expressions.length = expressions.length;
	code->expressions.bytes = arena_copy(&walk->arena, expressions.bytes,
					     expressions.length);
	code->ops = arena_alloc(&walk->arena, (count + 1) * sizeof(*code->ops));
	if (!code->expressions.bytes || !code->ops)
		return -ENOMEM;
	attr_for_each(element, code->expressions) {
		if (code->count == count)
			break;
		compiler.op = &code->ops[code->count++];
		compiler.op->kind = WALK_OP_UNSURE;
		if (rule_expression(element, &name, &compiler.data))
			compile_one(&compiler, name);
		note(rule, code, compiler.op);
		note_tracking(walk, rule, compiler.op);
	}
	rule->code = code;
	return 0;
}
