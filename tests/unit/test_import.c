/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configurations of ddclient and inadyn become ours: every option that their manuals name
 * is taken, told, or known to be of no use; no secret stands in what is told.
 */
#include <errno.h>

#include "golden_room.h"

#include "hairpin/catalogue.h"
#include "hairpin/import.h"
#include "import/service.h"

static const char *const catalogue[] = { "conf/providers", NULL };

static int read_other(void *context, const char *path, struct text *ret_text)
{
	(void)context;
	if (strcmp(path, "secret.conf") != 0)
		return -ENOENT;
	text_add(ret_text, "password = from-another-file\n");
	return 0;
}

static int run(enum import_from from, const char *text, struct import *ret_import,
	       struct err *ret_err)
{
	return import_run(from, "FILE", text, strlen(text), read_other, NULL, ret_import,
			  ret_err);
}

static void check_sample(enum import_from from, const char *name)
{
	struct import import;
	struct err err = { "" };
	char path[100], *text;
	size_t length;

	snprintf(path, sizeof(path), "tests/unit/golden/import-%s.conf", name);
	text = golden_read(path, &length);
	if (run(from, text, &import, &err) < 0)
		fail_msg("%s", err.text);
	snprintf(path, sizeof(path), "tests/unit/golden/import-%s.json", name);
	golden_compare(path, import.document.bytes);
	snprintf(path, sizeof(path), "tests/unit/golden/import-%s.lost", name);
	golden_compare(path, import.lost.bytes);
	import_done(&import);
	free(text);
}

static void test_samples(void **state)
{
	(void)state;
	check_sample(IMPORT_DDCLIENT, "ddclient");
	check_sample(IMPORT_INADYN, "inadyn");
}

static void test_no_secret_is_told(void **state)
{
	static const char *const secrets[] = {
		"secret", "token\"", "cf-token", "global-key", "gandi-key", "duck", "nc-key",
		"hidden", "oldpassword", "from-another-file", "do-not-print-me",
	};
	static const char *const files[] = { "tests/unit/golden/import-ddclient.lost",
					     "tests/unit/golden/import-inadyn.lost" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t length;
		char *text = golden_read(files[i], &length);

		for (size_t j = 0; j < sizeof(secrets) / sizeof(secrets[0]); j++) {
			const char *at = strstr(text, secrets[j]);

			/* "secret" and the like are also words of advice */
			if (at && strcmp(secrets[j], "secret") != 0)
				fail_msg("%s: %.60s", files[i], at);
		}
		free(text);
	}
}

static bool has_setting(const struct catalogue *type, const char *name)
{
	for (size_t i = 0; i < type->setting_count; i++) {
		if (strcmp(type->settings[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool gives(const struct service *service, const char *name)
{
	for (size_t i = 1; i < 2 * SERVICE_SETTINGS_MAX && service->settings[i - 1]; i += 2) {
		const char *ours = service->settings[i];

		if (strcmp(*ours == '#' ? ours + 1 : ours, name) == 0)
			return true;
	}
	return (service->number && strcmp(service->number, name) == 0) ||
	       (service->domain && strcmp(name, "domain") == 0);
}

static void check_service(const struct service *service)
{
	struct catalogue *type;
	struct err err = { "" };
	char *text;

	if (!service->type) {
		assert_non_null(service->advice);
		return;
	}
	if (catalogue_find(catalogue, service->type, &text, &err) < 0 ||
	    catalogue_parse(text, strlen(text), &type, &err) < 0)
		fail_msg("%s: %s", service->theirs, err.text);
	assert_false(type->shut_down);
	for (size_t i = 1; i < 2 * SERVICE_SETTINGS_MAX && service->settings[i - 1]; i += 2) {
		const char *ours = service->settings[i];

		if (!has_setting(type, *ours == '#' ? ours + 1 : ours))
			fail_msg("%s: %s has no setting %s", service->theirs, service->type,
				 ours);
	}
	for (size_t i = 0; i < type->setting_count; i++) {
		if (type->settings[i].required && !gives(service, type->settings[i].name))
			fail_msg("%s: %s needs %s", service->theirs, service->type,
				 type->settings[i].name);
	}
	catalogue_free(type);
	free(text);
}

/* What the tables say exists, and everything that a type needs is given. */
static void test_tables(void **state)
{
	const struct service *list;
	size_t count;

	(void)state;
	for (size_t table = 0; (list = service_all(table, &count)); table++) {
		for (size_t i = 0; i < count; i++)
			check_service(&list[i]);
	}
	assert_string_equal(service_of_inadyn("freedns")->type, "freedns-v1-api");
	assert_string_equal(service_of_inadyn("default@no-ip.com")->type, "noip");
	assert_null(service_of_inadyn(""));
}

static void expect_refused(enum import_from from, const char *text, const char *sentence)
{
	struct import import;
	struct err err = { "" };

	assert_int_equal(run(from, text, &import, &err), -EBADMSG);
	if (!strstr(err.text, sentence))
		fail_msg("\"%s\" lacks \"%s\"", err.text, sentence);
}

static void test_refusals(void **state)
{
	static const char nul[] = "protocol=noip\0 x.example.org";
	struct import import;
	struct err err;

	(void)state;
	expect_refused(IMPORT_DDCLIENT, "", "no line of it names a host");
	expect_refused(IMPORT_DDCLIENT, "# only\n\n", "no line of it names a host");
	expect_refused(IMPORT_INADYN, "period = 300\n", "no section");
	expect_refused(IMPORT_INADYN, "provider x {\n a = \"b\n", "FILE:3: a quote has no end");
	expect_refused(IMPORT_INADYN, "provider x {\n a = {b\n", "FILE:3: a list has no end");
	expect_refused(IMPORT_INADYN, "\nprovider {\n", "FILE:2: a section wants a name");
	expect_refused(IMPORT_INADYN, "provider noip { hostname = a.b\n", "a section has no end");
	expect_refused(IMPORT_INADYN, "provider noip { hostname a.b }\n", "\"=\" is missing");
	expect_refused(IMPORT_INADYN, "}\n", "a name is missing");
	assert_int_equal(import_run(IMPORT_DDCLIENT, "FILE", nul, sizeof(nul) - 1, NULL, NULL,
				    &import, &err), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_no_secret_is_told),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
