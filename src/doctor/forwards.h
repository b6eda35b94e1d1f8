/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the judgement of forwards: packets in thought, what is found with them,
 * and who says what is wrong.
 *
 * forwards_find.c   which forwards there are; forwards_taken.c: and which there would be
 * forwards_try.c    one packet, and what kind of end it came to
 * forwards_internet.c, forwards_lan.c, forwards_lan_missed.c   who reaches it, and else why not
 * forwards_back.c   whether the server's answers come back
 * forwards_tell.c   findings that both of them have
 * forwards_server.c whether the server answers, with real connections
 * forwards_pinhole.c  openings for servers with IPv6 addresses of their own
 * forwards_notes.c  what will matter one day
 */
#ifndef DOCTOR_FORWARDS_H
#define DOCTOR_FORWARDS_H

/* the C library's comes before the kernel's, which then leaves out what it has */
#include <netinet/in.h>

#include <linux/netfilter.h>

#include "finding.h"
#include "patient.h"

enum {
	FORWARDS_PORTS_MAX = 2048,
	FORWARDS_STALE_MAX = 64,
	FORWARDS_SOURCES_MAX = 32,
	FORWARDS_LINKS_MAX = 32,
	FORWARDS_CLIENTS = 3,		/* of the internet, far from each other */
	FORWARDS_SOURCE_PORT = 50123,
	FORWARDS_LIMIT_MS = 10000,	/* of finding them, and of judging them */
};

struct forwards_port {
	uint8_t protocol;
	uint16_t first, last;
	uint16_t tried;
};

/* What both steps, finding and judging, need. */
struct forwards {
	struct patient *patient;
	struct walk_constants constants;
	struct walk_constants filters;		/* of those that packets on their way see */
	struct forwards_port *ports;	/* of `constants`, each protocol by itself */
	size_t port_count;
	/* destinations that rules spell out, that are not ours now and nobody's in the LAN */
	struct addr stale[FORWARDS_STALE_MAX];
	size_t stale_count;
	struct addr sources[FORWARDS_SOURCES_MAX];
	size_t source_count;
	/* The router, and behind its links those that rules ask for and that are not there. */
	struct router router;
	struct router_link *links;
	const struct router_link *asked[FORWARDS_LINKS_MAX];	/* by some rule, of `links` */
	size_t asked_count;
	/* Would hairpind keep what that set holds? Asked last by remedy_rewrite(). */
	const char *asked_set;
	struct addr asked_literal;
	bool asked_answer;
	unsigned asked_times;
	struct findings findings;
	int64_t deadline_ms;		/* no packet is followed later */
	int error;			/* of the kernel, no memory, or no time: -errno */
	struct err sentence;
};

int forwards_begin(struct forwards *all, struct patient *patient,
		   struct err *ret_err) must_check;
/* Says what was not looked at, and why; once. */
void forwards_give_up(const struct forwards *all);
void forwards_done(struct forwards *all);

/* --- packets: forwards_try.c --- */

/* A client of the internet, one that is none of ours; `turn` from 0. */
struct addr forwards_client(const struct forwards *all, int family, unsigned turn);
/* An address of the internet that no rule speaks of. */
struct addr forwards_stranger(const struct forwards *all, int family);
/* The WAN's own address of that family, and the one the internet sees; none. */
struct addr forwards_own(const struct patient_wan *wan, int family);
struct addr forwards_public(const struct patient_wan *wan, int family);
bool forwards_is_ours(const struct forwards *all, const struct addr *address);
/* The WAN's link; 0: it is not there. */
uint32_t forwards_link(const struct patient_wan *wan);
/* Can anything that begins in the internet come in by it? Else the router as a whole is ill. */
bool forwards_is_open(const struct patient_wan *wan, int family);

/* False: the kernel gave an error, which is kept; the result says nothing then. */
bool forwards_run(struct forwards *all, const struct walk_question *question,
		  struct walk_result *ret_result);

/*
 * A packet of the forward's: as it is, as if no filter stopped it, and as if a rule had sent
 * it to the server. False: as of forwards_run().
 */
bool forwards_try(struct forwards *all, const struct patient_forward *forward,
		  const struct walk_packet *packet, struct walk_result *ret_result,
		  struct walk_result *ret_open, struct walk_result *ret_behind);

/* The answer to what went through, `first`. */
bool forwards_run_back(struct forwards *all, const struct walk_packet *packet,
		       const struct walk_result *first, struct walk_result *ret_result);

/* Does the rule take a port that no rule names, too? */
bool forwards_takes_rest(const struct forwards *all, const struct walk_rule *rule,
			 const struct walk_packet *packet);
