/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an answer means: the rules of its step, then those of the description, then what
 * the protocol and the status say. In this order, always.
 */
#ifndef PROVIDER_JUDGE_H
#define PROVIDER_JUDGE_H

#include "hairpin/provider.h"
#include "view.h"

enum judge_way {
	JUDGE_VERDICT,			/* `ret_verdicts` */
	JUDGE_NEXT,			/* a look or clean step that went well */
	JUDGE_NO_RECORD,		/* a look: there is nothing */
};

/*
 * One verdict for each of `names`, all the same where the answer does not speak of lines.
 * A step that writes never gives JUDGE_NEXT.
 */
enum judge_way judge_answer(const struct catalogue *catalogue,
			    const struct catalogue_step *step, struct view *view,
			    const struct fill *fill, const struct fill_name *names,
			    size_t count, struct provider_verdict *ret_verdicts);

#endif
