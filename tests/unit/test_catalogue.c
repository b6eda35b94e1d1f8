/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Provider descriptions: ours all load, mistakes have places, what comes later is refused.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "hairpin/config.h"

static const char *const ours[] = { "conf/providers", NULL };

static struct catalogue *parse(const char *text)
{
	struct catalogue *catalogue = NULL;
	struct err err = { 0 };

	if (catalogue_parse(text, strlen(text), &catalogue, &err) < 0)
		fail_msg("%s\nin: %s", err.text, text);
	return catalogue;
}

static void all_of_ours_load(void **state)
{
	DIR *directory = opendir("conf/providers");
	const struct dirent *entry;
	unsigned count = 0;

	(void)state;
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		char id[CATALOGUE_NAME_BYTES] = "", *text = NULL;
		struct err err = { 0 };
		struct catalogue *catalogue;

		if (!strstr(entry->d_name, ".json"))
			continue;
		snprintf(id, sizeof id, "%.*s", (int)strlen(entry->d_name) - 5, entry->d_name);
		if (catalogue_find(ours, id, &text, &err) < 0)
			fail_msg("%s", err.text);
		catalogue = parse(text);
		assert_string_equal(catalogue->id, id);
		assert_true(catalogue->shut_down || catalogue->step_count > 0 ||
			    catalogue->protocol == CATALOGUE_RFC2136);
		catalogue_free(catalogue);
		free(text);
		count++;
	}
	closedir(directory);
	assert_true(count >= 6);
}

static const char full[] =
	"{ \"id\": \"a-1\", \"name\": \"A\", \"website\": \"https://a\", "
	"\"status\": \"alive\",\n"
	"  \"note\": \"n\",\n"
	"  \"settings\": {\"server\": {\"kind\": \"server\", \"required\": "
	"true, \"help\": \"h\"},\n"
	"    \"key\": {\"secret\": true, \"required\": true, \"help\": \"h\"},\n"
	"    \"ttl\": {\"default\": \"60\", \"help\": \"h\"},\n"
	"    \"view\": {\"default\": \"\", \"help\": \"h\"}},\n"
	"  \"basic\": {\"user\": \"{view}\", \"password\": \"{key}\"},\n"
	"  \"protocol\": \"dyndns2\",\n"
	"  \"requests\": [\n"
	"    {\"family\": \"ipv4\", \"method\": \"PUT\", \"url\": "
	"\"https://{server}/{hostnames}\",\n"
	"     \"headers\": {\"X-Key\": \"{key}\"}, \"body\": {\"ip\": "
	"\"{ipv4}\", \"n\": [1]}},\n"
	"    {\"family\": \"ipv6\", \"method\": \"POST\", \"url\": "
	"\"https://x.org/{hostnames}?{}\",\n"
	"     \"body\": \"a={ipv6}&t={ttl}&{4}\", \"body_type\": \"form\"},\n"
	"    {\"family\": \"dual\", \"url\": "
	"\"http://x.org/?{hostnames},{ipv4},{ipv6}\"} ],\n"
	"  \"answers\": [ {\"http\": 200, \"token\": \"ok\", \"means\": \"good\"},\n"
	"    {\"prefix\": \"p\", \"contains\": \"c\", \"line\": \"l\", "
	"\"means\": \"transient\"} ],\n"
	"  \"other_family\": \"deleted\", \"batch\": 5, \"parallel\": 2, "
	"\"per_minute\": 3,\n"
	"  \"min_interval\": \"60s\", \"refresh\": \"25d\" }";

static void everything_arrives(void **state)
{
	struct catalogue *c = parse(full);

	(void)state;
	assert_string_equal(c->id, "a-1");
	assert_string_equal(c->note, "n");
	assert_false(c->shut_down);
	assert_int_equal(c->setting_count, 4);
	assert_int_equal(c->settings[0].kind, CATALOGUE_SERVER);
	assert_true(c->settings[1].secret);
	assert_string_equal(c->settings[2].fallback, "60");
	assert_string_equal(c->settings[3].fallback, "");
	assert_string_equal(c->basic_user, "{view}");
	assert_int_equal(c->protocol, CATALOGUE_DYNDNS2);
	assert_int_equal(c->step_count, 3);
	assert_string_equal(c->steps[0].method, "PUT");
	assert_string_equal(c->steps[0].body, "{\"ip\":\"{ipv4}\",\"n\":[1]}");
	assert_string_equal(c->steps[0].body_type, "json");
	assert_string_equal(c->steps[0].headers[0].name, "X-Key");
	assert_string_equal(c->steps[1].body_type, "form");
	assert_string_equal(c->steps[2].method, "GET");
	assert_int_equal(c->rule_count, 2);
	assert_int_equal(c->rules[0].http, 200);
	assert_string_equal(c->rules[0].token, "ok");
	assert_int_equal(c->rules[0].verdict, CATALOGUE_GOOD);
	assert_int_equal(c->rules[1].http, 0);
	assert_int_equal(c->rules[1].verdict, CATALOGUE_TRANSIENT);
	assert_int_equal(c->facts.families, CONFIG_IPV4 | CONFIG_IPV6);
	assert_true(c->facts.dual);
	assert_int_equal(c->facts.other_family, CATALOGUE_OTHER_DELETED);
	assert_int_equal(c->facts.batch_hostnames, 5);
	assert_int_equal(c->facts.parallel, 2);
	assert_int_equal(c->facts.per_minute, 3);
	assert_int_equal(c->facts.min_interval_ms, 60000);
	assert_int_equal(c->facts.refresh_ms, 25LL * 86400000);
	catalogue_free(c);
}

