/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our document while it grows: WANs, provider entries, and what was lost on the way.
 */
#ifndef IMPORT_DRAFT_H
#define IMPORT_DRAFT_H

#include <stdint.h>

#include "hairpin/import.h"
#include "hairpin/json.h"

enum {
	DRAFT_WANS_MAX = 16,
	DRAFT_ENTRIES_MAX = 256,
	DRAFT_LOST_MAX = 500,
	DRAFT_URLS_MAX = 4,
};

/* Where the addresses of a family come from; strings are copied. */
struct draft_side {
	bool on;
	const char *url;		/* of a page that tells it; NULL: the interface's own */
	const char *command;		/* for a shell; NULL */
};

struct draft_wish {
	const char *interface;		/* NULL: that of the default route */
	struct draft_side sides[2];	/* IPv4, IPv6 */
};

struct draft_wan {
	char *interface;
	struct {
		bool on;
		char *urls[DRAFT_URLS_MAX], *command;
	} sides[2];
};

struct draft_entry {
	struct json *object;		/* all but "wan" and "families" */
	size_t wan;
	bool families[2];
};

struct draft {
	struct import *import;
	const char *path;
	struct draft_wan wans[DRAFT_WANS_MAX];
	struct draft_entry entries[DRAFT_ENTRIES_MAX];
	size_t wan_count, entry_count;
	bool failed;			/* no memory */
};

void draft_init(struct draft *draft, struct import *import, const char *path);
void draft_done(struct draft *draft);

/* "FILE:LINE: sentence", once; no secret may be in it. Foreign words are escaped here. */
void draft_lose(struct draft *draft, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * A provider entry with such addresses; the caller adds its settings to the object. NULL:
 * too many, which was said.
 */
struct json *draft_entry(struct draft *draft, const char *type,
			 const struct draft_wish *wish, unsigned line);

/* "300", "5m", "3h", "25d"; 0: none of these. */
int64_t draft_seconds(const char *value);
/* As one of our durations; nothing where it is 0. */
void draft_add_seconds(struct json *entry, const char *key, int64_t seconds);

/* Writes the document into the import. */
int draft_finish(struct draft *draft, const char *program) must_check;

#endif
