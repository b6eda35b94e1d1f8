/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dnsupdate_state.h"
#include "fill.h"
#include "hairpin/secret.h"
#include "hairpin/text.h"

enum { DNS_PORT = 53, TTL_MAX_S = 7 * 86400 };

/* --- settings --- */

/* The filled templates of catalogue->update. */
struct settings {
	char *server, *zone, *key, *secret, *algorithm, *ttl;
};

static void settings_done(struct settings *settings)
{
	secret_free(settings->server);
	secret_free(settings->zone);
	secret_free(settings->key);
	secret_free(settings->secret);
	secret_free(settings->algorithm);
	secret_free(settings->ttl);
}

static int settings_fill(const struct provider_job *job, struct settings *ret_settings,
			 struct err *ret_err)
{
	const struct catalogue_update *update = &job->catalogue->update;
	const struct { const char *template; char **out; } all[] = {
		{ update->server, &ret_settings->server },
		{ update->zone, &ret_settings->zone },
		{ update->key, &ret_settings->key },
		{ update->secret, &ret_settings->secret },
		{ update->algorithm, &ret_settings->algorithm },
		{ update->ttl, &ret_settings->ttl },
	};
	struct fill fill;
	int r = 0;

	fill_init(&fill, job->catalogue, job->settings, job->setting_count);
	for (size_t i = 0; r == 0 && i < sizeof(all) / sizeof(all[0]); i++)
		r = fill_new(&fill, all[i].template ? all[i].template : "", PLACE_PLAIN,
			     all[i].out, ret_err);
	fill_done(&fill);
	return r;
}

/* HOST, HOST:PORT, [ADDRESS]:PORT; the configuration has checked it. */
static bool set_server(struct dnsupdate *update, const char *server)
{
	const char *end = strrchr(server, ':'), *bracket = strrchr(server, ']');
	size_t length = strlen(server);
	long port = DNS_PORT;

	if (end && (bracket ? end > bracket : strchr(server, ':') == end)) {
		if (!text_parse_number(end + 1, 1, 65535, &port))
			return false;
		length = (size_t)(end - server);
	}
	if (length >= 2 && server[0] == '[' && server[length - 1] == ']') {
		server++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof(update->host))
		return false;
	memcpy(update->host, server, length);
	update->port = (uint16_t)port;
	return true;
}

static int take_settings(struct dnsupdate *update, const struct settings *settings,
			 struct err *ret_err)
{
	long ttl_s;

	if (!set_server(update, settings->server))
		return err_set(ret_err, -EINVAL, "the server makes no sense");
	if (!text_parse_number(settings->ttl, 0, TTL_MAX_S, &ttl_s))
		return err_set(ret_err, -EINVAL, "the TTL is not between 0 and a week");
	update->ttl_s = (uint32_t)ttl_s;
	return tsig_key_make(settings->key, settings->secret, settings->algorithm,
			     &update->key, ret_err);
}

/* --- entries --- */

static void judge_entry(struct dnsupdate_entry *entry, enum message_verdict verdict,
			const char *text)
{
	entry->verdict = verdict;
	text_escape(entry->text, sizeof(entry->text), text, strlen(text));
}

void dnsupdate_conclude(struct dnsupdate *update, enum message_verdict verdict,
			const char *text)
{
	for (size_t i = 0; i < update->count; i++)
		if (update->entries[i].asked && !update->entries[i].verdict)
			judge_entry(&update->entries[i], verdict, text);
}

void dnsupdate_conclude_all(struct dnsupdate *update, enum message_verdict verdict,
			    const char *text)
{
	for (size_t i = 0; i < update->count; i++)
		if (!update->entries[i].verdict)
			judge_entry(&update->entries[i], verdict, text);
}

static void take_record(struct dnsupdate *update, const struct provider_record *record,
			const struct dnsname *zone)
{
	struct dnsupdate_entry *entry = &update->entries[update->count++];

	entry->hostname = record->hostname;
	entry->address = record->address;
	entry->zone = *zone;
	if (!dnsname_parse(record->hostname, &entry->name))
		judge_entry(entry, MESSAGE_BAD_REQUEST, "not a domain name");
	else if (zone->length > 0 && !dnsname_is_under(&entry->name, zone))
		judge_entry(entry, MESSAGE_NOHOST, "the name is not in the zone");
}

static int take_job(struct dnsupdate *update, const struct provider_job *job,
		    const struct settings *settings, struct err *ret_err)
{
	struct dnsname zone = { 0 };
	int r = take_settings(update, settings, ret_err);

	if (r < 0)
		return r;
	if (settings->zone[0] && !dnsname_parse(settings->zone, &zone))
		return err_set(ret_err, -EINVAL, "the zone is no domain name");
	if (job->record_count > MESSAGE_RECORDS_MAX)
		return err_set(ret_err, -EINVAL, "too many records for one job");
	for (size_t i = 0; i < job->record_count; i++)
		take_record(update, &job->records[i], &zone);
	return 0;
}

