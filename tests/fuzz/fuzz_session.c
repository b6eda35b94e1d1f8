/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job against a server that says anything. The first byte chooses the description, the
 * second the records and whether their memos hold something; the memo and the answers
 * follow, a line "STATUS HEADER" and a body up to the next line that is "." each. When
 * they are used up the last is said again. The requests are bounded, each is one of a
 * server that the description names, and in the end every record has an outcome.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hairpin/provider.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD "{\"id\": \"x\", \"name\": \"X\", \"status\": \"alive\", "

static const char *const descriptions[] = {
	HEAD "\"batch\": 3, \"protocol\": \"dyndns2\", \"requests\": ["
	"{\"family\": \"any\", \"url\": \"https://x.org/?h={hostnames}&a={ip}\"},"
	"{\"family\": \"dual\", \"url\": \"https://x.org/?h={hostnames}&a={ipv4},{ipv6}\"}]}",

	HEAD "\"says\": [\"error\"], \"requests\": ["
	"{\"step\": \"zone\", \"url\": \"https://x.org/zones?p={page}\","
	" \"pages\": {\"items\": \"z\", \"size\": 1, \"first\": 0},"
	" \"read\": {\"zone_id\": {\"json\": \"z[name~{hostname}].id\"},"
	"            \"zone\": {\"json\": \"z[name~{hostname}].name\"}},"
	" \"keep\": [\"zone_id\", \"zone\"]},"
	"{\"step\": \"record\", \"url\": \"https://x.org/{zone_id}/{owner}\","
	" \"read\": {\"id\": {\"json\": \"*[type={rrtype}].id\"},"
	"            \"now\": {\"regex\": \"addr=([^ ]*)\"}},"
	" \"answers\": [{\"http\": 404, \"means\": \"no-record\"},"
	"               {\"json\": \"same\", \"is\": \"{ip}\", \"means\": \"unchanged\"}]},"
	"{\"step\": \"update\", \"when\": {\"found\": \"id\", \"differs\": \"now\"},"
	" \"method\": \"PATCH\", \"url\": \"https://x.org/{zone_id}/{id}\","
	" \"body\": {\"addr\": \"{ip}\", \"id\": \"{id:raw}\"}},"
	"{\"step\": \"create\", \"when\": {\"missing\": \"id\"},"
	" \"method\": \"POST\", \"url\": \"https://x.org/{zone_id}\","
	" \"body\": {\"addr\": \"{ip}\"}}],"
	"\"answers\": [{\"json\": \"ok\", \"is\": true, \"means\": \"good\"}]}",

	HEAD "\"requests\": ["
	"{\"step\": \"login\", \"does\": \"look\", \"method\": \"POST\","
	" \"url\": \"https://x.org/login\", \"body\": {\"t\": \"{nonce}\"},"
	" \"read\": {\"session\": {\"header\": \"X-Session\"}}},"
	"{\"step\": \"list\", \"family\": \"every\", \"url\": \"https://x.org/l\","
	" \"headers\": {\"X-Session\": \"{session}\"},"
	" \"pages\": {\"next_url\": \"next\"},"
	" \"read\": {\"id\": {\"json\": \"r[name={hostname}].id\"}}, \"keep\": [\"id\"]},"
	"{\"step\": \"one\", \"method\": \"POST\", \"url\": \"https://x.org/{id}\","
	" \"body\": \"a={ip}&s={session}\", \"body_type\": \"form\"},"
	"{\"step\": \"two\", \"family\": \"dual\", \"method\": \"POST\","
	" \"url\": \"https://x.org/{id}\", \"body_type\": \"xml\","
	" \"body\": \"<a>{ipv4}</a><s>{session}</s><b>{ipv6}</b>\"},"
	"{\"step\": \"publish\", \"does\": \"clean\", \"method\": \"POST\","
	" \"url\": \"https://x.org/go\", \"headers\": {\"X-Session\": \"{session}\"}},"
	"{\"step\": \"logout\", \"does\": \"clean\", \"when\": \"last\","
	" \"url\": \"https://x.org/bye?{session}\"}],"
	"\"answers\": [{\"http\": 200, \"token\": \"done\", \"means\": \"good\"}]}",

	HEAD "\"batch\": 2, \"requests\": ["
	"{\"step\": \"list\", \"url\": \"https://x.org/l?c={page}\","
	" \"pages\": {\"next\": \"cursor\"},"
	" \"read\": {\"serial\": {\"json\": \"serial\"}}},"
	"{\"step\": \"put\", \"family\": \"each\", \"method\": \"PUT\","
	" \"url\": \"https://x.org/{serial}\", \"body\": {\"r\": [\"{each}\"]},"
	" \"each\": {\"n\": \"{hostname}\", \"a\": \"{ip}\"}}],"
	"\"answers\": [{\"http\": \"200-204\", \"means\": \"good\"},"
	"              {\"http\": 413, \"means\": \"split\"}]}",
};

