/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One record in the state file: struct record_saved, member by member. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/json.h"
#include "hairpin/text.h"

#include "state.h"

enum member_kind { MEMBER_BOOL, MEMBER_UINT32, MEMBER_INT64, MEMBER_ADDR, MEMBER_TEXT };

/* A member of struct record_saved and its key in the file. */
struct member {
	const char *key;
	enum member_kind kind;
	size_t offset, bytes;
};

#define MEMBER(name, kind) \
	{ #name, kind, offsetof(struct record_saved, name), \
	  sizeof(((struct record_saved *)0)->name) }

static const struct member members[] = {
	MEMBER(published, MEMBER_ADDR),
	MEMBER(former, MEMBER_ADDR),
	MEMBER(sent, MEMBER_ADDR),
	MEMBER(verified, MEMBER_BOOL),
	MEMBER(in_doubt, MEMBER_BOOL),
	MEMBER(announce, MEMBER_BOOL),
	MEMBER(held, MEMBER_BOOL),
	MEMBER(refusal, MEMBER_UINT32),
	MEMBER(last_answer, MEMBER_UINT32),
	MEMBER(attempts, MEMBER_UINT32),
	MEMBER(bad_requests, MEMBER_UINT32),
	MEMBER(repairs, MEMBER_UINT32),
	MEMBER(ttl_s, MEMBER_UINT32),
	MEMBER(wait, MEMBER_UINT32),
	MEMBER(retry_wait_s, MEMBER_UINT32),
	MEMBER(retry_wall_s, MEMBER_INT64),
	MEMBER(published_wall_s, MEMBER_INT64),
	MEMBER(unchanged_wall_s, MEMBER_INT64),
	MEMBER(repaired_wall_s, MEMBER_INT64),
	MEMBER(reason, MEMBER_TEXT),
	MEMBER(memo, MEMBER_TEXT),
};
enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

/* Numbers beyond this are not exact in JSON. */
#define INTEGER_MAX ((INT64_C(1) << 53) - 1)

bool state_read_address(const struct json *json, int family, struct addr *ret_address)
{
	struct addr address = { 0 };
	const char *text = json_string(json);

	if (json && json_kind(json) != JSON_NULL) {
		if (!text || !addr_parse(text, &address))
			return false;
		if (family && address.family != family)
			return false;
	}
	*ret_address = address;
	return true;
}

/* --- writing --- */

static void add_address(struct json *object, const char *key, const struct addr *address)
{
	char text[ADDR_TEXT_BYTES];

	if (!addr_is_none(address))
		json_add_string(object, key, addr_format(address, text));
}

static void add_integer(struct json *object, const char *key, int64_t number)
{
	if (number != 0)
		json_add_integer(object, key, number);
}

static void add_member(struct json *object, const struct member *member,
		       const struct record_saved *saved)
{
	const void *at = (const char *)saved + member->offset;

	switch (member->kind) {
	case MEMBER_BOOL:
		if (*(const bool *)at)
			json_add_bool(object, member->key, true);
		break;
	case MEMBER_UINT32:
		add_integer(object, member->key, *(const uint32_t *)at);
		break;
	case MEMBER_INT64:
		add_integer(object, member->key, *(const int64_t *)at);
		break;
	case MEMBER_ADDR:
		add_address(object, member->key, at);
		break;
	case MEMBER_TEXT:
		if (*(const char *)at)
			json_add_string(object, member->key, at);
		break;
	}
}

void state_add_fingerprint(struct json *object, uint64_t fingerprint)
{
	char text[17];

	snprintf(text, sizeof(text), "%016" PRIx64, fingerprint);
	json_add_string(object, "fingerprint", text);
}

static void add_sent_times(struct json *object, const struct record_saved *saved)
{
	struct json *array;

	if (saved->sent_wall_s[RECORD_BURST - 1] == 0)
		return;
	array = json_add(object, "sent_wall_s", json_new_array());
	for (size_t i = 0; i < RECORD_BURST; i++)
		json_add_integer(array, NULL, saved->sent_wall_s[i]);
}

struct json *state_format_record(const struct state_record *record)
{
	struct json *object = json_new_object();

	json_add_string(object, "provider", record->provider);
	json_add_string(object, "hostname", record->hostname);
	json_add_string(object, "family", addr_family_name(record->family));
	for (size_t i = 0; i < MEMBERS; i++)
		add_member(object, &members[i], &record->saved);
	add_sent_times(object, &record->saved);
	state_add_fingerprint(object, record->saved.fingerprint);
	return object;
}

/* --- reading --- */

static bool read_text(const struct json *json, char *out, size_t out_bytes)
{
	const char *text = json_string(json);

	return text && text_copy(out, out_bytes, text);
}

static bool read_member(const struct json *json, const struct member *member,
			struct record_saved *saved)
{
	void *at = (char *)saved + member->offset;
	int64_t number;

	switch (member->kind) {
	case MEMBER_BOOL:
		return json_bool(json, at);
	case MEMBER_UINT32:
		if (!json_integer(json, 0, UINT32_MAX, &number))
			return false;
		*(uint32_t *)at = (uint32_t)number;
		return true;
	case MEMBER_INT64:
		return json_integer(json, 0, INTEGER_MAX, at);
	case MEMBER_ADDR:
		return state_read_address(json, 0, at);
	case MEMBER_TEXT:
		return read_text(json, at, member->bytes);
	}
	return false;
}

static bool read_sent_times(const struct json *json, struct record_saved *saved)
{
	const struct json *element = json_child(json);

	if (!json)
		return true;
	if (json_kind(json) != JSON_ARRAY || json_count(json) != RECORD_BURST)
		return false;
	for (size_t i = 0; i < RECORD_BURST; i++, element = json_next(element))
		if (!json_integer(element, 0, INTEGER_MAX, &saved->sent_wall_s[i]))
			return false;
	return true;
}

bool state_read_fingerprint(const struct json *object, uint64_t *ret_fingerprint)
{
	const char *text = json_string(json_get(object, "fingerprint"));
	uint64_t value = 0;

	if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
		return false;
	for (; *text; text++)
		value = value << 4 |
			(uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
	*ret_fingerprint = value;
	return true;
}

static bool read_family(const struct json *json, int *ret_family)
{
	const char *text = json_string(json);

	if (!text)
		return false;
	*ret_family = strcmp(text, "ipv4") == 0 ? AF_INET : AF_INET6;
	return strcmp(text, addr_family_name(*ret_family)) == 0;
}

bool state_read_record(const struct json *json, struct state_record *ret_record)
{
	struct state_record *record = ret_record;

	memset(record, 0, sizeof(*record));
	if (!json || json_kind(json) != JSON_OBJECT)
		return false;
	if (!read_text(json_get(json, "provider"), record->provider,
		       sizeof(record->provider)) ||
	    !read_text(json_get(json, "hostname"), record->hostname,
		       sizeof(record->hostname)) ||
	    !read_family(json_get(json, "family"), &record->family) ||
	    !state_read_fingerprint(json, &record->saved.fingerprint) ||
	    !read_sent_times(json_get(json, "sent_wall_s"), &record->saved))
		return false;
	for (size_t i = 0; i < MEMBERS; i++) {
		const struct json *member = json_get(json, members[i].key);

		if (member && !read_member(member, &members[i], &record->saved))
			return false;
	}
	return record_saved_ok(&record->saved);
}
