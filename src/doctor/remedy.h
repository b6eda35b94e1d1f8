/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands that mend a forward: lines for a root shell, in nft's syntax for the ruleset
 * as it is, understood by nft 1.0.6 and by today's. They go into the admin's own tables, or
 * into the table "hairpin" where there is none; rules of iptables-nft get lines of
 * iptables; of other programs' tables only what nothing else can mend is touched, and said.
 *
 * nft gets each line as one quoted word, so that names and comments keep their quotes. A
 * name that such a line cannot hold is not written: then there is no command.
 */
#ifndef DOCTOR_REMEDY_H
#define DOCTOR_REMEDY_H

#include "forwards.h"

enum remedy_owner {
	REMEDY_ADMIN,		/* written by hand, or by a program that lets us */
	REMEDY_IPTABLES,	/* iptables-nft */
	REMEDY_FW4,
	REMEDY_OTHERS,		/* firewalld, Docker, miniupnpd, libvirt, an owner's table */
};

enum remedy_owner remedy_owner_of(const struct patient *patient,
				  const struct walk_table *table);

/* Where a rule is to stand. */
struct remedy_place {
	enum remedy_owner owner;	/* ADMIN or IPTABLES */
	char family[8];			/* "ip", "ip6", "inet" */
	char table[64], chain[64];
	bool made;			/* table and chain are to be made */
	bool both_families;		/* "inet": NAT says for which */
};

/*
 * The base chain of that hook for NAT of that family (AF_*): of the rule's own table, else
 * of another one of the admin's, else one that is to be made.
 */
void remedy_place_find(const struct patient *patient, unsigned hook, int family,
		       const struct walk_rule *rule, struct remedy_place *ret_place);
/* The same of the rule's own table, whoever's it is; false: it has none. */
bool remedy_place_within(const struct patient *patient, unsigned hook, int family,
			 const struct walk_rule *rule, struct remedy_place *ret_place);
/* "nft 'add table ...'", where it is to be made. */
void remedy_place_make(struct finding *finding, const struct remedy_place *place,
		       unsigned hook);

/* May that stand in a line: a name of a table or chain; a link's, within quotes? */
bool remedy_is_word(const char *name);
bool remedy_is_quotable(const char *name);
/* "hairpin": the word that makes a comment this WAN's; NULL: its tag is an expression. */
const char *remedy_tag_word(const struct patient_wan *wan);
/* "ip daddr != 192.168.1.1 fib daddr type local": ours, but none of the LAN's. */
bool remedy_add_local_match(struct text *out, const struct patient *patient, int family);
/* The same for iptables; false: it has no such line for several addresses. */
bool remedy_add_local_options(struct text *out, const struct patient *patient, int family);
/* The single ports that a rule for "all" leaves out: "22, 51820"; false: none. */
bool remedy_add_exceptions(struct text *out, const struct forwards *all,
			   const struct patient_forward *forward, const char *between);
/* "192.168.1.2", "192.168.1.2:8080", "[fd00::2]:8080": the server, as dnat has it. */
void remedy_add_target(struct text *out, const struct patient_forward *forward);
/* Has this router the public address itself, as the only one? */
bool remedy_is_plain(const struct patient *patient, const struct patient_forward *forward);

/* For whom a forward is missing. */
enum remedy_side { REMEDY_INTERNET, REMEDY_LAN };

/* The forward once more, as it must be for that side, before all others. */
void remedy_add_forward(struct forwards *all, struct finding *finding,
			const struct patient_forward *forward, enum remedy_side side);
/* The same in the table of that rule, which would take it first. */
void remedy_add_forward_before(struct forwards *all, struct finding *finding,
			       const struct patient_forward *forward,
			       enum remedy_side side, const struct walk_rule *before);
/* What the network's clients send to a server beside them comes from the router. */
void remedy_add_return_path(struct forwards *all, struct finding *finding,
			    const struct patient_forward *forward,
			    const struct patient_network *network);
/* Past the rule or policy that stopped it. `out` NULL: to wherever it goes. */
void remedy_add_accept(struct forwards *all, struct finding *finding,
		       const struct patient_forward *forward,
		       const struct walk_result *dropped, const struct router_link *in,
		       const struct router_link *out);
/* Past what stopped an answer. */
void remedy_add_answers(struct forwards *all, struct finding *finding,
			const struct walk_result *dropped);
/* The router's own addresses in the LAN are left out. */
void remedy_spare_router(struct forwards *all, struct finding *finding,
			 const struct patient_forward *forward,
			 const struct walk_rule *rule);
/* Takes the rule away; what it did for this forward must be there before. */
void remedy_remove(struct forwards *all, struct finding *finding,
		   const struct walk_rule *rule);
/* The tag goes into the rule's comment. */
void remedy_tag(struct forwards *all, struct finding *finding,
		const struct patient_forward *forward, const struct walk_rule *rule);
/* The rule's literal becomes the WAN's address, once and from now on. */
void remedy_rewrite(struct forwards *all, struct finding *finding,
		    const struct patient_forward *forward, const struct walk_rule *rule,
		    const struct addr *literal);

/* --- lines of iptables: remedy_iptables.c --- */

void remedy_iptables_forward(struct forwards *all, struct finding *finding,
			     const struct patient_forward *forward, enum remedy_side side);
void remedy_iptables_return_path(struct finding *finding,
				 const struct patient_network *network);
void remedy_iptables_accept(struct finding *finding, const struct patient_forward *forward,
			    bool by_rule, const struct router_link *in,
			    const struct router_link *out);
void remedy_iptables_spare(struct forwards *all, struct finding *finding,
			   const struct patient_forward *forward);

#endif
