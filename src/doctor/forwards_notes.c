/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What works today, and will not for ever: literals that nobody keeps, or need not be. */
#include "forwards.h"


#include "remedy.h"

static bool note_is_tagged(const struct patient *patient, const struct walk_rule *rule)
{
	size_t i;

	for (i = 0; i < patient->wan_count; i++) {
		if (tag_match(&patient->wans[i].tag, rule->comment) != TAG_NO_MATCH)
			return true;
	}
	return false;
}

/* A literal of today, in the rule itself. What sets hold is tagged elsewhere. */
static bool note_is_literal(const struct patient *patient,
			    const struct patient_forward *forward)
{
	const struct walk_rule *rule = forward->rule;

	return !addr_is_none(&forward->literal) && router_owner(patient->router,
								&forward->literal) &&
	       !walk_rule_named(patient->walk, rule, &forward->literal) &&
	       remedy_owner_of(patient, rule->chain->table) == REMEDY_ADMIN;
}

static void note_untagged(struct forwards *all, const struct patient_forward *forward)
{
	static const struct finding_key key = { .verdict = DOCTOR_NOTE,
						.code = "not-tagged" };
	struct finding *finding;
	char literal[ADDR_TEXT_BYTES];

	addr_format(&forward->literal, literal);
	finding = forwards_finding(all, forward, &key,
		"The rule spells out %s, and its comment has no tag: at the next change of "
		"the address it goes stale.", literal);
	forwards_show_rule(all, finding, "The rule", forward->rule);
	finding_remedy(finding, DOCTOR_HERE, "Tag it, here and in the firewall's file, and let "
		       "hairpind keep it.");
	remedy_tag(all, finding, forward, forward->rule);
}

/* One uplink with an address of its own: no literal is needed, and so no daemon. */
static void note_fib(struct forwards *all, const struct patient_forward *forward)
{
	static const struct finding_key key = { .verdict = DOCTOR_NOTE,
						.code = "fib-enough" };
	TEXT_CLEANUP struct text match = TEXT_INIT;
	struct finding *finding;

	if (!remedy_add_local_match(&match, all->patient, AF_INET))
		return;
	finding = finding_of(&all->findings, &key,
		"This router has the public address itself, and only one: in place of the "
		"address its rules may say \"%s\", which follows any change without a "
		"daemon.", match.bytes);
	forwards_show_rule(all, finding, "Such as", forward->rule);
}

void forwards_note(struct forwards *all)
{
	const struct patient *patient = all->patient;
	const struct patient_forward *forward;
	const struct patient_wan *wan;
	size_t i;

	for (i = 0; i < patient->forward_count; i++) {
		forward = &patient->forwards[i];
		wan = forward->wan;
		if (wan->beside || !note_is_literal(patient, forward))
			continue;
		if (!note_is_tagged(patient, forward->rule))
			note_untagged(all, forward);
		else if (patient->wan_count == 1 && forward->literal.family == AF_INET &&
			 addr_equal(&wan->own, &wan->outer))
			note_fib(all, forward);
	}
}
