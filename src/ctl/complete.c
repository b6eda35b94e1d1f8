/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may come next on a command line, for the shells: the words so far are ours to read,
 * so that each shell's own part is a few lines. "@files" says that a file's name is
 * wanted. Nothing is complained about: who presses a key wants no sentence.
 */
#include "run.h"

#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/catalogue.h"
#include "hairpin/config.h"
#include "hairpin/nft.h"
#include "hairpin/walk.h"

enum { COMPLETE_ASK_MS = 1000 };

struct complete {
	struct ctl_options options;	/* with those on the line that is completed */
	struct text *out;
	const struct ctl_word *command;	/* NULL: none yet */
	const char *last;		/* the option that wants a word; NULL */
	const char *words[8];		/* after the command */
	size_t count;
};

/*
 * Only what no shell takes for more than a word: names of tables, hooks and hosts may hold
 * anything.
 */
static void complete_add(struct complete *complete, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._:/@%+-";

	if (!word || !*word || word[strspn(word, plain)])
		return;
	text_add(complete->out, word);
	text_add_char(complete->out, '\n');
}

static void complete_add_all(struct complete *complete, const char *const *words)
{
	for (; *words; words++)
		complete_add(complete, *words);
}

/* --- what is running and configured --- */

static void complete_ask(struct complete *complete, const char *request,
			 const char *list, const char *key)
{
	const struct json *each;
	struct ctl_answer answer;
	struct err err;

	if (ctl_ask(complete->options.socket_path, request, COMPLETE_ASK_MS, &answer,
		    &err) < 0)
		return;
	each = json_child(json_get(answer.root, list));
	for (; each; each = json_next(each))
		complete_add(complete, json_string(json_get(each, key)));
	ctl_answer_done(&answer);
}

/* The first provider of a name says it; the shells drop what is there twice. */
static void complete_hostnames(struct complete *complete)
{
	complete_ask(complete, "{\"command\":\"status\"}", "records", "hostname");
}

static void complete_hooks(struct complete *complete)
{
	complete_ask(complete, "{\"command\":\"hooks\"}", "hooks", "name");
}

static void complete_tags(struct complete *complete)
{
	struct err note;
	struct config *config = ctl_configuration(&complete->options.look, &note);

	for (size_t i = 0; config && i < config->wan_count; i++)
		complete_add(complete, config->wans[i].tag);
	if (!config)
		complete_add(complete, "hairpin");
	config_free(config);
}

static void complete_providers(struct complete *complete)
{
	struct err err;
	char **ids;

	if (catalogue_list(complete->options.look.catalogue, &ids, &err) < 0)
		return;
	complete_add_all(complete, (const char *const *)ids);
	catalogue_list_free(ids);
}

static void complete_links(struct complete *complete)
{
	struct if_nameindex *links = if_nameindex(), *link;

	for (link = links; link && link->if_index; link++)
		complete_add(complete, link->if_name);
	if (links)
		if_freenameindex(links);
}

/* --- tag: what is in the kernel --- */

static void complete_rules(struct complete *complete, const struct walk_chain *chain)
{
	char handle[24];

	for (size_t i = 0; i < chain->rule_count; i++) {
		if (!chain->rules[i].nat_destination)
			continue;
		snprintf(handle, sizeof(handle), "%" PRIu64, chain->rules[i].handle);
		complete_add(complete, handle);
	}
}

static void complete_ruleset(struct complete *complete)
{
	int family = nft_family_parse(complete->words[0]);
	const struct walk_table *table;
	const struct walk_chain *chain;
	struct walk *walk;
	struct err err;

	if (walk_new(&walk, &err) < 0)
		return;
	for (size_t i = 0; complete->count == 1 && (table = walk_table(walk, i)); i++) {
		if (table->family == family)
			complete_add(complete, table->name);
	}
	for (size_t i = 0; complete->count == 2 && (chain = walk_chain(walk, i)); i++) {
		if (chain->table->family == family &&
		    strcmp(chain->table->name, complete->words[1]) == 0)
			complete_add(complete, chain->name);
	}
	if (complete->count == 3) {
		chain = walk_chain_find(walk, family, complete->words[1],
					complete->words[2]);
		if (chain)
			complete_rules(complete, chain);
	}
	walk_free(walk);
}

static void complete_tag(struct complete *complete)
{
	static const char *const families[] = { "ip", "ip6", "inet", NULL };

	if (complete->count == 0)
		complete_add_all(complete, families);
	else if (complete->count < 4)
		complete_ruleset(complete);
	else if (complete->count == 4)
		complete_tags(complete);
}

/* --- the other commands --- */

