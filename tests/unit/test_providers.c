/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every description of the catalogue against recorded exchanges: the exact requests that
 * leave, and the verdict on every answer. The recordings: tests/providers/ID.json, whose
 * form tests/providers/README.md tells.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "hairpin/catalogue.h"
#include "hairpin/json.h"
#include "hairpin/provider.h"

enum { FILES_MAX = 512, EXCHANGES_MAX = 64 };

static const char *const ours[] = { "conf/providers", NULL };
static const struct provider_moment moment = {
	.wall_s = 1790000000,		/* 2026-09-21T14:13:20Z */
	.chance = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
};

/* One recording on its way through a session. */
struct playing {
	const char *id;
	const struct json *file;
	const struct json *play;	/* the case */
	const struct json *ending;	/* what the last exchange brings; NULL: as it says */
	struct catalogue *catalogue;
};

static const char *name_of(const struct playing *playing)
{
	static char name[256];
	const char *ending = json_string(json_get(playing->ending, "name"));

	snprintf(name, sizeof(name), "%s: %s%s%s", playing->id,
		 json_string(json_get(playing->play, "name")), ending ? ", " : "",
		 ending ? ending : "");
	return name;
}

static const char *text_of(const struct json *object, const char *key)
{
	const char *text = json_string(json_get(object, key));

	return text ? text : "";
}

static void read_file(const char *path, char **ret_text, size_t *ret_length)
{
	FILE *file = fopen(path, "re");
	char *text = malloc(JSON_MAX_BYTES + 1);

	if (!file)
		fail_msg("%s is missing", path);
	*ret_length = fread(text, 1, JSON_MAX_BYTES, file);
	text[*ret_length] = '\0';
	fclose(file);
	*ret_text = text;
}

/* --- the job --- */

static size_t read_settings(const struct playing *playing,
			    struct provider_value values[CATALOGUE_SETTINGS_MAX])
{
	const struct json *given = json_get(playing->play, "settings");
	const struct catalogue *catalogue = playing->catalogue;
	size_t count = 0;

	if (!given)
		given = json_get(playing->file, "settings");
	for (size_t i = 0; i < catalogue->setting_count; i++) {
		const struct catalogue_setting *setting = &catalogue->settings[i];
		const char *value = json_string(json_get(given, setting->name));

		if (!value && setting->required)
			fail_msg("%s: no value for %s", name_of(playing), setting->name);
		if (!value)
			value = setting->fallback;
		values[count++] = (struct provider_value){ setting->name, value };
	}
	for (const struct json *member = json_child(given); member;
	     member = json_next(member)) {
		bool known = false;

		for (size_t i = 0; i < catalogue->setting_count; i++)
			known |= strcmp(catalogue->settings[i].name, json_key(member)) == 0;
		if (!known)
			fail_msg("%s: there is no setting %s", name_of(playing),
				 json_key(member));
	}
	return count;
}

static size_t read_records(const struct playing *playing,
			   struct provider_record records[MESSAGE_RECORDS_MAX])
{
	const struct json *item = json_child(json_get(playing->play, "records"));
	size_t count = 0;

	for (; item; item = json_next(item)) {
		struct provider_record *record = &records[count++];

		assert_true(count <= MESSAGE_RECORDS_MAX);
		record->hostname = text_of(item, "hostname");
		record->memo = text_of(item, "memo");
		if (!addr_parse(text_of(item, "address"), &record->address))
			fail_msg("%s: bad address", name_of(playing));
	}
	if (count == 0)
		fail_msg("%s: no records", name_of(playing));
	return count;
}

/* --- requests --- */

static const struct json *request_of(const struct playing *playing,
				     const struct json *exchange)
{
	const struct json *request = json_get(exchange, "request");
	const char *name = json_string(request);

	if (name)
		request = json_get(json_get(playing->file, "requests"), name);
	if (!request)
		fail_msg("%s: no request %s", name_of(playing), name ? name : "");
	return request;
}

static void check_text(const struct playing *playing, const char *what, const char *got,
		       const char *wanted)
{
	if (!got != !wanted || (got && strcmp(got, wanted) != 0))
		fail_msg("%s: %s\n  is     %s\n  not    %s", name_of(playing), what,
			 got ? got : "(none)", wanted ? wanted : "(none)");
}

static bool has_header(const struct json *wanted, const char *line)
{
	size_t name = strcspn(line, ":");

	for (const struct json *member = json_child(wanted); member;
	     member = json_next(member))
		if (strlen(json_key(member)) == name &&
		    strncasecmp(json_key(member), line, name) == 0)
			return strcmp(line + name + 2, json_string(member)) == 0;
	return false;
}

