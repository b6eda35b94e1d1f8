/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections as lists of "to this address, by this protocol, to these ports", and what
 * one rule says of them. Pure.
 */
#ifndef KERNEL_SERVICE_H
#define KERNEL_SERVICE_H

#include "hairpin/nft.h"
#include "rule.h"

/* All connections; a service without address goes to any. */
struct nft_service service_any(void);

/* Those that belong to both; false: there are none. */
bool service_meet(const struct nft_service *a, const struct nft_service *b,
		  struct nft_service *ret_both);

/* Leaves of `scope` what is in the other list, too. */
void services_meet(struct nft_services *scope, const struct nft_services *other);

/* Something of the rule cannot be read: it may take less. */
void services_guess(struct nft_services *scope);

/*
 * Leaves of `scope` what the rule's own compares take; sets are not asked. `side`: of
 * rewrite_side().
 */
void services_compare(struct nft_services *scope, const struct rule_view *view,
		      struct span expressions, int side);

#endif
