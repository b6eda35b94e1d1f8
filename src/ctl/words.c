/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/ctl.h"

enum { MANY = 1000 };

const struct ctl_word ctl_words[CTL_COMMANDS] = {
	[CTL_STATUS] = { "status", 0, 0, 0, "" },
	[CTL_PLAN] = { "plan", 0, 0, CTL_TAKES_ADDRESS | CTL_TAKES_CONFIG, "" },
	[CTL_SYNC] = { "sync", 0, 0, 0, "" },
	[CTL_UPDATE] = { "update", 0, MANY, CTL_TAKES_FORCE, "" },
	[CTL_WATCH] = { "watch", 0, 0, CTL_TAKES_HOOKS, "" },
	[CTL_DOCTOR] = { "doctor", 0, 0, CTL_TAKES_PROBE | CTL_TAKES_ADDRESS | CTL_TAKES_CONFIG,
		"" },
	[CTL_RULES] = { "rules", 0, 0, CTL_TAKES_CONFIG, "" },
	[CTL_TAG] = { "tag", 4, 5, CTL_TAKES_CONFIG, "FAMILY TABLE CHAIN HANDLE" },
	[CTL_HOOK] = { "hook", 1, 3, CTL_TAKES_CONFIG, "list, or test NAME [EVENT]" },
	[CTL_PROVIDERS] = { "providers", 0, 1, 0, "" },
	[CTL_RELOAD] = { "reload", 0, 0, 0, "" },
	[CTL_PAUSE] = { "pause", 1, 1, 0, "a time, such as 10m" },
	[CTL_RESUME] = { "resume", 0, 0, 0, "" },
	[CTL_LOG] = { "log", 1, 2, 0, "err, warning, notice, info or debug" },
	[CTL_IMPORT] = { "import", 2, 2, 0, "ddclient or inadyn, and a file" },
	[CTL_METRICS] = { "metrics", 0, 0, 0, "" },
	[CTL_VERSION] = { "version", 0, 0, 0, "" },
	[CTL_COMPLETE] = { "complete", 0, MANY, CTL_TAKES_CONFIG, "" },
};