/* All ports that no other rule takes: a "DMZ host". */
bool forwards_is_rest(const struct patient_forward *forward);

struct walk_packet forwards_packet(const struct patient_forward *forward,
				   const struct addr *source,
				   const struct addr *destination, uint32_t in);

/* Does destination NAT give it to another host than this router? */
bool forwards_is_sent(const struct forwards *all, const struct walk_result *result);
/* ... and to this forward's server? */
bool forwards_is_sent_to(const struct walk_result *result,
			 const struct patient_forward *forward);
/* The same, asked with a packet, whatever filters do. */
bool forwards_sends(struct forwards *all, const struct patient_forward *forward,
		    const struct walk_packet *packet);
/* Is its server one of Docker's, libvirt's and the like? */
bool forwards_is_contained(const struct patient *patient,
			   const struct patient_forward *forward);
/* To nowhere, or out into the internet again. */
bool forwards_is_lost(const struct forwards *all, const struct patient_forward *forward,
		      const struct walk_result *result);
bool forwards_is_dropped(const struct walk_result *result);

/*
 * The unsure rule on whose answer it hangs what becomes of the packet; NULL: it is sure.
 * `sources`: also those that would give it another source.
 */
const struct walk_rule *forwards_doubt(const struct walk_result *result, bool sources);

/*
 * The rule that took it out of connection tracking, so that no NAT is done; else the rule
 * of prerouting's NAT that had the last word; NULL: none had.
 */
const struct walk_rule *forwards_taker(const struct forwards *all,
				       const struct walk_result *result);
/* Says what mends it, if the taker is of the first kind. */
bool forwards_tell_untracker(struct forwards *all, struct finding *finding,
			     const struct walk_result *result,
			     const struct walk_rule *taker);

/*
 * The rule that asks for the address: the one that translated, or one that led there; NULL:
 * none of them.
 */
const struct walk_rule *forwards_speller(const struct forwards *all,
					 const struct walk_result *result,
					 const struct addr *address);

/* --- what is found --- */

/* Keeps it, with its subject, unless it is a part of one that there is. */
void forwards_keep(struct forwards *all, struct patient_forward *forward);
void forwards_find_taken(struct forwards *all, const struct patient_wan *wan, int family);

/* --- who judges --- */

struct finding *forwards_finding(struct forwards *all, const struct patient_forward *forward,
				 const struct finding_key *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* "Rule: ip nat prerouting ...", as evidence. */
void forwards_show_rule(struct forwards *all, struct finding *finding, const char *what,
			const struct walk_rule *rule);
/* What becomes of the packet instead: the router's own nginx takes it, or nobody. */
void forwards_show_instead(struct forwards *all, struct finding *finding,
			   const struct walk_packet *packet,
			   const struct walk_result *result);
enum patient_reach forwards_local_reach(const struct forwards *all,
					const struct walk_packet *packet,
					const struct walk_result *result);

/*
 * What both sides tell: the rule waits for an address that is not ours (`packet` is one that
 * it therefore does not take); clients' addresses are hidden where they need not be; it
 * hangs on a rule that cannot be worked out.
 */
void forwards_tell_stale(struct forwards *all, const struct patient_forward *forward,
			 const struct walk_rule *rule, const struct addr *literal,
			 const struct walk_packet *packet,
			 const struct walk_result *result);
void forwards_tell_hidden(struct forwards *all, const struct patient_forward *forward,
			  const struct walk_rule *rule);
void forwards_tell_unsure(struct forwards *all, const struct patient_forward *forward,
			  const char *who, const struct walk_rule *rule);

/*
 * The server's answer to `first`, which `packet` came to, gets back to the client; why not
 * is told. `network` NULL: the client is one of the internet.
 */
bool forwards_comes_back(struct forwards *all, const struct patient_forward *forward,
			 const struct patient_network *network,
			 const struct walk_packet *packet, const struct walk_result *first);

/* A question was stopped: is its answer, too? Then the finding gets what lets it through. */
void forwards_add_answer(struct forwards *all, struct finding *finding,
			 const struct walk_packet *packet,
			 const struct patient_forward *forward);

void forwards_judge_internet(struct forwards *all, struct patient_forward *forward);
void forwards_judge_lan(struct forwards *all, struct patient_forward *forward);
void forwards_judge_servers(struct forwards *all);
/* Rules that translate, nobody knows what to: no forward is known of them. */
void forwards_judge_unsure(struct forwards *all, const struct patient_wan *wan, int family);
void forwards_judge_pinholes(struct forwards *all);
void forwards_note(struct forwards *all);

#endif