/* `old` in the full text replaced by `new` must be refused with `words`. */
static const struct {
	const char *old, *new, *words;
} mistakes[] = {
	{ "\"note\"", "\"notes\"",
	  "2:3: unknown key \"notes\" in a description; did" },
	{ "\"id\": \"a-1\"", "\"id\": \"A\"", "1:3: \"id\" must be" },
	{ "\"id\": \"a-1\",", "", "\"id\", \"name\" and \"status\" must be" },
	{ "\"alive\"", "\"alife\"", "did you mean \"alive\"" },
	{ "\"required\": true, \"help\": \"h\"}", "\"help\": \"h\"}", "either" },
	{ "\"default\": \"60\", \"help\": \"h\"", "\"default\": \"60\"",
	  "\"help\" is missing" },
	{ "\"ttl\":", "\"hostname\":", "has a meaning of its own" },
	{ "\"ttl\":", "\"Ttl\":", "is no name for a placeholder" },
	{ "{ttl}", "{tll}", "13:6: unknown placeholder {tll}" },
	{ "{ipv6}&t", "{ipv4}&t", "no meaning in a request for this" },
	{ "{hostnames},{ipv4}", "{hostnames},{ip}", "no meaning" },
	{ "\"{view}\"", "\"{ip}\"", "cannot stand in \"basic\"" },
	{ "\"password\": \"{key}\"", "\"user2\": \"\"", "unknown key" },
	{ ", \"password\": \"{key}\"", "", "\"basic\" needs" },
	{ "https://{server}/", "https://{key}/", "server is fixed or" },
	{ "https://{server}/", "https://x{server}/", "server is fixed or" },
	{ "https://{server}/", "https://{server}.x/", "server is fixed or" },
	{ "https://{server}/", "https://me@x.org/", "no name or password" },
	{ "https://{server}/", "ftp://x.org/", "begins with https://" },
	{ "https://{server}/", "https:///", "names no server" },
	{ "https://{server}/", "https://x.org/a b", "percent-encoded" },
	{ "\"PUT\"", "\"GET\"", "takes no body" },
	{ "\"PUT\"", "\"PUTT\"", "unknown word" },
	{ ", \"body_type\": \"form\"", "", "\"body_type\" is missing" },
	{ "\"form\"", "\"html\"", "unknown word \"html\"" },
	{ "X-Key", "Host", "is hairpind's own" },
	{ "X-Key", "X Key", "is no name of a header" },
	{ "{\"X-Key\": \"{key}\"}", "[]", "must be an object" },
	{ "\"family\": \"ipv6\"", "\"family\": \"any\"",
	  "another request for this family" },
	{ "\"http\": 200", "\"http\": 700", "a whole number from 200 to 599" },
	{ "\"http\": 200", "\"http\": [200, 201]", "one status or range a rule" },
	{ "\"transient\"", "\"great\"", "unknown word" },
	{ ", \"means\": \"good\"", "", "\"means\" is missing" },
	{ "\"http\": 200, \"token\": \"ok\", ", "", "needs a condition" },
	{ "\"batch\": 5", "\"batch\": 21", "from 1 to 20" },
	{ "/?{hostnames},", "/?{hostname},", "that of the first name alone" },
	{ "/?{hostnames},", "/?", "\"batch\" needs {hostnames}" },
	{ "\"25d\"", "\"25\"", "must be a duration" },
	{ "\"deleted\"", "\"gone\"", "unknown word" },
	{ "\"name\": \"A\"", "\"name\": \"A\\u001b\"", "control character" },
	{ "\"name\": \"A\"", "\"name\": \"A\", \"name\": \"B\"", "1:" },
};

static void mistakes_have_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
		const char *at = strstr(full, mistakes[i].old);
		TEXT_CLEANUP struct text text = TEXT_INIT;
		struct catalogue *catalogue = NULL;
		struct err err = { 0 };

		assert_non_null(at);
		text_add_bytes(&text, full, (size_t)(at - full));
		text_add(&text, mistakes[i].new);
		text_add(&text, at + strlen(mistakes[i].old));
		if (catalogue_parse(text.bytes, text.length, &catalogue, &err) != -EINVAL ||
		    !strstr(err.text, mistakes[i].words))
			fail_msg("case %zu, %s: %s", i, mistakes[i].new, err.text);
		assert_null(catalogue);
	}
}

