/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files_private.h"

/* Where in the line the splitting is. */
struct splitter {
	struct rule_words *words;
	char *in, *out;
	bool ports;			/* names of services may follow */
	unsigned depth;			/* of braces */
};

/* What stands between words: whatever ends one is passed over before the next. */
static const char spaces[] = " \t\r\n\v\f";

static bool splitter_is_mark(char c)
{
	return c && strchr("{},;", c);
}

/* The next word, copied to `out`; marks are words by themselves. NULL: there is none. */
static char *splitter_next(struct splitter *splitter)
{
	char *word = splitter->out, *in = splitter->in;
	bool quoted = false;

	in += strspn(in, spaces);
	if (!*in)
		return NULL;
	if (splitter_is_mark(*in)) {
		*splitter->out++ = *in++;
	} else {
		for (; *in && (quoted || (!strchr(spaces, *in) &&
					  !splitter_is_mark(*in))); in++) {
			if (*in == '"')
				quoted = !quoted;
			else
				*splitter->out++ = *in;
		}
	}
	*splitter->out++ = '\0';
	splitter->in = in;
	return word;
}

/* What was read from there on is to be read once more. */
static void splitter_back(struct splitter *splitter, char *in, char *out)
{
	splitter->in = in;
	splitter->out = out;		/* which has room for each word once */
}

static bool word_is(const char *word, const char *const *list)
{
	for (; *list; list++) {
		if (strcmp(word, *list) == 0)
			return true;
	}
	return false;
}

static void splitter_keep(struct splitter *splitter, const char *word)
{
	splitter->words->list[splitter->words->count++] = word;
}

/* nft prints numbers where people write names of services. In place, where it fits. */
static void splitter_port(char *word)
{
	const struct servent *service;
	char digits[8];

	if (!isalpha((unsigned char)*word))
		return;
	service = getservbyname(word, NULL);
	if (!service)
		return;
	snprintf(digits, sizeof(digits), "%u", ntohs((uint16_t)service->s_port));
	if (strlen(digits) <= strlen(word))
		memcpy(word, digits, strlen(digits) + 1);
}

/* "packets 5 bytes 400" behind a counter. */
static void splitter_skip_counter(struct splitter *splitter)
{
	char *in = splitter->in, *out = splitter->out, *word;

	while ((word = splitter_next(splitter)) &&
	       (strcmp(word, "packets") == 0 || strcmp(word, "bytes") == 0)) {
		(void)splitter_next(splitter);
		in = splitter->in;
		out = splitter->out;
	}
	splitter_back(splitter, in, out);
}

/* The word or the set behind "daddr", whatever it holds. */
static void splitter_skip_address(struct splitter *splitter)
{
	char *in = splitter->in, *out = splitter->out, *word = splitter_next(splitter);

	if (word && word_is(word, (const char *const[]){ "!=", ".", "&", NULL })) {
		splitter_back(splitter, in, out);	/* not alone: kept as it is */
		return;
	}
	while (word && strcmp(word, "{") == 0) {
		do
			word = splitter_next(splitter);
		while (word && strcmp(word, "}") != 0);
	}
}

static void splitter_take(struct splitter *splitter, char *word)
{
	static const char *const left_out[] = {
		"to", "meta", "{", "}", ",", ";", "ip", "ip6", "==", NULL
	};
	static const char *const ports[] = { "dport", "sport", NULL };

	if (strcmp(word, "-m") == 0) {		/* iptables' matches, "comment" too */
		(void)splitter_next(splitter);
		return;
	}
	if (word_is(word, (const char *const[]){ "comment", "--comment", NULL })) {
		splitter->words->comment = splitter_next(splitter);
		return;
	}
	if (strcmp(word, "counter") == 0) {
		splitter_skip_counter(splitter);
		return;
	}
	if (word_is(word, left_out)) {
		splitter->depth += *word == '{';
		splitter->depth -= *word == '}' && splitter->depth;
		splitter->ports &= splitter->depth > 0 || *word != '}';
		return;
	}
	if (splitter->ports)
		splitter_port(word);
	splitter->ports = word_is(word, ports) || (splitter->ports && splitter->depth);
	splitter_keep(splitter, word);
	if (strcmp(word, "daddr") == 0)
		splitter_skip_address(splitter);
}

