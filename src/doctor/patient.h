/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor knows of the router before it judges: the WANs and their addresses, the
 * networks of the LAN, the port forwards.
 */
#ifndef DOCTOR_PATIENT_H
#define DOCTOR_PATIENT_H

#include "hairpin/doctor.h"
#include "hairpin/router.h"
#include "hairpin/tag.h"
#include "hairpin/walk.h"

#include "report.h"

enum {
	PATIENT_WANS_MAX = 16,
	PATIENT_NETWORKS_MAX = 64,
	PATIENT_FORWARDS_MAX = 1024,
	PATIENT_ADDRESSES_MAX = 8,
};

struct patient_wan {
	const char *name;
	const struct router_link *link;		/* NULL: there is none */
	struct addr own;			/* IPv4 of the interface; none */
	struct addr own6;
	/*
	 * What the internet sees: `own` unless that is of a range behind NAT, else what
	 * an outside source told the daemon, else what the published record says, else
	 * the one address that the tagged rules, or else all, hold; none: not known.
	 */
	struct addr outer;
	const char *outer_from;	/* "interface", "outside", "record", "rule", "" */
	struct addr former[16];			/* of the daemon, if it may be asked */
	size_t former_count;
	struct tag tag;
	bool beside;		/* one of `others`: its tag is another's, and not for it */
};

/* One network whose hosts are clients: "192.168.1.0/24 on br0". Of either family. */
struct patient_network {
	const struct router_link *link;
	struct addr router;			/* our address in it */
	uint8_t bits;
	struct addr client;			/* a host of it that is neither us nor a server */
	bool containers;			/* Docker's, libvirt's: not judged, only told */
	char text[64];
};

enum patient_reach {
	PATIENT_YES,			/* the server of the forward */
	PATIENT_NO,
	PATIENT_ELSEWHERE,		/* another host answers */
	PATIENT_ROUTER,			/* the router itself does */
	PATIENT_UNKNOWN,
};

/* How a forward was found; what is below PATIENT_BY_SOME does not take all it should. */
enum patient_found {
	PATIENT_BY_ALL,			/* a rule takes what comes from the internet */
	PATIENT_BY_SOME,		/* from some sources only: `source` */
	PATIENT_BY_LAN,			/* only what LAN clients send to the public address */
	PATIENT_BY_LITERAL,		/* only what goes to `literal`, which is not ours */
	PATIENT_BY_LINK,		/* only what comes by `link`, which is not the WAN's */
	PATIENT_BY_NOBODY,		/* another rule is quicker */
};

/* A service that a rule sends to a host: one rule or one element of its map. */
struct patient_forward {
	const struct walk_rule *rule;
	const struct patient_wan *wan;
	enum patient_found found;
	uint8_t protocol;
	/* on the WAN's side; 0 and 65535: whatever no other rule takes ("DMZ host") */
	uint16_t port, port_last;
	uint16_t tried;			/* the one that packets in thought go to */
	struct addr server;
	uint16_t server_port;		/* that `tried` becomes */
	/* the destination that it needs, and the rule, or one on the way to it, that says so */
	struct addr literal;
	const struct walk_rule *speller;
	struct addr source;		/* the internet client that is tried */
	char link[IFNAMSIZ];		/* PATIENT_BY_LINK, or a stale literal with one */
	enum patient_reach internet;
	enum patient_reach networks[PATIENT_NETWORKS_MAX];
	char subject[96];		/* "443/tcp to 192.168.1.2" */
};

struct patient {
	const struct doctor_options *options;
	struct router *router;
	struct walk *walk;			/* NULL: may not be read */
	struct patient_wan wans[PATIENT_WANS_MAX];
	size_t wan_count;
	/*
	 * Further public addresses, each as a WAN by itself: of the WANs' links, and, where
	 * none are configured, of the links of other default routes. Nobody follows these.
	 */
	struct patient_wan others[PATIENT_WANS_MAX];
	size_t other_count;
	struct patient_network networks[PATIENT_NETWORKS_MAX];
	size_t network_count;
	struct patient_forward *forwards;
	size_t forward_count;
	struct report report;
	struct rule_texts *rule_texts;		/* private to rule_text.c */
	struct files *files;			/* private to files.c */
};

/* gather.c: fills all but the forwards; what could not be looked at is in the report. */
int patient_gather(struct patient *patient, struct err *ret_err) must_check;
void patient_done(struct patient *patient);

/* networks.c: those of the LAN, IPv4 first; `links`: of the default routes, no LAN. */
void patient_find_networks(struct patient *patient, const uint32_t *links, size_t count);
/* Again, where the servers of forwards are known by now. */
void patient_choose_clients(struct patient *patient);

/* forwards.c: finds them, tries each from everywhere, and says what is wrong with it. */
int patient_find_forwards(struct patient *patient, struct err *ret_err) must_check;
void patient_judge_forwards(struct patient *patient);

/* surroundings.c: everything that is not one forward's fault. */
void patient_judge_surroundings(struct patient *patient);

/*
 * A rule for people: its line as `nft -a list` prints it where nft is there (run as a
 * child, its output bounded), else "ip nat prerouting handle 7". rule_text.c.
 */
void rule_text_add(struct text *out, struct patient *patient,
		   const struct walk_rule *rule);
/* The line alone, without its handle; NULL: nft is not there, or did not tell. */
const char *rule_text_find(struct patient *patient, const struct walk_rule *rule);
void rule_texts_done(struct patient *patient);

/*
 * The line of the firewall's files that makes this rule when they are loaded again: of
 * lines alike the one with the rule's comment, whatever destination address it spells
 * out. files.c.
 */
struct file_place {
	char path[256];
	unsigned line;
	bool has_comment;		/* false: all of it but the comment */
	bool iptables;			/* as iptables-save writes it */
	bool plain;			/* on one line, and nothing else on it */
};
bool file_place_find(struct patient *patient, const struct walk_rule *rule,
		     struct file_place *ret_place);
/* Are there any such files at all? */
bool files_are_there(struct patient *patient);
void files_done(struct patient *patient);

#endif
