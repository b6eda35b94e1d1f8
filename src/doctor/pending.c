/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Weak: what is written elsewhere just now takes their place, and then this file goes. */
#include <errno.h>
#include <stdlib.h>

#include "patient.h"

#define PENDING __attribute__((weak))

PENDING int walk_new(struct walk **ret_walk, struct err *ret_err)
{
	(void)ret_walk;
	(void)ret_err;
	return -EPERM;
}

PENDING void walk_free(struct walk *walk)
{
	(void)walk;
}

PENDING const struct walk_table *walk_table(const struct walk *walk, size_t index)
{
	(void)walk;
	(void)index;
	return NULL;
}

PENDING int patient_find_forwards(struct patient *patient, struct err *ret_err)
{
	(void)patient;
	(void)ret_err;
	return 0;
}

PENDING void patient_judge_forwards(struct patient *patient)
{
	(void)patient;
}

PENDING int walk_run(const struct walk *walk, const struct router *router,
		     const struct walk_question *question,
		     struct walk_result *ret_result, struct err *ret_err)
{
	(void)walk;
	(void)router;
	(void)question;
	(void)ret_result;
	(void)ret_err;
	return -EOPNOTSUPP;
}

PENDING enum walk_miss walk_rule_miss(const struct walk *walk,
				      const struct router *router,
				      const struct walk_rule *rule,
				      const struct walk_packet *packet)
{
	(void)walk;
	(void)router;
	(void)rule;
	(void)packet;
	return WALK_MISS_UNSURE;
}

PENDING size_t walk_rule_destinations(const struct walk *walk,
				      const struct walk_rule *rule,
				      struct addr *addresses, size_t room)
{
	(void)walk;
	(void)rule;
	(void)addresses;
	(void)room;
	return 0;
}

PENDING const struct walk_chain *walk_chain(const struct walk *walk, size_t index)
{
	(void)walk;
	(void)index;
	return NULL;
}

PENDING const struct walk_chain *walk_chain_find(const struct walk *walk, int family,
						 const char *table, const char *chain)
{
	(void)walk;
	(void)family;
	(void)table;
	(void)chain;
	return NULL;
}

PENDING const struct walk_rule *walk_rule_find(const struct walk_chain *chain,
					       uint64_t handle)
{
	(void)chain;
	(void)handle;
	return NULL;
}