/* "add rule [FAMILY] TABLE CHAIN" before it; in a block there is nothing of that. */
static void splitter_skip_head(struct splitter *splitter)
{
	static const char *const verbs[] = { "add", "insert", NULL };
	static const char *const families[] = { "ip", "ip6", "inet", NULL };
	char *in = splitter->in, *out = splitter->out, *word = splitter_next(splitter);

	if (word && word_is(word, verbs))
		word = splitter_next(splitter);
	else if (!word || strcmp(word, "rule") != 0)
		word = NULL;
	if (!word || strcmp(word, "rule") != 0) {
		splitter_back(splitter, in, out);
		return;
	}
	word = splitter_next(splitter);
	if (word && word_is(word, families))
		(void)splitter_next(splitter);
	(void)splitter_next(splitter);
}

static int word_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool rule_words_split(const char *line, struct rule_words *ret_words)
{
	struct rule_words words = { 0 };
	struct splitter splitter = { .words = &words };
	size_t length = strlen(line);
	char *copy = strdup(line), *word;

	words.bytes = malloc(2 * length + 2);	/* a NUL behind each mark */
	words.list = calloc(length + 1, sizeof(*words.list));
	if (!copy || !words.bytes || !words.list) {
		free(copy);
		rule_words_done(&words);
		return false;
	}
	splitter.in = copy;
	splitter.out = words.bytes;
	splitter_skip_head(&splitter);
	while ((word = splitter_next(&splitter)))
		splitter_take(&splitter, word);
	free(copy);
	words.iptables = strncmp(line, "-A ", 3) == 0;
	qsort(words.list, words.count, sizeof(*words.list), word_compare);
	*ret_words = words;
	return true;
}

void rule_words_done(struct rule_words *words)
{
	free(words->bytes);
	free(words->list);
	*words = (struct rule_words){ 0 };
}

bool rule_words_equal(const struct rule_words *a, const struct rule_words *b)
{
	size_t i;

	if (a->count != b->count)
		return false;
	for (i = 0; i < a->count; i++) {
		if (strcmp(a->list[i], b->list[i]) != 0)
			return false;
	}
	return true;
}

static bool words_have(const struct rule_words *words, const char *word)
{
	size_t i;

	for (i = 0; i < words->count; i++) {
		if (strcmp(words->list[i], word) == 0)
			return true;
	}
	return false;
}

/* "192.168.1.2", alone or with a port behind it. */
static bool words_have_server(const struct rule_words *words, const char *server)
{
	size_t i, length = strlen(server);
	const char *word;

	for (i = 0; i < words->count; i++) {
		word = words->list[i] + (*words->list[i] == '[');
		if (strncmp(word, server, length) == 0 &&
		    (!word[length] || strchr(":]", word[length])))
			return true;
	}
	return false;
}

bool rule_words_forward(const struct rule_words *words,
			const struct patient_forward *forward)
{
	const char *protocol = forward->protocol == IPPROTO_UDP ? "udp" : "tcp";
	const char *other = forward->protocol == IPPROTO_UDP ? "tcp" : "udp";
	char server[ADDR_TEXT_BYTES], port[16], last[16];

	addr_format(&forward->server, server);
	if (!words_have_server(words, server) ||
	    !(words_have(words, "dnat") || words_have(words, "DNAT")))
		return false;
	if (words_have(words, other) && !words_have(words, protocol))
		return false;
	if (forward->port == 0)		/* whatever no other rule takes */
		return true;
	snprintf(port, sizeof(port), "%u", forward->port);
	if (forward->port == forward->port_last)
		return words_have(words, port);
	snprintf(port, sizeof(port), "%u-%u", forward->port, forward->port_last);
	snprintf(last, sizeof(last), "%u:%u", forward->port, forward->port_last);
	return words_have(words, port) || words_have(words, last);
}
