/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS UPDATE with TSIG: whose answer is believed; keys and clocks. */
#include "dnsupdate_room.h"

/*
 * Recorded: what knsupdate 3.2.6 sent with that key (prerequisite: no CNAME; A replaced),
 * and what knotd answered to it, and to the same with another secret.
 */
static const char recorded_request[] =
	"2a1428000001000100020001076578616d706c65036f7267000006000104686f6d65c00c000500fe"
	"000000000000c01d000100ff000000000000c01d00010001000002580004c000020704686f6d6503"
	"6b65790000fa00ff00000000003d0b686d61632d7368613235360000006b01b57b012c0020fcb857"
	"83d6714c1f0b3da344f5f90da3ef97c94aeb44509eb6dbd610071949002a1400000000";
static const char recorded_answer[] =
	"2a14a8000001000000000001076578616d706c65036f7267000006000104686f6d65036b65790000"
	"fa00ff00000000003d0b686d61632d7368613235360000006b01b57b012c0020699a0d7b4c622c81"
	"b594430555f094247a6cebd86dd74c71ab1e1929e1c7f2652a1400000000";
static const char recorded_badsig[] =
	"4ec8a8090001000000000001076578616d706c65036f7267000006000104686f6d65036b65790000"
	"fa00ff00000000001d0b686d61632d7368613235360000006b01b57b012c00004ec800100000";

static const char *const both[] = { "home.example.org 192.0.2.7",
				    "home.example.org 2001:db8::7", NULL };

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t length = strlen(hex) / 2;
	unsigned byte;

	for (size_t i = 0; i < length; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = (uint8_t)byte;
	}
	return length;
}

static void recorded(void **state)
{
	uint8_t request[512], reply[512];
	size_t length = from_hex(recorded_request, request), reply_length;
	struct talk talk;

	(void)state;
	begin(&talk, "example.org", one);
	talk.id = 0x2a12;
	assert_true(next(&talk));
	TAKEN(&talk, .rcode = DNSWIRE_NXRRSET);
	assert_true(next(&talk));
	assert_int_equal(talk.message.length, length);
	assert_memory_equal(talk.message.bytes, request, length);

	reply_length = from_hex(recorded_badsig, reply);
	assert_int_equal(dnsupdate_answer(talk.update, reply, reply_length, true, NOW),
			 DNSUPDATE_IGNORED);	/* another id */
	reply_length = from_hex(recorded_answer, reply);
	for (size_t i = 0; i < reply_length; i++) {	/* whichever bit is another */
		reply[i] ^= 1;
		if (dnsupdate_answer(talk.update, reply, reply_length, false, NOW) ==
		    DNSUPDATE_TAKEN)
			print_error("byte %zu\n", i);
		verdict(&talk, 0, 0, NULL);
		reply[i] ^= 1;
	}
	dnsupdate_free(talk.update);
}

static void recorded_good(void **state)
{
	uint8_t reply[512];
	size_t length = from_hex(recorded_answer, reply);
	struct talk talk;

	(void)state;
	begin(&talk, "example.org", one);
	talk.id = 0x2a12;
	assert_true(next(&talk));
	TAKEN(&talk, .rcode = DNSWIRE_NXRRSET);
	assert_true(next(&talk));
	for (size_t cut = 0; cut < length; cut++)
		assert_int_equal(dnsupdate_answer(talk.update, reply, cut, false, NOW),
				 DNSUPDATE_IGNORED);
	assert_int_equal(dnsupdate_answer(talk.update, reply, length, false, NOW + 301),
			 DNSUPDATE_IGNORED);
	assert_int_equal(dnsupdate_answer(talk.update, reply, length, false, NOW),
			 DNSUPDATE_TAKEN);
	verdict(&talk, 0, MESSAGE_GOOD, "NOERROR");
	end(&talk);
}

