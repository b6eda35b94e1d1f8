/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An update and the server that it speaks to. */
#ifndef DNSUPDATE_ROOM_H
#define DNSUPDATE_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hairpin/dnsupdate.h"
#include "provider/dnswire.h"
#include "provider/tsig.h"

#define TEXT(string) ((char *)(string))
#define SECRET "bm90LWEtc2VjcmV0LWJ1dC1hLXRlc3Qta2V5LTEyMw=="

enum { NOW = 1795274107 };		/* when the recorded messages were sent */

static struct provider_value values[] = {
	{ "server", "ns.example.org:5353" }, { "domain", "example.org" },
	{ "key", "Home.Key" }, { "secret", SECRET }, { "algorithm", "hmac-sha256" },
	{ "ttl", "600" },
};

static struct catalogue catalogue = {
	.settings = {
		{ .name = "server" }, { .name = "domain" }, { .name = "key" },
		{ .name = "secret", .secret = true }, { .name = "algorithm" },
		{ .name = "ttl" },
	},
	.setting_count = 6,
	.protocol = CATALOGUE_RFC2136,
	.update = {
		.server = TEXT("{server}"), .zone = TEXT("{domain}"), .key = TEXT("{key}"),
		.secret = TEXT("{secret}"), .algorithm = TEXT("{algorithm}"),
		.ttl = TEXT("{ttl}"),
	},
};

struct talk {
	struct dnsupdate *update;
	struct dnsupdate_message message;
	struct tsig_key key;
	int64_t now;
	uint16_t id;
};

/* "NAME ADDRESS" each. */
static inline void begin(struct talk *talk, const char *zone, const char *const *records)
{
	struct provider_record list[MESSAGE_RECORDS_MAX];
	static char names[MESSAGE_RECORDS_MAX][100];
	struct provider_job job = { .catalogue = &catalogue, .settings = values,
				    .setting_count = 6, .records = list };
	char address[64];
	struct err err = { 0 };

	values[1].value = zone;
	memset(talk, 0, sizeof(*talk));
	talk->now = NOW;
	talk->id = 0x2a14;
	for (; *records; records++) {
		struct provider_record *record = &list[job.record_count];

		assert_int_equal(sscanf(*records, "%99s %63s", names[job.record_count],
					address), 2);
		*record = (struct provider_record){ .hostname = names[job.record_count],
						    .memo = "" };
		assert_true(addr_parse(address, &record->address));
		job.record_count++;
	}
	assert_int_equal(dnsupdate_new(&job, &talk->update, &err), 0);
	assert_int_equal(tsig_key_make("home.key", SECRET, "hmac-sha256", &talk->key,
				       &err), 0);
}

static inline bool next(struct talk *talk)
{
	struct provider_moment moment = { .wall_s = talk->now };

	talk->id++;
	moment.chance[0] = (uint8_t)(talk->id >> 8);
	moment.chance[1] = (uint8_t)talk->id;
	return dnsupdate_next(talk->update, &moment, &talk->message);
}

static inline void end(struct talk *talk)
{
	assert_false(next(talk));
	dnsupdate_free(talk->update);
}

/* What an answer of the server's is made of; zeros are the ordinary one. */
struct says {
	unsigned rcode, tsig_error;
	int64_t ahead_s;		/* its clock */
	bool no_tsig, no_mac, wrong_mac, long_mac, other_key, other_id, other_zone, a_query;
	bool truncated, no_zone, tcp;
	const char *soa;		/* of a query's answer */
	bool not_authoritative;
};

static inline void add(struct text *out, uint64_t number, int bytes)
{
	while (bytes-- > 0)
		text_add_char(out, bytes < 8 ? (char)(number >> 8 * bytes & 255) : 0);
}

static inline void add_name(struct text *out, const char *text)
{
	struct dnsname name;

	assert_true(dnsname_parse(text, &name));
	text_add_bytes(out, name.bytes, name.length);
}

static inline void add_times(struct text *out, const struct says *says, int64_t now)
{
	add(out, (uint64_t)(says->tsig_error == TSIG_BADTIME ? now : now + says->ahead_s),
	    6);
	add(out, 300, 2);
}

static inline void add_error(struct text *out, const struct says *says, int64_t now)
{
	add(out, says->tsig_error, 2);
	add(out, says->tsig_error == TSIG_BADTIME ? 6 : 0, 2);
	if (says->tsig_error == TSIG_BADTIME)
		add(out, (uint64_t)(now + says->ahead_s), 6);
}

