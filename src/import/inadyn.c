/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inadyn.conf: `name = value`, lists in braces, sections `provider NAME { ... }` and
 * `custom NAME { ... }`, include("FILE").
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inadyn.h"
#include "parse.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_MARK, TOKEN_BROKEN };

struct token {
	enum token_kind kind;
	char mark;			/* one of = { } ( ) , */
	struct text word;
};

struct source {
	struct draft *draft;
	struct reader *reader;
	const char *at, *end;
	unsigned line;
	struct token token;		/* the one that is looked at */
	const char *wrong;		/* static; NULL: all is well */
	unsigned wrong_line;
};

static void skip_blanks(struct source *source)
{
	while (source->at < source->end) {
		if (*source->at == '\n')
			source->line++;
		else if (*source->at == '#')
			while (source->at + 1 < source->end && source->at[1] != '\n')
				source->at++;
		else if (*source->at != ' ' && *source->at != '\t' && *source->at != '\r')
			return;
		source->at++;
	}
}

/* In quotes, with backslashes; a quote without an end is broken. */
static void read_quoted(struct source *source, char quote)
{
	struct token *token = &source->token;

	token->kind = TOKEN_BROKEN;
	for (; source->at < source->end; source->at++) {
		if (*source->at == quote) {
			source->at++;
			token->kind = TOKEN_WORD;
			return;
		}
		if (*source->at == '\n')
			source->line++;
		if (*source->at == '\\' && source->at + 1 < source->end)
			source->at++;
		text_add_char(&token->word, *source->at);
	}
}

static void next_token(struct source *source)
{
	struct token *token = &source->token;

	text_clear(&token->word);
	skip_blanks(source);
	token->kind = TOKEN_END;
	if (source->at == source->end)
		return;
	if (strchr("={}(),", *source->at)) {
		token->kind = TOKEN_MARK;
		token->mark = *source->at++;
		return;
	}
	if (*source->at == '"' || *source->at == '\'') {
		read_quoted(source, *source->at++);
		return;
	}
	token->kind = TOKEN_WORD;
	for (; source->at < source->end && !strchr(" \t\r\n={}(),#\"'", *source->at);
	     source->at++) {
		if (*source->at == '\\' && source->at + 1 < source->end)
			source->at++;
		text_add_char(&token->word, *source->at);
	}
}

static bool at_mark(const struct source *source, char mark)
{
	return source->token.kind == TOKEN_MARK && source->token.mark == mark;
}

static void complain(struct source *source, const char *wrong)
{
	if (source->wrong)
		return;
	source->wrong = source->token.kind == TOKEN_BROKEN ? "a quote has no end" : wrong;
	source->wrong_line = source->line;
}

static bool expect_mark(struct source *source, char mark, const char *wrong)
{
	if (!at_mark(source, mark)) {
		complain(source, wrong);
		return false;
	}
	next_token(source);
	return true;
}

/* A word, or a list of words in braces: then with commas between them. */
static void read_setting_value(struct source *source, struct text *value)
{
	if (source->token.kind == TOKEN_WORD) {
		text_add(value, source->token.word.bytes);
		next_token(source);
		return;
	}
	if (!expect_mark(source, '{', "a value is missing"))
		return;
	while (source->token.kind == TOKEN_WORD || at_mark(source, ',')) {
		if (source->token.kind == TOKEN_WORD) {
			text_add(value, value->length ? "," : "");
			text_add(value, source->token.word.bytes);
		}
		next_token(source);
	}
	(void)expect_mark(source, '}', "a list has no end");
}

static void read_settings(struct source *source, struct options *options, bool inner);

