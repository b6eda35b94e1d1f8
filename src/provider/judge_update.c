/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer to one request that wrote, without a session. */
#include <stdlib.h>

#include "judge.h"

void provider_judge(const struct catalogue *catalogue,
		    const struct provider_answer *answer,
		    const struct provider_update *update,
		    struct provider_verdict *ret_verdicts)
{
	static const struct catalogue_step write = { .does = CATALOGUE_WRITE };
	size_t count = update->hostname_count;
	struct fill_name *names = calloc(count, sizeof(*names));
	struct view view;
	struct fill fill;

	for (size_t i = 0; i < count; i++)
		ret_verdicts[i] = (struct provider_verdict){
			.verdict = MESSAGE_TRANSIENT
		};
	if (!names)
		return;
	for (size_t i = 0; i < count; i++)
		names[i] = (struct fill_name){ update->hostnames[i], update->ipv4,
					       update->ipv6 };
	fill_init(&fill, catalogue, update->settings, update->setting_count);
	fill_set_names(&fill, names, count);
	view_init(&view, answer);
	judge_answer(catalogue, &write, &view, &fill, names, count, ret_verdicts);
	view_done(&view);
	fill_done(&fill);
	free(names);
}
