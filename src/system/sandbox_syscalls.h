/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table behind the filter of system calls: which role may do what.
 */
#ifndef HAIRPIN_SYSTEM_SANDBOX_SYSCALLS_H
#define HAIRPIN_SYSTEM_SANDBOX_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

/* Allowed with any arguments. */
struct syscall_rule {
	uint32_t number;
	uint32_t roles;			/* bits 1 << enum sandbox_role */
};

/*
 * Allowed with some values of one argument: one of `values`, or not all bits `forbidden`.
 */
struct syscall_argument {
	uint32_t number;
	uint32_t roles;
	uint8_t argument;		/* 0 is the first */
	uint32_t forbidden;		/* 0: `values` count */
	const uint32_t *values;
	size_t count;
};

const struct syscall_rule *syscall_rules(size_t *ret_count);
const struct syscall_argument *syscall_arguments(size_t *ret_count);

#endif
