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
 *   {"command": "sync"}                       changing: root, the daemon's own user and
 *   {"command": "reload"}                     the admin group
 *   {"command": "update", "force": false, "hostnames": ["a.example.org"]}
 *                                             no hostnames: all
 *
 * and gets one JSON object on one line, then the end of the stream. When it went wrong
 * the object has "error": one sentence for people (and for reload "problems": the list
 * with places). Otherwise:
 *
 *   status    as hairpinctl(8) describes it
 *   rules     {"items": [as --rewrite --json gives them, and "wan", "in_step"]}
 *             status and rules have "truncated": true at their end where there is more
 *             than fits into JSON_MAX_BYTES; the first ones are there
 *   version   {"version": "0.1.0"}
 *   sync      {"tagged", "changed", "unchanged", "skipped", "commit_us"}
 *   update    {"records": N}                  will be checked and, where due, updated
 *   reload    {"reloaded": true, "problems": "warnings or empty"}
 *
 * A client that says nothing for CONTROL_IDLE_MS, or too much, is cut off.
 */
#ifndef HAIRPIN_CONTROL_H
#define HAIRPIN_CONTROL_H

enum {
	CONTROL_REQUEST_BYTES = 4096,
	CONTROL_CLIENTS_MAX = 16,
	CONTROL_IDLE_MS = 10000,
	CONTROL_HOSTNAMES_MAX = 64,
};

#endif
