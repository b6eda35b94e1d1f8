/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

int run_pause(const struct ctl_options *options, const struct ctl_view *view)
{
	(void)options;
	(void)view;
	return run_complain(CTL_USAGE, "pause is not in this version");
}

int run_resume(const struct ctl_options *options, const struct ctl_view *view)
{
	(void)options;
	(void)view;
	return run_complain(CTL_USAGE, "resume is not in this version");
}
