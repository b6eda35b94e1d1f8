/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "hairpin/clock.h"

enum {
	PLAIN_FOREIGN_BYTES = 400,	/* of one foreign string, escaped */
	PLAIN_COLUMNS_MIN = 20,
	PLAIN_COLUMNS_MAX = 80,		/* longer lines read badly */
	PLAIN_LABEL_COLUMNS = 7,
};

struct ctl_view ctl_view_of_stdout(void)
{
	struct ctl_view view = { .columns = PLAIN_COLUMNS_MAX, .now_s = clock_wall_s() };
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return view;
	view.terminal = true;
	view.relative = true;
	view.colour = !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col &&
	    size.ws_col < PLAIN_COLUMNS_MAX)
		view.columns = size.ws_col;
	return view;
}

void plain_paint(struct text *out, const struct ctl_view *view, enum plain_colour colour,
		 const char *text)
{
	/* SGR of ECMA-48: green, yellow, red, bold. */
	static const char *const codes[] = { "", "32", "33", "31", "1" };

	if (!view->colour || colour == PLAIN_NO_COLOUR) {
		text_add(out, text);
		return;
	}
	text_addf(out, "\033[%sm%s\033[0m", codes[colour], text);
}

/*
 * The daemon escaped already what it got from elsewhere. Escaping that again must keep
 * a terminal safe, but need not double every backslash once more.
 */
static void plain_single_backslashes(char *escaped)
{
	char *to = escaped;
	const char *from;

	for (from = escaped; *from; from++) {
		if (from[0] == '\\' && from[1] == '\\')
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

void plain_foreign(struct text *out, const char *foreign)
{
	char shown[PLAIN_FOREIGN_BYTES];

	if (!foreign) {
		text_add_char(out, '?');
		return;
	}
	text_escape(shown, sizeof(shown), foreign, strlen(foreign));
	plain_single_backslashes(shown);
	text_add(out, shown);
}

void plain_member(struct text *out, const struct json *object, const char *key)
{
	plain_foreign(out, json_string(json_get(object, key)));
}

void plain_number(struct text *out, const struct json *object, const char *key)
{
	int64_t number;

	if (json_integer(json_get(object, key), INT64_MIN, INT64_MAX, &number))
		text_addf(out, "%" PRId64, number);
	else
		text_add_char(out, '?');
}

void plain_place(struct text *out, const struct json *item)
{
	static const char *const keys[] = { "family", "table", "chain" };
	const char *kind = json_string(json_get(item, "kind"));
	bool rule = kind && strcmp(kind, "rule") == 0;
	size_t i;

	if (!rule)
		plain_foreign(out, kind);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		text_add(out, i || !rule ? " " : "");
		plain_member(out, item, keys[i]);
	}
	if (!rule)
		return;
	text_add_char(out, ' ');
	plain_number(out, item, "handle");
}

void plain_part(struct text *out, int64_t count, const char *what)
{
	if (count)
		text_addf(out, "%s%" PRId64 " %s", out->length ? ", " : "", count, what);
}

struct text *plain_join(struct text *out)
{
	text_add(out, out->length ? "; " : "");
	return out;
}

void plain_count(struct text *out, int64_t count, const char *one, const char *many)
{
	text_addf(out, "%" PRId64 " %s", count, count == 1 ? one : many);
}

static bool plain_continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t plain_width_of(const char *text, size_t length)
{
	size_t width = 0, i;

	for (i = 0; i < length; i++)
		width += !plain_continues(text[i]);
	return width;
}

size_t plain_width(const char *text)
{
	return plain_width_of(text, strlen(text));
}

/* The bytes of the first `width` characters, or of all of them. */
static size_t plain_bytes(const char *text, size_t length, size_t width)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (!plain_continues(text[i]) && width-- == 0)
			break;
	}
	return i;
}

static void plain_spaces(struct text *out, size_t count)
{
	text_addf(out, "%*s", (int)count, "");
}

/* Where the pen stands. `fresh`: nothing but indentation on this line yet. */
struct plain_pen {
	struct text *out;
	size_t columns, hanging, column;
	bool fresh;
};

static void plain_break(struct plain_pen *pen)
{
	text_add_char(pen->out, '\n');
	plain_spaces(pen->out, pen->hanging);
	pen->column = pen->hanging;
	pen->fresh = true;
}

