/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every setting of every provider with values that would end a component, a line or a
 * request: what leaves is one request line all the same, and what holds a control character
 * is refused when the configuration is loaded. The other settings and the answers are those
 * of tests/providers/ID.json.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "figure.h"
#include "hairpin/config.h"
#include "hairpin/json.h"
#include "hairpin/provider.h"
#include "scratch_room.h"

static const char *const ours[] = { "conf/providers", NULL };
static const struct provider_moment moment = { .wall_s = 1790000000 };

/* "abc" is what the others are compared with. */
static const char *const values[] = {
	"abc", "a b", "a&b=c", "a#b", "a?b", "a/../b", "..", "a%0d%0aX: y", "a\"b", "a\\b",
	"a<b>", "a{hostname}", "a;b", "a=", "@evil.example", "a\xc3\xa4",
};
static const char *const controls[] = {
	"a\r\nHost: evil.example\r\n\r\nGET /x HTTP/1.1", "a\nb", "a\rb", "a\tb", "a\x7f",
	"\x1b[31m",
};
enum { VALUES = sizeof(values) / sizeof(values[0]),
       CONTROLS = sizeof(controls) / sizeof(controls[0]), REQUESTS_MAX = 16,
       PROVIDERS_MAX = 250 };

struct tally {
	unsigned providers, requests, refused, loads, good_loads;
	long lines, controls, components, loaded;	/* what went wrong */
};

struct provider {
	struct catalogue *catalogue;
	struct json *file;
	const struct json *play;
	struct provider_value settings[CATALOGUE_SETTINGS_MAX];
};

static struct tally tally;

/* --- one provider --- */

static char *slurp(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, JSON_MAX_BYTES + 1);

	if (!file || !text)
		fail_msg("%s is missing", path);
	(void)!fread(text, 1, JSON_MAX_BYTES, file);
	fclose(file);
	return text;
}

static void provider_read(struct provider *provider, const char *id)
{
	char path[300], *text, *description = NULL;
	struct json_error error;
	struct err err = { 0 };

	snprintf(path, sizeof(path), "tests/providers/%s.json", id);
	text = slurp(path);
	provider->file = json_parse(text, strlen(text), JSON_STRICT, &error);
	free(text);
	assert_non_null(provider->file);
	provider->play = json_child(json_get(provider->file, "cases"));
	if (catalogue_find(ours, id, &description, &err) < 0 ||
	    catalogue_parse(description, strlen(description), &provider->catalogue, &err) < 0)
		fail_msg("%s: %s", id, err.text);
	free(description);
}

static void provider_done(struct provider *provider)
{
	catalogue_free(provider->catalogue);
	json_free(provider->file);
}

static const char *given(const struct provider *provider, const char *name)
{
	const struct json *settings = json_get(provider->play, "settings");

	if (!settings)
		settings = json_get(provider->file, "settings");
	return json_string(json_get(settings, name));
}

static void provider_set(struct provider *provider, size_t which, const char *value)
{
	for (size_t i = 0; i < provider->catalogue->setting_count; i++) {
		const struct catalogue_setting *setting = &provider->catalogue->settings[i];
		const char *text = given(provider, setting->name);

		provider->settings[i] = (struct provider_value){
			setting->name, i == which ? value : text ? text : setting->fallback };
	}
}

/* --- what leaves --- */

static size_t count(const char *text, const char *bytes)
{
	size_t found = 0;

	for (; text && *text; text++)
		found += strchr(bytes, *text) != NULL;
	return found;
}

static void check_request(const struct provider_request *request)
{
	const char *lines = "\r\n";

	tally.requests++;
	for (const unsigned char *c = (const void *)request->url; *c; c++)
		tally.controls += *c <= 0x20 || *c >= 0x7f;
	tally.lines += (long)count(request->url, lines);
	tally.lines += (long)count(request->method, "\r\n ");
	tally.lines += (long)count(request->user, lines);
	tally.lines += (long)count(request->password, lines);
	for (size_t i = 0; i < request->header_count; i++)
		tally.lines += (long)count(request->headers[i], lines);
}

static void answer(struct provider_session *session, const struct json *exchange)
{
	const struct json *said = json_get(exchange, "answer"), *body;
	struct provider_answer reply = { .https = true, .retry_after = "", .headers = "",
					 .http_status = 200, .body = "" };
	int64_t status;
	char *json = NULL;

	if (json_integer(json_get(said, "status"), 200, 599, &status))
		reply.http_status = (unsigned)status;
	body = json_get(said, "body");
	if (json_string(body))
		reply.body = json_string(body);
	else if (body && json_kind(body) != JSON_NULL)
		reply.body = json = json_print(body, false);
	reply.length = strlen(reply.body);
	provider_session_answer(session, &reply);
	free(json);
}

/* All requests of the first case; the components of the first one's URL. */
static size_t play(struct provider *provider)
{
	struct provider_record records[MESSAGE_RECORDS_MAX] = { 0 };
	const struct json *item = json_child(json_get(provider->play, "records"));
	const struct json *exchange = json_child(json_get(provider->play, "exchange"));
	struct provider_job job = { .catalogue = provider->catalogue, .records = records,
				    .settings = provider->settings,
				    .setting_count = provider->catalogue->setting_count };
	struct provider_session *session = NULL;
	struct provider_request request;
	size_t components = 0;

	for (; item; item = json_next(item)) {
		struct provider_record *record = &records[job.record_count++];

		record->hostname = json_string(json_get(item, "hostname"));
		record->memo = "";
		assert_true(addr_parse(json_string(json_get(item, "address")),
				       &record->address));
	}
	if (provider_session_new(&job, &session, NULL) < 0) {
		tally.refused++;
		return 0;
	}
	for (int i = 0; i < REQUESTS_MAX; i++) {
		if (!provider_session_next(session, &moment, &request))
			break;
		check_request(&request);
		if (i == 0)
			components = count(request.url, "/?#&=@ \"<>\\");
		provider_request_done(&request);
		answer(session, exchange);
		exchange = json_next(exchange) ? json_next(exchange) : exchange;
	}
	provider_session_free(session);
	return components;
}

