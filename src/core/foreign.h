/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to look after somebody else changed the ruleset. The first change is looked at
 * at once; further ones within FOREIGN_SHARE_MS share a look. Who sets our values back
 * again and again is answered ever more slowly, so that two programs that disagree do
 * not eat the router.
 *
 * Pure: the time is an argument.
 */
#ifndef CORE_FOREIGN_H
#define CORE_FOREIGN_H

#include <stdbool.h>
#include <stdint.h>

enum {
	FOREIGN_SHARE_MS = 50,
	/* corrections a minute that are nothing special */
	FOREIGN_FLIPS_MAX = 5,
	FOREIGN_WINDOW_MS = 60 * 1000,
	FOREIGN_PAUSE_MAX_MS = 60 * 1000,
	FOREIGN_COST_SHARE = 10,	/* looks take at most a tenth of the time */
};

struct foreign {
	bool pending;
	int64_t due_ms;
	/* end of the last look that this was the cause of */
	int64_t looked_ms;
	int64_t cost_ms;		/* and how long it took */
	bool has_looked;
	int64_t flips_ms[FOREIGN_FLIPS_MAX];	/* the last corrections, newest last */
	unsigned flip_count;		/* how many of them are filled */
	int64_t pause_ms;		/* 0: nobody is fighting */
};

/* The ruleset was changed by somebody else. */
void foreign_note(struct foreign *foreign, int64_t now_ms);

/* INT64_MAX: nothing to look at. */
int64_t foreign_due_ms(const struct foreign *foreign);

/*
 * A look at the rules is over, whatever it was for; `corrected`: it was a foreign
 * change's, and something had to be set right again. True: a fight has begun that is
 * worth a line.
 */
bool foreign_looked(struct foreign *foreign, int64_t began_ms, int64_t now_ms,
		    bool corrected);

#endif
