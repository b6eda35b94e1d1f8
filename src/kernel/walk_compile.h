/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of walk_compile(): one expression at a time.
 */
#ifndef KERNEL_WALK_COMPILE_H
#define KERNEL_WALK_COMPILE_H

#include "walk_private.h"

enum { WALK_ATTRS = 12 };		/* more than any expression here has */

struct walk_compiler {
	const struct walk *walk;
	const struct walk_table_inside *table;
	const struct nlattr *attrs[WALK_ATTRS];
	struct span data;		/* of the expression */
	struct walk_op *op;
};

/* The number of an attribute, `missing` where there is none. */
uint32_t walk_number(const struct walk_compiler *compiler, uint16_t type,
		     uint32_t missing);

/* Where a register lies. False: it is not there, or too short. */
bool walk_place(const struct walk_compiler *compiler, uint16_t type, size_t length,
		uint8_t *ret_place);

/*
 * Fills `op` from what neither loads nor compares what is known. False: malformed, or not
 * known here.
 */
bool walk_compile_more(struct walk_compiler *compiler, struct span name);

#endif
