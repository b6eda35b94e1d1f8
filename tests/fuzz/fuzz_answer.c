/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A provider's answer: two bytes of status, one for the number of names and where it came
 * from, one for the description and the step, a line for Retry-After, one as a header, the
 * body. No answer brings success that is not 2xx and clear but where a rule names its
 * status; none gives a result the core would refuse, a step that writes never only goes
 * on, and neither password nor session is ever shown.
 */
#include <stdlib.h>
#include <string.h>

#include "provider/judge.h"
#include "provider/mask.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NAMES_MAX = 4 };

#define TEXT(string) ((char *)(string))
#define PASSWORD .setting_count = 1, \
		 .settings = { { .name = "password", .secret = true } }

static const struct catalogue descriptions[] = {
	{ .protocol = CATALOGUE_DYNDNS2, PASSWORD, .rule_count = 4,
	  .rules = { { .http = 404, .verdict = CATALOGUE_NOHOST },
		     { .token = TEXT("nofqdn"), .verdict = CATALOGUE_NOHOST },
		     { .token = TEXT("{hostname}"), .verdict = CATALOGUE_UNCHANGED },
		     { .spot = { CATALOGUE_HEADER, TEXT("X-Error") },
		       .verdict = CATALOGUE_FORBIDDEN } } },
	{ PASSWORD, .rule_count = 6,
	  .rules = { { .token = TEXT("KO"), .verdict = CATALOGUE_BADAUTH },
		     { .token = TEXT("OK"), .line = TEXT("NOCHANGE"),
		       .verdict = CATALOGUE_UNCHANGED },
		     { .prefix = TEXT("OK"), .verdict = CATALOGUE_GOOD },
		     { .line = TEXT("{ip}"), .verdict = CATALOGUE_GOOD },
		     { .contains = TEXT("busy"), .verdict = CATALOGUE_SERVER_ERROR },
		     { .spot = { CATALOGUE_REGEX, TEXT("^error ([0-9]+)$") },
		       .verdict = CATALOGUE_BAD_REQUEST } } },
	{ PASSWORD, .rule_count = 6, .say_count = 1, .says = { TEXT("error.message") },
	  .rules = { { .spot = { CATALOGUE_JSON, TEXT("ok") }, .test = CATALOGUE_IS,
		       .test_text = TEXT("true"), .verdict = CATALOGUE_GOOD },
		     { .spot = { CATALOGUE_JSON, TEXT("list[ip={ip}].id") },
		       .test = CATALOGUE_BEGINS, .test_text = TEXT("1"),
		       .verdict = CATALOGUE_UNCHANGED },
		     { .spot = { CATALOGUE_JSON, TEXT("error.code") },
		       .test = CATALOGUE_IS_NOT, .test_text = TEXT("7"),
		       .verdict = CATALOGUE_SPLIT },
		     { .spot = { CATALOGUE_JSON, TEXT("*.next") },
		       .verdict = CATALOGUE_NEXT_STEP },
		     { .spot = { CATALOGUE_JSON, TEXT("list[0]") },
		       .test = CATALOGUE_ABSENT, .verdict = CATALOGUE_NO_RECORD },
		     { .spot = { CATALOGUE_JSON, TEXT("error.message") },
		       .test = CATALOGUE_HOLDS, .test_text = TEXT("limit"),
		       .verdict = CATALOGUE_RATE_LIMITED } } },
};

/* Rules of the step that name a status: only they may make a success of another one. */
static const struct catalogue_rule rules_of_step[] = {
	{ .http = 300, .http_to = 310, .verdict = CATALOGUE_UNCHANGED },
	{ .http = 404, .verdict = CATALOGUE_NO_RECORD },
	{ .token = TEXT("skip"), .verdict = CATALOGUE_NEXT_STEP },
};

