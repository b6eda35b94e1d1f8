/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS UPDATE with TSIG: the messages, settings, zones, and what is refused. */
#include <errno.h>

#include "dnsupdate_room.h"

static const char *const both[] = { "home.example.org 192.0.2.7",
				    "home.example.org 2001:db8::7", NULL };
static const char *const three[] = { "home.example.org 192.0.2.7",
				     "home.example.org 2001:db8::7",
				     "www.example.org 192.0.2.7", NULL };

/* --- messages --- */

static void one_message(void **state)
{
	struct talk talk;

	(void)state;
	begin(&talk, "example.org", three);
	assert_string_equal(dnsupdate_host(talk.update), "ns.example.org");
	assert_int_equal(dnsupdate_port(talk.update), 5353);
	assert_true(next(&talk));
	counts(&talk, 3, 0);
	TAKEN(&talk, .rcode = DNSWIRE_NXRRSET);
	assert_true(next(&talk));
	counts(&talk, 2, 6);			/* two names that are no alias */
	TAKEN(&talk, 0);
	for (size_t i = 0; i < 3; i++)
		verdict(&talk, i, MESSAGE_GOOD, NULL);
	end(&talk);
}

static void unchanged(void **state)
{
	struct talk talk;

	(void)state;
	begin(&talk, "example.org", both);
	assert_true(next(&talk));
	TAKEN(&talk, .no_zone = true);
	verdict(&talk, 0, MESSAGE_UNCHANGED, NULL);
	verdict(&talk, 1, MESSAGE_UNCHANGED, NULL);
	end(&talk);
}

static void twenty_names(void **state)
{
	static char texts[40][100];
	const char *records[41] = { 0 };
	struct talk talk;

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(texts[i], sizeof(texts[i]), "a-rather-long-name-%d.example.org %s",
			 i / 2, i % 2 ? "2001:db8::7" : "192.0.2.7");
		records[i] = texts[i];
	}
	begin_write(&talk, records);
	counts(&talk, 20, 80);
	TAKEN(&talk, 0);
	for (size_t i = 0; i < 40; i++)
		verdict(&talk, i, MESSAGE_GOOD, NULL);
	end(&talk);
}

/* --- refusals --- */

static void refusals(void **state)
{
	static const struct {
		unsigned rcode;
		enum message_verdict verdict;
	} cases[] = {
		{ DNSWIRE_FORMERR, MESSAGE_BAD_REQUEST },
		{ DNSWIRE_SERVFAIL, MESSAGE_SERVER_ERROR },
		{ DNSWIRE_NXDOMAIN, MESSAGE_NOHOST },
		{ DNSWIRE_NOTIMP, MESSAGE_BAD_REQUEST },
		{ DNSWIRE_REFUSED, MESSAGE_FORBIDDEN },
		{ DNSWIRE_YXDOMAIN, MESSAGE_TRANSIENT },
		{ DNSWIRE_NOTAUTH, MESSAGE_BAD_REQUEST },
		{ DNSWIRE_NOTZONE, MESSAGE_NOHOST },
		{ 11, MESSAGE_TRANSIENT }, { 15, MESSAGE_TRANSIENT },
	};
	struct talk talk;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&talk, "example.org", one);
		assert_true(next(&talk));
		TAKEN(&talk, .rcode = cases[i].rcode);
		verdict(&talk, 0, cases[i].verdict, NULL);
		end(&talk);
		begin_write(&talk, one);
		TAKEN(&talk, .rcode = cases[i].rcode);
		verdict(&talk, 0, cases[i].verdict, NULL);
		end(&talk);
	}
	begin_write(&talk, one);
	TAKEN(&talk, .rcode = DNSWIRE_NXRRSET);
	verdict(&talk, 0, MESSAGE_TRANSIENT, NULL);
	end(&talk);
}