static void plain_word(struct plain_pen *pen, const char *word, size_t length)
{
	size_t width = plain_width_of(word, length);
	size_t fit;

	if (!pen->fresh && pen->column + 1 + width > pen->columns)
		plain_break(pen);
	if (!pen->fresh) {
		text_add_char(pen->out, ' ');
		pen->column++;
	}
	while (pen->column + width > pen->columns) {	/* longer than a line */
		fit = plain_bytes(word, length, pen->columns - pen->column);
		text_add_bytes(pen->out, word, fit);
		word += fit;
		length -= fit;
		width -= pen->columns - pen->column;
		plain_break(pen);
	}
	text_add_bytes(pen->out, word, length);
	pen->column += width;
	pen->fresh = false;
}

void plain_wrap_from(struct text *out, const struct ctl_view *view, unsigned column,
		     unsigned hanging, const char *text)
{
	struct plain_pen pen = {
		.out = out,
		.columns = view->columns < PLAIN_COLUMNS_MIN ? PLAIN_COLUMNS_MIN
							     : view->columns,
		.hanging = hanging,
		.column = column,
		.fresh = true,
	};
	size_t length;

	while (*text) {
		length = strcspn(text, " ");
		if (length)
			plain_word(&pen, text, length);
		text += length + (text[length] == ' ');
	}
	text_add_char(out, '\n');
}

void plain_wrap(struct text *out, const struct ctl_view *view, unsigned indent,
		unsigned hanging, const char *text)
{
	plain_spaces(out, indent);
	plain_wrap_from(out, view, indent, hanging, text);
}

void plain_labelled(struct text *out, const struct ctl_view *view, const char *label,
		    const char *text)
{
	enum { HANGING = 2 + PLAIN_LABEL_COLUMNS };

	text_addf(out, "  %-*s", PLAIN_LABEL_COLUMNS, label);
	plain_wrap_from(out, view, HANGING, HANGING, text);
}

void plain_duration(struct text *out, int64_t seconds)
{
	if (seconds < 120)
		text_addf(out, "%" PRId64 " s", seconds);
	else if (seconds < 120 * 60)
		text_addf(out, "%" PRId64 " min", seconds / 60);
	else if (seconds < 48 * 3600)
		text_addf(out, "%" PRId64 " h", seconds / 3600);
	else
		text_addf(out, "%" PRId64 " d", seconds / 86400);
}

/* The one form that clock_format() writes. */
static bool plain_parse_time(const char *string, int64_t *ret_s)
{
	struct tm tm = { 0 };
	char again[CLOCK_TEXT_BYTES];
	int end = 0;

	if (strlen(string) != CLOCK_TEXT_BYTES - 1 ||
	    sscanf(string, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &tm.tm_year, &tm.tm_mon,
		   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) != 6 ||
	    end != CLOCK_TEXT_BYTES - 1)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ret_s = timegm(&tm);
	/* The 31st of February is none; nor is "+1" a month. */
	return strcmp(clock_format(*ret_s, again), string) == 0;
}

void plain_clock(struct text *out, const char *foreign)
{
	struct tm local;
	int64_t then_s;
	time_t then;

	if (!foreign || !plain_parse_time(foreign, &then_s)) {
		text_add(out, "??:??:??");
		return;
	}
	then = (time_t)then_s;
	if (localtime_r(&then, &local))
		text_addf(out, "%02d:%02d:%02d", local.tm_hour, local.tm_min,
			  local.tm_sec);
}

void plain_time(struct text *out, const struct ctl_view *view, const char *foreign,
		enum plain_time how)
{
	static const char *const absolute[] = { "since ", "", "at " };
	static const char *const before[] = { "for ", "", "in " };
	static const char *const after[] = { "", " ago", "" };
	int64_t then_s, distance_s;

	if (!view->relative || !foreign || !plain_parse_time(foreign, &then_s)) {
		text_add(out, absolute[how]);
		plain_foreign(out, foreign);
		return;
	}
	distance_s = how == PLAIN_NEXT ? then_s - view->now_s : view->now_s - then_s;
	if (how == PLAIN_NEXT && distance_s <= 0) {
		text_add(out, "now");
		return;
	}
	text_add(out, before[how]);
	plain_duration(out, distance_s < 0 ? 0 : distance_s);
	text_add(out, after[how]);
}
