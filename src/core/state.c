/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "hairpin/clock.h"
#include "hairpin/json.h"
#include "hairpin/log.h"
#include "hairpin/secret.h"
#include "hairpin/statefile.h"

#include "core.h"

/* --- reading --- */

static void set_aside(struct state *state, const char *why)
{
	int result = statefile_set_aside(state->directory, STATE_NAME);

	if (result < 0)
		log_warning("state: %s cannot be used: %s; it is ignored, and setting "
			    "it aside failed: %s",
			    STATE_NAME, why, strerror(-result));
	else
		log_warning("state: %s cannot be used: %s; it is kept as %s.bad, what "
			    "was published is asked from DNS",
			    STATE_NAME, why, STATE_NAME);
}

/* Entries that nobody wrote so: the others are good all the same. */
static void leave_out(struct state *state, size_t count)
{
	int result = statefile_set_aside(state->directory, STATE_NAME);

	state->dirty = true;
	log_warning("state: %zu entr%s of %s cannot be used and %s left out%s", count,
		    count == 1 ? "y" : "ies", STATE_NAME, count == 1 ? "is" : "are",
		    result < 0 ? "" : "; the file is kept as " STATE_NAME ".bad");
}

/* What is lacking now may be there in a moment: it says nothing about the file. */
static bool is_of_now(int error)
{
	return error == -ENOMEM || error == -EMFILE || error == -ENFILE ||
	       error == -EINTR || error == -EAGAIN;
}

/* The whole document, of which some WANs or records may be damaged. */
static int state_parse(const char *text, size_t length, struct json **ret_document,
		       struct err *ret_err)
{
	struct json_error error;
	struct json *document = json_parse(text, length, JSON_STRICT, &error);

	if (!document)
		return err_set(ret_err, error.no_memory ? -ENOMEM : -EINVAL, "%s",
			       error.no_memory ? error.text : "it is no JSON");
	if (!state_is_ours(document, ret_err)) {
		json_free(document);
		return -EINVAL;
	}
	*ret_document = document;
	return 0;
}

static int state_read(struct state *state, struct json **ret_document,
		      struct err *ret_err)
{
	char *text = NULL;
	size_t length, damaged;
	int result;

	result = statefile_read(state->directory, STATE_NAME, JSON_MAX_BYTES, &text,
				&length, ret_err);
	if (result == -ENOENT)
		return 0;
	if (result == 0)
		result = state_parse(text, length, ret_document, ret_err);
	free(text);
	if (is_of_now(result))
		return result;
	if (result < 0) {
		set_aside(state, ret_err->text);
		return 0;
	}
	damaged = state_count_damaged(*ret_document);
	if (damaged)
		leave_out(state, damaged);
	return 0;
}

/*
 * Without a good key a changed password might go unnoticed; with none there is nothing
 * to lose.
 */
static void make_key(struct state *state)
{
	if (getrandom(state->key, sizeof(state->key), 0) != (ssize_t)sizeof(state->key))
		memset(state->key, 0x5a, sizeof(state->key));
	state->dirty = true;
}

int state_load(struct state *state, int directory, struct json **ret_document,
	       struct err *ret_err)
{
	struct json *document = NULL;
	int result;

	*state = (struct state){ .directory = directory, .retry_ms = INT64_MIN };
	result = directory >= 0 ? state_read(state, &document, ret_err) : 0;
	if (result < 0) {
		state->directory = -1;	/* what it says is not to be overwritten */
		return result;
	}
	if (!document)
		make_key(state);
	else
		(void)state_read_key(document, state->key);
	*ret_document = document;
	return 0;
}

static const struct json *find_wan(const struct json *document, const char *name)
{
	const struct json *wan = json_child(json_get(document, "wans"));

	while (wan && !(state_is_wan(wan) &&
			strcmp(json_string(json_get(wan, "name")), name) == 0))
		wan = json_next(wan);
	return wan;
}

