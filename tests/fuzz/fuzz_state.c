/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A state file: whatever stands there, a core starts with it; what the core then writes is
 * a whole file, which gives the next core the same, byte by byte. What is believed is what
 * no rule forbids: former addresses within their bounds, a record's times not in the
 * future for ever.
 */
#include "unit/core_room.h"

#include "json_mutate.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One WAN with everything that is kept: prefix, sources; records, names. */
static struct config *config_of_all(void)
{
	struct config *config = room_config(2);
	struct config_outside *outside = calloc(1, sizeof(*outside));
	struct config_wan *wan = &config->wans[0];

	require(outside != NULL);
	outside->place_count = outside->agree = 2;
	strcpy(outside->places[0].where, "https://a.example.net/");
	strcpy(outside->places[1].where, "https://b.example.net/");
	wan->ipv4 = CONFIG_HTTP;
	wan->outside4 = outside;
	wan->keep_bits = 64;
	config->providers[0].families = CONFIG_IPV4 | CONFIG_IPV6;
	strcpy(config->nat.names, "dns:");
	return config;
}

static void core_with(struct room *room, const struct json *document)
{
	struct err err = { "" };

	memset(room, 0, sizeof(*room));
	room->options = (struct core_options){ .supervisor = -1, .control = -1,
					       .state_directory = -1,
					       .metrics_directory = -1 };
	room->core.options = &room->options;
	publisher_init(&room->core.publisher);
	room->core.state = (struct state){ .directory = -1, .retry_ms = INT64_MIN };
	require(state_read_key(document, room->core.state.key));
	require(core_configure(&room->core, config_of_all(), &err) == 0);
	state_restore_wans(&room->core, document, kernel.now_ms, kernel.wall_s);
	state_restore_records(&room->core, document, kernel.now_ms, kernel.wall_s);
	state_restore_names(&room->core, document, kernel.now_ms);
	pause_restore(&room->core, document, kernel.now_ms, kernel.wall_s);
}

static void core_ends(struct room *room)
{
	publisher_done(&room->core);
	events_done(&room->core.events);
	metrics_done(&room->core.metrics);
	core_unconfigure(&room->core);
	names_done(&room->core.names);
}

static void check_belief(const struct core *core)
{
	const struct core_wan *wan = &core->wans[0];

	require(core->pause.until_wall_s <= kernel.wall_s + CONTROL_PAUSE_S);
	require(wan->former_count <= WAN_FORMER_MAX);
	for (size_t i = 0; i < wan->former_count; i++)
		require(!addr_is_none(&wan->former[i]));
	for (int i = 0; i < WAN_SIDES; i++)
		require(addr_is_none(&wan->sides[i].saved) ||
			wan->sides[i].saved.family == wan->sides[i].family);
	require(addr_is_none(&wan->sides[WAN_IPV4].source.address) ||
		addr_is_global(&wan->sides[WAN_IPV4].source.address));
	/* No file makes a router silent for ever, or ask all the time. */
	for (size_t i = 0; i < schedule_count(core->schedule); i++) {
		int64_t next_ms = schedule_next_try_ms(core->schedule, i, kernel.now_ms);

		require(next_ms == INT64_MAX ||
			next_ms <= kernel.now_ms + INT64_C(90) * 24 * 3600 * 1000);
	}
}

/* What a core makes of it; the caller frees. */
static char *through_core(const struct json *document)
{
	struct room room;
	char *text;

	core_with(&room, document);
	check_belief(&room.core);
	text = state_format(&room.core, kernel.now_ms, kernel.wall_s);
	require(text != NULL);
	core_ends(&room);
	return text;
}

static struct json *parse_whole(const char *text)
{
	struct json_error error;
	struct err err = { "" };
	struct json *document = json_parse(text, strlen(text), JSON_STRICT, &error);

	require(document && state_is_ours(document, &err));
	require(state_count_damaged(document) == 0);
	return document;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_error error;
	struct err err = { "" };
	struct json *document, *again;
	char *first, *second;

	log_set_level(LOG_EMERG);
	document = json_parse((const char *)data, size, JSON_STRICT, &error);
	if (!document)
		return 0;
	if (!state_is_ours(document, &err)) {
		require(err.text[0] != '\0');
		json_free(document);
		return 0;
	}
	require(state_count_damaged(document) <= size);
	first = through_core(document);
	json_free(document);
	again = parse_whole(first);
	second = through_core(again);
	require(strcmp(first, second) == 0);
	json_free(again);
	free(first);
	free(second);
	return 0;
}