static void check_request(const struct playing *playing, const struct json *wanted,
			  const struct provider_request *got)
{
	const struct json *headers = json_get(wanted, "headers");
	char login[1024], *basic = NULL;

	check_text(playing, "method", got->method, text_of(wanted, "method"));
	check_text(playing, "url", got->url, text_of(wanted, "url"));
	check_text(playing, "body", got->body, json_string(json_get(wanted, "body")));
	check_text(playing, "aws_sigv4", got->aws_sigv4,
		   json_string(json_get(wanted, "aws_sigv4")));
	if (got->user) {
		snprintf(login, sizeof(login), "%s:%s", got->user, got->password);
		basic = login;
	}
	check_text(playing, "basic", basic, json_string(json_get(wanted, "basic")));
	for (size_t i = 0; i < got->header_count; i++)
		if (!has_header(headers, got->headers[i]))
			fail_msg("%s: %s: an unexpected header: %s", name_of(playing),
				 got->url, got->headers[i]);
	if (got->header_count != json_count(headers))
		fail_msg("%s: %s: %zu headers instead of %zu", name_of(playing), got->url,
			 got->header_count, json_count(headers));
}

/* --- answers --- */

static void give_answer(const struct playing *playing, const struct json *exchange,
			const struct json *said, struct provider_session *session)
{
	const char *url = text_of(request_of(playing, exchange), "url");
	struct provider_answer answer = {
		.https = strncmp(url, "https:", 6) == 0, .retry_after = "",
	};
	const struct json *body = json_get(said, "body");
	char headers[1024] = "", *json = NULL;
	int64_t status = 0;
	size_t used = 0;

	if (!json_integer(json_get(said, "status"), 200, 599, &status))
		fail_msg("%s: an answer without status", name_of(playing));
	for (const struct json *member = json_child(json_get(said, "headers")); member;
	     member = json_next(member)) {
		used += (size_t)snprintf(headers + used, sizeof(headers) - used,
					 "%s: %s\r\n", json_key(member),
					 json_string(member));
		assert_true(used < sizeof(headers));
		if (strcasecmp(json_key(member), "Retry-After") == 0)
			answer.retry_after = json_string(member);
	}
	if (body && !json_string(body) && json_kind(body) != JSON_NULL)
		json = json_print(body, false);
	answer.http_status = (unsigned)status;
	answer.body = json ? json : text_of(said, "body");
	answer.length = strlen(answer.body);
	answer.headers = headers;
	answer.wall_s = moment.wall_s;
	provider_session_answer(session, &answer);
	free(json);
}

static void play_exchanges(const struct playing *playing,
			   struct provider_session *session)
{
	const struct json *exchange = json_child(json_get(playing->play, "exchange"));
	struct provider_request request;

	for (; exchange; exchange = json_next(exchange)) {
		const struct json *said = json_get(exchange, "answer");

		if (!said && !json_next(exchange))
			said = json_get(playing->ending, "answer");
		memset(&request, 0, sizeof(request));
		if (!provider_session_next(session, &moment, &request))
			fail_msg("%s: no request, but expected %s", name_of(playing),
				 text_of(request_of(playing, exchange), "url"));
		check_request(playing, request_of(playing, exchange), &request);
		provider_request_done(&request);
		give_answer(playing, exchange, said, session);
	}
	memset(&request, 0, sizeof(request));
	if (provider_session_next(session, &moment, &request))
		fail_msg("%s: one request more: %s %s", name_of(playing), request.method,
			 request.url);
}

static void check_outcomes(const struct playing *playing,
			   const struct provider_session *session, size_t count)
{
	const struct json *end = playing->ending ? playing->ending : playing->play;
	const struct json *verdict = json_child(json_get(end, "verdicts"));
	const struct json *memo = json_child(json_get(end, "memos"));

	for (size_t i = 0; i < count; i++) {
		const struct provider_outcome *outcome =
			provider_session_outcome(session, i);

		if (!outcome)
			fail_msg("%s: record %zu has no outcome", name_of(playing), i);
		check_text(playing, "verdict",
			   message_verdict_name(outcome->verdict.verdict),
			   json_string(verdict));
		if (memo)
			check_text(playing, "memo", outcome->memo, json_string(memo));
		verdict = json_next(verdict);
		memo = memo ? json_next(memo) : NULL;
	}
	if (verdict || memo)
		fail_msg("%s: more verdicts or memos than records", name_of(playing));
}

