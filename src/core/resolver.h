/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/resolv.conf, as far as the core cares: is it still the file it was? What could not
 * be reached because names were not found is tried again soon after it was replaced, and
 * a publisher that began with the old one is replaced too. The core cannot read the file
 * (Landlock), but its metadata are no secret.
 */
#ifndef CORE_RESOLVER_H
#define CORE_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct core;

enum {
	RESOLVER_SPACING_MS = 1000,	/* between looks in turns that come anyhow */
	RESOLVER_POLL_MS = 3000,	/* while somebody waits for the network */
};

struct resolver {
	const char *path;		/* NULL: /etc/resolv.conf */
	struct stat seen;		/* all zero: there was none */
	bool looked;
	int64_t looked_ms;
	unsigned generation;		/* + 1 with every change */
};

/* Looks now; a change is an event of the network for all WANs. */
void resolver_look(struct core *core, int64_t now_ms);

void resolver_turn(struct core *core, int64_t now_ms);
int64_t resolver_due_ms(const struct core *core);

#endif
