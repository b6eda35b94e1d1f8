/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer to a request that wrote one name, judged by itself.
 */
#ifndef ANSWER_ROOM_H
#define ANSWER_ROOM_H

#include "provider/judge.h"

static inline struct provider_verdict answer_judge(const struct catalogue *catalogue,
						   const struct provider_answer *answer,
						   const struct addr *sent)
{
	static const struct catalogue_step write = { .does = CATALOGUE_WRITE };
	struct fill_name name = { .hostname = "home.example.org", .ipv4 = *sent };
	struct provider_verdict verdict = { 0 };
	struct view view;
	struct fill fill;

	fill_init(&fill, catalogue, NULL, 0);
	fill_set_names(&fill, &name, 1);
	view_init(&view, answer);
	(void)judge_answer(catalogue, &write, &view, &fill, &name, 1, &verdict);
	view_done(&view);
	fill_done(&fill);
	return verdict;
}

#endif
