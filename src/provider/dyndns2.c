/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dyndns2.h"

#include <string.h>
#include <sys/socket.h>

#include "answer.h"
#include "lines.h"

/* What a code means and whether it is said once for the whole request. */
struct code {
	const char *name;
	enum message_verdict verdict;
	bool of_account;
	uint32_t retry_after_s;
};

static const struct code codes[] = {
	{ "good", MESSAGE_GOOD, false, 0 },
	{ "nochg", MESSAGE_UNCHANGED, false, 0 },
	{ "nohost", MESSAGE_NOHOST, false, 0 },
	{ "notfqdn", MESSAGE_NOHOST, false, 0 },
	{ "!yours", MESSAGE_NOHOST, false, 0 },
	{ "!active", MESSAGE_NOHOST, false, 0 },
	{ "abuse", MESSAGE_ABUSE, false, 0 },
	{ "numhost", MESSAGE_SPLIT, false, 0 },
	{ "dnserr", MESSAGE_SERVER_ERROR, false, PROVIDER_ERROR_RETRY_S },
	{ "badauth", MESSAGE_BADAUTH, true, 0 },
	{ "badagent", MESSAGE_BADAGENT, true, 0 },
	{ "badsys", MESSAGE_BADAGENT, true, 0 },
	{ "!donator", MESSAGE_FORBIDDEN, true, 0 },
	{ "911", MESSAGE_SERVER_ERROR, true, PROVIDER_ERROR_RETRY_S },
};

static bool is_good(enum message_verdict verdict)
{
	return verdict == MESSAGE_GOOD || verdict == MESSAGE_UNCHANGED;
}

/* One line of the answer, understood. */
struct understood {
	struct provider_verdict verdict;
	bool known;		/* its first token is a code */
	bool of_account;
};

/* "w30m": wait that long. False: not such a token. */
static bool read_wait(const struct line *line, uint32_t *ret_wait_s)
{
	size_t digits = line->token_length - (line->token_length >= 2 ? 2 : 0);
	const char *text = line->text;
	uint64_t wait = 0;

	if (line->token_length < 3 || text[0] != 'w')
		return false;
	for (size_t i = 1; i <= digits; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		wait = wait * 10 + (uint64_t)(text[i] - '0');
		if (wait > PROVIDER_RETRY_MAX_S)
			wait = PROVIDER_RETRY_MAX_S;
	}
	switch (text[digits + 1]) {
	case 's': break;
	case 'm': wait *= 60; break;
	case 'h': wait *= 3600; break;
	default: return false;
	}
	*ret_wait_s = wait < PROVIDER_RETRY_MAX_S ? (uint32_t)wait : PROVIDER_RETRY_MAX_S;
	return true;
}

/*
 * The addresses behind a good or nochg. False: something else stands there, so that this
 * is no line of the protocol but a sentence that happens to begin with the word.
 */
static bool read_addresses(const struct line *line, struct provider_verdict *verdict)
{
	const char *at = line->text + line->token_length,
		   *end = line->text + line->length;

	while (at < end && verdict->address_count < 2) {
		char word[ADDR_TEXT_BYTES];
		size_t length = 0;

		while (at < end && (*at == ' ' || *at == '\t' || *at == ','))
			at++;
		/* NOLINTNEXTLINE(*null-terminated-result): a NUL is no gap */
		while (at + length < end && !memchr(" \t,", at[length], 3))
			length++;
		if (length == 0)
			break;
		if (length >= sizeof(word))
			return verdict->address_count > 0;
		memcpy(word, at, length);
		word[length] = '\0';
		if (strlen(word) != length ||
		    !addr_parse(word, &verdict->addresses[verdict->address_count]))
			return verdict->address_count > 0;
		verdict->address_count++;
		at += length;
	}
	return true;
}

static struct understood understand_code(const struct code *code, const struct line *line)
{
	struct understood u = {
		.verdict = { .verdict = code->verdict,
			     .retry_after_s = code->retry_after_s },
		.known = true,
		.of_account = code->of_account,
	};

	if (is_good(code->verdict) && !read_addresses(line, &u.verdict)) {
		memset(&u, 0, sizeof(u));
		u.verdict.verdict = MESSAGE_TRANSIENT;
	}
	return u;
}