static bool is_text(const struct catalogue_setting *setting)
{
	return setting->kind == CATALOGUE_TEXT;
}

static void try_values(struct provider *provider, size_t which)
{
	size_t plain = 0, components;

	for (size_t i = 0; i < VALUES; i++) {
		provider_set(provider, which, values[i]);
		components = play(provider);
		if (i == 0)
			plain = components;
		else if (components > plain)
			tally.components++;
	}
	/* As if they had passed the configuration. */
	for (size_t i = 0; i < CONTROLS; i++) {
		provider_set(provider, which, controls[i]);
		(void)play(provider);
	}
}

/* --- what is refused at load --- */

static char *configuration(const struct provider *provider, size_t which,
			   const char *value, const char *hostname)
{
	struct json *root = json_new_object(), *list, *entry, *names;
	char *text;

	list = json_add(root, "providers", json_new_array());
	entry = json_add(list, NULL, json_new_object());
	json_add_string(entry, "type", provider->catalogue->id);
	for (size_t i = 0; i < provider->catalogue->setting_count; i++) {
		const struct catalogue_setting *setting = &provider->catalogue->settings[i];
		const char *normal = given(provider, setting->name);

		if (i == which || normal)
			json_add_string(entry, setting->name, i == which ? value : normal);
	}
	names = json_add(entry, "hostnames", json_new_array());
	json_add_string(names, NULL, hostname);
	text = json_print(root, false);
	json_free(root);
	return text;
}

static bool loads(const struct provider *provider, size_t which, const char *value,
		  const char *hostname)
{
	struct config_problems problems = { .text = TEXT_INIT };
	char *text = configuration(provider, which, value, hostname), path[128];
	struct config_load load = { .catalogue = ours };
	struct config *config = NULL;
	bool loaded;

	scratch_write(&scratch, "hairpind.json", text, 0600);
	load.path = scratch_path(&scratch, "hairpind.json", path);
	loaded = config_load(&load, &config, &problems) == 0;
	tally.loads++;
	config_problems_done(&problems);
	config_free(config);
	free(text);
	return loaded;
}

static void try_loads(const struct provider *provider)
{
	size_t none = SIZE_MAX;

	tally.good_loads += loads(provider, none, NULL, "home.example.org");
	for (size_t i = 0; i < provider->catalogue->setting_count; i++)
		if (provider->catalogue->settings[i].kind != CATALOGUE_DOCUMENT)
			for (size_t k = 0; k < 2; k++)
				tally.loaded += loads(provider, i, controls[k],
						      "home.example.org");
	tally.loaded += loads(provider, none, NULL, controls[0]);
	tally.loaded += loads(provider, none, NULL, "home.example.org\r\nX: y");
}

/* --- all --- */

/* A test for each, so that what fails says whose it is. */
static void one_provider(void **state)
{
	struct provider provider = { 0 };

	provider_read(&provider, *state);
	for (size_t i = 0; i < provider.catalogue->setting_count; i++)
		if (is_text(&provider.catalogue->settings[i]))
			try_values(&provider, i);
	try_loads(&provider);
	provider_done(&provider);
	tally.providers++;
}

/* Without the others before it, it has nothing to say. */
static void all_of_them(void **state)
{
	(void)state;
	if (tally.providers == 0)
		skip();
	print_message("# %u providers, %u requests, %u jobs refused, %u loads\n",
		      tally.providers, tally.requests, tally.refused, tally.loads);
	assert_true(tally.providers > 50 && tally.requests > 5000);
	assert_true(tally.good_loads > tally.providers / 2);
	figure_exactly("S26", "line breaks within a request line or header, all providers",
		       tally.lines, 0);
	figure_exactly("S26", "bytes of a URL that should be percent-encoded", tally.controls,
		       0);
	figure_exactly("S26", "URLs with a component more than with a plain value",
		       tally.components, 0);
	figure_exactly("S26", "configurations loaded with a control character",
		       tally.loaded, 0);
}

int main(void)
{
	static char names[PROVIDERS_MAX][256];
	static struct CMUnitTest tests[PROVIDERS_MAX + 1];
	DIR *directory = opendir("tests/providers");
	const struct dirent *entry;
	size_t count = 0;

	while (directory && (entry = readdir(directory)) && count < PROVIDERS_MAX) {
		char *name = names[count], *dot;

		snprintf(name, sizeof(names[0]), "%s", entry->d_name);
		dot = strstr(name, ".json");
		if (!dot)
			continue;
		*dot = '\0';
		tests[count++] = (struct CMUnitTest){
			.name = name, .test_func = one_provider, .initial_state = name,
			.setup_func = scratch_begin, .teardown_func = scratch_end,
		};
	}
	if (directory)
		closedir(directory);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(all_of_them);
	return count > 50 ? _cmocka_run_group_tests("request injection", tests, count, NULL,
						    NULL)
			  : 1;
}
