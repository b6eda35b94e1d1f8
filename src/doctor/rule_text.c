/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of rules, as nft prints them. Its listing is text with foreign comments in it,
 * so a chain's lines count only where their handles are the chain's, in its order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/clock.h"
#include "hairpin/nft.h"

#include "child.h"
#include "patient.h"

enum {
	RULE_TEXT_CHAINS = 256,
	RULE_TEXT_BYTES = 1000,
	RULE_TEXT_LIMIT_MS = 5000,	/* of all chains: nft reads large sets for each */
};

/* Of one chain: as many lines as it has rules; none where nft did not tell. */
struct rule_texts {
	struct rule_lines {
		const struct walk_chain *chain;
		char **lines;
	} chains[RULE_TEXT_CHAINS];
	size_t count;
	int64_t spent_ms;
};

/* nft takes its arguments as a program: a name must be one word of it. */
static bool rule_text_is_word(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.";
	static const char more[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.0123456789/-";

	return *name && strchr(letters, *name) && name[strspn(name, more)] == '\0';
}

/* "... # handle 7" at the end of a line; cut off there. */
static bool rule_text_cut_handle(char *line, uint64_t *ret_handle)
{
	static const char mark[] = " # handle ";
	char *at = NULL, *next = line, *end;

	while ((next = strstr(next, mark)))
		at = next++;
	if (!at)
		return false;
	*ret_handle = strtoull(at + strlen(mark), &end, 10);
	if (*end || end == at + strlen(mark))
		return false;
	*at = '\0';
	return true;
}

/* A rule begins behind two tabs; what is further in goes on with it. */
static void rule_text_add_line(struct text *rule, const char *line)
{
	size_t tabs = strspn(line, "\t");

	if (tabs == 2)
		text_clear(rule);
	if (tabs > 2 && rule->length)
		text_add_char(rule, ' ');
	if (tabs >= 2)
		text_add(rule, line + strspn(line, "\t "));
}

/* False: these are not the chain's rules. */
static bool rule_text_take(struct rule_lines *chain, char *listing)
{
	TEXT_CLEANUP struct text rule = TEXT_INIT;
	const struct walk_chain *of = chain->chain;
	size_t taken = 0;
	char *line, *rest = listing;
	uint64_t handle;

	while ((line = strsep(&rest, "\n"))) {
		rule_text_add_line(&rule, line);
		if (strspn(line, "\t") < 2 || !rule.length ||
		    !rule_text_cut_handle(rule.bytes, &handle))
			continue;
		if (taken == of->rule_count || of->rules[taken].handle != handle)
			return false;
		chain->lines[taken] = strdup(rule.bytes);
		if (!chain->lines[taken++] || rule.failed)
			return false;
		text_clear(&rule);
	}
	return taken == of->rule_count;
}

static void rule_lines_done(struct rule_lines *chain)
{
	size_t i;

	for (i = 0; chain->lines && i < chain->chain->rule_count; i++)
		free(chain->lines[i]);
	free(chain->lines);
	chain->lines = NULL;
}

static void rule_text_list(struct rule_lines *chain)
{
	const struct walk_chain *of = chain->chain;
	const char *const words[] = { "nft", "-s", "-a", "list", "chain",
				      nft_family_name(of->table->family),
				      of->table->name, of->name, NULL };
	TEXT_CLEANUP struct text listing = TEXT_INIT;

	if (!rule_text_is_word(of->table->name) || !rule_text_is_word(of->name))
		return;
	if (child_read(words, &listing) < 0)
		return;
	chain->lines = calloc(of->rule_count, sizeof(*chain->lines));
	if (chain->lines && !rule_text_take(chain, listing.bytes))
		rule_lines_done(chain);
}

static const struct rule_lines *rule_text_chain(struct patient *patient,
						const struct walk_chain *of)
{
	struct rule_texts *texts = patient->rule_texts;
	int64_t begin_ms = clock_now_ms();
	size_t i;

	if (!texts)
		texts = patient->rule_texts = calloc(1, sizeof(*texts));
	for (i = 0; texts && i < texts->count; i++) {
		if (texts->chains[i].chain == of)
			return &texts->chains[i];
	}
	if (!texts || texts->count == RULE_TEXT_CHAINS)
		return NULL;
	texts->chains[texts->count].chain = of;
	if (texts->spent_ms < RULE_TEXT_LIMIT_MS)
		rule_text_list(&texts->chains[texts->count]);
	texts->spent_ms += clock_now_ms() - begin_ms;
	return &texts->chains[texts->count++];
}

const char *rule_text_find(struct patient *patient, const struct walk_rule *rule)
{
	const struct rule_lines *chain = rule_text_chain(patient, rule->chain);

	if (!chain || !chain->lines)
		return NULL;
	return chain->lines[rule - rule->chain->rules];
}

void rule_text_add(struct text *out, struct patient *patient,
		   const struct walk_rule *rule)
{
	const char *line = rule_text_find(patient, rule);

	if (line)
		text_addf(out, "%.*s # handle %" PRIu64, RULE_TEXT_BYTES, line,
			  rule->handle);
	else
		text_addf(out, "%s %s %s handle %" PRIu64,
			  nft_family_name(rule->chain->table->family),
			  rule->chain->table->name, rule->chain->name, rule->handle);
}

void rule_texts_done(struct patient *patient)
{
	size_t i;

	for (i = 0; patient->rule_texts && i < patient->rule_texts->count; i++)
		rule_lines_done(&patient->rule_texts->chains[i]);
	free(patient->rule_texts);
	patient->rule_texts = NULL;
}
