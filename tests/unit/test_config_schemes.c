/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where requests may go: nowhere but by HTTPS, or by HTTP where the user says so.
 */
#include "config_room.h"

#include <errno.h>

#include "figure.h"

static const char description[] =
	"{ \"id\": \"places\", \"name\": \"P\", \"status\": \"alive\",\n"
	"  \"settings\": { \"url\": {\"kind\": \"url\", \"required\": true, \"help\": \"h\"} },\n"
	"  \"requests\": [ {\"url\": \"{url}&ip={ip}\"} ],\n"
	"  \"answers\": [ {\"http\": 200, \"means\": \"good\"} ] }";

static int open_with_description(void **state)
{
	room_open(state);
	assert_int_equal(mkdir(room_path(*state, "providers"), 0700), 0);
	room_write(*state, "providers/places.json", description, 0644);
	return 0;
}

static int load_url(struct room *room, const char *url, const char *more)
{
	char text[600];

	snprintf(text, sizeof text, "{ \"providers\": [ {\"type\": \"places\", \"url\": \"%s\", "
		 "\"hostnames\": [\"a.example.org\"]%s} ] }", url, more);
	return room_load_text(room, text);
}

static int load_server(struct room *room, const char *server, const char *more)
{
	char text[600];

	snprintf(text, sizeof text, "{ \"providers\": [ {\"type\": \"dyndns2\", \"server\": "
		 "\"%s\", \"username\": \"u\", \"password\": \"p\", \"hostnames\": "
		 "[\"a.example.org\"]%s} ] }", server, more);
	return room_load_text(room, text);
}

static int load_source(struct room *room, const char *url)
{
	char text[600];

	snprintf(text, sizeof text, "{ \"wans\": [ {\"ipv4\": {\"source\": \"http\", "
		 "\"urls\": [\"%s\", \"https://b.example.net/\"]}} ] }", url);
	return room_load_text(room, text);
}

static const char insecure[] = ", \"insecure_http\": true";

/* What libcurl would speak, and what others would try. */
static void other_schemes(void **state)
{
	static const char *const schemes[] = {
		"file", "gopher", "gophers", "dict", "smb", "smbs", "ftp", "ftps", "ldap",
		"ldaps", "scp", "sftp", "tftp", "telnet", "imap", "pop3", "smtp", "rtsp",
		"rtmp", "mqtt", "ws", "wss", "javascript", "data", "unix", "htt", "",
	};
	static const struct {
		const char *before, *after;
	} forms[] = { { "", "://x.org/a" }, { "", ":///etc/passwd" },
		      { " ", "://x.org/" }, { "", "%3a//x.org/" } };
	struct room *room = *state;
	long accepted = 0;
	char url[100];

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
			snprintf(url, sizeof url, "%s%s%s", forms[k].before, schemes[i],
				 forms[k].after);
			accepted += load_url(room, url, insecure) == 0;
			accepted += load_server(room, url, insecure) == 0;
			accepted += load_source(room, url) == 0;
		}
	figure_exactly("S27", "of 324 places of other schemes accepted at load", accepted, 0);
	assert_int_equal(load_url(room, "https://x.org/?", ""), 0);
	assert_int_equal(load_server(room, "https://x.org/", ""), 0);
	assert_int_equal(load_source(room, "https://x.org/"), 0);
}

static void plain_by_accident(void **state)
{
	struct room *room = *state;

	figure_holds("S4", "http:// without insecure_http is refused at load",
		     load_url(room, "http://x.org/?", "") == -EINVAL &&
			     load_server(room, "http://x.org", "") == -EINVAL);
	figure_holds("S4", "an address service over http:// is refused at load",
		     load_source(room, "http://x.org/") == -EINVAL);
	assert_int_equal(load_server(room, "x.org", ""), 0);
	figure_holds("S4", "a server without a scheme is asked by https",
		     !room->config->providers[0].insecure_http);
	assert_int_equal(load_server(room, "http://x.org", insecure), 0);
	assert_true(room->config->providers[0].insecure_http);
}

/* There is no key that makes TLS believe everybody. */
static void no_blind_trust(void **state)
{
	static const char *const keys[] = {
		"verify_tls", "tls_verify", "insecure", "insecure_tls", "skip_verify", "ssl",
		"verify", "check_certificate", "verify_certificate", "broken_rtc", "ca_path",
	};
	struct room *room = *state;
	long accepted = 0;
	char more[60];

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		snprintf(more, sizeof more, ", \"%s\": false", keys[i]);
		accepted += load_server(room, "x.org", more) == 0;
	}
	figure_exactly("S3", "keys that switch the check of certificates off", accepted, 0);
}

int main(void)
{
#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, open_with_description, room_close)
	const struct CMUnitTest tests[] = {
		TEST(other_schemes),
		TEST(plain_by_accident),
		TEST(no_blind_trust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
