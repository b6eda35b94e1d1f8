/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests as they leave. */
#include "fill_room.h"

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
		struct catalogue_step step = { .method = "GET",
					       .url = TEXT(cases[i].template) };
		struct provider_request request;
		struct room room;

		room_open(&room, cases[i].ipv4, cases[i].ipv6);
		assert_int_equal(
			request_make(&room.fill, &step, NULL, false, &request, NULL), 0);
		assert_string_equal(request.url, cases[i].url);
		assert_string_equal(request.method, "GET");
		assert_string_equal(request.user, "me");
		assert_string_equal(request.password, values[2].value);
		assert_null(request.body);
		assert_int_equal(request.header_count, 0);
		provider_request_done(&request);
		fill_done(&room.fill);
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
		{ "xml", "<p>{password}</p>",
		  "<p>a b/c?d&amp;e=f#&quot;\\%+{ip}\xc3\xa4</p>",
		  "Content-Type: text/xml; charset=utf-8" },
		{ "text", "{ip} {username}", "81.2.69.7 me", "Content-Type: text/plain" },
	};
	struct room room;

	(void)state;
	room_open(&room, "81.2.69.7", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct catalogue_step step = {
			.method = "POST", .url = TEXT("https://x.org/"),
			.body = TEXT(cases[i].template), .header_count = 1,
			.headers = { { TEXT("X-Key"), TEXT("{username}:{password}") } } };
		struct provider_request request;

		strcpy(step.body_type, cases[i].type);
		assert_int_equal(
			request_make(&room.fill, &step, NULL, false, &request, NULL), 0);
		assert_string_equal(request.body, cases[i].body);
		assert_int_equal(request.header_count, 2);
		assert_memory_equal(request.headers[0], "X-Key: me:a b/", 14);
		assert_string_equal(request.headers[1], cases[i].header);
		provider_request_done(&request);
	}
	fill_done(&room.fill);
}

static void a_content_type_of_its_own(void **state)
{
	struct room room;
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
	room_open(&room, "81.2.69.7", NULL);
	assert_int_equal(request_make(&room.fill, &step, NULL, false, &request, NULL), 0);
	assert_int_equal(request.header_count, 1);
	provider_request_done(&request);
	fill_done(&room.fill);
}

static void refused(void **state)
{
	static const struct {
		const char *url, *header, *password;
		int error;
	} cases[] = {
		{ "https://x.org/{unknown}", "", "p", -ENODATA },
		{ "https://x.org/{absent}", "", "p", -ENODATA },
		{ "https://x.org/{ipv6}", "", "p", -ENODATA },
		{ "https://x.org/", "{password}", "new\r\nHeader: x", -EINVAL },
		{ "https://x.org/{password}", "", "a\x7f", -EINVAL },
		{ "https://x.org/", "", "in\nbasic", -EINVAL },
		{ "http://x.org/", "", "p", -EINVAL },
		{ "{record_url}", "", "p", -EINVAL },
		{ "https://x.org/{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}", "", "p",
		  -ENODATA },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct provider_value own[] = { values[0], values[1],
						{ "password", cases[i].password },
						{ "record_url", "ftp://x.org/" } };
		struct room room;
		struct catalogue_step step = {
			.method = "GET", .url = TEXT(cases[i].url), .header_count = 1,
			.headers = { { TEXT("X"), TEXT(cases[i].header) } } };
		struct provider_request request;
		struct err err = { 0 };

		room_open(&room, "81.2.69.7", NULL);
		room.fill.settings = own;
		room.fill.setting_count = 4;
		assert_int_equal(
			request_make(&room.fill, &step, NULL, false, &request, &err),
			cases[i].error);
		fill_done(&room.fill);
		assert_true(err.text[0]);
		assert_null(strstr(err.text, "Header"));
	}
}

