/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stale literal: by the tag where there is one, else after it was given one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hairpin/nft.h"

#include "remedy.h"

enum { REWRITE_ASKS_MAX = 64 };

/* --- would the daemon mend it? --- */

struct rewrite_search {
	const struct walk_rule *rule;
	const char *set;		/* where it looks the literal up; NULL: nowhere */
	bool found;
};

static void rewrite_item(void *context, const struct nft_item *item)
{
	struct rewrite_search *search = context;
	const struct walk_chain *chain = search->rule->chain;
	bool set = item->kind != NFT_RULE &&
		   !(item->kind == NFT_ELEMENT && item->handle == search->rule->handle);

	if (item->result != NFT_CHANGED || item->family != chain->table->family ||
	    strcmp(item->table, chain->table->name) != 0)
		return;
	if (set && search->set)
		search->found |= strcmp(item->chain, search->set) == 0;
	else if (!set && !search->set)
		search->found |= strcmp(item->chain, chain->name) == 0 &&
				 item->handle == search->rule->handle;
}

/* The engine itself is asked what it would change: it knows sets, maps and elements. */
static bool rewrite_ask_engine(const struct patient *patient, struct rewrite_search *search,
			       const struct addr *literal)
{
	struct nft_target targets[NFT_TARGETS_MAX];
	struct nft_request request = {
		.targets = targets, .dry_run = true, .item = rewrite_item,
		.context = search,
	};
	struct nft_report report;
	struct nft *nft;
	struct err err;
	size_t i;

	for (i = 0; i < patient->wan_count && i < NFT_TARGETS_MAX; i++) {
		targets[i] = (struct nft_target){
			.tag = patient->wans[i].tag, .ipv4 = patient->wans[i].outer,
			.ipv6 = patient->wans[i].own6,
			.former = literal, .former_count = 1,
		};
	}
	request.target_count = i;
	if (nft_new(&nft, &err) < 0)
		return false;
	if (nft_sync(nft, &request, &report, &err) < 0)
		search->found = false;
	nft_free(nft);
	return search->found;
}

/* Many rules share a set: the engine, which reads all of them, is asked once. */
static bool rewrite_is_tagged(struct forwards *all, const struct walk_rule *rule,
			      const struct addr *literal)
{
	const struct patient *patient = all->patient;
	struct rewrite_search search = {
		.rule = rule, .set = walk_rule_named(patient->walk, rule, literal),
	};
	size_t i;

	for (i = 0; !search.set && i < patient->wan_count; i++) {
		if (tag_match(&patient->wans[i].tag, rule->comment) != TAG_NO_MATCH)
			return true;
	}
	if (!search.set || search.set != all->asked_set ||
	    !addr_equal(&all->asked_literal, literal)) {
		if (all->asked_times == REWRITE_ASKS_MAX)
			return false;
		all->asked_times++;
		all->asked_set = search.set;
		all->asked_literal = *literal;
		all->asked_answer = rewrite_ask_engine(patient, &search, literal);
	}
	return all->asked_answer;
}

/* --- the commands --- */

/* A comment as an expression that finds it and no other; false: it cannot stand there. */
static bool rewrite_add_exactly(struct text *out, const char *word, const char *comment)
{
	const char *c;

	text_add_char(out, '^');
	if (word)
		text_addf(out, "%s%s", word, *comment ? " " : "");
	for (c = comment; *c; c++) {
		if (*c == '\'' || (unsigned char)*c < ' ' || (unsigned char)*c > '~')
			return false;
		if (strchr(".[]()*+?{}|^$\\", *c))
			text_add_char(out, '\\');
		text_add_char(out, *c);
	}
	text_add_char(out, '$');
	return true;
}

/* Does another WAN's tag hold this one's, as "hairpin:wan2" holds "hairpin"? */
static bool rewrite_is_ambiguous(const struct patient *patient,
				 const struct patient_wan *wan)
{
	size_t i;

	for (i = 0; i < patient->wan_count; i++) {
		if (&patient->wans[i] != wan &&
		    tag_match(&wan->tag, patient->wans[i].tag.pattern) != TAG_NO_MATCH)
			return true;
	}
	return false;
}

static void rewrite_run(struct forwards *all, struct finding *finding,
			const struct patient_wan *wan, const struct walk_rule *rule,
			const struct addr *literal, const char *word)
{
	TEXT_CLEANUP struct text tag = TEXT_INIT;
	struct addr seen = forwards_public(wan, literal->family);
	char old[ADDR_TEXT_BYTES], new[ADDR_TEXT_BYTES];

	if (all->patient->options->status) {
		finding_last_command(finding, "hairpinctl sync");
		return;
	}
	if (rewrite_is_ambiguous(all->patient, wan)) {
		if (!rewrite_add_exactly(&tag, word, rule->comment))
			return;
	} else if (strcmp(wan->tag.pattern, "hairpin") != 0) {
		if (strchr(wan->tag.pattern, '\''))
			return;
		text_add(&tag, wan->tag.pattern);
	}
	finding_last_command(finding, "hairpind --rewrite %s --from %s%s%s%s",
			addr_format(&seen, new), addr_format(literal, old),
			tag.length ? " --tag '" : "", tag.bytes, tag.length ? "'" : "");
}

