/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What those who watch are told, as include/hairpin/control.h has it. While nobody does,
 * nothing is written; an event costs each watcher its bytes in memory, up to a bound, and
 * never any time waiting.
 */
#ifndef CORE_WATCH_H
#define CORE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/text.h"

struct core;
struct look;
struct message_hook_result;
struct nft_report;

/* What was told last of what is compared, not reported. */
struct watch {
	const char *publisher;		/* its state's name */
	uint16_t up;			/* bit per WAN: its link is up */
};

/*
 * The first line of who begins to watch, without its newline. From here on only what
 * changes is told: a watch_turn() before is the others'.
 */
void watch_hello(struct core *core, struct text *out);

/* The line of who did not read and missed so many. */
void watch_lagged(struct text *out, uint64_t lost);

void watch_addresses(struct core *core, const struct look *look,
		     const struct nft_report *report);
void watch_prefixes(struct core *core, const struct look *look,
		    const struct nft_report *report);

/* Things of a WAN (NULL: of names) were rewritten though its address had not changed. */
void watch_rules(struct core *core, const char *wan, unsigned changed,
		 const char *reason, const struct nft_report *report);
/* The rules are not in step: why; NULL: they are again. */
void watch_rules_fault(struct core *core, const char *error);

/* "record" or "failed"; NULL: no message. */
void watch_record(struct core *core, size_t record, const char *event,
		  const struct addr *old, const struct addr *new, const char *message);

/* States of records that are other ones than were told. */
void watch_states(struct core *core);

/* A hook was run, or not. */
void watch_hook(struct core *core, const struct message_hook_result *result);

/* The configuration was read again; NULL: it is taken over. */
void watch_reload(struct core *core, const char *error);

/* Why the publisher failed; else watch_turn() sees what became of it. */
void watch_publisher_failed(struct core *core, const char *why);

/* A line of an event that has no more to say than this, such as "resume". */
void watch_plain(struct core *core, const char *event, const char *key, const char *value);

/* What is only compared: links, the publisher, states. */
void watch_turn(struct core *core);

#endif
