/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log lines about addresses and rules: subject, fact, consequence. */
#ifndef CORE_SAID_H
#define CORE_SAID_H

#include "core.h"

/* `report`: of the rules; NULL: none was made, or it failed. */
void said_addresses(struct core *core, const struct look *look,
		    const struct nft_report *report);

/* The same of the prefixes that IPv6 rules follow. */
void said_prefixes(const struct core *core, const struct look *look,
		   const struct nft_report *report);

/* The start found no address: that may be a boot, or a mistyped interface. */
void said_waiting(const struct core *core);

/* Rules were rewritten though the address had not changed. */
void said_rules(const struct core *core, size_t wan, unsigned changed,
		const struct nft_report *report, enum sync_cause cause);

/* Sets did not hold the addresses of their names though those had not changed. */
void said_names(const struct core *core, const struct nft_report *report);

#endif