static void read_include(struct source *source, struct options *options, bool inner)
{
	TEXT_CLEANUP struct text text = TEXT_INIT;
	struct reader *reader = source->reader;
	struct source other = { .draft = source->draft, .reader = reader, .line = 1 };
	unsigned line = source->line;

	if (!expect_mark(source, '(', "include wants (\"FILE\")") ||
	    source->token.kind != TOKEN_WORD) {
		complain(source, "include wants (\"FILE\")");
		return;
	}
	if (!reader->read || reader->includes >= IMPORT_INCLUDES_MAX ||
	    reader->read(reader->context, source->token.word.bytes, &text) < 0) {
		draft_lose(source->draft, line, "include(\"%s\") could not be read: put its "
			   "settings in by hand", source->token.word.bytes);
	} else {
		reader->includes++;
		other.at = text.bytes;
		other.end = text.bytes + text.length;
		other.token.word = (struct text)TEXT_INIT;
		next_token(&other);
		read_settings(&other, options, inner);
		if (other.wrong)
			draft_lose(source->draft, line, "include: %s", other.wrong);
		text_done(&other.token.word);
	}
	next_token(source);
	(void)expect_mark(source, ')', "include wants (\"FILE\")");
}

static void read_section(struct source *source, bool custom, struct options *globals)
{
	TEXT_CLEANUP struct text name = TEXT_INIT;
	struct options options = { 0 };
	unsigned line = source->line;

	if (source->token.kind != TOKEN_WORD) {
		complain(source, "a section wants a name");
		return;
	}
	text_add(&name, source->token.word.bytes);
	next_token(source);
	if (expect_mark(source, '{', "a section wants its settings in braces")) {
		read_settings(source, &options, true);
		if (expect_mark(source, '}', "a section has no end")) {
			options_inherit(&options, globals);
			inadyn_entry(source->draft, name.bytes, custom, &options, line);
		}
	}
	source->draft->failed |= options.failed || name.failed;
	options_done(&options);
}

static void read_assignment(struct source *source, const char *name,
			    struct options *options, unsigned line)
{
	TEXT_CLEANUP struct text value = TEXT_INIT;

	read_setting_value(source, &value);
	if (!source->wrong)
		options_set(options, name, value.bytes, line);
	source->draft->failed |= value.failed;
}

/* Until the end, or the brace that ends a section. */
static void read_settings(struct source *source, struct options *options, bool inner)
{
	while (!source->wrong && source->token.kind == TOKEN_WORD) {
		unsigned line = source->line;
		bool custom = strcmp(source->token.word.bytes, "custom") == 0;
		bool section = custom || strcmp(source->token.word.bytes, "provider") == 0;
		char *name = strdup(source->token.word.bytes);

		next_token(source);
		if (!name)
			source->draft->failed = true;
		else if (at_mark(source, '=')) {
			next_token(source);
			read_assignment(source, name, options, line);
		} else if (section && !inner)
			read_section(source, custom, options);
		else if (strcmp(name, "include") == 0)
			read_include(source, options, inner);
		else
			complain(source, "\"=\" is missing");
		free(name);
	}
	if (!inner && source->token.kind != TOKEN_END)
		complain(source, "a name is missing");
}

int inadyn_read(struct draft *draft, struct reader *reader, const char *text,
		size_t length, struct err *ret_err)
{
	struct source source = { .draft = draft, .reader = reader, .at = text,
				 .end = text + length, .line = 1,
				 .token.word = TEXT_INIT };
	struct options globals = { 0 };
	char shown[300];
	int rc = 0;

	text_escape(shown, sizeof(shown), draft->path, strlen(draft->path));
	next_token(&source);
	read_settings(&source, &globals, false);
	inadyn_globals(draft, &globals);
	if (source.wrong)
		rc = err_set(ret_err, -EBADMSG, "%s:%u: %s", shown, source.wrong_line,
			     source.wrong);
	else if (!draft->entry_count && !draft->import->lost_count)
		rc = err_set(ret_err, -EBADMSG,
			     "%s: it has no section \"provider\" or \"custom\": is it "
			     "inadyn's configuration?", shown);
	options_done(&globals);
	text_done(&source.token.word);
	return rc;
}
