/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "hairpin/provider.h"

#define TEXT(string) ((char *)(string))

static const char *const names[] = { "home.example.org", "*.nas.example.org" };

static const struct provider_value values[] = {
	{ "server", "dyn.example.net:8443" }, { "username", "me" },
	{ "password", "a b/c?d&e=f#\"\\%+{ip}\xc3\xa4" },
};

static const struct catalogue catalogue = {
	.settings = {
		{ .name = "server", .kind = CATALOGUE_SERVER, .required = true },
		{ .name = "username", .required = true },
		{ .name = "password", .required = true, .secret = true },
		{ .name = "path", .fallback = TEXT("nic/update") },
		{ .name = "absent", .required = true },
		{ .name = "nothing" },
	},
	.setting_count = 6,
	.basic_user = TEXT("{username}"), .basic_password = TEXT("{password}"),
};

static struct provider_update update_of(const char *ipv4, const char *ipv6)
{
	struct provider_update update = { .settings = values, .setting_count = 3,
					  .hostnames = names, .hostname_count = 2 };

	if (ipv4)
		assert_true(addr_parse(ipv4, &update.ipv4));
	if (ipv6)
		assert_true(addr_parse(ipv6, &update.ipv6));
	return update;
}

static void urls(void **state)
{
	static const struct {
		const char *template, *ipv4, *ipv6, *url;
	} cases[] = {
		{ "https://{server}/{path}?h={hostnames}&ip={ip}", "81.2.69.7", NULL,
		  "https://dyn.example.net:8443/nic%2Fupdate?h=home.example.org,"
		  "*.nas.example.org&ip=81.2.69.7" },
		{ "https://{server}/?h={hostname}&ip={ip}&t={rrtype}", NULL, "2a01::7",
		  "https://dyn.example.net:8443/?h=home.example.org&ip=2a01::7&t=AAAA" },
		{ "https://x.org/?a={ipv4},{ipv6}", "81.2.69.7", "2a01::7",
		  "https://x.org/?a=81.2.69.7,2a01::7" },
		{ "https://x.org/{password}/{rrtype}", "81.2.69.7", NULL,
		  "https://x.org/a%20b%2Fc%3Fd%26e%3Df%23%22%5C%25%2B%7Bip%7D%C3%A4/A" },
		{ "https://x.org/{}{Ip}{ ip}{ip{{ip}{1}{nothing}", "81.2.69.7", NULL,
		  "https://x.org/{}{Ip}{ ip}{ip{81.2.69.7{1}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct provider_update update = update_of(cases[i].ipv4, cases[i].ipv6);
		struct catalogue_step step = { .method = "GET",
					       .url = TEXT(cases[i].template) };
		struct provider_request request;

		assert_int_equal(
			provider_request_make(&catalogue, &step, &update, &request, NULL),
			0);
		assert_string_equal(request.url, cases[i].url);
		assert_string_equal(request.method, "GET");
		assert_string_equal(request.user, "me");
		assert_string_equal(request.password, values[2].value);
		assert_null(request.body);
		assert_int_equal(request.header_count, 0);
		provider_request_done(&request);
	}
}

static void bodies(void **state)
{
	static const struct {
		const char *type, *template, *body, *header;
	} cases[] = {
		{ "form", "p={password}&h={hostnames}",
		  "p=a%20b%2Fc%3Fd%26e%3Df%23%22%5C%25%2B%7Bip%7D%C3%A4"
		  "&h=home.example.org%2C%2A.nas.example.org",
		  "Content-Type: application/x-www-form-urlencoded" },
		{ "json", "{\"p\": \"{password}\", \"ip\": \"{ip}\"}",
		  "{\"p\": \"a b/c?d&e=f#\\\"\\\\%+{ip}\xc3\xa4\", \"ip\": "
		  "\"81.2.69.7\"}",
		  "Content-Type: application/json" },
		{ "text", "{ip} {username}", "81.2.69.7 me", "Content-Type: text/plain" },
	};
	struct provider_update update = update_of("81.2.69.7", NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct catalogue_step step = {
			.method = "POST", .url = TEXT("https://x.org/"),
			.body = TEXT(cases[i].template), .header_count = 1,
			.headers = { { TEXT("X-Key"), TEXT("{username}:{password}") } } };
		struct provider_request request;

		strcpy(step.body_type, cases[i].type);
		assert_int_equal(
			provider_request_make(&catalogue, &step, &update, &request, NULL),
			0);
		assert_string_equal(request.body, cases[i].body);
		assert_int_equal(request.header_count, 2);
		assert_memory_equal(request.headers[0], "X-Key: me:a b/", 14);
		assert_string_equal(request.headers[1], cases[i].header);
		provider_request_done(&request);
	}
}

static void a_content_type_of_its_own(void **state)
{
	struct provider_update update = update_of("81.2.69.7", NULL);
	struct catalogue_step step = {
		.method = "PATCH",
		.url = TEXT("https://x.org/"),
		.body = TEXT("{}"),
		.body_type = "json",
		.header_count = 1,
		.headers = { { TEXT("content-type"),
			       TEXT("application/merge-patch+json") } }
	};
	struct provider_request request;

	(void)state;
	assert_int_equal(
		provider_request_make(&catalogue, &step, &update, &request, NULL), 0);
	assert_int_equal(request.header_count, 1);
	provider_request_done(&request);
}

static void refused(void **state)
{
	static const struct {
		const char *url, *header, *password;
	} cases[] = {
		{ "https://x.org/{unknown}", "", "p" },
		{ "https://x.org/{absent}", "", "p" },
		{ "https://x.org/{ipv6}", "", "p" },
		{ "https://x.org/", "{password}", "new\r\nHeader: x" },
		{ "https://x.org/{password}", "", "a\x7f" },
		{ "https://x.org/", "", "in\nbasic" },
		{ "http://x.org/", "", "p" },
		{ "https://x.org/{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}", "", "p" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct provider_value own[] = { values[0], values[1],
						{ "password", cases[i].password } };
		struct provider_update update = update_of("81.2.69.7", NULL);
		struct catalogue_step step = {
			.method = "GET", .url = TEXT(cases[i].url), .header_count = 1,
			.headers = { { TEXT("X"), TEXT(cases[i].header) } } };
		struct provider_request request;
		struct err err = { 0 };

		update.settings = own;
		assert_int_equal(
			provider_request_make(&catalogue, &step, &update, &request, &err),
			-EINVAL);
		assert_true(err.text[0]);
		assert_null(strstr(err.text, "Header"));
	}
}

static void plain_http(void **state)
{
	struct provider_update update = update_of("81.2.69.7", NULL);
	static const struct {
		const char *template, *url;
	} cases[] = {
		{ "https://{server}/", "http://dyn.example.net:8443/" },
		{ "https://x.org/", "https://x.org/" },
		{ "https://{username}/", "https://me/" },
		{ "http://x.org/", "http://x.org/" },
	};

	(void)state;
	update.insecure_http = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct catalogue_step step = { .method = "GET",
					       .url = TEXT(cases[i].template) };
		struct provider_request request;

		assert_int_equal(
			provider_request_make(&catalogue, &step, &update, &request, NULL),
			0);
		assert_string_equal(request.url, cases[i].url);
		provider_request_done(&request);
	}
}

/* A URL that ends before the name of a setting that it might begin with would. */
static void a_short_url(void **state)
{
	static const struct catalogue two = {
		.settings = { { .name = "server_of_a_long_name", .kind = CATALOGUE_SERVER },
			      { .name = "a", .fallback = TEXT("x") } },
		.setting_count = 2,
	};
	struct provider_update update = update_of("81.2.69.7", NULL);
	struct catalogue_step step = { .method = "GET", .url = strdup("https://{a}") };
	struct provider_request request;

	(void)state;
	update.insecure_http = true;
	assert_int_equal(provider_request_make(&two, &step, &update, &request, NULL), 0);
	assert_string_equal(request.url, "https://x");
	provider_request_done(&request);
	free(step.url);
}

static void steps(void **state)
{
	struct catalogue with_any = { .step_count = 2, .steps = {
		{ .family = CATALOGUE_ANY }, { .family = CATALOGUE_IPV6 } } };
	struct catalogue with_dual = { .step_count = 2, .steps = {
		{ .family = CATALOGUE_DUAL }, { .family = CATALOGUE_IPV4 } } };

	(void)state;
	assert_ptr_equal(provider_step(&with_any, true, false), &with_any.steps[0]);
	assert_ptr_equal(provider_step(&with_any, false, true), &with_any.steps[1]);
	assert_null(provider_step(&with_any, true, true));
	assert_null(provider_step(&with_any, false, false));
	assert_ptr_equal(provider_step(&with_dual, true, true), &with_dual.steps[0]);
	assert_ptr_equal(provider_step(&with_dual, true, false), &with_dual.steps[1]);
	assert_null(provider_step(&with_dual, false, true));
}

static void redirects(void **state)
{
	static const struct {
		const char *url, *location, *target;
	} cases[] = {
		{ "https://x.org/a?b", "/c", "https://x.org/c" },
		{ "https://x.org:8443/a", "/c?d", "https://x.org:8443/c?d" },
		{ "https://x.org/a", "https://x.org/c", "https://x.org/c" },
		{ "https://x.org/a", "HTTPS://X.org/c", "HTTPS://X.org/c" },
		{ "https://x.org", "https://x.org?c", "https://x.org?c" },
		{ "https://x.org/a", "https://x.org", "https://x.org" },
		{ "https://x.org/a", "https://x.org.evil.net/c", NULL },
		{ "https://x.org/a", "https://x.org:444/c", NULL },
		{ "https://x.org/a", "https://x.org@evil.net/c", NULL },
		{ "https://x.org/a", "http://x.org/c", NULL },
		{ "https://x.org/a", "//evil.net/c", NULL },
		{ "https://x.org/a", "/\\evil.net/c", NULL },
		{ "https://x.org/a", "/a b", NULL },
		{ "https://x.org/a", "/a\nb", NULL },
		{ "https://x.org/a", "c", NULL },
		{ "https://x.org/a", "", NULL },
		{ "http://x.org/a", "/c", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *target = provider_redirect(cases[i].url, cases[i].location);

		if (cases[i].target) {
			assert_non_null(target);
			assert_string_equal(target, cases[i].target);
		} else {
			assert_null(target);
		}
		free(target);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		cmocka_unit_test(bodies),
		cmocka_unit_test(a_content_type_of_its_own),
		cmocka_unit_test(refused),
		cmocka_unit_test(plain_http),
		cmocka_unit_test(a_short_url),
		cmocka_unit_test(steps),
		cmocka_unit_test(redirects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