static void play(struct playing *playing)
{
	struct provider_record records[MESSAGE_RECORDS_MAX] = { 0 };
	struct provider_value values[CATALOGUE_SETTINGS_MAX];
	struct provider_session *session = NULL;
	struct err err = { 0 };
	struct provider_job job = { .catalogue = playing->catalogue,
				    .settings = values, .records = records };
	bool insecure = false;

	job.setting_count = read_settings(playing, values);
	job.record_count = read_records(playing, records);
	(void)json_bool(json_get(playing->file, "insecure_http"), &insecure);
	job.insecure_http = insecure;
	if (provider_session_new(&job, &session, &err) < 0)
		fail_msg("%s: %s", name_of(playing), err.text);
	play_exchanges(playing, session);
	check_outcomes(playing, session, job.record_count);
	provider_session_free(session);
}

/* --- files --- */

static void play_file(void **state)
{
	struct playing playing = { .id = *state };
	char path[128], *text, *description = NULL;
	struct json_error error;
	struct err err = { 0 };
	struct json *file;
	size_t length, played = 0;

	snprintf(path, sizeof(path), "tests/providers/%s.json", playing.id);
	read_file(path, &text, &length);
	file = json_parse(text, length, JSON_STRICT, &error);
	if (!file)
		fail_msg("%s:%u:%u: %s", path, error.place.line, error.place.column,
			 error.text);
	if (catalogue_find(ours, playing.id, &description, &err) < 0 ||
	    catalogue_parse(description, strlen(description), &playing.catalogue, &err) < 0)
		fail_msg("%s: %s", playing.id, err.text);
	playing.file = file;
	for (playing.play = json_child(json_get(file, "cases")); playing.play;
	     playing.play = json_next(playing.play)) {
		playing.ending = json_child(json_get(playing.play, "ends"));
		do {
			play(&playing);
			played++;
			if (playing.ending)
				playing.ending = json_next(playing.ending);
		} while (playing.ending);
	}
	if (played < 2)
		fail_msg("%s: hardly a test", path);
	catalogue_free(playing.catalogue);
	free(description);
	json_free(file);
	free(text);
}

/* A description without recordings is not known to be right. */
static void every_description_is_played(void **state)
{
	DIR *directory = opendir("conf/providers");
	const struct dirent *entry;
	unsigned missing = 0;

	(void)state;
	while ((entry = readdir(directory))) {
		size_t length = strlen(entry->d_name);
		struct catalogue *catalogue = NULL;
		char id[64], path[256], *text;
		struct err err = { 0 };
		FILE *file;

		if (length < 6 || length > 60 ||
		    strcmp(entry->d_name + length - 5, ".json") != 0)
			continue;
		snprintf(id, sizeof(id), "%.*s", (int)length - 5, entry->d_name);
		if (catalogue_find(ours, id, &text, &err) < 0 ||
		    catalogue_parse(text, strlen(text), &catalogue, &err) < 0)
			fail_msg("%s", err.text);
		snprintf(path, sizeof(path), "tests/providers/%s.json", id);
		file = fopen(path, "re");
		if (!file && catalogue->step_count > 0) {
			print_message("# no recording of %s\n", id);
			missing++;
		}
		if (file)
			fclose(file);
		catalogue_free(catalogue);
		free(text);
	}
	closedir(directory);
	assert_int_equal(missing, 0);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct CMUnitTest *)a)->name,
		      ((const struct CMUnitTest *)b)->name);
}

int main(void)
{
	static struct CMUnitTest tests[FILES_MAX];
	static char ids[FILES_MAX][CATALOGUE_NAME_BYTES];
	DIR *directory = opendir("tests/providers");
	const struct dirent *entry;
	size_t count = 0;

	while (directory && (entry = readdir(directory)) && count < FILES_MAX - 1) {
		size_t length = strlen(entry->d_name);

		if (length < 6 || length - 5 >= sizeof(ids[0]) ||
		    strcmp(entry->d_name + length - 5, ".json") != 0)
			continue;
		snprintf(ids[count], sizeof(ids[0]), "%.*s", (int)length - 5,
			 entry->d_name);
		tests[count] = (struct CMUnitTest){ ids[count], play_file, NULL, NULL,
						    ids[count] };
		count++;
	}
	if (directory)
		closedir(directory);
	qsort(tests, count, sizeof(tests[0]), by_name);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_description_is_played);
	return _cmocka_run_group_tests("providers", tests, count, NULL, NULL);
}
