/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: kernel */
/*
 * The NAT rules in the kernel: find what is tagged, give it the WAN's address, in one
 * atomic batch.
 *
 * The sockets stay open for the object's life (closing one waits for an RCU grace
 * period). Nothing is remembered about rules between calls: handles and generations go
 * stale. Rules travel as the raw attributes the kernel gave. What a form is and what
 * happens to it: the table of hairpind-rules(7).
 */
#ifndef HAIRPIN_NFT_H
#define HAIRPIN_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"
#include "hairpin/tag.h"

struct nft;

int nft_new(struct nft **ret_nft, struct err *ret_err) must_check;
void nft_free(struct nft *nft);

/* Readable after somebody committed a transaction (NFNLGRP_NFTABLES, NEWGEN only). */
int nft_monitor_fd(const struct nft *nft);

/* Drains the monitor. `ret_foreign`: a transaction that was not ours, or an overrun. */
int nft_monitor_read(struct nft *nft, bool *ret_foreign) must_check;
/* How often there was more than could be taken. */
unsigned long nft_overruns(const struct nft *nft);

enum {
	NFT_TARGETS_MAX = 16,
	NFT_NAME_BYTES = 256,	/* NFT_NAME_MAXLEN */
	NFT_COMMENT_BYTES = 257,
	NFT_SERVICES_MAX = 256,
};

/* One WAN: what is tagged so shall hold these addresses. */
struct nft_target {
	struct tag tag;
	struct addr ipv4;		/* none: rules of that family are only reported */
	struct addr ipv6;
	/*
	 * 1 to 128: an IPv6 value takes over only the first so many bits, those of
	 * `prefix` (none: not known), and keeps the others; `ipv6` does not count then.
	 * 0: whole addresses.
	 */
	unsigned keep_bits;
	struct addr prefix;
	const struct addr *former;	/* both families, newest first */
	size_t former_count;
};

/* A name that comments such as "dns:NAME" stand for, and what it resolves to. */
struct nft_name {
	const char *name;		/* lower case, no final dot */
	/* Both families. Where it has none of a family, sets of that one stay. */
	const struct addr *addresses;
	size_t count;
};

struct nft_table {
	int family;			/* NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_INET */
	char name[NFT_NAME_BYTES];
};

enum nft_kind { NFT_RULE, NFT_SET, NFT_MAP, NFT_ELEMENT };
enum nft_result { NFT_CHANGED, NFT_UNCHANGED, NFT_SKIPPED };

/* One tagged thing and what became of it. Strings live during the call only. */
struct nft_item {
	enum nft_kind kind;
	enum nft_result result;
	int target;			/* index, TAG_AMBIGUOUS or NFT_OF_NAME */
	int family;			/* NFPROTO_* of its table */
	const char *table;
	/*
	 * The set's name for sets, maps and elements of named ones; an anonymous set's
	 * elements stand in the rule of that chain and handle.
	 */
	const char *chain;
	uint64_t handle;
	const char *comment;		/* raw: escape before showing */
	struct addr old;		/* none: it names none */
	struct addr new;		/* none unless changed or unchanged */
	uint8_t bits;			/* `old` and `new` are prefixes of that length; 0: whole */
	const char *name;		/* whose addresses it holds; NULL but for NFT_OF_NAME */
	uint8_t name_family;		/* AF_*: what it needs of the name; 0: not known */
	bool in_step;			/* holds its WAN's address now */
	bool learnt;			/* `old` is a former address from now on */
	bool refused;			/* skipped because the kernel would not */
	const char *reason;		/* static, when skipped; else NULL */
};

/* Instead of a target: the thing's comment names a DNS name. */
enum { NFT_OF_NAME = -3 };

typedef void nft_item_fn(void *context, const struct nft_item *item);