static void complete_hook(struct complete *complete)
{
	static const char *const verbs[] = { "list", "test", NULL };
	static const char *const events[] = { "startup", "address", "lost",  "record",
					      "failed",	 "rules",   NULL };

	if (complete->count == 0)
		complete_add_all(complete, verbs);
	else if (strcmp(complete->words[0], "test") == 0 && complete->count == 1)
		complete_hooks(complete);
	else if (strcmp(complete->words[0], "test") == 0 && complete->count == 2)
		complete_add_all(complete, events);
}

static void complete_import(struct complete *complete)
{
	static const char *const programs[] = { "ddclient", "inadyn", NULL };

	if (complete->count == 0)
		complete_add_all(complete, programs);
	else if (complete->count == 1)
		text_add(complete->out, "@files\n");
}

static void complete_command(struct complete *complete)
{
	static const char *const times[] = { "10m", "1h", "6h", "1d", NULL };
	static const char *const levels[] = { "err", "warning", "notice", "info", "debug",
					      NULL };
	enum ctl_command command = (enum ctl_command)(complete->command - ctl_words);

	if (command == CTL_UPDATE)
		complete_hostnames(complete);
	else if (command == CTL_TAG)
		complete_tag(complete);
	else if (command == CTL_HOOK)
		complete_hook(complete);
	else if (command == CTL_IMPORT)
		complete_import(complete);
	else if (command == CTL_PROVIDERS && complete->count == 0)
		complete_providers(complete);
	else if (command == CTL_LOG && complete->count == 0)
		complete_add_all(complete, levels);
	else if (command == CTL_PAUSE && complete->count == 0)
		complete_add_all(complete, times);
	else if (command == CTL_LOG && complete->count == 1)
		complete_add_all(complete, times);
}

static void complete_options(struct complete *complete)
{
	static const char *const all[] = { "--json", "--socket", NULL };
	unsigned takes = complete->command ? complete->command->takes : 0;

	complete_add_all(complete, all);
	if (takes & CTL_TAKES_FORCE)
		complete_add(complete, "--force");
	if (takes & CTL_TAKES_CONFIG)
		complete_add(complete, "--config");
	if (takes & CTL_TAKES_ADDRESS)
		complete_add(complete, "--address");
	if (takes & CTL_TAKES_PROBE) {
		complete_add(complete, "--probe");
		complete_add(complete, "--interface");
		complete_add(complete, "--passive");
	}
	if (takes & CTL_TAKES_HOOKS)
		complete_add(complete, "--run-hooks");
	if (!complete->command) {
		complete_add(complete, "--help");
		complete_add(complete, "--version");
	}
}

/* --- the words so far --- */

static bool complete_wants_word(const char *option)
{
	static const char *const with[] = { "--socket",	 "--config", "-c", "--address",
					    "--probe", "--interface", NULL };

	for (size_t i = 0; with[i]; i++) {
		if (strcmp(with[i], option) == 0)
			return true;
	}
	return false;
}

/* The daemon and the configuration that the line itself names. */
static void complete_take(struct complete *complete, const char *word)
{
	if (strcmp(complete->last, "--socket") == 0)
		complete->options.socket_path = word;
	else if (strcmp(complete->last, "--config") == 0 ||
		 strcmp(complete->last, "-c") == 0)
		complete->options.look.config_path = word;
	complete->last = NULL;
}

static void complete_read(struct complete *complete, const char *const *words)
{
	for (; *words; words++) {
		if (complete->last)
			complete_take(complete, *words);
		else if (**words == '-')
			complete->last = complete_wants_word(*words) ? *words : NULL;
		else if (complete->command) {
			if (complete->count < sizeof(complete->words) / sizeof(char *))
				complete->words[complete->count++] = *words;
		} else {
			for (size_t i = 0; i < CTL_COMPLETE; i++) {
				if (strcmp(ctl_words[i].name, *words) == 0)
					complete->command = &ctl_words[i];
			}
		}
	}
}

int run_complete(const struct ctl_options *options, const struct ctl_view *view)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;
	struct complete complete = { .options = *options, .out = &out };

	(void)view;
	complete_read(&complete, options->words);
	if (complete.last) {
		if (strcmp(complete.last, "--interface") == 0)
			complete_links(&complete);
		else if (strcmp(complete.last, "--address") != 0 &&
			 strcmp(complete.last, "--probe") != 0)
			text_add(&out, "@files\n");
		return run_print(&out);
	}
	if (complete.command)
		complete_command(&complete);
	for (size_t i = 0; !complete.command && i < CTL_COMPLETE; i++)
		complete_add(&complete, ctl_words[i].name);
	complete_options(&complete);
	return run_print(&out);
}
