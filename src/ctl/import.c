/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

int run_import(const struct ctl_options *options, const struct ctl_view *view)
{
	(void)options;
	(void)view;
	return run_complain(CTL_USAGE, "import is not in this version");
}
