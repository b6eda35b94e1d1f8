/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core as one struct, and how its parts are called.
 *
 * The loop's callbacks only take in what came and note what is to be done; core_turn(),
 * which runs once before the loop sleeps, does it: rules first, then jobs, hooks, the
 * state file. Every part has a turn, `X_turn(core, now_ms)`, and says by `X_due_ms()`
 * when it wants the next one though nothing came; INT64_MAX: not by time.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/conntrack.h"
#include "hairpin/config.h"
#include "hairpin/core.h"
#include "hairpin/err.h"
#include "hairpin/fault.h"
#include "hairpin/message.h"
#include "hairpin/nft.h"
#include "hairpin/rtnl.h"

#include "discover.h"
#include "events.h"
#include "foreign.h"
#include "level.h"
#include "metrics.h"
#include "names.h"
#include "pause.h"
#include "publisher.h"
#include "resolver.h"
#include "runner.h"
#include "schedule.h"
#include "state.h"
#include "wans.h"
#include "watch.h"

struct control;

/* Why the rules are looked at. */
enum sync_cause {
	SYNC_NONE,
	SYNC_SAFETY,		/* the slow look beside the events */
	SYNC_AGAIN,		/* the last one failed */
	SYNC_FOREIGN,		/* somebody else changed the ruleset */
	SYNC_NAMES,		/* a name was answered with other addresses */
	SYNC_START,
	SYNC_ASKED,		/* hairpinctl sync, SIGUSR1 */
	SYNC_ADDRESS,
};

enum {
	/* the slow look goes with the watchdog's wake-up */
	CORE_SAFETY_WATCHED_MS = 60 * 1000,
	CORE_SAFETY_MS = 300 * 1000,		/* without a watchdog */
	CORE_ONCE_MS = 60 * 1000,
	/* a start without address counts as lost then */
	CORE_SILENCE_MS = 60 * 1000,
	/* each costs a look at all connections */
	SYNC_CORRECTED_MAX = 8,
};

/* The part that keeps rules in step: sync.c, rules.c. */
struct sync {
	bool links_changed;		/* rtnl said so */
	bool asked;			/* a whole look is wanted */
	bool names_changed;		/* a look at the rules for their sake */
	bool looked;			/* the first look is done */
	bool truncated_said;
	/* when the event was seen that this turn works on; 0 */
	int64_t woken_us;
	int64_t took_us;		/* from that event until the rules were in step */
	int64_t retry_ms;		/* of rules that failed; INT64_MAX */
	int64_t look_retry_ms;		/* no look at the links before */
	int64_t look_ms;		/* last whole look */
	char error[sizeof(((struct err *)0)->text)];	/* of the rules; "": none */
	/* things that the kernel would not take, of the last sync */
	unsigned refused;
	struct fault rules_fault, look_fault, conntrack_fault;
	unsigned unsteady;		/* tries in a row while the ruleset moved */
	/* former addresses that the last sync replaced in rules, each once */
	struct addr corrected[SYNC_CORRECTED_MAX];
	size_t corrected_count;
	struct foreign foreign;
};

/* What the service manager is told: notice.c. */
struct notice {
	bool ready;
	int64_t sent_ms;		/* last sign of life */
	int64_t changed_ms;		/* last change of the line */
	char line[MESSAGE_TEXT_BYTES];
};

/* Connections that are looked for once more: leftover.c. */
struct leftover {
	struct nft_services passed;	/* none: nothing is due */
	int64_t due_ms;
};

struct core {
	const struct core_options *options;
	struct config *config;
	struct core_wan *wans;
	struct nft_target *targets;	/* of the WANs */
	struct nft_table *tables;	/* config->nat.tables, parsed */
	struct rtnl *rtnl;
	struct rtnl_snapshot snapshot;
	struct rtnl_routes routes;	/* where no address shows a WAN's prefix */
	struct nft *nft;		/* NULL: not opened yet, or it cannot be */
	struct conntrack *conntrack;	/* likewise */
	struct schedule *schedule;
	struct names names;
	struct discover discover;
	struct sync sync;
	struct leftover leftover;
	struct state state;
	struct events events;
	struct runner runner;
	struct publisher publisher;
	struct resolver resolver;
	struct control *control;	/* NULL: no socket */
	struct watch watch;
	struct pause pause;
	struct level level;
	struct notice notice;
	struct metrics metrics;
	struct dry_run *dry_run;	/* NULL: for real */
	int64_t started_ms;
	bool stopping;
	int exit_status;

	struct ev_loop *loop;		/* NULL in tests: watchers are then left alone */
	ev_io rtnl_io, nft_io, supervisor_io, alarm_io;
	ev_prepare prepare;
	ev_periodic clock;
	/* timerfd on CLOCK_BOOTTIME, which counts sleep too */
	int alarm;
	int64_t alarm_ms;		/* when it rings; INT64_MAX: never */
	int64_t deaf_ms;		/* rtnl is not listened to before; INT64_MAX: it is */
};

