/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forwards and who reaches them, as a table: a column for each LAN link if there are few. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor_show.h"

enum {
	LINKS_MAX = 64,
	LINKS_SHOWN = 3,	/* as columns of their own, where there is room */
	COLUMNS_LEAST = 60,
	ROWS_MAX = 24,		/* of more, those that are well are only counted */
};

/* Ordered: where a link has several networks the worst one is told. */
enum reach { REACH_NONE, REACH_YES, REACH_UNKNOWN, REACH_ELSEWHERE, REACH_ROUTER, REACH_NO };

struct links {
	const char *names[LINKS_MAX];	/* as the report has them */
	size_t count;
	bool wans;			/* several: each forward says whose it is */
};

static enum reach reach_of(const struct json *value)
{
	static const char *const names[] = {
		[REACH_NONE] = "-", [REACH_YES] = "yes", [REACH_UNKNOWN] = "unknown",
		[REACH_ELSEWHERE] = "elsewhere", [REACH_ROUTER] = "router",
		[REACH_NO] = "no",
	};
	const char *name = json_string(value);
	enum reach reach;

	for (reach = REACH_YES; name && reach <= REACH_NO; reach++) {
		if (strcmp(name, names[reach]) == 0)
			return reach;
	}
	return REACH_UNKNOWN;
}

static const char *reach_word(enum reach reach)
{
	static const char *const words[] = {
		[REACH_NONE] = "-", [REACH_YES] = "yes", [REACH_UNKNOWN] = "?",
		[REACH_ELSEWHERE] = "other", [REACH_ROUTER] = "router", [REACH_NO] = "no",
	};

	return words[reach];
}

static enum plain_colour reach_colour(enum reach reach)
{
	static const enum plain_colour colours[] = {
		[REACH_NONE] = PLAIN_NO_COLOUR, [REACH_YES] = PLAIN_GREEN,
		[REACH_UNKNOWN] = PLAIN_YELLOW, [REACH_ELSEWHERE] = PLAIN_RED,
		[REACH_ROUTER] = PLAIN_RED, [REACH_NO] = PLAIN_RED,
	};

	return colours[reach];
}

/* --- links --- */

static void links_add(struct links *links, const char *name)
{
	size_t i;

	for (i = 0; i < links->count; i++) {
		if (strcmp(links->names[i], name) == 0)
			return;
	}
	if (links->count < LINKS_MAX)
		links->names[links->count++] = name;
}

static void links_gather(struct links *links, const struct json *forwards)
{
	const struct json *forward, *network;
	const char *name, *wan, *first = NULL;

	for (forward = json_child(forwards); forward; forward = json_next(forward)) {
		wan = json_string(json_get(forward, "wan"));
		links->wans |= wan && first && strcmp(wan, first) != 0;
		first = first ? first : wan;
		network = json_child(json_get(forward, "networks"));
		for (; network; network = json_next(network)) {
			name = json_string(json_get(network, "interface"));
			if (name)
				links_add(links, name);
		}
	}
}

static enum reach forward_reach(const struct json *forward, const char *link)
{
	const struct json *network = json_child(json_get(forward, "networks"));
	enum reach worst = REACH_NONE, reach;
	const char *name;

	for (; network; network = json_next(network)) {
		name = json_string(json_get(network, "interface"));
		reach = reach_of(json_get(network, "reach"));
		if (name && strcmp(name, link) == 0 && reach > worst)
			worst = reach;
	}
	return worst;
}

static bool forward_is_well(const struct json *forward, const struct links *links)
{
	size_t i;

	if (reach_of(json_get(forward, "internet")) != REACH_YES)
		return false;
	for (i = 0; i < links->count; i++) {
		if (forward_reach(forward, links->names[i]) > REACH_YES)
			return false;
	}
	return true;
}

struct doctor_sums doctor_sum(const struct json *forwards)
{
	struct doctor_sums sums = { .internet = true };
	const struct json *forward;
	struct links links = { 0 };
	bool all;
	size_t i;

	links_gather(&links, forwards);
	for (forward = json_child(forwards); forward; forward = json_next(forward)) {
		sums.forwards++;
		sums.well += forward_is_well(forward, &links);
		sums.internet &= reach_of(json_get(forward, "internet")) == REACH_YES;
	}
	for (i = 0; i < links.count; i++) {
		all = true;
		for (forward = json_child(forwards); forward; forward = json_next(forward))
			all &= forward_reach(forward, links.names[i]) <= REACH_YES;
		sums.networks += all;
	}
	return sums;
}

/* --- cells --- */

