/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Laying out text for people: escaping, wrapping, tables, times, colours. What goes in as
 * "foreign" is escaped; what goes in as "text" is ours or was escaped before.
 */
#ifndef HAIRPIN_CTL_PLAIN_H
#define HAIRPIN_CTL_PLAIN_H

#include "hairpin/ctl.h"

enum plain_colour { PLAIN_NO_COLOUR, PLAIN_GREEN, PLAIN_YELLOW, PLAIN_RED, PLAIN_BOLD };

void plain_paint(struct text *out, const struct ctl_view *view, enum plain_colour colour,
		 const char *text);

/* Escaped and cut to a bearable length; NULL: "?". */
void plain_foreign(struct text *out, const char *foreign);
/* The same for a member of an object. */
void plain_member(struct text *out, const struct json *object, const char *key);

/* The number as it is, "?" where there is none. */
void plain_number(struct text *out, const struct json *object, const char *key);

/*
 * Where a tagged thing is: "ip nat prerouting 7"; for what is no rule its kind first,
 * "set ip nat home".
 */
void plain_place(struct text *out, const struct json *item);

/* "2 left alone", after a comma where the text has something already; nothing for 0. */
void plain_part(struct text *out, int64_t count, const char *what);
/* A semicolon where the text has something already; gives the text. */
struct text *plain_join(struct text *out);
/* "1 rule", "2 rules". */
void plain_count(struct text *out, int64_t count, const char *one, const char *many);

/* Columns on a terminal: characters of UTF-8, each counted as one. */
size_t plain_width(const char *text);

/*
 * A line, wrapped between words: the first begins at column `indent`, the further ones at
 * `hanging`. A word longer than a line is cut.
 */
void plain_wrap(struct text *out, const struct ctl_view *view, unsigned indent,
		unsigned hanging, const char *text);

/* As plain_wrap(), where the first line stands at column `column` already. */
void plain_wrap_from(struct text *out, const struct ctl_view *view, unsigned column,
		     unsigned hanging, const char *text);

/* "  LABEL  text", wrapped below itself. */
void plain_labelled(struct text *out, const struct ctl_view *view, const char *label,
		    const char *text);

enum plain_time {
	PLAIN_SINCE,		/* "for 3 h"    or "since 2026-01-01T00:00:00Z" */
	PLAIN_AGO,		/* "3 h ago"    or "2026-01-01T00:00:00Z" */
	PLAIN_NEXT,		/* "in 12 min", "now"   or "at 2026-01-01T00:00:00Z" */
};
/* A time as the status has it, RFC 3339 in UTC; what is none is shown escaped. */
void plain_time(struct text *out, const struct ctl_view *view, const char *foreign,
		enum plain_time how);
/* The time of day where we are, "14:03:07". */
void plain_clock(struct text *out, const char *foreign);
/* "12 s", "3 min", "3 h", "2 d". */
void plain_duration(struct text *out, int64_t seconds);

/*
 * A table. Where it is wider than the view each row becomes a small paragraph. The
 * strings put into it become the table's; a failed allocation is remembered and
 * makes the text of plain_table_show() fail.
 */
enum { PLAIN_CELLS_MAX = 6 };

struct plain_row {
	char *cells[PLAIN_CELLS_MAX];
	enum plain_colour colour;	/* of the table's `painted` cell */
	enum plain_colour colours[PLAIN_CELLS_MAX];	/* of the others; mostly none */
	char *note;			/* below the row, NULL: none */
};

struct plain_table {
	size_t columns;
	size_t painted;
	bool last_wraps;	/* the last column holds words and may be narrow */
	const char *heads[PLAIN_CELLS_MAX];
	struct plain_row *rows;
	size_t count, room;
	bool failed;
};

struct plain_row *plain_table_add(struct plain_table *table);	/* NULL: no memory */
void plain_table_show(const struct plain_table *table, const struct ctl_view *view,
		      struct text *out);
void plain_table_done(struct plain_table *table);

#endif
