/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "files_private.h"

/* Better ones are greater. */
enum likeness {
	LIKENESS_NONE,
	LIKENESS_COMMENT,	/* another rule, or this one edited, with its comment */
	LIKENESS_BARE,		/* the rule without its comment */
	LIKENESS_WHOLE,
};

struct search {
	const struct walk_rule *rule;
	const struct patient_forward *forward;	/* NULL: it is none */
	struct rule_words words;		/* none where nft did not tell */
	bool spoken;
	enum likeness best;
	const struct file_line *line;
};

static bool search_is_rule(const struct search *search, const struct rule_words *line)
{
	if (search->forward && rule_words_forward(line, search->forward))
		return true;
	return search->spoken && search->words.count > 0 &&
	       rule_words_equal(line, &search->words);
}

static enum likeness search_like(const struct search *search,
				 const struct rule_words *line)
{
	bool named = line->comment && *search->rule->comment &&
		     strcmp(line->comment, search->rule->comment) == 0;

	if (search_is_rule(search, line))
		return named ? LIKENESS_WHOLE : LIKENESS_BARE;
	return named ? LIKENESS_COMMENT : LIKENESS_NONE;
}

static void search_line(struct search *search, const struct file_line *line)
{
	enum likeness like = search_like(search, &line->words);

	if (like > search->best) {
		search->best = like;
		search->line = line;
	}
}

static const struct patient_forward *search_forward(const struct patient *patient,
						    const struct walk_rule *rule)
{
	size_t i;

	for (i = 0; i < patient->forward_count; i++) {
		if (patient->forwards[i].rule == rule)
			return &patient->forwards[i];
	}
	return NULL;
}

bool file_place_find(struct patient *patient, const struct walk_rule *rule,
		     struct file_place *ret_place)
{
	const struct files *files = files_read(patient);
	const char *words = rule_text_find(patient, rule);
	struct search search = { .rule = rule,
				 .forward = search_forward(patient, rule) };
	size_t i;

	if (!files)
		return false;
	search.spoken = words && !rule->xt && rule_words_split(words, &search.words);
	for (i = 0; i < files->line_count && search.best < LIKENESS_WHOLE; i++)
		search_line(&search, &files->lines[i]);
	rule_words_done(&search.words);
	if (!search.line)
		return false;
	snprintf(ret_place->path, sizeof(ret_place->path), "%s", search.line->path);
	ret_place->line = search.line->number;
	ret_place->has_comment = search.best != LIKENESS_BARE;
	ret_place->iptables = search.line->words.iptables;
	ret_place->plain = search.line->plain;
	return true;
}