static void alias(void **state)
{
	struct talk talk;

	(void)state;
	begin_write(&talk, three);
	TAKEN(&talk, .rcode = DNSWIRE_YXRRSET);		/* which of them? */
	for (size_t i = 0; i < 3; i++) {
		assert_true(next(&talk));
		counts(&talk, 1, 0);
		TAKEN(&talk, .rcode = DNSWIRE_NXRRSET);
		assert_true(next(&talk));
		counts(&talk, 1, 2);
		TAKEN(&talk, .rcode = i == 2 ? DNSWIRE_YXRRSET : DNSWIRE_NOERROR);
	}
	verdict(&talk, 0, MESSAGE_GOOD, NULL);
	verdict(&talk, 1, MESSAGE_GOOD, NULL);
	verdict(&talk, 2, MESSAGE_NOHOST, "www.example.org is an alias (CNAME)");
	end(&talk);
}

static void policy(void **state)
{
	struct talk talk;

	(void)state;
	begin_write(&talk, both);
	TAKEN(&talk, .rcode = DNSWIRE_REFUSED);
	assert_true(next(&talk));
	TAKEN(&talk, .rcode = DNSWIRE_NOERROR);
	assert_true(next(&talk));
	TAKEN(&talk, .rcode = DNSWIRE_REFUSED);
	verdict(&talk, 0, MESSAGE_UNCHANGED, NULL);
	verdict(&talk, 1, MESSAGE_FORBIDDEN, "REFUSED");
	end(&talk);
}

/* --- zones --- */

static void zones(void **state)
{
	static const char *const records[] = {
		"home.example.org 192.0.2.7", "nas.sub.example.org 192.0.2.7",
		"home.example.org 2001:db8::7", NULL };
	struct talk talk;

	(void)state;
	begin(&talk, "", records);
	assert_true(next(&talk));
	TAKEN(&talk, .soa = "example.org");
	assert_true(next(&talk));
	TAKEN(&talk, .soa = "sub.example.org", .rcode = DNSWIRE_NXDOMAIN);
	assert_true(next(&talk));
	counts(&talk, 2, 0);			/* both of home */
	TAKEN(&talk, 0);
	assert_true(next(&talk));
	counts(&talk, 1, 0);
	TAKEN(&talk, 0);
	verdict(&talk, 1, MESSAGE_UNCHANGED, NULL);
	end(&talk);
}

static void no_zone(void **state)
{
	struct talk talk;

	(void)state;
	begin(&talk, "", one);
	assert_true(next(&talk));
	IGNORED(&talk, .soa = "example.org", .no_tsig = true, .tcp = true);
	TAKEN(&talk, .soa = "example.org", .not_authoritative = true);
	verdict(&talk, 0, MESSAGE_BAD_REQUEST, "not authoritative");
	end(&talk);

	/* an alias to somewhere else: its parent is asked for */
	begin(&talk, "", one);
	assert_true(next(&talk));
	TAKEN(&talk, .soa = "example.net");
	assert_true(next(&talk));
	TAKEN(&talk, .soa = "example.org");
	assert_true(next(&talk));
	TAKEN(&talk, .rcode = DNSWIRE_NXRRSET);
	assert_true(next(&talk));
	TAKEN(&talk, .rcode = DNSWIRE_YXRRSET);
	verdict(&talk, 0, MESSAGE_NOHOST, "alias");
	end(&talk);

	begin(&talk, "", one);
	for (int i = 0; i < 3; i++) {	/* home.example.org, example.org, org */
		assert_true(next(&talk));
		TAKEN(&talk, 0);
	}
	verdict(&talk, 0, MESSAGE_BAD_REQUEST, "not authoritative");
	end(&talk);

	begin(&talk, "", one);
	assert_true(next(&talk));
	TAKEN(&talk, .rcode = DNSWIRE_REFUSED);
	verdict(&talk, 0, MESSAGE_FORBIDDEN, "domain");
	end(&talk);

	begin(&talk, "example.net", one);
	verdict(&talk, 0, MESSAGE_NOHOST, "not in the zone");
	end(&talk);
}

/* --- settings --- */