static void plain_http(void **state)
{
	static const struct {
		const char *template, *url;
	} cases[] = {
		{ "https://{server}/", "http://dyn.example.net:8443/" },
		{ "https://x.org/", "https://x.org/" },
		{ "https://{username}/", "https://me/" },
		{ "http://x.org/", "http://x.org/" },
		{ "{record_url}", "https://x.org/secret?k=1&x" },
	};
	struct room room;

	(void)state;
	room_open(&room, "81.2.69.7", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct catalogue_step step = { .method = "GET",
					       .url = TEXT(cases[i].template) };
		struct provider_request request;

		assert_int_equal(
			request_make(&room.fill, &step, NULL, true, &request, NULL), 0);
		assert_string_equal(request.url, cases[i].url);
		provider_request_done(&request);
	}
	fill_done(&room.fill);
}

/* A URL that ends before the name of a setting that it might begin with would. */
static void a_short_url(void **state)
{
	static const struct catalogue two = {
		.settings = { { .name = "server_of_a_long_name", .kind = CATALOGUE_SERVER },
			      { .name = "a", .fallback = TEXT("x") } },
		.setting_count = 2,
	};
	struct catalogue_step step = { .method = "GET", .url = strdup("https://{a}") };
	struct provider_request request;
	struct room room;

	(void)state;
	room_open(&room, "81.2.69.7", NULL);
	room.fill.catalogue = &two;
	assert_int_equal(request_make(&room.fill, &step, NULL, true, &request, NULL), 0);
	assert_string_equal(request.url, "https://x");
	provider_request_done(&request);
	room.fill.catalogue = &catalogue;
	fill_done(&room.fill);
	free(step.url);
}

/* Both families of every name, and then the request speaks of all of them again. */
static void records(void **state)
{
	static const struct {
		const char *type, *join, *each, *template, *wanted;
	} cases[] = {
		{ "json", NULL, "{\"n\":\"{hostname}\",\"t\":\"{number:raw}\"}",
		  "[\"{each}\",\"{hostnames}\"]",
		  "[{\"n\":\"home.example.org\",\"t\":1},"
		  "{\"n\":\"home.example.org\",\"t\":28},"
		  "{\"n\":\"*.nas.example.org\",\"t\":1},"
		  "{\"n\":\"*.nas.example.org\",\"t\":28},"
		  "\"home.example.org,*.nas.example.org\"]" },
		{ "form", "&", "r={owner}%20{ip}", "a=1&{each}",
		  "a=1&r=home%2081.2.69.7&r=home%202a01%3A%3A7"
		  "&r=%2A.nas%2081.2.69.7&r=%2A.nas%202a01%3A%3A7" },
		{ "xml", NULL, "<r t='{rrtype}'/>", "<l>{each}</l>",
		  "<l><r t='A'/><r t='AAAA'/><r t='A'/><r t='AAAA'/></l>" },
	};
	struct room room;

	(void)state;
	room_open(&room, "81.2.69.7", "2a01::7");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct catalogue_step step = {
			.method = "PUT", .url = TEXT("https://x.org/{hostnames}"),
			.body = TEXT(cases[i].template), .each = TEXT(cases[i].each),
			.join = TEXT(cases[i].join) };
		struct provider_request request;

		strcpy(step.body_type, cases[i].type);
		assert_int_equal(
			request_make(&room.fill, &step, NULL, false, &request, NULL), 0);
		assert_string_equal(request.body, cases[i].wanted);
		provider_request_done(&request);
	}
	fill_done(&room.fill);
}

/* The server sees where a request comes from: it must come by that family. */
static void by_connection(void **state)
{
	struct catalogue watching = { .by_connection = true };
	struct catalogue_step step = { .method = "GET", .url = TEXT("https://x.org/") };
	struct provider_request request;
	struct room room;

	(void)state;
	room_open(&room, NULL, "2a01::7");
	assert_int_equal(request_make(&room.fill, &step, NULL, false, &request, NULL), 0);
	assert_int_equal(request.family, 0);
	provider_request_done(&request);
	room.fill.catalogue = &watching;
	assert_int_equal(request_make(&room.fill, &step, NULL, false, &request, NULL), 0);
	assert_int_equal(request.family, AF_INET6);
	provider_request_done(&request);
	room.fill.catalogue = &catalogue;
	fill_done(&room.fill);
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
		cmocka_unit_test(records),
		cmocka_unit_test(by_connection),
		cmocka_unit_test(redirects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