/* The words that a description adds to those of the protocol; `find` NULL: none. */
struct words {
	dyndns2_word_fn *find;
	const void *context;
};

static struct understood understand(const struct words *words, const struct line *line)
{
	struct understood u = { .verdict = { .verdict = MESSAGE_TRANSIENT } };
	const struct catalogue_rule *rule = NULL;

	if (words->find)
		rule = words->find(words->context, line->text, line->token_length);
	if (rule) {
		u.verdict = answer_of_rule(rule);
		u.known = true;
		return u;
	}
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (span_is(line->text, line->token_length, codes[i].name))
			return understand_code(&codes[i], line);
	u.known = read_wait(line, &u.verdict.retry_after_s);
	return u;
}

static bool names_address(const struct provider_verdict *verdict,
			  const struct addr *address)
{
	for (size_t i = 0; i < verdict->address_count; i++)
		if (addr_equal(&verdict->addresses[i], address))
			return true;
	return false;
}

/* "good 127.0.0.1" is how some providers say that they ignored a request they dislike. */
static void look_for_ignored(const struct fill_name *name, struct understood *u)
{
	static const struct addr loopback = { AF_INET, { 127, 0, 0, 1 } };

	if (u->verdict.verdict != MESSAGE_GOOD || addr_equal(&name->ipv4, &loopback) ||
	    !names_address(&u->verdict, &loopback))
		return;
	u->verdict = (struct provider_verdict){ .verdict = MESSAGE_BADAGENT };
	u->of_account = true;
}

/* "Too many names" about a single name is about that name. */
static void look_for_single(size_t count, struct understood *u)
{
	if (u->verdict.verdict == MESSAGE_SPLIT && count == 1)
		u->verdict.verdict = MESSAGE_FORBIDDEN;
}

/* Of the family that was sent it names another address: verification decides. */
static bool names_other(const struct provider_verdict *verdict,
			const struct addr *address)
{
	bool of_family = false;

	for (size_t i = 0; i < verdict->address_count; i++)
		of_family = of_family || verdict->addresses[i].family == address->family;
	return of_family && !addr_is_none(address) && !names_address(verdict, address);
}

static void note_addresses(const struct fill_name *name, struct provider_verdict *verdict)
{
	if (names_other(verdict, &name->ipv4) || names_other(verdict, &name->ipv6))
		verdict->note = "not what was sent";
}

/* What holds for the names that no line was given for. */
static struct provider_verdict verdict_of_rest(const struct provider_verdict *verdicts,
					       size_t lines,
					       const struct provider_verdict *account)
{
	struct provider_verdict rest;

	if (lines == 0)
		return (struct provider_verdict){ .verdict = MESSAGE_TRANSIENT };
	if (account->verdict != 0)
		return *account;
	if (lines > 1)
		return (struct provider_verdict){ .verdict = MESSAGE_UNCONFIRMED,
						  .note = "fewer lines than names" };
	rest = verdicts[0];		/* one line alone holds for all */
	if (is_good(rest.verdict))
		rest.note = "one line for all names";
	return rest;
}

void dyndns2_judge(const char *body, size_t length, const struct fill_name *names,
		   size_t count, dyndns2_word_fn *word, const void *context,
		   struct provider_verdict *ret_verdicts)
{
	const struct words words = { word, context };
	struct provider_verdict rest, account = { 0 };
	size_t lines = 0;
	struct line line;

	while (lines < count && line_next(&body, &length, &line)) {
		struct understood u = understand(&words, &line);

		/*
		 * A body that does not begin with a code is no answer, whatever
		 * follows.
		 */
		if (lines == 0 && !u.known)
			break;
		look_for_ignored(&names[lines], &u);
		look_for_single(count, &u);
		if (u.of_account)
			account = u.verdict;
		ret_verdicts[lines++] = u.verdict;
	}
	rest = verdict_of_rest(ret_verdicts, lines, &account);
	for (size_t i = lines; i < count; i++)
		ret_verdicts[i] = rest;
	if (lines == count && line_next(&body, &length, &line))
		ret_verdicts[count - 1].note = "more lines than names";
	for (size_t i = 0; i < count; i++)
		note_addresses(&names[i], &ret_verdicts[i]);
}
