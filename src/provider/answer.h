/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an answer means where no rule knows: its status, its Retry-After; and what the
 * verdicts of rules are for a record.
 */
#ifndef PROVIDER_ANSWER_H
#define PROVIDER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "hairpin/provider.h"

/* Not for NEXT_STEP and NO_RECORD, which are no verdict about a record. */
struct provider_verdict answer_of_rule(const struct catalogue_rule *rule);

/* What the status alone says. Never a success. */
struct provider_verdict answer_of_status(const struct provider_answer *answer);

bool answer_is_2xx(const struct provider_answer *answer);

/*
 * Over plain HTTP, the page of somebody in between (a portal's login): a status of 2xx is
 * not the provider's word then.
 */
bool answer_is_page(const struct provider_answer *answer);

/*
 * Does the body know better than the status? That of 403 with any word of dyndns2 that
 * is no success, that of 5xx with those that ask for patience.
 */
bool answer_overrules_status(const struct provider_answer *answer,
			     const struct provider_verdict *verdicts, size_t count);

/* A wait that the header asks for is only meant by those who want us to come again. */
void answer_set_wait(const struct provider_answer *answer,
		     struct provider_verdict *verdicts, size_t count);

#endif
