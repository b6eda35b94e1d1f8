/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of the tags when the firewall's files are loaded again. */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "surroundings.h"

enum { FILES_RULES_MAX = 256, FILES_SHOWN = 8 };

struct keeping {
	struct patient *patient;
	struct json *lost;		/* the finding, once there is one */
	unsigned lost_count, kept, nowhere;
	struct text missing;		/* comments of rules that stand in no file */
};

/* In a comment that could end the shell's quotes, sed's pattern or nft's string. */
static bool comment_is_plain(const char *comment)
{
	return !comment[strspn(comment, "abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
					" :._,-")];
}

static void keeping_remedy(struct json *check, const struct walk_rule *rule,
			   const struct file_place *place)
{
	char path[REPORT_WORD_BYTES];

	if (!place->plain || !comment_is_plain(rule->comment) ||
	    !report_word(place->path, path))
		return;
	if (place->iptables)
		report_command(check, "sed -i '%us/ -j / -m comment --comment \"%s\" -j /' "
				      "%s", place->line, rule->comment, path);
	else
		report_command(check, "sed -i '%us/;*[[:space:]]*$/ comment \"%s\"/' %s",
			       place->line, rule->comment, path);
}

static void keeping_lost(struct keeping *keeping, const struct walk_rule *rule,
			 const struct file_place *place)
{
	if (!keeping->lost) {
		keeping->lost = report_add(&keeping->patient->report, DOCTOR_FINDING,
					   "comment-lost", rule->comment,
					   "The tag \"%s\" is gone when the firewall is "
					   "loaded again: its file has the rule without "
					   "it.", rule->comment);
		report_remedy(keeping->lost, DOCTOR_HERE,
			      "Write the comment into the file, too.");
	}
	if (keeping->lost_count++ >= FILES_SHOWN)
		return;
	report_evidence(keeping->lost, "%s, line %u: no comment \"%s\"", place->path,
			place->line, rule->comment);
	keeping_remedy(keeping->lost, rule, place);
}

static void keeping_rule(struct keeping *keeping, const struct walk_rule *rule)
{
	struct file_place place;

	if (!file_place_find(keeping->patient, rule, &place)) {
		if (keeping->nowhere++ < FILES_SHOWN)
			text_addf(&keeping->missing, "%s\"%s\"",
				  keeping->missing.length ? ", " : "", rule->comment);
		return;
	}
	if (place.has_comment)
		keeping->kept++;
	else
		keeping_lost(keeping, rule, &place);
}

/* fw4 makes its comments from its own configuration. */
static bool keeping_cares(const struct patient *patient, const struct walk_rule *rule)
{
	int family = rule->chain->table->family;

	if (family != NFPROTO_IPV4 && family != NFPROTO_IPV6 && family != NFPROTO_INET)
		return false;
	return strncmp(rule->comment, "!fw4:", 5) != 0 &&
	       surroundings_tagged(patient, rule->comment);
}

static void keeping_look(struct keeping *keeping)
{
	const struct walk_chain *chain;
	size_t i, n, count = 0;

	for (i = 0; (chain = walk_chain(keeping->patient->walk, i)); i++) {
		for (n = 0; n < chain->rule_count && count < FILES_RULES_MAX; n++) {
			if (!keeping_cares(keeping->patient, &chain->rules[n]))
				continue;
			keeping_rule(keeping, &chain->rules[n]);
			count++;
		}
	}
}

void surroundings_files(struct patient *patient)
{
	struct keeping keeping = { .patient = patient, .missing = TEXT_INIT };

	if (!patient->walk)
		return;
	keeping_look(&keeping);
	if (keeping.nowhere)
		report_add(&patient->report, DOCTOR_NOTE, "not-saved", NULL,
			   files_are_there(patient)
				   ? "Tagged rules stand in no file of the firewall, so "
				     "they are gone after the next start: %s."
				   : "No file of the firewall was found that would bring "
				     "the tagged rules again after a start: %s.",
			   keeping.missing.bytes);
	if (keeping.kept && !keeping.lost)
		report_add(&patient->report, DOCTOR_OK, "comments", NULL,
			   "The tags stand in the firewall's files, too.");
	text_done(&keeping.missing);
}
