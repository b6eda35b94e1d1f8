/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dyndns2 (members.dyndns.org and all that speak like it): a line for each name in the
 * order of the request, each with a word first, which counts as a whole and by letter.
 *
 * Words about the account (badauth, badagent, badsys, !donator, 911) are said once and
 * hold for all names that have no line. So does a line that is alone. Of several lines,
 * but fewer than names, the rest is not known; lines too many are passed over.
 */
#ifndef PROVIDER_DYNDNS2_H
#define PROVIDER_DYNDNS2_H

#include "fill.h"
#include "hairpin/provider.h"

/* What else is a word, and goes before those of the protocol; NULL: it is none. */
typedef const struct catalogue_rule *dyndns2_word_fn(const void *context,
						     const char *token, size_t length);

/* One verdict for each name. `word` NULL: the protocol's words only. */
void dyndns2_judge(const char *body, size_t length, const struct fill_name *names,
		   size_t count, dyndns2_word_fn *word, const void *context,
		   struct provider_verdict *ret_verdicts);

#endif