/* The server's own way to the MAC, beside the one that is tested. */
static inline void add_tsig(struct text *out, const struct talk *talk, const struct says *says)
{
	const uint8_t *request = talk->message.bytes;
	const uint8_t *request_mac = request + talk->message.length - 6 - 32;
	const char *key = says->other_key ? "other.key" : "home.key";
	uint64_t count = (uint64_t)(uint8_t)out->bytes[11];
	struct text what = TEXT_INIT;
	struct hash mac = { .length = 0 };

	add(&what, 32, 2);
	text_add_bytes(&what, request_mac, 32);
	text_add_bytes(&what, out->bytes, out->length);
	add_name(&what, key);
	add(&what, 255, 2);
	add(&what, 0, 4);
	add_name(&what, "hmac-sha256");
	add_times(&what, says, talk->now);
	add_error(&what, says, talk->now);
	assert_int_equal(hash_hmac("sha256", talk->key.secret, talk->key.secret_length,
				   what.bytes, what.length, &mac), 0);
	text_done(&what);
	mac.bytes[0] ^= says->wrong_mac;
	mac.length = says->no_mac ? 0 : mac.length + says->long_mac;
	out->bytes[11] = (char)(count + 1);
	add_name(out, key);
	add(out, 250, 2);
	add(out, 255, 2);
	add(out, 0, 4);
	add(out, 13 + 8 + 2 + mac.length + 2 + 4 +
	    (says->tsig_error == TSIG_BADTIME ? 6U : 0U), 2);
	add_name(out, "hmac-sha256");
	add_times(out, says, talk->now);
	add(out, mac.length, 2);
	text_add_bytes(out, mac.bytes, mac.length);
	add(out, talk->id, 2);
	add_error(out, says, talk->now);
}

static inline void add_soa(struct text *out, const char *owner)
{
	out->bytes[9] = 1;			/* authority */
	add_name(out, owner);
	add(out, 6, 2);
	add(out, 1, 2);
	add(out, 60, 4);
	add(out, 22, 2);
	add(out, 0, 22);
}

static inline size_t question_length(const struct talk *talk)
{
	const uint8_t *bytes = talk->message.bytes;
	struct dnsname name;
	size_t at = 12;

	assert_true(dnsname_read(bytes, talk->message.length, &at, &name));
	return at + 4 - 12;
}

static inline enum dnsupdate_taken answer(struct talk *talk, struct says says)
{
	const uint8_t *request = talk->message.bytes;
	struct text out = TEXT_INIT;
	enum dnsupdate_taken taken;
	unsigned opcode = (request[2] >> 3 & 15) ^ (says.a_query ? 5U : 0U);

	add(&out, (uint64_t)talk->id + says.other_id, 2);
	add(&out, 0x8000 | opcode << 11 | (says.truncated ? 0x200U : 0) |
	    (says.not_authoritative ? 0U : 0x400U) | says.rcode, 2);
	add(&out, says.no_zone ? 0 : 1, 2);
	add(&out, 0, 6);
	if (!says.no_zone)
		text_add_bytes(&out, request + 12, question_length(talk));
	if (says.other_zone)
		out.bytes[13] ^= 1;
	if (says.soa)
		add_soa(&out, says.soa);
	if (!says.no_tsig)
		add_tsig(&out, talk, &says);
	assert_false(out.failed);
	taken = dnsupdate_answer(talk->update, out.bytes, out.length, says.tcp, talk->now);
	text_done(&out);
	return taken;
}

#define SAYS(...) (struct says){ __VA_ARGS__ }
#define TAKEN(talk, ...) \
	assert_int_equal(answer(talk, SAYS(__VA_ARGS__)), DNSUPDATE_TAKEN)
#define IGNORED(talk, ...) \
	assert_int_equal(answer(talk, SAYS(__VA_ARGS__)), DNSUPDATE_IGNORED)
#define OVER_TCP(talk, ...) \
	assert_int_equal(answer(talk, SAYS(__VA_ARGS__)), DNSUPDATE_OVER_TCP)

static inline void verdict(const struct talk *talk, size_t record, enum message_verdict wanted,
		    const char *part)
{
	const char *text;
	enum message_verdict got = dnsupdate_verdict(talk->update, record, &text);

	if (got != wanted || (part && !strstr(text, part)))
		print_error("record %zu: %d \"%s\"\n", record, got, text);
	assert_int_equal(got, wanted);
	if (part)
		assert_non_null(strstr(text, part));
}

static const char *const one[] = { "home.example.org 192.0.2.7", NULL };

/* To the message that writes. */
static inline void begin_write(struct talk *talk, const char *const *records)
{
	begin(talk, "example.org", records);
	assert_true(next(talk));
	TAKEN(talk, .rcode = DNSWIRE_NXRRSET);
	assert_true(next(talk));
}

/* Counts in the message's header. */
static inline void counts(const struct talk *talk, unsigned prerequisites, unsigned updates)
{
	const uint8_t *bytes = talk->message.bytes;

	assert_int_equal(bytes[2], 5 << 3);	/* UPDATE, no flag */
	assert_int_equal(bytes[5], 1);
	assert_int_equal(bytes[7], prerequisites);
	assert_int_equal(bytes[9], updates);
	assert_int_equal(bytes[11], 1);		/* the signature */
}

#endif
