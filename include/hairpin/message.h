/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: model */
/*
 * What the three processes say to each other: fixed structs over SOCK_SEQPACKET, one
 * message a packet. Every struct begins with `struct message`. Whoever receives calls
 * the matching message_*_ok() before reading anything else; what fails it ends the
 * connection, not the receiver.
 *
 *   core -> supervisor   PUBLISHER_START  PUBLISHER_END  HOOK_RUN  COMMAND_RUN  RELOAD
 *                        NOTICE  LEVEL
 *   supervisor -> core   PUBLISHER, CONFIG (with a descriptor)  HOOK_RESULT, HOOK_DONE
 *                        COMMAND_DONE  LOOK  UPDATE  STOP
 *   core -> publisher    JOB  LEVEL
 *   publisher -> core    RESULT, one per record of a job
 *   core -> runner       HOOKS, HOOK_RUN: who runs hooks in a service of their own
 *   runner -> core       HOOK_RESULT, HOOK_DONE
 *
 * Both ends are always of the same build (a runner asks before), so host order and padding
 * are no matter; every struct is zeroed before it is filled.
 */
#ifndef HAIRPIN_MESSAGE_H
#define HAIRPIN_MESSAGE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"

enum message_type {
	MESSAGE_PUBLISHER_START = 1,	/* struct message */
	MESSAGE_HOOK_RUN,		/* struct message_hook */
	MESSAGE_RELOAD,			/* struct message */
	MESSAGE_NOTICE,			/* struct message_notice */
	MESSAGE_COMMAND_RUN,		/* struct message_command */
	MESSAGE_LEVEL,			/* struct message_level; to the publisher too */
	MESSAGE_PUBLISHER_END,		/* struct message: it is no good, kill it */
	MESSAGE_HOOKS,			/* struct message_hooks */

	/* struct message_reply; with the channel when status is 0 */
	MESSAGE_PUBLISHER = 16,
	MESSAGE_HOOK_DONE,		/* struct message_reply */
	/*
	 * struct message_reply; with a sealed memfd of the effective document when
	 * status is 0
	 */
	MESSAGE_CONFIG,
	MESSAGE_LOOK,			/* struct message: look again now (SIGUSR1) */
	/* struct message: update all records now (SIGUSR2) */
	MESSAGE_UPDATE,
	MESSAGE_STOP,			/* struct message: save and leave */
	MESSAGE_COMMAND_DONE,		/* struct message_reply */
	/* struct message_hook_result, for each file of an event, before its HOOK_DONE */
	MESSAGE_HOOK_RESULT,

	MESSAGE_JOB = 32,		/* struct message_job */
	MESSAGE_RESULT,			/* struct message_result */
};

/* What supervisor and runner read of a core, which may have been taken over. */
enum { MESSAGE_AT_ONCE = 500, MESSAGE_APART_MS = 20 };

struct message {
	uint32_t type;			/* enum message_type */
	uint32_t number;		/* the asker's; answers carry it back */
};

enum {
	MESSAGE_LABEL_BYTES = 64,
	MESSAGE_HOSTNAME_BYTES = 254,
	MESSAGE_TEXT_BYTES = 256,
	MESSAGE_MEMO_BYTES = 513,
	MESSAGE_PROBLEMS_BYTES = 4096,
	MESSAGE_HOOK_BYTES = 256,	/* a file's name */
	MESSAGE_PATH_BYTES = 4096,
	MESSAGE_USER_BYTES = 32,
	MESSAGE_ADDRESSES_MAX = 32,
	MESSAGE_RECORDS_MAX = 40,	/* 20 names, both families */
	MESSAGE_SERVERS_MAX = 8,
	MESSAGE_SERVER_BYTES = 64,
	MESSAGE_JOB_TEXT_BYTES = 160 * 1024,
};

/* --- core and supervisor --- */

enum message_event {
	MESSAGE_EVENT_STARTUP = 1, MESSAGE_EVENT_ADDRESS, MESSAGE_EVENT_LOST,
	MESSAGE_EVENT_RECORD, MESSAGE_EVENT_FAILED, MESSAGE_EVENT_RULES,
	/* none for hooks: what the command of an address source is told */
	MESSAGE_EVENT_SOURCE,
};

/*
 * Run every hook of the directory, or the one that `only` names, with these facts;
 * strings are "" and addresses none when not known.
 */
struct message_hook {
	struct message head;
	uint32_t event;			/* enum message_event */
	uint32_t rules;			/* how many were rewritten */
	uint64_t generation;
	struct addr ipv4, ipv6;		/* startup */
	struct addr old, new;
	uint8_t family;			/* AF_INET, AF_INET6, 0 */
	char wan[MESSAGE_LABEL_BYTES];
	char interface[IFNAMSIZ];
	char hostname[MESSAGE_HOSTNAME_BYTES];
	char provider[MESSAGE_LABEL_BYTES];
	char reason[MESSAGE_TEXT_BYTES];	/* printable */
	char message[MESSAGE_TEXT_BYTES];	/* printable, escaped */
	char only[MESSAGE_HOOK_BYTES];	/* one that message_is_hook_name(), or "" */
	/*
	 * The event was begun before: what comes up to this name was run for it. Or "".
	 */
	char after[MESSAGE_HOOK_BYTES];
};

