/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firewall's files: their lines, and whether a line makes a rule. Written by people in
 * two languages, nft's and iptables-save's; nothing here is a parser of either.
 */
#ifndef DOCTOR_FILES_PRIVATE_H
#define DOCTOR_FILES_PRIVATE_H

#include "patient.h"

enum {
	FILES_MAX = 64,
	FILES_DEPTH = 8,		/* of includes */
	FILES_INCLUDES_MAX = 256,
	FILES_WILD_MAX = 3,		/* parts of a path that are patterns */
	FILES_LINES_MAX = 50000,
	FILES_BYTES_MAX = 1 << 20,	/* of one */
	FILES_DEFINES_MAX = 256,
	FILES_LINE_BYTES = 16384,	/* with what goes on below it */
};

/*
 * The words of a line or of a rule that say what it does, sorted: without counters,
 * punctuation and what nft leaves out or adds; a destination address is only that.
 */
struct rule_words {
	char *bytes;			/* of all of them */
	const char **list;
	size_t count;
	const char *comment;		/* NULL: none */
	bool iptables;			/* as iptables-save writes it */
};

struct file_line {
	const char *path;
	unsigned number;
	char *text;			/* while it is read */
	bool plain;			/* one line of the file, and no comment in it */
	struct rule_words words;
};

struct files {
	char *paths[FILES_MAX];
	size_t path_count;
	unsigned include_count;
	struct file_line *lines;
	size_t line_count, room;
	struct { char *name, *value; } defines[FILES_DEFINES_MAX];
	size_t define_count;
};

/* Reads them at the first call. NULL: no memory. */
const struct files *files_read(struct patient *patient);

bool rule_words_split(const char *line, struct rule_words *ret_words);
void rule_words_done(struct rule_words *words);
bool rule_words_equal(const struct rule_words *a, const struct rule_words *b);
/* Does the line send that forward's port to its server, in either language? */
bool rule_words_forward(const struct rule_words *words,
			const struct patient_forward *forward);

#endif