/*
 * Makes what is made of a configuration: WANs, targets, schedule. At a reload what both
 * have goes on as it was; on failure the old one stays. `take` becomes ours, also on
 * failure.
 */
int core_configure(struct core *core, struct config *take,
		   struct err *ret_err) must_check;
void core_unconfigure(struct core *core);

/* Ends the loop after this turn. */
void core_stop(struct core *core, int exit_status);

/* Does what is due and tells when to come again. */
int64_t core_turn(struct core *core, int64_t now_ms);

/* --- reload.c --- */

/* The document of a descriptor that stays the caller's. */
int reload_read(int fd, struct config **ret_config, struct err *ret_err) must_check;

/* Another configuration; on failure the old one stays. */
int reload_run(struct core *core, int fd, struct err *ret_err) must_check;

/* --- confine.c --- */

/*
 * Name, user, capabilities, Landlock, seccomp. Fails only where another user was
 * demanded.
 */
int confine_begin(const struct core_options *options) must_check;

/* --- supervisor.c: what comes and goes on the channel to the supervisor --- */

/* Takes in what waits; false: the supervisor is gone. */
bool supervisor_receive(struct core *core);
int supervisor_send(struct core *core, const void *packet, size_t bytes) must_check;

/* --- look.c --- */

struct look_change {
	size_t wan;
	int side;
	enum wan_event event;		/* WAN_CHANGED, WAN_LOST */
	struct addr former;
};

struct look {
	struct look_change changes[CONFIG_WANS_MAX * WAN_SIDES];	/* of addresses */
	size_t count;
	struct look_change prefixes[CONFIG_WANS_MAX];
	size_t prefix_count;
};

/* One snapshot, compared with what is believed. */
int look_at_links(struct core *core, int64_t now_ms, struct look *ret_look,
		  struct err *ret_err) must_check;

/* Does any link have the address, as of the last snapshot? */
bool look_finds(const struct core *core, const struct addr *address);

/* When a vanished address counts as lost. */
int64_t look_due_ms(const struct core *core);

/* --- rules.c --- */

/* One nft_sync() for all WANs; `item` may be NULL. Learns former addresses and counts. */
int rules_sync(struct core *core, nft_item_fn *item, void *context,
	       struct nft_report *ret_report, struct err *ret_err) must_check;

/* As if a WAN had this address; of IPv6 also its prefix. */
struct rules_guess {
	size_t wan;
	struct addr address;
};

/* The same as a question: nothing is changed, and nothing learnt. `guess` may be NULL. */
int rules_ask(struct core *core, const struct rules_guess *guess, nft_item_fn *item,
	      void *context, struct err *ret_err) must_check;

/* The monitor can be read. */
void rules_readable(struct core *core);

/* --- sync.c --- */

void sync_turn(struct core *core, int64_t now_ms);
int64_t sync_due_ms(const struct core *core, int64_t now_ms);

/* A look at everything now, for somebody who waits for what comes of it. */
int sync_now(struct core *core, int64_t now_ms, struct nft_report *ret_report,
	     struct err *ret_err) must_check;

/* --- conntrack entries that would stay wrong: leftover.c --- */
void leftover_after_look(struct core *core);
void leftover_after_commit(struct core *core, const struct nft_report *report);
int64_t leftover_due_ms(const struct core *core);	/* INT64_MAX: nothing is due */
void leftover_turn(struct core *core, int64_t now_ms);

/* --- names_said.c: what becomes of names, for the log --- */
void names_said(const struct name_report *report, int64_t now_ms);
/* Their changes, once the rules hold them. False: none. */
bool names_said_changes(struct core *core);

/* --- status.c, plan.c, notice.c --- */
char *status_print(const struct core *core, int64_t now_ms);	/* NULL: no memory */
/*
 * What would change now, or if the first WAN of that family had this address (else NULL).
 * -EAFNOSUPPORT: there is none.
 */
int plan_print(struct core *core, const struct addr *address, int64_t now_ms,
	       char **ret_text, struct err *ret_err) must_check;
void notice_line(const struct core *core, char out[MESSAGE_TEXT_BYTES]);
void notice_turn(struct core *core, int64_t now_ms);
int64_t notice_due_ms(const struct core *core);
void notice_end(struct core *core);

/* --- once.c, dry_run.c --- */
void once_turn(struct core *core, int64_t now_ms);
int64_t once_due_ms(const struct core *core);

struct dry_run *dry_run_new(size_t records);	/* NULL: no memory */
void dry_run_free(struct dry_run *dry_run);
void dry_run_rule(void *context, const struct nft_item *item);	/* context: struct core */
/* A job that only looks is to be sent; false: it was said instead. */
bool dry_run_lets_pass(struct core *core, const struct schedule_job *job, int64_t now_ms);
/* An address from outside is waited for: nothing is said of the rules yet. */
bool dry_run_waits(const struct core *core, int64_t now_ms);
void dry_run_turn(struct core *core, int64_t now_ms);

#endif