struct nft_request {
	const struct nft_target *targets;
	size_t target_count;		/* <= NFT_TARGETS_MAX */
	const char *name_prefix;	/* such as "dns:"; NULL or "": no names */
	/* Others than these are reported as skipped, with `name`. */
	const struct nft_name *names;
	size_t name_count;
	const struct nft_table *tables;	/* count 0: all */
	size_t table_count;
	bool dry_run;			/* items tell what would change */
	bool filter;
	bool add_missing;
	bool services;			/* the report's are wanted, too */
	size_t max;			/* only the first so many; 0: 131072 */
	nft_item_fn *item;		/* after the commit, once a thing; may be NULL */
	void *context;
};

/*
 * Connections that a changed rule takes, and did not take while it was stale: entries of
 * that time are found by it.
 */
struct nft_service {
	struct addr address;		/* their destination */
	uint8_t protocol;		/* IPPROTO_*, 0: any */
	uint16_t port_first, port_last;	/* host order; 0, 65535: any */
	bool guessed;			/* some of it could not be read: it may be less */
	bool source;			/* the rule gives new sources, not destinations */
};

struct nft_services {
	struct nft_service list[NFT_SERVICES_MAX];
	size_t count;
	bool overfull;			/* were more: some address is a guess instead */
};

struct nft_count {
	unsigned tagged, in_step, skipped, changed;
};

struct nft_report {
	struct nft_count total;
	struct nft_count of[NFT_TARGETS_MAX];
	struct nft_count of_names;
	unsigned unchanged;
	unsigned refused;		/* by the kernel; counted as skipped too */
	bool truncated;			/* `max` was reached */
	unsigned attempts;		/* tries until the generation held */
	int64_t commit_us;		/* the batch alone; 0: nothing was sent */
	int64_t total_us;		/* first look to acknowledged commit */
	struct nft_services services;	/* of what was changed, if asked for */
};

/*
 * Looks at every tagged thing and brings it into step with its target: all of it in one
 * batch or nothing. Nothing is sent when nothing differs. A rule the kernel refuses by
 * itself is taken out, reported as skipped with a reason, and the rest sent again.
 * Retries, with bounds, when somebody else commits in between.
 *
 * -EAGAIN: the ruleset would not stand still; -EPERM, -ENOBUFS, ... from the kernel,
 * with a sentence. Where there is no NAT table, or no nf_tables in the kernel at all,
 * nothing is tagged: that is success.
 */
int nft_sync(struct nft *nft, const struct nft_request *request,
	     struct nft_report *ret_report, struct err *ret_err) must_check;

/* A rule that is to be tagged. */
struct nft_tagging {
	int family;			/* NFPROTO_* */
	const char *table, *chain;
	uint64_t handle;
	const char *word;		/* goes before the comment that it has */
	const struct tag *tag;		/* is it tagged already? */
};

struct nft_tagged {
	char old[NFT_COMMENT_BYTES], new[NFT_COMMENT_BYTES];	/* raw */
};

/*
 * Puts the word before the rule's comment; everything else of the rule stays, its handle
 * and counters too. -EALREADY: it is tagged (`ret_tagged->old` is filled). -ENOENT, -E2BIG,
 * -EOPNOTSUPP, -EPERM, -EAGAIN: nothing was changed, and why.
 */
int nft_tag_rule(struct nft *nft, const struct nft_tagging *wish,
		 struct nft_tagged *ret_tagged, struct err *ret_err) must_check;

/*
 * Ranges that touch become one. Where there is no room left, all that is known of that
 * address becomes one guess.
 */
void nft_service_add(struct nft_services *services, const struct nft_service *service);

/* "ip", "ip6", "inet" to NFPROTO_*; -1: none of them. And back. */
int nft_family_parse(const char *name);
const char *nft_family_name(int family);
/* "FAMILY:NAME" as in "ip:nat". */
bool nft_table_parse(const char *text, struct nft_table *ret_table);
const char *nft_kind_name(enum nft_kind kind);	/* "rule", "set", "map", "element" */
/* "changed", "unchanged", "skipped" */
const char *nft_result_name(enum nft_result result);

#endif
