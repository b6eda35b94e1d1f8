/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of the state file, and whether a text is one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/json.h"
#include "hairpin/text.h"

#include "core.h"

enum { FILE_END_BYTES = 16 };	/* what closes the text */

/*
 * --- writing: a record at a time, so that the tree never stands in memory as a whole
 * ---
 */

static void add_address(struct json *object, const char *key, const struct addr *address)
{
	char text[ADDR_TEXT_BYTES];

	if (addr_is_none(address))
		json_add_null(object, key);
	else
		json_add_string(object, key, addr_format(address, text));
}

/*
 * Before the first address since the start, what the last run knew goes on to be known.
 */
static void add_side(struct json *object, const char *key, const struct core_side *side)
{
	bool known = side->seen;
	const struct addr *address = known ? &side->now.address : &side->saved;
	int64_t since_wall_s = known ? side->now.since_wall_s : side->saved_since_wall_s;
	struct json *value;

	if (addr_is_none(address)) {
		json_add_null(object, key);
		return;
	}
	value = json_add(object, key, json_new_object());
	add_address(value, "address", address);
	json_add_integer(value, "since", since_wall_s < 0 ? 0 : since_wall_s);
}

static void add_told(struct json *object, const struct core_wan *wan)
{
	struct json *told;

	if (!wan->sides[WAN_IPV4].told_known && !wan->sides[WAN_IPV6].told_known)
		return;
	told = json_add(object, "told", json_new_object());
	for (int i = 0; i < WAN_SIDES; i++)
		if (wan->sides[i].told_known)
			add_address(told, addr_family_name(wan->sides[i].family),
				    &wan->sides[i].told);
}

static void add_outside(struct json *object, const struct state *state,
			const struct core_wan *wan, int64_t now_ms, int64_t wall_s)
{
	struct json *outside = NULL;
	struct source_saved saved;

	for (int i = 0; i < WAN_SIDES; i++) {
		const struct source *source = &wan->sides[i].source;

		if (!source_is_saved(source))
			continue;
		if (!outside)
			outside = json_add(object, "outside", json_new_object());
		source_save(source, now_ms, wall_s, &saved);
		json_add(outside, addr_family_name(wan->sides[i].family),
			 state_format_source(&saved, state_source_fingerprint(state,
									      source)));
	}
}

static struct json *format_wan(const struct core_wan *wan)
{
	struct json *object = json_new_object(), *former;

	json_add_string(object, "name", wan->config->name);
	for (int i = 0; i < WAN_SIDES; i++)
		add_side(object, addr_family_name(wan->sides[i].family), &wan->sides[i]);
	if (wan_prefix_bits(wan->config))
		add_side(object, "prefix", &wan->prefix);
	former = json_add(object, "former", json_new_array());
	for (size_t i = 0; i < wan->former_count; i++)
		add_address(former, NULL, &wan->former[i]);
	add_told(object, wan);
	return object;
}

/*
 * Of very many records not everything fits into what can be read again. What only spares
 * waits and requests, or tells people, goes first; the last stage always fits for
 * CONFIG_HOSTNAMES_MAX names of the greatest length with both families.
 */
enum detail { DETAIL_ALL, DETAIL_NO_TEXTS, DETAIL_LEAST, DETAILS };

static void leave_out(enum detail detail, struct record_saved *saved)
{
	if (detail >= DETAIL_NO_TEXTS)
		saved->reason[0] = saved->memo[0] = '\0';
	if (detail < DETAIL_LEAST)
		return;
	*saved = (struct record_saved){
		.published = saved->published,
		.published_wall_s = saved->published_wall_s,
		.refusal = saved->refusal,
		.fingerprint = saved->fingerprint,
	};
}

static void add_records(struct text *text, struct core *core, enum detail detail,
			int64_t now_ms, int64_t wall_s)
{
	size_t count = core->schedule ? schedule_count(core->schedule) : 0;
	struct state_record record;

	for (size_t i = 0; i < count && text->length <= JSON_MAX_BYTES; i++) {
		const struct schedule_record *of = schedule_record(core->schedule, i);

		memset(&record, 0, sizeof(record));
		(void)text_copy(record.provider, sizeof(record.provider),
				core->config->providers[of->provider].name);
		(void)text_copy(record.hostname, sizeof(record.hostname), of->hostname);
		record.family = of->family;
		schedule_save(core->schedule, i, now_ms, wall_s, &record.saved);
		leave_out(detail, &record.saved);
		text_add(text, i ? ",\n" : "\n");
		json_print_take(text, state_format_record(&record));
	}
}

/* Those in use first; as many as there is room for beside the rest. */
static void add_names(struct text *text, const struct core *core, bool wanted,
		      size_t *written)
{
	for (size_t i = 0; i < core->names.count && *written < NAMES_MAX; i++) {
		const struct name *name = core->names.list[i];
		size_t length = text->length;

		if (name_is_wanted(name) != wanted ||
		    name->sides[WAN_IPV4].count + name->sides[WAN_IPV6].count == 0)
			continue;
		text_add(text, *written ? ",\n" : "\n");
		json_print_take(text, state_format_name(name));
		if (text->length > JSON_MAX_BYTES - FILE_END_BYTES) {
			text->length = length;
			text->bytes[length] = '\0';
			return;
		}
		(*written)++;
	}
}