/* What stands between .Bd and .Ed in the manual, and begins with a brace. */
static void the_manuals_examples_load(void **state)
{
	FILE *page = fopen("packaging/man/hairpind-providers.5", "re");
	TEXT_CLEANUP struct text block = TEXT_INIT;
	bool within = false;
	unsigned count = 0;
	char line[256];

	(void)state;
	assert_non_null(page);
	while (fgets(line, sizeof line, page)) {
		if (strncmp(line, ".Ed", 3) == 0 && block.bytes[0] == '{') {
			catalogue_free(parse(block.bytes));
			count++;
		}
		if (strncmp(line, ".Bd", 3) == 0 || strncmp(line, ".Ed", 3) == 0)
			text_clear(&block);
		else if (within)
			text_add(&block, line);
		within = strncmp(line, ".Ed", 3) != 0 &&
			 (within || strncmp(line, ".Bd", 3) == 0);
	}
	fclose(page);
	assert_int_equal(count, 2);
}

static void rules_alone_need_answers(void **state)
{
	static const char text[] = "{ \"id\": \"a\", \"name\": \"A\", \"status\": \"alive\","
		"\"requests\": [ {\"url\": \"https://x.org/{hostname}?{ip}\"} ] }";
	struct catalogue *catalogue = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(catalogue_parse(text, strlen(text), &catalogue, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no rule of \"answers\" says when this is \"good\""));
}

static void the_dead_are_known(void **state)
{
	struct catalogue *catalogue;
	struct err err = { 0 };
	char *text = NULL;

	(void)state;
	assert_int_equal(catalogue_find(ours, "google-domains", &text, &err), 0);
	catalogue = parse(text);
	assert_true(catalogue->shut_down);
	assert_int_equal(catalogue->ended, 2024);
	assert_non_null(catalogue->instead);
	catalogue_free(catalogue);
	free(text);
}

static void unknown_ids(void **state)
{
	static const struct {
		const char *id, *words;
	} cases[] = {
		{ "dukdns", "did you mean \"duckdns\"?" },
		{ "something-else-entirely", "`hairpinctl providers` lists" },
		{ "../providers/dyn", "unknown provider" },
		{ "dyn.json/../dyn", "unknown provider" },
		{ "", "unknown provider" },
		{ "a\x1b[2J", "unknown provider \"a\\x1b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = { 0 };
		char *text = NULL;

		assert_int_equal(catalogue_find(ours, cases[i].id, &text, &err), -ENOENT);
		if (!strstr(err.text, cases[i].words))
			fail_msg("%s: %s", cases[i].id, err.text);
	}
}

/* A user's own description goes before ours; its mistakes name the file. */
static void users_own_come_first(void **state)
{
	char directory[] = "/tmp/hairpin-catalogue-XXXXXX", path[64];
	const char *const both[] = { directory, "conf/providers", NULL };
	struct err err = { 0 };
	char *text = NULL;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/dyn.json", directory);
	file = fopen(path, "we");
	fputs("// mine\n{ \"id\": \"dyn\", \"name\": \"Mine\", \"status\": \"shut down\" }", file);
	fclose(file);
	assert_int_equal(chmod(path, 0664), 0);
	assert_int_equal(catalogue_find(both, "dyn", &text, &err), -EPERM);
	assert_non_null(strstr(err.text, "may be written by others"));
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(catalogue_find(both, "dyn", &text, &err), 0);
	assert_string_equal(text,
				 "{\"id\":\"dyn\",\"name\":\"Mine\",\"status\":\"shut down\"}");
	free(text);
	assert_int_equal(catalogue_find(both, "noip", &text, &err), 0);
	free(text);

	file = fopen(path, "we");
	fputs("{ \"id\": \"dym\", \"name\": \"Mine\", \"status\": \"shut down\" }", file);
	fclose(file);
	assert_int_equal(catalogue_find(both, "dyn", &text, &err), -EINVAL);
	assert_non_null(strstr(err.text, "must be \"dyn\""));
	file = fopen(path, "we");
	fputs("{\n \"id\": 3 }", file);
	fclose(file);
	assert_int_equal(catalogue_find(both, "dyn", &text, &err), -EINVAL);
	assert_non_null(strstr(err.text, "dyn.json:2:2: "));
	remove(path);
	remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_ours_load),
		cmocka_unit_test(everything_arrives),
		cmocka_unit_test(mistakes_have_places),
		cmocka_unit_test(the_manuals_examples_load),
		cmocka_unit_test(rules_alone_need_answers),
		cmocka_unit_test(the_dead_are_known),
		cmocka_unit_test(unknown_ids),
		cmocka_unit_test(users_own_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