/* How hooks are to be run from now on, as the configuration has it. */
struct message_hooks {
	struct message head;
	int64_t timeout_ms;
	char directory[MESSAGE_PATH_BYTES];	/* "": none */
	char user[MESSAGE_USER_BYTES];		/* whose they are, or "" */
};

enum message_outcome {
	MESSAGE_HOOK_OK = 1,
	MESSAGE_HOOK_EXIT,		/* with the status `code`, not 0 */
	MESSAGE_HOOK_SIGNAL,		/* killed by the signal `code` */
	MESSAGE_HOOK_TIMED_OUT,		/* it had to be ended */
	MESSAGE_HOOK_REFUSED,		/* `text` says why, as where it could not be run */
	/* passed over: gone, no regular file, not executable; told of `only` alone */
	MESSAGE_HOOK_IGNORED,
};

/* What became of one file. */
struct message_hook_result {
	struct message head;		/* number: the event's */
	uint32_t event;			/* enum message_event */
	uint32_t outcome;		/* enum message_outcome */
	uint32_t code;			/* 0 where the outcome has none */
	char name[MESSAGE_HOOK_BYTES];
	/* what it printed, line by line, escaped and cut; or why it was not run */
	char text[MESSAGE_PROBLEMS_BYTES];
};

size_t message_hook_result_bytes(const struct message_hook_result *result); /* to send */

/*
 * Run the command that the configuration names for this WAN and family; which it is, the
 * supervisor knows by itself. The answer's text is what it printed, escaped; with a
 * status below 0 it is why there is nothing. One runs at a time: -EBUSY.
 */
struct message_command {
	struct message head;
	uint8_t family;			/* AF_INET, AF_INET6 */
	char wan[MESSAGE_LABEL_BYTES];
	char interface[IFNAMSIZ];	/* "" or the link, for the command to know */
};

/* What the service manager should know; also the core's sign of life. */
struct message_notice {
	struct message head;
	uint8_t ready;			/* the first look is done */
	/* --once or --dry-run or a stop is finished: exit with `exit_status` */
	uint8_t done;
	uint8_t exit_status;
	char status[MESSAGE_TEXT_BYTES];	/* one line for STATUS=; "" leaves it */
};

/* What is logged from now on. */
struct message_level {
	struct message head;
	int32_t level;			/* LOG_ERR to LOG_DEBUG */
};

struct message_reply {
	struct message head;
	int32_t status;			/* 0, or a negative errno */
	uint32_t ran, failed;		/* HOOK_DONE */
	char text[MESSAGE_PROBLEMS_BYTES];	/* why; for CONFIG the problems */
};

/* --- core and publisher --- */

enum message_job_kind {
	/* first authoritative answer of the zone's servers */
	MESSAGE_CHECK = 1,
	/* every server that answers must hold records[i].address */
	MESSAGE_VERIFY,
	MESSAGE_UPDATE_RECORDS,		/* of one provider entry, by all requests that takes */
	/* one place is asked from which address we come */
	MESSAGE_DISCOVER,
	/* a name's addresses, as any program of this machine would get them */
	MESSAGE_RESOLVE,
};

struct message_record {
	uint32_t record;		/* the core's number of the record */
	uint8_t family;			/* AF_INET, AF_INET6 */
	struct addr address;		/* wanted */
	char hostname[MESSAGE_HOSTNAME_BYTES];
};

/*
 * A job. Only `text_bytes` of `text` travel. For MESSAGE_UPDATE_RECORDS `text` holds
 * strings, each with its NUL: the provider description, user agent, CA file's PEM (each ""
 * for none), the memo of every record in their order, then pairs name, value of the
 * settings.
 *
 * MESSAGE_DISCOVER has one record, with a family and no hostname; `text` says who is asked:
 *
 *	"http"  URL
 *	"dns"   SERVER (host, ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT)  NAME
 *	        "A" | "AAAA" | "TXT"  "IN" | "CH"
 *	"pcp"   the gateway's address
 *	"upnp"  the gateway's address, or "" where there is none (point-to-point)
 *
 * Its result is ANSWER with one address of that family, of whatever class, or one of
 * NO_ANSWER (asked, but nothing came), TRANSIENT (something else than an address came),
 * RATE_LIMITED, UNREACHABLE (nobody was asked) and TLS_REFUSED, without.
 */