enum { DESCRIPTIONS = sizeof(descriptions) / sizeof(descriptions[0]) };

static const struct catalogue *description(size_t index)
{
	static struct catalogue *known[DESCRIPTIONS];
	struct err err = { 0 };

	if (!known[index] &&
	    catalogue_parse(descriptions[index], strlen(descriptions[index]),
			    &known[index], &err) < 0) {
		fprintf(stderr, "%zu: %s\n", index, err.text);
		abort();
	}
	return known[index];
}

/* What is left of the input. */
struct script {
	const char *at, *end;
	unsigned status;
	char headers[256];
	const char *body;
	size_t length;
};

static size_t line_length(const struct script *script)
{
	const char *end = memchr(script->at, '\n', (size_t)(script->end - script->at));

	return (size_t)((end ? end : script->end) - script->at);
}

static void skip_line(struct script *script)
{
	script->at += line_length(script);
	script->at += script->at < script->end;
}

static void copy_line(const struct script *script, char *out, size_t out_bytes)
{
	size_t length = line_length(script);

	if (length >= out_bytes)
		length = out_bytes - 1;
	memcpy(out, script->at, length);
	out[length] = '\0';
}

static void next_answer(struct script *script)
{
	char line[200] = "", *header = line;

	if (script->at == script->end)
		return;
	copy_line(script, line, sizeof(line));
	skip_line(script);
	script->status = (unsigned)strtoul(line, &header, 10) % 1000;
	header += *header == ' ';
	snprintf(script->headers, sizeof(script->headers), *header ? "%s\r\n" : "%s",
		 header);
	script->body = script->at;
	while (script->at < script->end &&
	       !(line_length(script) == 1 && *script->at == '.'))
		skip_line(script);
	script->length = (size_t)(script->at - script->body);
	skip_line(script);
}

static void answer(struct provider_session *session, const struct script *script)
{
	struct provider_answer reply = {
		.http_status = script->status, .body = script->body,
		.length = script->length, .cut = script->status == 299, .https = true,
		.retry_after = "7", .headers = script->headers };

	if (script->status < 100)
		provider_session_fail(session, MESSAGE_UNREACHABLE, "nobody is there");
	else
		provider_session_answer(session, &reply);
}

static void check_outcome(const struct provider_outcome *outcome)
{
	require(outcome != NULL);
	require(outcome->verdict.verdict >= MESSAGE_GOOD &&
		outcome->verdict.verdict <= MESSAGE_UNREACHABLE);
	require(outcome->verdict.retry_after_s <= PROVIDER_RETRY_MAX_S);
	require(strlen(outcome->text) < MESSAGE_TEXT_BYTES);
	require(strlen(outcome->memo) < MESSAGE_MEMO_BYTES);
	for (const char *c = outcome->memo; *c; c++)
		require(*c > 0x20 && *c < 0x7f);
}

static void play(struct provider_session *session, struct script *script, size_t records)
{
	/* every step, all pages, a second time without memo, for each record */
	size_t most = records * 2 * CATALOGUE_STEPS_MAX * CATALOGUE_PAGES_MAX;
	struct provider_moment moment = { .wall_s = 1795269600 };
	struct provider_request request;

	for (size_t asked = 0; provider_session_next(session, &moment, &request); asked++) {
		require(asked < most);
		require(strncasecmp(request.url, "https://x.org", 13) == 0 &&
			strchr("/?#", request.url[13]));
		provider_request_done(&request);
		next_answer(script);
		answer(session, script);
		moment.chance[0]++;
	}
	for (size_t i = 0; i < records; i++)
		check_outcome(provider_session_outcome(session, i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "a.x.org", "x.org", "*.x.org" };
	struct provider_record records[6] = { 0 };
	struct script script = { .status = 200, .body = "" };
	struct provider_session *session;
	char memo[MESSAGE_MEMO_BYTES + 8];
	struct provider_job job = { .records = records };

	if (size < 2)
		return 0;
	job.catalogue = description(data[0] % DESCRIPTIONS);
	job.record_count = 1 + data[1] % 6;
	script.at = (const char *)data + 2;
	script.end = (const char *)data + size;
	copy_line(&script, memo, sizeof(memo));
	skip_line(&script);
	for (size_t i = 0; i < job.record_count; i++) {
		records[i].hostname = names[i % 3];
		records[i].memo = data[1] & 0x80 ? memo : "";
		require(addr_parse(i < 3 ? "81.2.69.7" : "2a01:4f8::7",
				   &records[i].address));
	}
	if (provider_session_new(&job, &session, NULL) < 0)
		return 0;
	play(session, &script, job.record_count);
	provider_session_free(session);
	return 0;
}
