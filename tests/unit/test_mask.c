/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "provider/mask.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(string) ((char *)(string))

static const struct catalogue catalogue = {
	.setting_count = 4,
	.settings = { { .name = "username" }, { .name = "password", .secret = true },
		      { .name = "update_url", .secret = true, .kind = CATALOGUE_URL },
		      { .name = "extra" } },
	.value_count = 3,
	.values = { { "pair", CATALOGUE_FIXED, { TEXT("{username}/{password}") }, "" },
		    { "digest", CATALOGUE_DIGEST, { TEXT("{pair}") }, "sha256" },
		    { "plain", CATALOGUE_FIXED, { TEXT("nothing of {username}") }, "" } },
	.step_count = 1,
	.steps = { { .header_count = 1,
		     .headers = { { TEXT("X-Pass"), TEXT("Bearer {bearer}") } },
		     .url = TEXT("https://x/{zone_id}/{ticket}") } },
	.say_count = 2,
	.says = { TEXT("errors[0].message"), TEXT("detail") },
};

static const struct provider_value settings[] = {
	{ "username", "me" },
	{ "password", "horse" },
	{ "update_url", "https://u.example.org/dynamic/u.php?QWERTYUIOP=abcdefghijk" },
	{ "unknown", "stranger" },
	{ "signs", "a/b&c\"d/e&f" },
};

static const struct fill_name name = { .hostname = "home.example.org" };

static void fill_begin(struct fill *fill)
{
	static const struct {
		const char *name, *value;
	} reads[] = {
		{ "bearer", "0123456789abcdef" }, { "session_id", "fedcba9876543210" },
		{ "zone_id", "zone-of-letters" }, { "ticket", "ticket-of-letters" },
		{ "login_token", "short" },
	};

	fill_init(fill, &catalogue, settings, COUNT(settings));
	for (size_t i = 0; i < COUNT(reads); i++)
		assert_true(fill_set_read(fill, reads[i].name, reads[i].value));
	fill_set_names(fill, &name, 1);
}

static void what_is_hidden(void **state)
{
	static const struct {
		const char *bytes, *shown;
	} cases[] = {
		{ "me, home.example.org: fine", "me, home.example.org: fine" },
		{ "a horse of a stranger", "a (hidden) of a (hidden)" },
		{ "Bearer 0123456789abcdef", "Bearer (hidden)" },
		{ "fedcba9876543210 is over", "(hidden) is over" },
		{ "zone-of-letters", "zone-of-letters" },
		{ "ticket-of-letters", "ticket-of-letters" },
		{ "too short to be one", "too short to be one" },
		/* the secret parts of a URL, not its server */
		{ "https://u.example.org/", "https://u.example.org/" },
		{ "no such QWERTYUIOP", "no such (hidden)" },
		{ "abcdefghijk?", "(hidden)?" },
		/* as JSON, also with slashes escaped, and as a page says it */
		{ "a/b&c\"d/e&f", "(hidden)" },
		{ "\"a/b&c\\\"d/e&f\"", "\"(hidden)\"" },
		{ "\"a\\/b&c\\\"d\\/e&f\"", "\"(hidden)\"" },
		{ "<b>a/b&amp;c&quot;d/e&amp;f</b>", "<b>(hidden)</b>" },
		/* values made of secrets, and of such values */
		{ "me/horse", "(hidden)" },
		{ "nothing of me", "nothing of me" },
	};
	char out[MESSAGE_TEXT_BYTES];
	struct fill fill;

	(void)state;
	fill_begin(&fill);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(mask_bytes(&fill, cases[i].bytes,
					       strlen(cases[i].bytes), out),
				    cases[i].shown);
	assert_int_equal(strlen(fill.values[1]), 64);
	assert_string_equal(mask_bytes(&fill, fill.values[1], 64, out), "(hidden)");
	fill_done(&fill);
}

/* A provider's word that no URL can hold, of every length: at its end is no %XX. */
static void percent_at_the_end(void **state)
{
	char secret[200] = "\001", out[MESSAGE_TEXT_BYTES];

	(void)state;
	for (size_t length = 16; length + 1 < sizeof(secret); length++) {
		struct fill fill;

		memset(secret + 1, 'A', length - 2);
		memcpy(secret + length - 1, "%", 2);
		fill_begin(&fill);
		assert_true(fill_set_read(&fill, "bearer", secret));
		assert_string_equal(mask_bytes(&fill, secret, length, out), "(hidden)");
		fill_done(&fill);
	}
}

static void what_is_said(void **state)
{
	static const struct {
		unsigned status;
		const char *body, *shown;
	} cases[] = {
		{ 200, "good 81.2.69.7\n", "good 81.2.69.7" },
		{ 200, "", "HTTP 200, an empty answer" },
		{ 204, "", "HTTP 204, an empty answer" },
		{ 403, "no", "HTTP 403: no" },
		{ 400, "{\"errors\": [{\"code\": 7, \"message\": \"no such zone\"}]}",
		  "HTTP 400: no such zone" },
		{ 200, "{\"errors\": [], \"detail\": \"fine\"}", "fine" },
		{ 200, "{\"errors\": [{\"message\": \"first\"}], \"detail\": \"second\"}",
		  "first" },
		{ 401, "{\"errors\": [{\"message\": \"\"}], \"detail\": \"second\"}",
		  "HTTP 401: second" },
		{ 400, "{\"detail\": \"horse, 0123456789abcdef\\u0007\"}",
		  "HTTP 400: (hidden), (hidden)\\x07" },
		{ 400, "{\"detail\": {}}", "HTTP 400: {\"detail\": {}}" },
		{ 400, "{\"detail\": \"cut", "HTTP 400: {\"detail\": \"cut" },
	};
	char out[MESSAGE_TEXT_BYTES];
	struct fill fill;

	(void)state;
	fill_begin(&fill);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct provider_answer answer = { .http_status = cases[i].status,
						  .body = cases[i].body,
						  .length = strlen(cases[i].body) };
		struct view view;

		view_init(&view, &answer);
		assert_string_equal(mask_answer(&fill, &view, out), cases[i].shown);
		view_done(&view);
	}
	fill_done(&fill);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_hidden),
		cmocka_unit_test(percent_at_the_end),
		cmocka_unit_test(what_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
