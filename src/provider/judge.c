/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "answer.h"
#include "dyndns2.h"
#include "hairpin/secret.h"
#include "lines.h"

/* An answer that is being judged. */
struct judging {
	const struct catalogue *catalogue;
	const struct catalogue_step *step;
	const struct fill *fill;
	struct view *view;
	/* 2xx, whole, and from the provider: only that may be a success by itself */
	bool clear;
};

/* --- one condition ----------------------------------------------------------------- */

/* The same bytes, or the same address however it is written. */
static bool same_text(const char *text, size_t length, const char *wanted)
{
	char word[ADDR_TEXT_BYTES];
	struct addr a, b;

	if (span_is(text, length, wanted))
		return true;
	if (length >= sizeof(word) || !addr_parse(wanted, &b))
		return false;
	memcpy(word, text, length);
	word[length] = '\0';
	return strlen(word) == length && addr_parse(word, &a) && addr_equal(&a, &b);
}

/* Nothing begins with, or holds, a value that is empty: that would be no condition. */
static bool begins(const char *text, size_t length, const char *wanted)
{
	size_t bytes = strlen(wanted);

	return bytes > 0 && length >= bytes && memcmp(text, wanted, bytes) == 0;
}

static bool holds(const char *text, size_t length, const char *wanted)
{
	return *wanted && memmem(text, length, wanted, strlen(wanted));
}

static bool has_line(const char *body, size_t length, const char *wanted)
{
	struct line line;

	while (line_next(&body, &length, &line))
		if (same_text(line.text, line.length, wanted))
			return true;
	return false;
}

static bool has_token(const char *body, size_t length, const char *wanted)
{
	struct line line;

	return line_next(&body, &length, &line) &&
	       same_text(line.text, line.token_length, wanted);
}

typedef bool text_test(const char *text, size_t length, const char *wanted);

/* Does the text pass the test with the filled template? NULL: nothing is asked. */
static bool text_passes(const struct judging *j, const char *text, size_t length,
			text_test *test, const char *template)
{
	char *wanted;
	bool passes;

	if (!template)
		return true;
	if (fill_new(j->fill, template, PLACE_PLAIN, &wanted, NULL) < 0)
		return false;
	passes = test(text, length, wanted);
	secret_free(wanted);
	return passes;
}

static bool body_passes(const struct judging *j, const struct catalogue_rule *rule)
{
	const char *body = j->view->answer->body;
	size_t length = j->view->answer->length;

	return text_passes(j, body, length, begins, rule->prefix) &&
	       text_passes(j, body, length, holds, rule->contains) &&
	       text_passes(j, body, length, has_line, rule->line) &&
	       text_passes(j, body, length, has_token, rule->token);
}

static bool differs(const char *text, size_t length, const char *wanted)
{
	return !same_text(text, length, wanted);
}

static bool spot_passes(const struct judging *j, const struct catalogue_rule *rule)
{
	static text_test *const tests[] = {
		[CATALOGUE_IS] = same_text,
		[CATALOGUE_IS_NOT] = differs,
		[CATALOGUE_HOLDS] = holds,
		[CATALOGUE_BEGINS] = begins,
	};
	char *text;
	bool passes;

	if (!rule->spot.path)
		return true;
	if (rule->test == CATALOGUE_PRESENT || rule->test == CATALOGUE_ABSENT)
		return view_has(j->view, &rule->spot, j->fill) ==
		       (rule->test == CATALOGUE_PRESENT);
	if (!view_find(j->view, &rule->spot, j->fill, &text))
		return false;
	passes = text_passes(j, text, strlen(text), tests[rule->test],
			     rule->test_text ? rule->test_text : "");
	secret_free(text);
	return passes;
}

static bool status_passes(const struct judging *j, const struct catalogue_rule *rule)
{
	int status = (int)j->view->answer->http_status;
	int to = rule->http_to ? rule->http_to : rule->http;

	return !rule->http || (status >= rule->http && status <= to);
}

