/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: model */
/*
 * The control protocol, spoken by core/control and hairpinctl on the unix socket.
 *
 * The client sends one JSON object on one line, at most CONTROL_REQUEST_BYTES with its
 * newline:
 *
 *   {"command": "status"}                     anybody who may connect: reading
 *   {"command": "rules"}
 *   {"command": "version"}
 *   {"command": "plan", "address": "A"}       no address: with those there are
 *   {"command": "watch"}
 *   {"command": "metrics"}
 *   {"command": "hooks"}
 *   {"command": "sync"}                       changing: root, the daemon's own user and
 *   {"command": "reload"}                     the admin group
 *   {"command": "update", "force": false, "hostnames": ["a.example.org"]}
 *                                             no hostnames: all
 *   {"command": "pause", "seconds": 600}      at most CONTROL_PAUSE_S
 *   {"command": "resume"}
 *   {"command": "log", "level": "debug", "seconds": 600}
 *                                             no seconds: until the next start or reload
 *   {"command": "hook", "name": "50-ntfy", "event": "address"}
 *                                             no event: "address"
 *   {"command": "run-hooks"}                  also the user of hairpind-hooks.service
 *
 * and gets one JSON object on one line, then the end of the stream. When it went wrong
 * the object has "error": one sentence for people (and for reload "problems": the list
 * with places). Otherwise:
 *
 *   status    as hairpinctl(8) describes it
 *   rules     {"items": [as --rewrite --json gives them, and "wan", "in_step"]}
 *             status, rules and plan have "truncated": true at their end where there is
 *             more than fits into JSON_MAX_BYTES; the first ones are there
 *   version   {"version": "0.1.0"}
 *   plan      {"schema": 1, "address": "A" or null, "pending": N,
 *              "in_step": rules that hold what they should,
 *              "rules": [as of rules, those that would change or are left alone],
 *              "records": [{"hostname", "family", "provider", "wan", "state", "published",
 *                           "wanted", "action": "update" | "none" | "blocked",
 *                           "reason": why not, or null}]}
 *             Without a daemon hairpinctl makes it; actions are "unknown" then.
 *   watch     one object a line and no end, until either side goes: first
 *             {"event": "hello", "time", "version", "generation"}; then for each thing
 *             that happened {"event", "time", ...}:
 *               address, lost (wan, interface, family, old, new, rules, commit_us,
 *                 generation), prefix (wan, interface, old, new, rules, commit_us),
 *               link (wan, interface, up),
 *               rules (wan or null, rules, commit_us, reason, error where it failed),
 *               record, failed (wan, hostname, family, provider, old, new, message),
 *               state (a record's: wan, hostname, family, provider, from, to, reason),
 *               hook (name, for: its event, result), publisher (state, reason),
 *               reload (error where it failed), pause (until), resume, log (level),
 *               lagged (lost: N, the reader was too slow)
 *             hairpinctl itself adds "status" (status) after each hello, and "gone".
 *   metrics   {"text": Prometheus' text format, version 0.0.4}
 *   hooks     {"directory": null where there are none, "reason": why no hook is run at
 *              all, or null, "runner": null or who runs them outside {"pid", "uid"},
 *              "hooks": [{"name", "last_run", "event", "result", "reason",
 *              "runs", "failures"}]}: those that were run; which others there are, the
 *              directory says
 *   hook      {"name", "event", "result": "ok" | "exit N" | "signal N" | "timed out" |
 *              "refused", "output": "..."}, when it was run
 *   run-hooks {"version"}, and beside it one end of a SOCK_SEQPACKET pair, over which core
 *              and runner speak as hairpin/message.h says, until one of them closes it
 *   sync      {"tagged", "changed", "unchanged", "skipped", "commit_us"}
 *   update    {"records": N}                  will be checked and, where due, updated
 *   reload    {"reloaded": true, "problems": "warnings or empty"}
 *   pause     {"paused_until": "2026-01-01T00:00:00Z"}
 *   resume    {"resumed": true}
 *   log       {"level": "debug", "until": "2026-01-01T00:00:00Z" or null}
 *
 * A client that says nothing for CONTROL_IDLE_MS, or too much, is cut off. For one that
 * watches and does not read CONTROL_WATCH_BYTES wait; what it misses then is counted, and
 * it goes when its place is needed: at most CONTROL_WATCHERS_MAX watch, so that the others
 * find room.
 */
#ifndef HAIRPIN_CONTROL_H
#define HAIRPIN_CONTROL_H

enum {
	CONTROL_REQUEST_BYTES = 4096,
	CONTROL_CLIENTS_MAX = 16,
	CONTROL_IDLE_MS = 10000,
	CONTROL_HOSTNAMES_MAX = 64,
	CONTROL_WATCHERS_MAX = 8,
	CONTROL_WATCH_BYTES = 65536,
	CONTROL_PAUSE_S = 7 * 86400,
	CONTROL_HOOK_MS = 600 * 1000,	/* so long a hook's test may wait and run */
};

#endif
