/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session that is played: what it asks, in this order and nothing else, and what it is
 * answered.
 */
#ifndef SESSION_ROOM_H
#define SESSION_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hairpin/provider.h"

#define HEAD "{\"id\": \"x\", \"name\": \"X\", \"status\": \"alive\", "

/* Zone and record are looked for, then the record is changed or made. */
static const char zones_description[] = HEAD
	"\"settings\": {\"token\": {\"required\": true, \"secret\": true, \"help\": \"t\"},"
	"\"zone_id\": {\"default\": \"\", \"help\": \"z\"},"
	"\"domain\": {\"default\": \"\", \"help\": \"d\"}},"
	"\"requests\": ["
	"{\"step\": \"zone\", \"when\": {\"missing\": \"zone_id\"},"
	" \"url\": \"https://x.org/zones\", \"headers\": {\"Authorization\": \"{token}\"},"
	" \"read\": {\"zone_id\": {\"json\": \"[name~{hostname}].id\"},"
	"            \"zone\": {\"json\": \"[name~{hostname}].name\"}},"
	" \"keep\": [\"zone_id\"]},"
	"{\"step\": \"record\", \"url\": \"https://x.org/{zone_id}/{rrtype}/{hostname}\","
	" \"headers\": {\"Authorization\": \"{token}\"},"
	" \"read\": {\"id\": {\"json\": \"id\"}, \"now\": {\"json\": \"addr\"}},"
	" \"answers\": [{\"http\": 404, \"means\": \"no-record\"}]},"
	"{\"step\": \"update\", \"when\": {\"found\": \"id\", \"differs\": \"now\"},"
	" \"method\": \"PATCH\", \"url\": \"https://x.org/{zone_id}/{id}\","
	" \"headers\": {\"Authorization\": \"{token}\"},"
	" \"body\": {\"addr\": \"{ip}\"}},"
	"{\"step\": \"create\", \"when\": {\"missing\": \"id\"},"
	" \"method\": \"POST\", \"url\": \"https://x.org/{zone_id}\","
	" \"body\": {\"type\": \"{rrtype}\", \"name\": \"{hostname}\", \"addr\": \"{ip}\"}}],"
	"\"answers\": [{\"json\": \"ok\", \"is\": true, \"means\": \"good\"}],"
	"\"says\": [\"error\"]}";

/* One request, "METHOD URL" or "METHOD URL BODY", and its answer. */
struct exchange {
	const char *asks;
	unsigned status;		/* 0: nobody answers */
	const char *says;
};

struct play {
	struct catalogue *catalogue;
	struct provider_value settings[CATALOGUE_SETTINGS_MAX];
	size_t setting_count;
	struct provider_record records[MESSAGE_RECORDS_MAX];
	size_t record_count;
	bool insecure_http;
	const char *headers;		/* of every answer; NULL: none of interest */
	struct provider_session *session;
	uint8_t chance;			/* new for every request */
};

static inline void play_set(struct play *play, const char *name, const char *value)
{
	play->settings[play->setting_count++] = (struct provider_value){ name, value };
}

static inline void play_want(struct play *play, const char *hostname, const char *address,
			     const char *memo)
{
	struct provider_record *record = &play->records[play->record_count++];

	record->hostname = hostname;
	record->memo = memo;
	assert_true(addr_parse(address, &record->address));
}

static inline void play_read(struct play *play, const char *json)
{
	struct err err = { 0 };

	if (catalogue_parse(json, strlen(json), &play->catalogue, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void play_zones(struct play *play)
{
	play_read(play, zones_description);
	play_set(play, "token", "secret-token");
}

static inline void play_check_request(const struct provider_request *request,
				      const char *asks)
{
	char line[4096];

	snprintf(line, sizeof(line), "%s %s%s%s", request->method, request->url,
		 request->body ? " " : "", request->body ? request->body : "");
	assert_string_equal(line, asks);
}

static inline void play_answer(struct play *play, const struct exchange *exchange)
{
	struct provider_answer answer = {
		.http_status = exchange->status, .body = exchange->says,
		.length = strlen(exchange->says), .https = true, .retry_after = "",
		.headers = play->headers ? play->headers : "" };

	if (exchange->status == 0)
		provider_session_fail(play->session, MESSAGE_UNREACHABLE,
				      exchange->says);
	else
		provider_session_answer(play->session, &answer);
}

static inline void play_begin(struct play *play)
{
	struct provider_job job = {
		.catalogue = play->catalogue,
		.settings = play->settings, .setting_count = play->setting_count,
		.records = play->records, .record_count = play->record_count,
		.insecure_http = play->insecure_http };
	struct err err = { 0 };

	if (provider_session_new(&job, &play->session, &err) < 0)
		fail_msg("%s", err.text);
}

static inline bool play_next(struct play *play, struct provider_request *ret_request)
{
	struct provider_moment moment = { .wall_s = 1795269600 };

	memset(moment.chance, ++play->chance, sizeof(moment.chance));
	return provider_session_next(play->session, &moment, ret_request);
}

/* The list ends with an exchange that asks nothing. */
static inline void play_all(struct play *play, const struct exchange *exchanges)
{
	struct provider_request request;

	play_begin(play);
	for (; play_next(play, &request); exchanges++) {
		play_check_request(&request, exchanges->asks ? exchanges->asks :
							       "nothing more");
		provider_request_done(&request);
		play_answer(play, exchanges);
	}
	if (exchanges->asks)
		fail_msg("it did not ask %s", exchanges->asks);
	for (size_t i = 0; i < play->record_count; i++)
		assert_non_null(provider_session_outcome(play->session, i));
}

static inline const struct provider_outcome *play_outcome(const struct play *play,
							  size_t record)
{
	return provider_session_outcome(play->session, record);
}

static inline void play_expect(const struct play *play, size_t record,
			       enum message_verdict verdict, const char *memo)
{
	const struct provider_outcome *outcome = play_outcome(play, record);

	assert_string_equal(message_verdict_name(outcome->verdict.verdict),
			    message_verdict_name(verdict));
	assert_string_equal(outcome->memo, memo);
}

static inline void play_done(struct play *play)
{
	provider_session_free(play->session);
	catalogue_free(play->catalogue);
	memset(play, 0, sizeof(*play));
}

/* The same description and settings, other records. */
static inline void play_over(struct play *play)
{
	provider_session_free(play->session);
	play->session = NULL;
	play->record_count = 0;
}

#endif