/* --- rules ------------------------------------------------------------------------- */

static bool is_success(enum catalogue_verdict verdict)
{
	return verdict == CATALOGUE_GOOD || verdict == CATALOGUE_UNCHANGED ||
	       verdict == CATALOGUE_NEXT_STEP || verdict == CATALOGUE_NO_RECORD;
}

/* A rule that asks for nothing but the status. */
static bool asks_status_only(const struct catalogue_rule *rule)
{
	return rule->http && !rule->token && !rule->prefix && !rule->contains &&
	       !rule->line && !rule->spot.path;
}

/* May it be a success at all? Without a status of its own it needs a clear answer. */
static bool may_succeed(const struct judging *j, const struct catalogue_rule *rule)
{
	const struct provider_answer *answer = j->view->answer;

	if (answer->cut || (!rule->http && !j->clear))
		return false;
	if (rule->spot.path && rule->spot.where == CATALOGUE_JSON &&
	    rule->test == CATALOGUE_ABSENT && !view_is_json(j->view))
		return false;
	return !asks_status_only(rule) || !answer_is_page(answer);
}

/* Can a step like this one come to that? */
static bool fits_step(const struct judging *j, const struct catalogue_rule *rule)
{
	if (rule->verdict == CATALOGUE_NO_RECORD)
		return j->step->does == CATALOGUE_LOOK;
	return rule->verdict != CATALOGUE_NEXT_STEP || j->step->does != CATALOGUE_WRITE;
}

/* The lines of dyndns2 tell what became of a write, not what a look found. */
static bool speaks_lines(const struct judging *j)
{
	return j->catalogue->protocol == CATALOGUE_DYNDNS2 &&
	       j->step->does == CATALOGUE_WRITE;
}

/* In a body of lines a rule that asks for a token only is one more word for each line. */
static bool is_word(const struct catalogue_rule *rule)
{
	return rule->token && !rule->http && !rule->prefix && !rule->contains &&
	       !rule->line && !rule->spot.path;
}

static bool rule_holds(const struct judging *j, const struct catalogue_rule *rule)
{
	if (!status_passes(j, rule) || !fits_step(j, rule))
		return false;
	if (speaks_lines(j) && is_word(rule))
		return false;
	if (is_success(rule->verdict) && !may_succeed(j, rule))
		return false;
	return body_passes(j, rule) && spot_passes(j, rule);
}

static const struct catalogue_rule *rule_find(const struct judging *j,
					      const struct catalogue_rule *rules,
					      size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rule_holds(j, &rules[i]))
			return &rules[i];
	return NULL;
}

/* dyndns2_word_fn */
static const struct catalogue_rule *word_find(const void *context, const char *token,
					      size_t length)
{
	const struct judging *j = context;
	const struct {
		const struct catalogue_rule *rules;
		size_t count;
	} lists[] = { { j->step->rules, j->step->rule_count },
		      { j->catalogue->rules, j->catalogue->rule_count } };

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < lists[k].count; i++) {
			const struct catalogue_rule *rule = &lists[k].rules[i];

			if (is_word(rule) && fits_step(j, rule) &&
			    text_passes(j, token, length, same_text, rule->token))
				return rule;
		}
	return NULL;
}

/* --- the verdict ------------------------------------------------------------------- */

static void set_all(struct provider_verdict *verdicts, size_t count,
		    struct provider_verdict verdict)
{
	for (size_t i = 0; i < count; i++)
		verdicts[i] = verdict;
}

/*
 * "good" among the rules of all steps says that a request went well; only a step's own
 * rule can mean that a look has seen the wanted address. A step that cleans makes no
 * record good.
 */
