/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plain.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_INDENT = 2, TABLE_GAP = 2, TABLE_LAST_MIN = 12 };

static const char *table_cell(const struct plain_row *row, size_t column)
{
	return row->cells[column] ? row->cells[column] : "";
}

struct plain_row *plain_table_add(struct plain_table *table)
{
	struct plain_row *rows;
	size_t room;

	if (table->count == table->room) {
		room = table->room ? 2 * table->room : 16;
		rows = reallocarray(table->rows, room, sizeof(*rows));
		if (!rows) {
			table->failed = true;
			return NULL;
		}
		table->rows = rows;
		table->room = room;
	}
	table->rows[table->count] = (struct plain_row){ 0 };
	return &table->rows[table->count++];
}

void plain_table_done(struct plain_table *table)
{
	size_t i, column;

	for (i = 0; i < table->count; i++) {
		for (column = 0; column < PLAIN_CELLS_MAX; column++)
			free(table->rows[i].cells[column]);
		free(table->rows[i].note);
	}
	free(table->rows);
	*table = (struct plain_table){ 0 };
}

static size_t table_width(const struct plain_table *table, size_t column)
{
	size_t widest = plain_width(table->heads[column]);
	size_t i, width;

	for (i = 0; i < table->count; i++) {
		width = plain_width(table_cell(&table->rows[i], column));
		if (width > widest)
			widest = width;
	}
	return widest;
}

/* Where each column begins. False: not all of them find room beside each other. */
static bool table_measure(const struct plain_table *table, const struct ctl_view *view,
			  size_t starts[])
{
	size_t column, width, at = TABLE_INDENT;

	for (column = 0; column < table->columns; column++) {
		starts[column] = at;
		width = table_width(table, column);
		if (column + 1 == table->columns && table->last_wraps &&
		    width > TABLE_LAST_MIN)
			width = TABLE_LAST_MIN;
		at += width + TABLE_GAP;
	}
	return at - TABLE_GAP <= view->columns;
}

static void table_show_heads(const struct plain_table *table, const struct ctl_view *view,
			     const size_t starts[], struct text *out)
{
	size_t column, at = 0;

	for (column = 0; column < table->columns; column++) {
		text_addf(out, "%*s", (int)(starts[column] - at), "");
		plain_paint(out, view, PLAIN_BOLD, table->heads[column]);
		at = starts[column] + plain_width(table->heads[column]);
	}
	text_add_char(out, '\n');
}

static enum plain_colour table_colour(const struct plain_table *table,
				      const struct plain_row *row, size_t column)
{
	return column == table->painted ? row->colour : row->colours[column];
}

/* Words are wrapped; what has a colour is one of them, and short. */
static void table_show_last(const struct plain_table *table, const struct plain_row *row,
			    const struct ctl_view *view, unsigned start, struct text *out)
{
	size_t last = table->columns - 1;

	if (row->colours[last] == PLAIN_NO_COLOUR) {
		plain_wrap_from(out, view, start, start, table_cell(row, last));
		return;
	}
	plain_paint(out, view, row->colours[last], table_cell(row, last));
	text_add_char(out, '\n');
}

/* A name that would be cut in the last column gets a line of its own below the row. */
static bool table_is_too_wide(const char *cell, size_t room)
{
	TEXT_CLEANUP struct text word = TEXT_INIT;
	size_t length;

	for (; *cell; cell += length + (cell[length] == ' ')) {
		length = strcspn(cell, " ");
		text_clear(&word);
		text_add_bytes(&word, cell, length);
		if (plain_width(word.bytes) > room)
			return true;
	}
	return false;
}

static void table_show_row(const struct plain_table *table, const struct plain_row *row,
			   const struct ctl_view *view, const size_t starts[],
			   struct text *out)
{
	size_t last = table->columns - 1;
	size_t column, at = 0;
	const char *cell;

	for (column = 0; column < last; column++) {
		cell = table_cell(row, column);
		/* NOLINTNEXTLINE(*UndefinedBinaryOperatorResult): measured for each */
		text_addf(out, "%*s", (int)(starts[column] - at), "");
		plain_paint(out, view, table_colour(table, row, column), cell);
		at = starts[column] + plain_width(cell);
	}
	cell = table_cell(row, last);
	if (table->last_wraps && table_is_too_wide(cell, view->columns - starts[last])) {
		text_add_char(out, '\n');
		plain_wrap(out, view, 3 * TABLE_INDENT, 3 * TABLE_INDENT, cell);
		return;
	}
	text_addf(out, "%*s", (int)(starts[last] - at), "");
	table_show_last(table, row, view, (unsigned)starts[last], out);
}

/* First cell on its own line, the others below it. */
static void table_show_stacked(const struct plain_table *table,
			       const struct plain_row *row, const struct ctl_view *view,
			       struct text *out)
{
	TEXT_CLEANUP struct text rest = TEXT_INIT;
	size_t column;

	plain_wrap(out, view, TABLE_INDENT, 2 * TABLE_INDENT, table_cell(row, 0));
	for (column = 1; column < table->columns; column++) {
		if (!*table_cell(row, column))
			continue;
		text_add(&rest, rest.length ? ", " : "");
		text_add(&rest, table_cell(row, column));
	}
	if (rest.length)
		plain_wrap(out, view, 2 * TABLE_INDENT, 2 * TABLE_INDENT, rest.bytes);
	if (rest.failed)
		out->failed = true;
}

void plain_table_show(const struct plain_table *table, const struct ctl_view *view,
		      struct text *out)
{
	size_t starts[PLAIN_CELLS_MAX];
	bool fits = table_measure(table, view, starts);
	const struct plain_row *row;
	size_t i;

	if (fits)
		table_show_heads(table, view, starts, out);
	for (i = 0; i < table->count; i++) {
		row = &table->rows[i];
		if (fits)
			table_show_row(table, row, view, starts, out);
		else
			table_show_stacked(table, row, view, out);
		if (row->note)
			plain_wrap(out, view, 3 * TABLE_INDENT, 3 * TABLE_INDENT,
				   row->note);
	}
	if (table->failed)
		out->failed = true;
}
