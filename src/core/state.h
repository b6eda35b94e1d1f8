/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state file: what must outlive the core. JSON in the state directory, replaced
 * atomically, no secrets:
 *
 *   {"version": 1, "key": "32 hex digits",
 *    "wans": [{"name", "ipv4": {"address", "since"}, "ipv6": null,
 *              "prefix": {"address", "since"}, "former": [addresses],
 *              "told": {"ipv4": "...", "ipv6": null},
 *              "outside": {"ipv4": {"address", "asked_ms", ...}}}],
 *    "records": [{"provider", "hostname", "family", ...}],
 *    "names": [{"name", "addresses": ["192.0.2.7", ...]}]}
 *
 * `prefix`: the first address of the one that IPv6 rules follow; absent: they follow
 * none. `told`: what hooks were told last; absent: nothing yet. `outside`: struct source_saved,
 * of families whose address is asked for; absent: never asked. `names`: what names in
 * comments resolved to last; absent: an older file. A record's members are those of
 * struct record_saved; what is zero is left out. The key is random and
 * keys the fingerprints of the settings, so that the file tells nothing about passwords.
 *
 * What cannot be read or is of another version is set aside as NAME.bad and rebuilt;
 * so is a file of which some WANs or records break a rule, but the others are used.
 * What cannot be written stays in memory and is tried again. Of very many records, what
 * would make the file longer than JSON_MAX_BYTES is left out, final refusals never;
 * names go before records do.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/config.h"
#include "hairpin/err.h"
#include "hairpin/fault.h"
#include "hairpin/record.h"

struct core;
struct json;
struct source;
struct source_saved;

#define STATE_NAME "state.json"

enum {
	STATE_VERSION = 1,
	STATE_KEY_BYTES = 16,
	/* between two saves, doubling while they follow each other */
	STATE_SPACING_MS = 250,
	STATE_SPACING_MAX_MS = 30 * 1000,
	STATE_QUIET_MS = 60 * 1000,	/* after which the spacing starts afresh */
	STATE_RETRY_MS = 30 * 1000,	/* after a save that failed */
	STATE_COMPLAIN_MS = 3600 * 1000,
};

struct state {
	int directory;			/* -1: nothing is read or written */
	uint8_t key[STATE_KEY_BYTES];
	bool dirty;			/* something but the records changed */
	bool saved_once;
	int64_t saved_ms, spacing_ms;	/* last save */
	int64_t retry_ms;		/* INT64_MIN: the last save did not fail */
	int64_t complained_ms;
	bool complained;
};

/*
 * Reads the file and gives its checked document (json_free()), or NULL: none, or it was
 * set aside. The key is the file's or a new one. Fails only where there is no memory or
 * descriptor now to read it: what it says (a refusal that is final) must not be forgotten
 * for that, so the core is to be started again.
 */
int state_load(struct state *state, int directory, struct json **ret_document,
	       struct err *ret_err) must_check;

/* Into WANs and schedule what the document knows of them. */
void state_restore_wans(struct core *core, const struct json *document, int64_t now_ms,
			int64_t wall_s);
void state_restore_records(struct core *core, const struct json *document, int64_t now_ms,
			   int64_t wall_s);
void state_restore_names(struct core *core, const struct json *document, int64_t now_ms);

/* Saves now when anything changed; what fails is kept for later and said. */
void state_save(struct core *core, int64_t now_ms);

void state_turn(struct core *core, int64_t now_ms);
int64_t state_due_ms(const struct core *core);

/*
 * One per provider entry: a final refusal holds while it stays the same. NULL: no
 * memory.
 */
uint64_t *state_fingerprints(const struct state *state, const struct config *config);

/* Likewise of whom a source asks: another one's memory is of no use. */
uint64_t state_source_fingerprint(const struct state *state, const struct source *source);

/* --- the words of the file --- */

struct state_record {
	char provider[CONFIG_LABEL_BYTES];
	char hostname[CONFIG_HOSTNAME_BYTES];
	int family;
	struct record_saved saved;
};

/* The text of the file. NULL: no memory. */
char *state_format(struct core *core, int64_t now_ms, int64_t wall_s);

/* Is it a document of state_format()'s? Its WANs and records may be damaged yet. */
bool state_is_ours(const struct json *document, struct err *ret_err);

/* Is this element of "wans" as state_format() makes it? */
bool state_is_wan(const struct json *wan);

/* One family of "outside". */
struct json *state_format_source(const struct source_saved *saved, uint64_t fingerprint);
bool state_read_source(const struct json *json, int family,
		       struct source_saved *ret_saved, uint64_t *ret_fingerprint);

/* An element of "names"; `ret_addresses` has room for the most of both families. */
struct name;
struct json *state_format_name(const struct name *name);
bool state_read_name(const struct json *json, const char **ret_name,
		     struct addr *ret_addresses, size_t *ret_count);

/* How many WANs, records and names of the document cannot be used. */
size_t state_count_damaged(const struct json *document);

bool state_read_key(const struct json *document, uint8_t ret_key[STATE_KEY_BYTES]);
bool state_read_record(const struct json *json, struct state_record *ret_record);
struct json *state_format_record(const struct state_record *record);
/* A fingerprint: 16 hex digits. */
void state_add_fingerprint(struct json *object, uint64_t fingerprint);
bool state_read_fingerprint(const struct json *object, uint64_t *ret_fingerprint);
/* "former" and single addresses: NULL or null is none. */
bool state_read_address(const struct json *json, int family, struct addr *ret_address);

#endif
