/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ddclient.conf: lines of `name=value` with commas between, then names of hosts. A line
 * without hosts sets what holds for those below it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ddclient.h"
#include "parse.h"

struct lines {
	const char *at, *end;
	unsigned number;		/* of the line read last */
	struct text line;		/* joined, without comments */
	struct options passwords;	/* of it: they are cut out before the rest is read */
};

/*
 * A password may hold nearly anything, so it is taken first: in quotes to the last one of
 * the line, else to the next space.
 */
static void lines_cut_password(struct lines *lines, char *line)
{
	char *comment = strchr(line, '#'), *word = strstr(line, "password"), *at, *value, *end;
	char name[32];

	if (!word || (comment && comment < word))
		return;
	for (at = word; at > line && (isalnum((unsigned char)at[-1]) || at[-1] == '-'); at--)
		;
	end = word + strcspn(word, "= \t");
	value = end + strspn(end, " \t");
	if (*value != '=' || (size_t)(end - at) >= sizeof(name))
		return;
	memcpy(name, at, (size_t)(end - at));
	name[end - at] = '\0';
	value += 1 + strspn(value + 1, " \t");
	end = *value == '\'' ? strrchr(value, '\'') : value + strcspn(value, " \t");
	if (*value == '\'' && end == value)
		return;
	at = *value == '\'' ? value + 1 : value;
	/* The comma behind a word divides settings. */
	if (*value != '\'' && end > at && end[-1] == ',')
		end--;
	if (end == at)
		return;
	word = strndup(at, (size_t)(end - at));
	if (word)
		options_set(&lines->passwords, name, word, lines->number);
	free(word);
	memset(at, 'x', (size_t)(end - at));
}

static void lines_add(struct lines *lines, const char *from, size_t length)
{
	char *line = strndup(from, length), *comment;

	if (!line) {
		lines->line.failed = true;
		return;
	}
	lines_cut_password(lines, line);
	comment = strchr(line, '#');
	if (comment)
		*comment = '\0';
	for (length = strlen(line); length && strchr(" \t", line[length - 1]); length--)
		;
	text_add_bytes(&lines->line, line, length);
	free(line);
}

/* The next line that says something, with those that continue it. False: the end. */
static bool lines_next(struct lines *lines)
{
	bool more = true;

	text_clear(&lines->line);
	options_done(&lines->passwords);
	while (more && lines->at < lines->end) {
		size_t length = (size_t)(lines->end - lines->at);
		const char *newline = memchr(lines->at, '\n', length);
		const char *from = lines->at;

		length = newline ? (size_t)(newline - from) : length;
		lines->at = newline ? newline + 1 : lines->end;
		lines->number++;
		if (length && from[length - 1] == '\r')
			length--;
		lines_add(lines, from, length);
		more = lines->line.length &&
		       lines->line.bytes[lines->line.length - 1] == '\\';
		if (more)
			lines->line.bytes[--lines->line.length] = '\0';
		else if (!lines->line.bytes[strspn(lines->line.bytes, " \t,")])
			text_clear(&lines->line), more = true;
	}
	return lines->line.length > 0;
}

static bool is_name(char c, bool first)
{
	return isalpha((unsigned char)c) || (!first && (isdigit((unsigned char)c) ||
							c == '_' || c == '-'));
}

/* A value ends at a space or comma that nothing quotes. Gives what follows. */
static const char *read_value(const char *at, struct text *value)
{
	char quote = '\0';

	for (; *at; at++) {
		if (*at == '\\' && at[1])
			text_add_char(value, *++at);
		else if (quote && *at == quote)
			quote = '\0';
		else if (!quote && (*at == '\'' || *at == '"'))
			quote = *at;
		else if (!quote && (*at == ',' || isspace((unsigned char)*at)))
			break;
		else
			text_add_char(value, *at);
	}
	return at;
}

/* One `name=value`; NULL: the hosts begin here. */
static const char *read_assignment(const struct lines *lines, const char *at,
				   struct options *options)
{
	TEXT_CLEANUP struct text value = TEXT_INIT;
	const struct option *password;
	char name[40];
	size_t length = 0;
	const char *end;

	while (length < sizeof(name) - 1 && is_name(at[length], length == 0)) {
		name[length] = (char)tolower((unsigned char)at[length]);
		length++;
	}
	name[length] = '\0';
	end = at + length + strspn(at + length, " \t");
	if (!length || *end != '=')
		return NULL;
	end = read_value(end + 1 + strspn(end + 1, " \t"), &value);
	password = options_find(&lines->passwords, name);
	options_set(options, name, password ? password->value : value.bytes, lines->number);
	return end;
}

/* "host[,host...] [login [password]]", the old way. */
static void read_hosts(const char *at, unsigned line, struct options *options,
		       struct text *hosts)
{
	static const char *const old[] = { "login", "password" };
	const struct option *host = options_find(options, "host");
	bool comma = true;

	if (host)
		text_add(hosts, host->value);
	/* NOLINTNEXTLINE(*NullDereference): a line is at least "" */
	while (*at && (comma || *at == ',')) {
		size_t gap = strspn(at, ", \t"), length;

		at += gap;
		length = strcspn(at, ", \t");
		text_add(hosts, hosts->length ? "," : "");
		text_add_bytes(hosts, at, length);
		at += length;
		at += strspn(at, " \t");
		comma = *at == ',';
	}
	for (size_t i = 0; i < 2 && *at; i++) {
		size_t length = strcspn(at, " \t");
		char *word = strndup(at, length);

		if (word)
			options_set(options, old[i], word, line);
		free(word);
		at += length + strspn(at + length, " \t");
	}
}

static void read_line(struct draft *draft, const struct lines *lines,
		      struct options *globals)
{
	TEXT_CLEANUP struct text hosts = TEXT_INIT;
	struct options locals = { 0 };
	const char *at = lines->line.bytes, *next = at;

	while (next) {
		at = next + strspn(next, ", \t");
		next = read_assignment(lines, at, &locals);
	}
	read_hosts(at, lines->number, &locals, &hosts);
	if (hosts.length) {
		options_inherit(&locals, globals);
		ddclient_entry(draft, &locals, hosts.bytes, lines->number);
	} else {
		for (size_t i = 0; i < locals.count; i++)
			options_set(globals, locals.list[i].name, locals.list[i].value,
				    locals.list[i].line);
	}
	draft->failed |= locals.failed || hosts.failed;
	options_done(&locals);
}

int ddclient_read(struct draft *draft, const char *text, size_t length,
		  struct err *ret_err)
{
	struct lines lines = { .at = text, .end = text + length, .line = TEXT_INIT };
	struct options globals = { 0 };
	int rc = 0;

	while (lines_next(&lines))
		read_line(draft, &lines, &globals);
	ddclient_globals(draft, &globals);
	if (!draft->entry_count && !draft->import->lost_count)
		rc = err_set(ret_err, -EBADMSG,
			     "%s: no line of it names a host: is it ddclient's configuration?",
			     draft->path);
	if (lines.line.failed || globals.failed)
		rc = err_set(ret_err, -ENOMEM, "out of memory");
	options_done(&globals);
	options_done(&lines.passwords);
	text_done(&lines.line);
	return rc;
}