/* "443/tcp", "7000-7010/udp"; of whatever no other rule takes "others/tcp"; "443/tcp fibre" */
static char *cell_port(const struct json *forward, const struct links *links)
{
	TEXT_CLEANUP struct text cell = TEXT_INIT;
	int64_t first = 0, last = 0;

	(void)json_integer(json_get(forward, "port"), 0, UINT16_MAX, &first);
	(void)json_integer(json_get(forward, "port_last"), 0, UINT16_MAX, &last);
	if (first == 0 && last == UINT16_MAX)
		text_add(&cell, "others");
	else
		plain_number(&cell, forward, "port");
	if (first > 0 && last > first)
		text_addf(&cell, "-%d", (int)last);
	text_add_char(&cell, '/');
	plain_member(&cell, forward, "protocol");
	if (links->wans && json_string(json_get(forward, "wan"))) {
		text_add_char(&cell, ' ');
		plain_member(&cell, forward, "wan");
	}
	return text_take(&cell);
}

/* The port of the server where it is another one. */
static char *cell_server(const struct json *forward)
{
	TEXT_CLEANUP struct text cell = TEXT_INIT;
	const char *to = json_string(json_get(forward, "to"));
	bool six = to && strchr(to, ':');
	int64_t port = 0, to_port = 0;

	(void)json_integer(json_get(forward, "port"), 0, UINT16_MAX, &port);
	(void)json_integer(json_get(forward, "to_port"), 0, UINT16_MAX, &to_port);
	text_add(&cell, six && to_port && to_port != port ? "[" : "");
	plain_member(&cell, forward, "to");
	if (to_port && to_port != port)
		text_addf(&cell, "%s:%d", six ? "]" : "", (int)to_port);
	return text_take(&cell);
}

static void row_add_reach(struct plain_row *row, size_t column, enum reach reach)
{
	row->cells[column] = strdup(reach_word(reach));
	row->colours[column] = reach_colour(reach);
}

/* "internet yes, br0 yes, br1 no" */
static char *cell_links(const struct json *forward, const struct links *links)
{
	TEXT_CLEANUP struct text cell = TEXT_INIT;
	enum reach reach;
	size_t i;

	text_addf(&cell, "internet %s",
		  reach_word(reach_of(json_get(forward, "internet"))));
	for (i = 0; i < links->count; i++) {
		reach = forward_reach(forward, links->names[i]);
		if (reach == REACH_NONE)
			continue;
		text_add(&cell, ", ");
		plain_foreign(&cell, links->names[i]);
		text_addf(&cell, " %s", reach_word(reach));
	}
	return text_take(&cell);
}

static void table_add(struct plain_table *table, const struct json *forward,
		      const struct links *links, bool beside)
{
	struct plain_row *row = plain_table_add(table);
	size_t i;

	if (!row)
		return;
	row->cells[0] = cell_port(forward, links);
	row->cells[1] = cell_server(forward);
	if (beside) {
		row_add_reach(row, 2, reach_of(json_get(forward, "internet")));
		for (i = 0; i < links->count; i++)
			row_add_reach(row, 3 + i,
				      forward_reach(forward, links->names[i]));
	} else {
		row->cells[2] = cell_links(forward, links);
	}
	for (i = 0; i < table->columns; i++)
		table->failed |= !row->cells[i];
}

static void table_fill(struct plain_table *table, const struct json *forwards,
		       const struct links *links, bool beside, unsigned *ret_folded)
{
	const struct json *forward = json_child(forwards);
	bool many = json_count(forwards) > ROWS_MAX;

	for (; forward; forward = json_next(forward)) {
		if (many && forward_is_well(forward, links))
			++*ret_folded;
		else
			table_add(table, forward, links, beside);
	}
}

static void table_show_folded(unsigned count, bool more, const struct ctl_view *view,
			      struct text *out)
{
	char line[80];

	snprintf(line, sizeof(line), "%u %s from everywhere", count,
		 more ? "more reach their servers" : "reach their servers");
	plain_wrap(out, view, 2, 4, line);
}

void doctor_show_forwards(const struct json *forwards, const struct ctl_view *view,
			  struct text *out)
{
	struct plain_table table = { .columns = 3, .painted = PLAIN_CELLS_MAX,
				     .heads = { "FORWARD", "TO", "INTERNET" } };
	char heads[LINKS_SHOWN][64];
	struct links links = { 0 };
	unsigned folded = 0;
	bool beside;
	size_t i;

	links_gather(&links, forwards);
	beside = links.count <= LINKS_SHOWN && view->columns >= COLUMNS_LEAST;
	for (i = 0; i < links.count && beside; i++)
		table.heads[table.columns++] =
			text_escape(heads[i], sizeof(heads[i]), links.names[i],
				    strlen(links.names[i]));
	if (!beside) {
		table.heads[2] = "REACHED FROM";
		table.last_wraps = true;
	}
	table_fill(&table, forwards, &links, beside, &folded);
	if (table.count)
		plain_table_show(&table, view, out);
	if (folded)
		table_show_folded(folded, table.count > 0, view, out);
	plain_table_done(&table);
}