static void restore_saved(struct core_side *side, const struct json *now)
{
	if (!now || json_kind(now) != JSON_OBJECT)
		return;
	(void)state_read_address(json_get(now, "address"), side->family, &side->saved);
	(void)json_integer(json_get(now, "since"), 0, INT64_MAX,
			   &side->saved_since_wall_s);
}

static void restore_side(struct core_side *side, const struct json *json)
{
	const char *family = addr_family_name(side->family);
	const struct json *told = json_get(json, "told");

	restore_saved(side, json_get(json, family));
	if (json_get(told, family)) {
		side->told_known = true;
		(void)state_read_address(json_get(told, family), side->family,
					 &side->told);
	}
}

static void restore_source(const struct state *state, struct source *source,
			   const struct json *json, int64_t now_ms, int64_t wall_s)
{
	struct source_saved saved;
	uint64_t fingerprint;

	if (source_is_saved(source) &&
	    state_read_source(json, source->family, &saved, &fingerprint) &&
	    fingerprint == state_source_fingerprint(state, source))
		source_restore(source, &saved, now_ms, wall_s);
}

static void restore_wan(struct core_wan *wan, const struct json *json)
{
	const struct json *element;
	struct addr address;

	for (int i = 0; i < WAN_SIDES; i++)
		if (wan_side_is_on(wan, i))
			restore_side(&wan->sides[i], json);
	if (wan_prefix_bits(wan->config))
		restore_saved(&wan->prefix, json_get(json, "prefix"));
	for (element = json_child(json_get(json, "former")); element;
	     element = json_next(element))
		if (state_read_address(element, 0, &address))
			(void)wan_recall(wan, &address);
	/*
	 * The last run's addresses are former ones too, unless they turn out to be
	 * present.
	 */
	for (int i = WAN_SIDES - 1; i >= 0; i--)
		(void)wan_remember(wan, &wan_followed(wan, i)->saved);
}

void state_restore_wans(struct core *core, const struct json *document, int64_t now_ms,
			int64_t wall_s)
{
	for (size_t i = 0; document && i < core->config->wan_count; i++) {
		struct core_wan *wan = &core->wans[i];
		const struct json *json = find_wan(document, wan->config->name);

		if (!json)
			continue;
		restore_wan(wan, json);
		for (int side = 0; side < WAN_SIDES; side++)
			restore_source(&core->state, &wan->sides[side].source,
				       json_get(json_get(json, "outside"),
						addr_family_name(wan->sides[side].family)),
				       now_ms, wall_s);
	}
}

void state_restore_records(struct core *core, const struct json *document, int64_t now_ms,
			   int64_t wall_s)
{
	const struct json *element = json_child(json_get(document, "records"));
	struct state_record record;
	int index;

	for (; element; element = json_next(element)) {
		if (!state_read_record(element, &record))
			continue;
		index = schedule_find(core->schedule, record.provider, record.hostname,
				      record.family);
		if (index != SCHEDULE_NO_RECORD)
			schedule_restore(core->schedule, (size_t)index, &record.saved,
					 now_ms, wall_s);
	}
}

void state_restore_names(struct core *core, const struct json *document, int64_t now_ms)
{
	const struct json *element = json_child(json_get(document, "names"));
	struct addr addresses[WAN_SIDES * NAMES_ADDRESSES_MAX];
	const char *name;
	size_t count;

	for (; element; element = json_next(element))
		if (state_read_name(element, &name, addresses, &count))
			(void)names_restore(&core->names, name, addresses, count, now_ms);
}

/* --- writing --- */

static bool state_is_dirty(const struct core *core)
{
	return core->state.dirty || (core->schedule && schedule_is_dirty(core->schedule));
}