static void settings(void **state)
{
	static const struct {
		size_t setting;
		const char *value, *wrong;
	} cases[] = {
		{ 0, "", "server" }, { 0, "ns.example.org:0", "server" },
		{ 2, "", "key's name" }, { 2, "a..b", "key's name" },
		{ 3, "", "secret" }, { 3, "c2Vjcm", "secret" }, { 3, "====", "secret" },
		{ 3, "c2=jcmV0", "secret" }, { 3, "c2Vjc!V0", "secret" },
		{ 4, "hmac-sha999", "algorithm" }, { 5, "-1", "TTL" },
		{ 5, "9999999", "TTL" }, { 1, "a..b", "zone" },
	};
	struct provider_record record = { .hostname = "home.example.org", .memo = "" };
	struct provider_job job = { .catalogue = &catalogue, .settings = values,
				    .setting_count = 6, .records = &record,
				    .record_count = 1 };
	struct dnsupdate *update = NULL;

	(void)state;
	assert_true(addr_parse("192.0.2.7", &record.address));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct provider_value good = values[cases[i].setting];
		struct err err = { 0 };

		values[1].value = "example.org";
		values[cases[i].setting].value = cases[i].value;
		assert_int_equal(dnsupdate_new(&job, &update, &err), -EINVAL);
		if (!strstr(err.text, cases[i].wrong))
			print_error("%s: %s\n", cases[i].value, err.text);
		assert_non_null(strstr(err.text, cases[i].wrong));
		values[cases[i].setting] = good;
	}
}

static void servers(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} cases[] = {
		{ "ns.example.org", "ns.example.org", 53 },
		{ "ns.example.org:5353", "ns.example.org", 5353 },
		{ "192.0.2.1:54", "192.0.2.1", 54 }, { "[2001:db8::1]", "2001:db8::1", 53 },
		{ "[2001:db8::1]:54", "2001:db8::1", 54 },
		{ "2001:db8::1", "2001:db8::1", 53 },
	};
	struct provider_value good = values[0];
	struct talk talk;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		values[0].value = cases[i].text;
		begin(&talk, "example.org", one);
		assert_string_equal(dnsupdate_host(talk.update), cases[i].host);
		assert_int_equal(dnsupdate_port(talk.update), cases[i].port);
		dnsupdate_free(talk.update);
	}
	values[0] = good;
}

/* The length of the MAC is the algorithm's. */
static void algorithms(void **state)
{
	static const struct {
		const char *name;
		size_t mac;
		const char *wire;
	} cases[] = {
		{ "hmac-md5", 16, "hmac-md5.sig-alg.reg.int" },
		{ "hmac-sha1", 20, "hmac-sha1" }, { "hmac-sha224", 28, "hmac-sha224" },
		{ "HMAC-SHA256", 32, "hmac-sha256" }, { "hmac-sha384", 48, "hmac-sha384" },
		{ "hmac-sha512", 64, "hmac-sha512" },
	};
	struct dnsname wire;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text message = TEXT_INIT;
		struct tsig_key key;
		struct hash mac;

		add(&message, 0, 12);
		assert_int_equal(tsig_key_make("k", SECRET, cases[i].name, &key, NULL), 0);
		assert_true(dnsname_parse(cases[i].wire, &wire));
		assert_true(dnsname_equal(&wire, &key.algorithm));
		assert_int_equal(tsig_sign(&key, NOW, &message, &mac), 0);
		assert_int_equal(mac.length, cases[i].mac);
		assert_int_equal(message.bytes[11], 1);
		tsig_key_done(&key);
		text_done(&message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_message),
		cmocka_unit_test(unchanged),
		cmocka_unit_test(twenty_names),
		cmocka_unit_test(refusals),
		cmocka_unit_test(alias),
		cmocka_unit_test(policy),
		cmocka_unit_test(zones),
		cmocka_unit_test(no_zone),
		cmocka_unit_test(settings),
		cmocka_unit_test(servers),
		cmocka_unit_test(algorithms),
	};

	return cmocka_run_group_tests_name("dnsupdate", tests, NULL, NULL);
}