static enum judge_way way_of_rule(const struct judging *j,
				  const struct catalogue_rule *rule, bool of_step)
{
	if (rule->verdict == CATALOGUE_NO_RECORD)
		return JUDGE_NO_RECORD;
	if (!is_success(rule->verdict) || j->step->does == CATALOGUE_WRITE)
		return JUDGE_VERDICT;
	if (rule->verdict == CATALOGUE_NEXT_STEP || j->step->does == CATALOGUE_CLEAN)
		return JUDGE_NEXT;
	return of_step ? JUDGE_VERDICT : JUDGE_NEXT;
}

/*
 * A look that reads JSON has seen nothing where there is none. To go on as if the record
 * were missing would make a second one.
 */
static bool has_looked(const struct judging *j)
{
	const struct catalogue_step *step = j->step;
	bool json = step->pages.by != CATALOGUE_ONE_PAGE;

	for (size_t i = 0; i < step->read_count; i++)
		json = json || step->reads[i].spot.where == CATALOGUE_JSON;
	return !json || step->does != CATALOGUE_LOOK || view_is_json(j->view) ||
	       (j->view->answer->http_status == 204 && j->view->answer->length == 0);
}

/* Where the step says what is fine, nothing else is: not an error that nobody has named. */
static bool says_what_is_fine(const struct catalogue_step *step)
{
	for (size_t i = 0; i < step->rule_count; i++)
		if (step->rules[i].verdict == CATALOGUE_NEXT_STEP)
			return true;
	return false;
}

static void judge_write(const struct judging *j, const struct fill_name *names,
			size_t count, struct provider_verdict *ret_verdicts)
{
	const struct provider_answer *answer = j->view->answer;

	if (speaks_lines(j) && !answer->cut && !answer_is_page(answer)) {
		dyndns2_judge(answer->body, answer->length, names, count, word_find, j,
			      ret_verdicts);
		if (answer_is_2xx(answer) ||
		    answer_overrules_status(answer, ret_verdicts, count))
			return;
	}
	set_all(ret_verdicts, count, answer_of_status(answer));
}

static bool are_several(const struct fill_name *names, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (strcasecmp(names[i].hostname, names[0].hostname) != 0)
			return true;
	return false;
}

/* Of several names a rule does not say which is missing: halves of them may tell. */
static struct provider_verdict verdict_of_rule(const struct catalogue_rule *rule,
					       const struct fill_name *names, size_t count)
{
	struct provider_verdict verdict = answer_of_rule(rule);

	if (verdict.verdict == MESSAGE_NOHOST && are_several(names, count))
		verdict.verdict = MESSAGE_SPLIT;
	return verdict;
}

enum judge_way judge_answer(const struct catalogue *catalogue,
			    const struct catalogue_step *step, struct view *view,
			    const struct fill *fill, const struct fill_name *names,
			    size_t count, struct provider_verdict *ret_verdicts)
{
	const struct provider_answer *answer = view->answer;
	struct judging j = {
		.catalogue = catalogue, .step = step, .fill = fill, .view = view,
		.clear = answer_is_2xx(answer) && !answer->cut && !answer_is_page(answer),
	};
	const struct catalogue_rule *own, *rule;
	enum judge_way way = JUDGE_VERDICT;

	own = rule_find(&j, step->rules, step->rule_count);
	rule = own ? own : rule_find(&j, catalogue->rules, catalogue->rule_count);
	if (rule) {
		way = way_of_rule(&j, rule, own != NULL);
		set_all(ret_verdicts, count, verdict_of_rule(rule, names, count));
	} else if (step->does == CATALOGUE_WRITE) {
		judge_write(&j, names, count, ret_verdicts);
	} else {
		way = j.clear && !says_what_is_fine(step) ? JUDGE_NEXT : JUDGE_VERDICT;
		set_all(ret_verdicts, count, answer_of_status(answer));
	}
	if (way == JUDGE_NEXT && !has_looked(&j)) {
		way = JUDGE_VERDICT;
		set_all(ret_verdicts, count, (struct provider_verdict){
						     .verdict = MESSAGE_TRANSIENT });
	}
	answer_set_wait(answer, ret_verdicts, count);
	return way;
}