static void add_all(struct text *text, struct core *core, enum detail detail,
		    int64_t now_ms, int64_t wall_s)
{
	size_t names = 0;

	text_addf(text, "{\"version\": %d, \"key\": \"", STATE_VERSION);
	for (size_t i = 0; i < STATE_KEY_BYTES; i++)
		text_addf(text, "%02x", core->state.key[i]);
	text_add(text, "\",\n");
	pause_save(core, text);
	text_add(text, "\"wans\": [");
	for (size_t i = 0; i < core->config->wan_count; i++) {
		struct json *wan = format_wan(&core->wans[i]);

		if (detail < DETAIL_LEAST)
			add_outside(wan, &core->state, &core->wans[i], now_ms, wall_s);
		text_add(text, i ? ",\n" : "\n");
		json_print_take(text, wan);
	}
	text_add(text, "],\n\"records\": [");
	add_records(text, core, detail, now_ms, wall_s);
	text_add(text, "],\n\"names\": [");
	if (text->length < JSON_MAX_BYTES - FILE_END_BYTES) {
		add_names(text, core, true, &names);
		add_names(text, core, false, &names);
	}
	text_add(text, "]}\n");
}

char *state_format(struct core *core, int64_t now_ms, int64_t wall_s)
{
	TEXT_CLEANUP struct text text = TEXT_INIT;

	for (enum detail detail = DETAIL_ALL; detail < DETAILS; detail++) {
		text_clear(&text);
		add_all(&text, core, detail, now_ms, wall_s);
		if (text.failed || text.length <= JSON_MAX_BYTES)
			return text_take(&text);
	}
	return NULL;
}

/* --- checking --- */

static bool side_is_ours(const struct json *side, int family)
{
	struct addr address;
	int64_t since;

	if (!side || json_kind(side) == JSON_NULL)
		return side != NULL;
	return state_read_address(json_get(side, "address"), family, &address) &&
	       !addr_is_none(&address) &&
	       json_integer(json_get(side, "since"), 0, INT64_MAX, &since);
}

static bool prefix_is_ours(const struct json *prefix)
{
	return !prefix || side_is_ours(prefix, AF_INET6);
}

static bool told_is_ours(const struct json *told)
{
	struct addr address;

	return !told || (json_kind(told) == JSON_OBJECT &&
			 state_read_address(json_get(told, "ipv4"), AF_INET, &address) &&
			 state_read_address(json_get(told, "ipv6"), AF_INET6, &address));
}

static bool outside_is_ours(const struct json *outside)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct source_saved saved;
	uint64_t fingerprint;

	if (!outside)
		return true;
	if (json_kind(outside) != JSON_OBJECT)
		return false;
	for (size_t i = 0; i < WAN_SIDES; i++) {
		const struct json *one = json_get(outside, addr_family_name(families[i]));

		if (one && !state_read_source(one, families[i], &saved, &fingerprint))
			return false;
	}
	return true;
}

bool state_is_wan(const struct json *wan)
{
	const struct json *former = json_get(wan, "former"), *element;
	struct addr address;

	if (!json_string(json_get(wan, "name")) || !former ||
	    json_kind(former) != JSON_ARRAY || json_count(former) > WAN_FORMER_MAX)
		return false;
	for (element = json_child(former); element; element = json_next(element))
		if (!state_read_address(element, 0, &address) || addr_is_none(&address))
			return false;
	return side_is_ours(json_get(wan, "ipv4"), AF_INET) &&
	       side_is_ours(json_get(wan, "ipv6"), AF_INET6) &&
	       prefix_is_ours(json_get(wan, "prefix")) &&
	       told_is_ours(json_get(wan, "told")) &&
	       outside_is_ours(json_get(wan, "outside"));
}

bool state_read_key(const struct json *document, uint8_t ret_key[STATE_KEY_BYTES])
{
	const char *text = json_string(json_get(document, "key"));
	static const char digits[] = "0123456789abcdef";

	if (!text || strlen(text) != 2 * STATE_KEY_BYTES ||
	    strspn(text, digits) != 2 * STATE_KEY_BYTES)
		return false;
	for (size_t i = 0; i < STATE_KEY_BYTES; i++)
		ret_key[i] = (uint8_t)((strchr(digits, text[2 * i]) - digits) << 4 |
				       (strchr(digits, text[2 * i + 1]) - digits));
	return true;
}

static bool parts_are_ours(const struct json *document)
{
	const struct json *wans = json_get(document, "wans");
	const struct json *records = json_get(document, "records");
	const struct json *names = json_get(document, "names");
	uint8_t key[STATE_KEY_BYTES];

	return state_read_key(document, key) && wans && json_kind(wans) == JSON_ARRAY &&
	       json_count(wans) <= CONFIG_WANS_MAX && records &&
	       json_kind(records) == JSON_ARRAY &&
	       (!names || (json_kind(names) == JSON_ARRAY &&
			   json_count(names) <= NAMES_MAX));
}

size_t state_count_damaged(const struct json *document)
{
	struct addr addresses[WAN_SIDES * NAMES_ADDRESSES_MAX];
	const struct json *element;
	struct state_record record;
	size_t count = 0, address_count;
	const char *name;

	for (element = json_child(json_get(document, "wans")); element;
	     element = json_next(element))
		count += !state_is_wan(element);
	for (element = json_child(json_get(document, "records")); element;
	     element = json_next(element))
		count += !state_read_record(element, &record);
	for (element = json_child(json_get(document, "names")); element;
	     element = json_next(element))
		count += !state_read_name(element, &name, addresses, &address_count);
	return count;
}

bool state_is_ours(const struct json *document, struct err *ret_err)
{
	int64_t version;

	if (!json_integer(json_get(document, "version"), 1, INT32_MAX, &version)) {
		(void)err_set(ret_err, -EINVAL, "it is no state file");
		return false;
	}
	if (version != STATE_VERSION) {
		(void)err_set(ret_err, -EINVAL,
			      "it is of version %d, this hairpind writes %d",
			      (int)version, STATE_VERSION);
		return false;
	}
	if (!parts_are_ours(document)) {
		(void)err_set(ret_err, -EINVAL, "it is damaged");
		return false;
	}
	return true;
}
