/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers to an update that are none: what is no clear word of the provider's, with a status
 * that says success, is no success, and nothing of it shows on a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer_room.h"
#include "figure.h"
#include "provider/mask.h"

#define BYTES(text) { text, sizeof(text) - 1 }

static const struct body {
	const char *bytes;
	size_t length;
} nonsense[] = {
	BYTES("good\0"), BYTES("\0good"), BYTES("go\0od"), BYTES("good 81.2.69.7\0\r\n"),
	BYTES("\xef\xbb\xbfgood"), BYTES("\xff\xfeg\0o\0o\0d\0"), BYTES("\x1f\x8b\x08\0good"),
	BYTES("HTTP/1.1 200 OK\r\n\r\ngood"), BYTES("HTTP/1.0 200\n\ngood\n"),
	BYTES("<html><body>good</body></html>"), BYTES("not good"), BYTES("goodbye"),
	BYTES("\"good\""), BYTES("{\"status\":\"good\"}"), BYTES("4\r\ngood\r\n0\r\n\r\n"),
	BYTES("\x1b[32mgood\x1b[0m"), BYTES("g\rood"), BYTES("-good"), BYTES("good;nochg"),
	BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), BYTES("\0\0\0\4\0\0\0\0\0"), BYTES(""),
	BYTES(" "), BYTES("\n\n\n"), BYTES("\x80\x81\x82"), BYTES("good\x7f"),
};
enum { NONSENSE = sizeof(nonsense) / sizeof(nonsense[0]) };

static const char *const headers[] = {
	"", "Set-Cookie: good\r\n", "X-Status: good\r\nAlt-Svc: h3=\":443\"\r\n",
	"Strict-Transport-Security: max-age=1\r\n",
};
enum { HEADERS = sizeof(headers) / sizeof(headers[0]) };

static const struct catalogue dyndns2 = { .protocol = CATALOGUE_DYNDNS2 };

/* Of a block of its size, so that a byte too far is seen. */
static enum message_verdict judge(const struct body *body, unsigned status,
				  const char *header)
{
	char *copy = malloc(body->length + (body->length == 0));
	struct provider_answer answer = { .http_status = status, .body = copy,
					  .length = body->length, .https = true,
					  .retry_after = "", .headers = header };
	enum message_verdict verdict;
	struct addr sent;

	assert_non_null(copy);
	memcpy(copy, body->bytes, body->length);
	assert_true(addr_parse("81.2.69.7", &sent));
	verdict = answer_judge(&dyndns2, &answer, &sent).verdict;
	free(copy);
	return verdict;
}

static bool is_success(enum message_verdict verdict)
{
	return verdict == MESSAGE_GOOD || verdict == MESSAGE_UNCHANGED;
}

static void bodies(void **state)
{
	static const struct body good = BYTES("good 81.2.69.7");
	long believed = 0, tried = 0;

	(void)state;
	assert_int_equal(judge(&good, 200, ""), MESSAGE_GOOD);
	for (size_t i = 0; i < NONSENSE; i++)
		for (size_t k = 0; k < HEADERS; k++, tried++)
			if (is_success(judge(&nonsense[i], 200, headers[k]))) {
				print_message("# believed: %zu\n", i);
				believed++;
			}
	assert_true(tried >= 100);
	figure_exactly("S24", "nonsense with status 200 that counts as success", believed, 0);
}

static void statuses(void **state)
{
	static const struct body good = BYTES("good 81.2.69.7");
	long believed = 0;

	(void)state;
	for (unsigned status = 0; status <= 999; status++)
		if (status / 100 != 2)
			believed += is_success(judge(&good, status, ""));
	figure_exactly("S24", "\"good\" with another status than 2xx, 0 to 999, believed",
		       believed, 0);
}

static void shown(void **state)
{
	struct provider_answer answer = { .http_status = 200, .https = true,
					  .retry_after = "", .headers = "" };
	char text[MESSAGE_TEXT_BYTES];
	long controls = 0;
	struct view view;
	struct fill fill;

	(void)state;
	fill_init(&fill, &dyndns2, NULL, 0);
	for (size_t i = 0; i < NONSENSE; i++) {
		answer.body = nonsense[i].bytes;
		answer.length = nonsense[i].length;
		view_init(&view, &answer);
		mask_answer(&fill, &view, text);
		for (const unsigned char *c = (const void *)text; *c; c++)
			controls += *c < 0x20 || *c == 0x7f;
		view_done(&view);
	}
	fill_done(&fill);
	figure_exactly("S24", "control bytes in what is told of nonsense", controls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),
		cmocka_unit_test(statuses),
		cmocka_unit_test(shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
