/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: model */
/*
 * The tag: an extended regular expression (POSIX) found anywhere in a comment, as
 * RouterOS's comment~"hairpin".
 */
#ifndef HAIRPIN_TAG_H
#define HAIRPIN_TAG_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "hairpin/err.h"

struct tag {
	char *pattern;
	regex_t expression;
	size_t literal_bytes;	/* of a pattern without special characters; else 0 */
};

enum { TAG_MAX_BYTES = 200 };

/*
 * -EINVAL with a sentence (the C library's, where the pattern is none): also for one that
 * matches the empty string, such as "x*" or "hairpin|", since it would own every comment.
 */
int tag_init(struct tag *tag, const char *pattern, struct err *ret_err) must_check;
void tag_done(struct tag *tag);

/*
 * Length in bytes of the match in `comment` (any bytes, NUL-terminated), from 1 on;
 * TAG_NO_MATCH: none, or an empty one ("\<"), which names nothing.
 */
int tag_match(const struct tag *tag, const char *comment);

enum { TAG_NO_MATCH = -1, TAG_AMBIGUOUS = -2 };

/*
 * Which of several tags owns the comment: the one with the longest match. TAG_AMBIGUOUS
 * when two match equally long, TAG_NO_MATCH when none does.
 */
int tag_select(const struct tag *const *tags, size_t count, const char *comment);

#endif