void remedy_tag(struct forwards *all, struct finding *finding,
		const struct patient_forward *forward, const struct walk_rule *rule)
{
	const struct walk_chain *chain = rule->chain;
	const char *word = remedy_tag_word(forward->wan);
	bool several = all->patient->wan_count > 1;

	if (!word || !remedy_is_word(chain->table->name) || !remedy_is_word(chain->name))
		return;
	finding_command(finding, "hairpinctl tag %s %s %s %" PRIu64 "%s%s",
			nft_family_name(chain->table->family), chain->table->name,
			chain->name, rule->handle, several ? " " : "", several ? word : "");
}

/* "ip daddr @wan4 ...": the set's elements are addresses and nothing else. */
static bool rewrite_is_plain_set(struct patient *patient, const struct walk_rule *rule,
				 const char *set)
{
	const char *line = rule_text_find(patient, rule);
	const char *at = line ? strstr(line, "daddr @") : NULL;
	size_t length = strlen(set);

	if (!at)
		return false;
	at += strlen("daddr @");
	return strncmp(at, set, length) == 0 && (at[length] == ' ' || !at[length]);
}

/* Without a tag. A set has its comment from its making on: its element is changed. */
static void rewrite_set(struct forwards *all, struct finding *finding,
			const struct patient_forward *forward, const struct walk_rule *rule,
			const struct addr *literal, const char *set)
{
	const struct walk_table *table = rule->chain->table;
	struct addr seen = forwards_public(forward->wan, literal->family);
	const char *family = nft_family_name(table->family);
	char old[ADDR_TEXT_BYTES], new[ADDR_TEXT_BYTES];

	if (!rewrite_is_plain_set(all->patient, rule, set) || !remedy_is_word(set) ||
	    !remedy_is_word(table->name)) {
		finding_remedy(finding, DOCTOR_HERE, "Put the address into the map or set \"%s\" "
			       "in place of the old one, and the tag into its comment; "
			       "until then this does:", set);
		remedy_add_forward(all, finding, forward, REMEDY_LAN);
		return;
	}
	finding_remedy(finding, DOCTOR_HERE, "Put the address into the set in place of the old "
		       "one; with the tag in the set's comment hairpind does that from now "
		       "on.");
	finding_command(finding, "nft 'add element %s %s %s { %s }'", family, table->name, set,
			addr_format(&seen, new));
	finding_command(finding, "nft 'delete element %s %s %s { %s }'", family, table->name,
			set, addr_format(literal, old));
}

void remedy_rewrite(struct forwards *all, struct finding *finding,
		    const struct patient_forward *forward, const struct walk_rule *rule,
		    const struct addr *literal)
{
	struct addr seen = forwards_public(forward->wan, literal->family);
	enum remedy_owner owner = remedy_owner_of(all->patient, rule->chain->table);
	const char *set = walk_rule_named(all->patient->walk, rule, literal);

	if (addr_is_none(&seen))
		return;
	if (rewrite_is_tagged(all, rule, literal)) {
		finding_remedy(finding, DOCTOR_HERE, "Bring what is tagged into step with the "
			       "address; hairpind keeps it there while it runs.");
		rewrite_run(all, finding, forward->wan, rule, literal, NULL);
	} else if (owner == REMEDY_FW4 && access("/sbin/fw4", X_OK) == 0) {
		finding_remedy(finding, DOCTOR_HERE, "fw4 writes the address into its rules: let "
			       "it do so again.");
		finding_command(finding, "fw4 reload");
	} else if (set) {
		rewrite_set(all, finding, forward, rule, literal, set);
	} else if (owner == REMEDY_ADMIN && !rule->xt) {
		finding_remedy(finding, DOCTOR_HERE, "Tag the rule, here and in the firewall's "
			       "file, and bring it into step; hairpind keeps it there while "
			       "it runs.");
		remedy_tag(all, finding, forward, rule);
		rewrite_run(all, finding, forward->wan, rule, literal,
			    remedy_tag_word(forward->wan));
	} else {
		finding_remedy(finding, DOCTOR_HERE, "Put a rule in its place that holds the "
			       "right address.");
		remedy_add_forward(all, finding, forward, REMEDY_LAN);
		remedy_remove(all, finding, rule);
	}
}