struct message_job {
	struct message head;
	uint32_t kind;
	uint32_t timeout_ms;		/* of the whole job */
	uint32_t request_ms;		/* of one request of an update; 0 for looks */
	/* the provider's host may have an address that is not global */
	uint8_t private_server;
	uint8_t insecure_http;
	/* `servers` are asked instead of the zone's own: RD=1, AA not required */
	uint8_t trusted_servers;
	uint8_t server_count;
	/* another one: what was connected before is not used again */
	uint64_t epoch;
	uint32_t record_count;
	uint32_t text_bytes;
	char interface[IFNAMSIZ];	/* "" or the link to leave by (SO_BINDTODEVICE) */
	char interface6[IFNAMSIZ];	/* the same over IPv6, "" for no other one */
	char servers[MESSAGE_SERVERS_MAX][MESSAGE_SERVER_BYTES];
	struct message_record records[MESSAGE_RECORDS_MAX];
	char text[MESSAGE_JOB_TEXT_BYTES];
};

size_t message_job_bytes(const struct message_job *job);	/* what to send */
bool message_job_add_text(struct message_job *job, const char *string);
/* The string after `previous` (NULL: the first), NULL at the end. */
const char *message_job_next_text(const struct message_job *job, const char *previous);

enum message_verdict {
	/* CHECK, VERIFY; of these RESOLVE and DISCOVER have ANSWER and NO_ANSWER */
	/*
	 * authoritative, or the resolver's to RESOLVE; `addresses` may be empty: no such
	 * record
	 */
	MESSAGE_ANSWER = 1,
	/* only a recursive resolver answered; what it said proves nothing */
	MESSAGE_NO_PROOF,
	MESSAGE_NO_ANSWER,		/* nobody answered */
	MESSAGE_VERIFIED,		/* VERIFY: all that answered hold it */
	MESSAGE_NOT_YET,		/* VERIFY: some hold another or none */
	/* UPDATE_RECORDS, after the protocol's duties */
	MESSAGE_GOOD = 16,
	MESSAGE_UNCHANGED,
	MESSAGE_UNCONFIRMED,		/* an answer without a line for this record */
	MESSAGE_BADAUTH,		/* final for the account */
	MESSAGE_NOHOST,			/* final for the name */
	MESSAGE_ABUSE,			/* final for the name */
	MESSAGE_BADAGENT,		/* final for the provider */
	/* final for the name: needs another plan or option */
	MESSAGE_FORBIDDEN,
	MESSAGE_BAD_REQUEST,		/* final after two in a row */
	MESSAGE_SPLIT,			/* numhost: too many names in one request */
	MESSAGE_RATE_LIMITED,		/* retry_after_s may say for how long */
	MESSAGE_SERVER_ERROR,		/* 911, dnserr: not before 30 minutes */
	/* an HTTP answer that makes no sense, 5xx, cut off */
	MESSAGE_TRANSIENT,
	MESSAGE_UNREACHABLE,		/* no connection came about: counts for nothing */
	/* the certificate did not hold; nothing was sent */
	MESSAGE_TLS_REFUSED,
};

struct message_result {
	struct message head;		/* number: the job's */
	uint32_t record;		/* one of the job's */
	uint32_t verdict;
	uint32_t address_count;
	uint32_t ttl_s;			/* of the answer, at most a week */
	uint32_t retry_after_s;		/* 0: not said; at most 86400 */
	uint32_t http_status;		/* 0: none */
	struct addr addresses[MESSAGE_ADDRESSES_MAX];
	/* printable; to be given back with the next job */
	char memo[MESSAGE_MEMO_BYTES];
	/* escaped: what was answered, for log and status */
	char text[MESSAGE_TEXT_BYTES];
};

/* `bytes` is what recv() gave. All ranges, terminators and enums are checked. */
bool message_to_supervisor_ok(const void *packet, size_t bytes);
bool message_to_core_ok(const void *packet, size_t bytes);	/* from the supervisor */
bool message_to_runner_ok(const void *packet, size_t bytes);
bool message_of_runner_ok(const void *packet, size_t bytes);
bool message_job_ok(const void *packet, size_t bytes);
bool message_level_ok(const void *packet, size_t bytes);
bool message_result_ok(const void *packet, size_t bytes);

/*
 * What a MESSAGE_RESOLVE may ask for: a host name, or a single label, as names of the LAN
 * are.
 */
bool message_is_name(const char *string);

/*
 * May a file of this name be a hook? No dot in front, nothing that a backup's or a
 * package manager's name would hold.
 */
bool message_is_hook_name(const char *name);

/* "startup", "address", ... */
const char *message_event_name(enum message_event event);
/* False: there is no such event for hooks. */
bool message_event_find(const char *name, enum message_event *ret_event);
/* "good", "badauth", ...: last_answer in the status */
const char *message_verdict_name(enum message_verdict verdict);

#endif