int dnsupdate_new(const struct provider_job *job, struct dnsupdate **ret_update,
		  struct err *ret_err)
{
	struct dnsupdate *update = calloc(1, sizeof(*update));
	struct settings settings = { 0 };
	int r;

	if (!update)
		return err_set(ret_err, -ENOMEM, "no memory for an update");
	update->message = (struct text)TEXT_INIT;
	r = settings_fill(job, &settings, ret_err);
	if (r == 0)
		r = take_job(update, job, &settings, ret_err);
	settings_done(&settings);
	if (r < 0) {
		dnsupdate_free(update);
		return r;
	}
	*ret_update = update;
	return 0;
}

void dnsupdate_free(struct dnsupdate *update)
{
	if (!update)
		return;
	text_done(&update->message);
	tsig_key_done(&update->key);
	free(update);
}

const char *dnsupdate_host(const struct dnsupdate *update)
{
	return update->host;
}

uint16_t dnsupdate_port(const struct dnsupdate *update)
{
	return update->port;
}

enum message_verdict dnsupdate_verdict(const struct dnsupdate *update, size_t record,
				       const char **ret_text)
{
	*ret_text = update->entries[record].text;
	return update->entries[record].verdict;
}

/* --- the next message --- */

/* The first entry that is not judged; with `homeless`, that has no zone either. */
static bool find_first(struct dnsupdate *update, bool homeless)
{
	for (size_t i = 0; i < update->count; i++) {
		const struct dnsupdate_entry *entry = &update->entries[i];

		if (entry->verdict || (homeless && entry->zone.length > 0))
			continue;
		update->first = i;
		return true;
	}
	return false;
}

static bool belongs(const struct dnsupdate *update, const struct dnsupdate_entry *entry)
{
	const struct dnsupdate_entry *first = &update->entries[update->first];

	if (entry == first)
		return true;
	if (entry->verdict)
		return false;
	if (update->step == DNSUPDATE_FIND)
		return dnsname_equal(&entry->name, &first->name);
	return !entry->alone && !first->alone &&
	       dnsname_equal(&entry->zone, &first->zone);
}

/* Zones first, so that all of one can go together. */
static bool choose(struct dnsupdate *update)
{
	if (update->again) {
		update->again = false;
		return true;
	}
	update->looked_for.length = 0;
	if (find_first(update, true))
		update->step = DNSUPDATE_FIND;
	else if (find_first(update, false))
		update->step = DNSUPDATE_PROBE;
	else
		return false;
	for (size_t i = 0; i < update->count; i++)
		update->entries[i].asked = belongs(update, &update->entries[i]);
	return true;
}

static int make_message(struct dnsupdate *update)
{
	const struct dnsupdate_entry *first = &update->entries[update->first];
	struct dnswire_record records[MESSAGE_RECORDS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < update->count; i++)
		if (update->entries[i].asked)
			records[count++] = (struct dnswire_record){
				&update->entries[i].name, update->entries[i].address };
	switch (update->step) {
	case DNSUPDATE_FIND:
		if (update->looked_for.length == 0)
			update->looked_for = first->name;
		return dnswire_make_question(update->id, &update->looked_for,
					     &update->message);
	case DNSUPDATE_PROBE:
		return dnswire_make_probe(update->id, &first->zone, records, count,
					  &update->message);
	case DNSUPDATE_WRITE:
		break;
	}
	return dnswire_make_update(update->id, &first->zone, update->ttl_s, records,
				   count, &update->message);
}

bool dnsupdate_next(struct dnsupdate *update, const struct provider_moment *moment,
		    struct dnsupdate_message *ret_message)
{
	int r;

	if (!choose(update))
		return false;
	text_clear(&update->message);
	update->doubt[0] = '\0';
	update->signed_s = moment->wall_s;
	update->id = (uint16_t)(moment->chance[0] << 8 | moment->chance[1]);
	r = make_message(update);
	if (r == 0)
		r = tsig_sign(&update->key, moment->wall_s, &update->message,
			      &update->mac);
	if (r < 0) {
		dnsupdate_conclude_all(update, MESSAGE_TRANSIENT, r == -EINVAL ?
				       "libcrypto may not use this algorithm here" :
				       "no memory for a message");
		return false;
	}
	*ret_message = (struct dnsupdate_message){ update->message.bytes,
						   update->message.length };
	return true;
}

void dnsupdate_fail(struct dnsupdate *update, enum message_verdict verdict,
		    const char *why)
{
	if (update->doubt[0])
		dnsupdate_conclude_all(update, MESSAGE_TRANSIENT, update->doubt);
	else
		dnsupdate_conclude_all(update, verdict, why);
}