static void wrong_key(void **state)
{
	static const struct {
		unsigned error;
		enum message_verdict verdict;
		const char *text;
	} cases[] = {
		{ TSIG_BADSIG, MESSAGE_BADAUTH, "BADSIG" },
		{ TSIG_BADKEY, MESSAGE_BADAUTH, "BADKEY" },
		{ TSIG_BADTRUNC, MESSAGE_BAD_REQUEST, "22" },
	};
	struct talk talk;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&talk, "example.org", both);
		assert_true(next(&talk));
		OVER_TCP(&talk, .rcode = DNSWIRE_NOTAUTH, .no_mac = true,
			 .tsig_error = cases[i].error);
		verdict(&talk, 0, 0, NULL);
		TAKEN(&talk, .rcode = DNSWIRE_NOTAUTH, .no_mac = true, .tcp = true,
		      .tsig_error = cases[i].error);
		verdict(&talk, 0, cases[i].verdict, cases[i].text);
		verdict(&talk, 1, cases[i].verdict, cases[i].text);
		end(&talk);
	}
}

static void clocks(void **state)
{
	static const struct {
		int64_t ahead_s;
		const char *text;
	} cases[] = {
		{ 3600, "clock says 2026-11-21T15:15:07Z, the server's "
		  "2026-11-21T16:15:07Z: ours is 3600 s behind" },
		{ -301, "ours is 301 s ahead" },
		{ 2, "repetition" }, { -300, "repetition" },
	};
	struct talk talk;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&talk, "example.org", both);
		assert_true(next(&talk));
		TAKEN(&talk, .rcode = DNSWIRE_NOTAUTH, .tsig_error = TSIG_BADTIME,
		      .ahead_s = cases[i].ahead_s);
		verdict(&talk, 0, MESSAGE_TRANSIENT, cases[i].text);
		verdict(&talk, 1, MESSAGE_TRANSIENT, cases[i].text);
		end(&talk);
	}
}

/* --- what is not believed --- */

static void not_believed(void **state)
{
	struct talk talk;

	(void)state;
	begin_write(&talk, one);
	IGNORED(&talk, .no_tsig = true);
	IGNORED(&talk, .no_tsig = true, .tcp = true);
	IGNORED(&talk, .no_mac = true, .tcp = true);
	IGNORED(&talk, .wrong_mac = true);
	IGNORED(&talk, .wrong_mac = true, .tcp = true);
	IGNORED(&talk, .long_mac = true);
	IGNORED(&talk, .other_key = true);
	IGNORED(&talk, .other_id = true);
	IGNORED(&talk, .other_zone = true);
	IGNORED(&talk, .a_query = true);
	IGNORED(&talk, .ahead_s = 301);
	IGNORED(&talk, .ahead_s = -301);
	IGNORED(&talk, .no_tsig = true, .rcode = DNSWIRE_YXRRSET, .tcp = true);
	IGNORED(&talk, .no_tsig = true, .rcode = DNSWIRE_NXDOMAIN, .tcp = true);
	OVER_TCP(&talk, .truncated = true);
	OVER_TCP(&talk, .no_tsig = true, .rcode = DNSWIRE_REFUSED);
	verdict(&talk, 0, 0, NULL);
	dnsupdate_fail(talk.update, MESSAGE_UNREACHABLE, "silence");
	verdict(&talk, 0, MESSAGE_TRANSIENT, "without a signature (RCODE 5)");
	end(&talk);

	begin_write(&talk, one);
	TAKEN(&talk, .no_tsig = true, .rcode = DNSWIRE_REFUSED, .tcp = true);
	verdict(&talk, 0, MESSAGE_TRANSIENT, "our time, 2026-11-21T15:15:07Z");
	end(&talk);

	begin_write(&talk, one);
	TAKEN(&talk, .no_tsig = true, .rcode = DNSWIRE_NOTAUTH, .tcp = true);
	verdict(&talk, 0, MESSAGE_BAD_REQUEST, "not authoritative");
	end(&talk);

	begin_write(&talk, one);
	IGNORED(&talk, .other_id = true);
	dnsupdate_fail(talk.update, MESSAGE_UNREACHABLE, "silence");
	verdict(&talk, 0, MESSAGE_TRANSIENT, "no answer to the message");
	end(&talk);

	begin_write(&talk, one);
	dnsupdate_fail(talk.update, MESSAGE_UNREACHABLE, "silence");
	verdict(&talk, 0, MESSAGE_UNREACHABLE, "silence");
	end(&talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded),
		cmocka_unit_test(recorded_good),
		cmocka_unit_test(wrong_key),
		cmocka_unit_test(clocks),
		cmocka_unit_test(not_believed),
	};

	return cmocka_run_group_tests_name("dnsupdate_trust", tests, NULL, NULL);
}
