/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a dumped rule so that the kernel takes it back. Pure.
 *
 * Expressions are copied byte for byte, but for the few that the kernel describes in a
 * form it refuses itself.
 */
#ifndef KERNEL_NFT_EMIT_H
#define KERNEL_NFT_EMIT_H

#include "hairpin/addr.h"
#include "rule.h"
#include "wire.h"

/* An anonymous set of the rule and its twin in the same batch. */
struct emit_twin {
	struct span set;		/* the name in the dumped rule */
	const char *name;		/* the twin's */
	uint32_t id;
};

struct emit_rule {
	uint8_t family;
	const char *table, *chain;
	uint64_t handle;
	struct span expressions, userdata;
	const struct rule_view *view;
	const struct emit_twin *twins;
	size_t twin_count;
	struct addr missing;		/* a destination it shall demand too; none */
};

/* NFTA_RULE_EXPRESSIONS with the corrections. */
void emit_expressions(struct wire *wire, const struct emit_rule *rule);

/* The attributes of NFT_MSG_NEWRULE that replace the rule with this handle. */
void emit_rule(struct wire *wire, const struct emit_rule *rule);

#endif
