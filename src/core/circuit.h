/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one provider host may be asked: at once, a minute, a day, and after failures. One
 * circuit for all records at a host over one WAN, so that an outage costs the same for 1
 * and for 500 records.
 *
 * Closed: requests go, `parallel` at once. After a failure of the server or of the way to
 * it the circuit is open until `next_ms`; then one request goes, and its answer closes it
 * or opens it for longer. Pure: time and dice are arguments.
 */
#ifndef CORE_CIRCUIT_H
#define CORE_CIRCUIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/message.h"

enum {
	CIRCUIT_MINUTE_SLOTS = 64,
	CIRCUIT_HOURS = 25,		/* 24 whole ones and the one that has begun */
	CIRCUIT_DAY_BASE = 100,		/* requests in any 24 hours: this, */
	CIRCUIT_DAY_PER_RECORD = 4,	/* and so many for each record */
	CIRCUIT_RESERVE = 24,		/* the last ones of a day go an hour apart */
};

struct circuit {
	uint64_t host, wan;		/* what makes it one: fingerprints */
	unsigned parallel;		/* requests at once */
	unsigned per_minute;		/* names; 0: no limit */
	size_t records;

	unsigned in_flight;
	unsigned failures;		/* in a row, after a connection; */
	unsigned unconnected;		/* tries without one since; both 0: closed */
	bool obeys;			/* the provider said for how long */
	uint32_t verdict;		/* of the last failure */
	int64_t next_ms, tried_ms, failed_ms, released_ms;	/* INT64_MIN: never */
	struct {
		int64_t at_ms;
		unsigned names;
	} minute[CIRCUIT_MINUTE_SLOTS];	/* the last requests, a ring */
	unsigned minute_at;
	struct {
		int64_t hour;
		unsigned count;
	} hours[CIRCUIT_HOURS];
};

/* After a failure: only one request at a time goes. */
bool circuit_is_open(const struct circuit *circuit);

void circuit_init(struct circuit *circuit);	/* after the first block is filled */

/* What `to` forgets and takes from `from` when the configuration is read again. */
void circuit_adopt(struct circuit *to, const struct circuit *from);

/* Without records: something of it still counts should they come back. */
bool circuit_is_remembered(const struct circuit *circuit, int64_t now_ms);

/*
 * From when on a request may go: INT64_MAX while others must end first. A `pass`
 * (record_is_pass()) does not wait for names per minute.
 */
int64_t circuit_gate_ms(const struct circuit *circuit, bool pass, int64_t now_ms);

/* A request for so many names goes; it is not cut to fit into the minute. */
void circuit_start(struct circuit *circuit, unsigned names, int64_t now_ms);

/* Ended without an answer of any kind. */
void circuit_end(struct circuit *circuit);

/* The request never left: it does not count. */
void circuit_uncount(struct circuit *circuit, int64_t now_ms);

/* Ended with an answer about the records. */
void circuit_close(struct circuit *circuit);

/*
 * Ended with a failure; `started_ms` tells those of one outage that were in flight
 * together.
 */
void circuit_fail(struct circuit *circuit, enum message_verdict verdict,
		  uint32_t retry_after_s, int64_t started_ms, int64_t now_ms,
		  int64_t wall_s, uint32_t random);

/* A record that was saved waits so long: the circuit does too. */
void circuit_wait(struct circuit *circuit, uint32_t verdict, unsigned failures,
		  bool obeys, int64_t until_ms);

void circuit_network(struct circuit *circuit, int64_t now_ms);
void circuit_clock(struct circuit *circuit, int64_t now_ms);
/* the user; once a minute */
void circuit_ask(struct circuit *circuit, int64_t now_ms);

#endif