/* Said once an hour; of a read-only medium, which is meant so, once. */
static void save_failed(struct state *state, int code, const struct err *err,
			int64_t now_ms)
{
	state->retry_ms = now_ms + STATE_RETRY_MS;
	if (state->complained && (code == -EROFS || now_ms - state->complained_ms <
							    STATE_COMPLAIN_MS))
		return;
	state->complained = true;
	state->complained_ms = now_ms;
	log_warning("state: not saved: %s; going on without, tried again every %d s",
		    err->text, STATE_RETRY_MS / 1000);
}

static void save_succeeded(struct core *core, int64_t now_ms)
{
	struct state *state = &core->state;

	if (state->complained)
		log_notice("state: saved again");
	state->complained = false;
	state->retry_ms = INT64_MIN;
	state->dirty = false;
	if (core->schedule)
		schedule_set_clean(core->schedule, now_ms);
	if (!state->saved_once || now_ms - state->saved_ms > STATE_QUIET_MS)
		state->spacing_ms = STATE_SPACING_MS;
	else if (state->spacing_ms < STATE_SPACING_MAX_MS)
		state->spacing_ms *= 2;
	state->saved_once = true;
	state->saved_ms = now_ms;
}

void state_save(struct core *core, int64_t now_ms)
{
	struct err err = { "" };
	char *text;
	int result;

	if (core->state.directory < 0 || !state_is_dirty(core))
		return;
	text = state_format(core, now_ms, clock_wall_s());
	if (!text)
		result = err_set(&err, -ENOMEM, "out of memory");
	else
		result = statefile_replace(core->state.directory, STATE_NAME, text,
					   strlen(text), &err);
	free(text);
	if (result < 0)
		save_failed(&core->state, result, &err, now_ms);
	else
		save_succeeded(core, now_ms);
}

int64_t state_due_ms(const struct core *core)
{
	const struct state *state = &core->state;

	if (state->directory < 0 || !state_is_dirty(core))
		return INT64_MAX;
	if (state->retry_ms != INT64_MIN)
		return state->retry_ms;
	return state->saved_once ? state->saved_ms + state->spacing_ms : INT64_MIN;
}

void state_turn(struct core *core, int64_t now_ms)
{
	if (state_due_ms(core) <= now_ms)
		state_save(core, now_ms);
}

/* --- fingerprints --- */

/* Part by part, so that no copy of a secret is made. */
static void mix(const struct state *state, uint64_t *sum, const char *part)
{
	uint64_t pair[2] = { *sum, 0 };

	if (part)
		pair[1] = secret_fingerprint(state->key, part, strlen(part) + 1);
	*sum = secret_fingerprint(state->key, pair, sizeof(pair));
}

static uint64_t fingerprint(const struct state *state, const struct config *config,
			    const struct config_provider *provider)
{
	uint64_t sum = 0;

	mix(state, &sum, provider->type);
	mix(state, &sum, provider->description);
	mix(state, &sum, provider->broken);
	mix(state, &sum, config_user_agent(config, provider));
	mix(state, &sum, provider->ca_pem);
	mix(state, &sum, provider->insecure_http ? "http" : "https");
	mix(state, &sum, provider->private_server ? "private" : "public");
	for (size_t i = 0; i < provider->setting_count; i++) {
		mix(state, &sum, provider->settings[i].name);
		mix(state, &sum, secret_reveal(&provider->settings[i].value));
	}
	return sum;
}

uint64_t state_source_fingerprint(const struct state *state, const struct source *source)
{
	uint64_t pair[2] = { source->kind, 0 };

	if (source->outside)
		pair[1] = secret_fingerprint(state->key, source->outside,
					     sizeof(*source->outside));
	return secret_fingerprint(state->key, pair, sizeof(pair));
}

uint64_t *state_fingerprints(const struct state *state, const struct config *config)
{
	uint64_t *fingerprints =
		calloc(config->provider_count + 1, sizeof(*fingerprints));

	for (size_t i = 0; fingerprints && i < config->provider_count; i++)
		fingerprints[i] = fingerprint(state, config, &config->providers[i]);
	return fingerprints;
}