static void check_verdicts(const struct catalogue_step *step, enum judge_way way,
			   const struct provider_answer *answer,
			   const struct provider_verdict *verdicts, size_t count)
{
	unsigned status = answer->http_status;
	bool own = step->rule_count > 0 && status >= 300 && status <= 310;
	bool clear = !answer->cut && (status / 100 == 2 || own);

	require(step->does != CATALOGUE_WRITE || way == JUDGE_VERDICT);
	require(step->does == CATALOGUE_LOOK || way != JUDGE_NO_RECORD);
	require(way != JUDGE_NEXT || clear);
	require(way != JUDGE_NO_RECORD || clear || (!answer->cut && status == 404));
	for (size_t i = 0; i < count; i++) {
		const struct provider_verdict *v = &verdicts[i];
		bool good = v->verdict == MESSAGE_GOOD || v->verdict == MESSAGE_UNCHANGED;

		require(v->verdict >= MESSAGE_GOOD && v->verdict <= MESSAGE_TRANSIENT);
		require(v->retry_after_s <= PROVIDER_RETRY_MAX_S &&
			v->address_count <= 2);
		require(!good || clear || way != JUDGE_VERDICT);
		for (size_t k = 0; k < v->address_count; k++)
			require(!addr_is_none(&v->addresses[k]));
	}
}

static void check_text(const struct fill *fill, struct view *view)
{
	char text[MESSAGE_TEXT_BYTES];

	mask_answer(fill, view, text);
	require(strlen(text) <= 220);
	require(!strstr(text, "secret h") && !strstr(text, "session-"));
	for (const char *c = text; *c; c++)
		require((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static void check(const struct catalogue *catalogue, const struct catalogue_step *step,
		  const struct provider_answer *answer, size_t count)
{
	static const struct provider_value password = { "password", "secret horse" };
	struct provider_verdict verdicts[NAMES_MAX];
	struct fill_name names[NAMES_MAX];
	struct addr address;
	enum judge_way way;
	struct view view;
	struct fill fill;

	require(addr_parse("81.2.69.7", &address));
	for (size_t i = 0; i < count; i++)
		names[i] = (struct fill_name){ "home.example.org", .ipv4 = address };
	fill_init(&fill, catalogue, &password, 1);
	fill_set_names(&fill, names, count);
	require(fill_set_read(&fill, "session", "session-of-letters"));
	view_init(&view, answer);
	way = judge_answer(catalogue, step, &view, &fill, names, count, verdicts);
	check_verdicts(step, way, answer, verdicts, count);
	check_text(&fill, &view);
	view_done(&view);
	fill_done(&fill);
}

/* Takes a line off the front into `room`, as much as fits; returns the rest. */
static const uint8_t *take_line(const uint8_t *data, const uint8_t *end, char *room,
				size_t bytes)
{
	const uint8_t *line = memchr(data, '\n', (size_t)(end - data));
	size_t length = line ? (size_t)(line - data) : 0;

	if (length >= bytes)
		length = bytes - 1;
	memcpy(room, data, length);
	room[length] = '\0';
	return line ? line + 1 : data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum catalogue_does does[] = { CATALOGUE_WRITE, CATALOGUE_LOOK,
						    CATALOGUE_CLEAN, CATALOGUE_WRITE };
	const uint8_t *end = data + size, *at;
	char wait[64], header[64];
	char *body;

	if (size < 4)
		return 0;
	at = take_line(data + 4, end, wait, sizeof(wait));
	at = take_line(at, end, header, sizeof(header));
	/* from memory of its own, so that a byte read beyond it is caught */
	body = malloc((size_t)(end - at) + 1);
	require(body != NULL);
	memcpy(body, at, (size_t)(end - at));
	struct provider_answer answer = {
		.http_status = data[0] * 4u + data[1] % 4, .body = body,
		.length = (size_t)(end - at), .cut = data[2] & 0x40,
		.https = data[2] & 0x20, .retry_after = wait, .headers = header,
		.wall_s = 1767225600 };
	struct catalogue_step step = { .does = does[data[3] % 4] };

	if (data[3] & 0x80) {
		step.rules = (struct catalogue_rule *)rules_of_step;
		step.rule_count = sizeof(rules_of_step) / sizeof(rules_of_step[0]);
	}
	check(&descriptions[(data[3] >> 2) % 3], &step, &answer, 1 + data[2] % NAMES_MAX);
	free(body);
	return 0;
}
