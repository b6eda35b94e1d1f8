/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A provider's answer: two bytes of status, one for the number of names and the kind of
 * description, a line for Retry-After, the body. No answer brings success that is not
 * 2xx and clear, none gives a result the core would refuse, and the password is never
 * shown.
 */
#include <stdlib.h>
#include <string.h>

#include "hairpin/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "a.example.org", "b.example.org", "c.example.org",
				     "d.example.org" };

static void require(bool fine)
{
	if (!fine)
		abort();
}

static void check_verdicts(const struct provider_answer *answer,
			   const struct provider_verdict *verdicts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct provider_verdict *v = &verdicts[i];
		bool good = v->verdict == MESSAGE_GOOD || v->verdict == MESSAGE_UNCHANGED;

		require(v->verdict >= MESSAGE_GOOD && v->verdict <= MESSAGE_TRANSIENT);
		require(v->retry_after_s <= PROVIDER_RETRY_MAX_S &&
			v->address_count <= 2);
		require(!good || (answer->http_status / 100 == 2 && !answer->cut));
		for (size_t k = 0; k < v->address_count; k++)
			require(!addr_is_none(&v->addresses[k]));
	}
}

static void check_text(const struct catalogue *catalogue,
		       const struct provider_update *update,
		       const struct provider_answer *answer)
{
	char text[MESSAGE_TEXT_BYTES];

	provider_describe(catalogue, update, answer->body, answer->length, text);
	require(strlen(text) <= 200 && !strstr(text, "secret h"));
	for (const char *c = text; *c; c++)
		require((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static const struct catalogue lines = {
	.dyndns2 = true, .rule_count = 2, .setting_count = 1,
	.settings = { { .name = "password", .secret = true } },
	.rules = { { .http = 404, .verdict = CATALOGUE_NOHOST },
		   { .token = (char *)"nofqdn", .verdict = CATALOGUE_NOHOST } },
};

static const struct catalogue rules = {
	.rule_count = 4, .setting_count = 1,
	.settings = { { .name = "password", .secret = true } },
	.rules = { { .token = (char *)"KO", .verdict = CATALOGUE_BADAUTH },
		   { .token = (char *)"OK", .line = (char *)"NOCHANGE",
		     .verdict = CATALOGUE_UNCHANGED },
		   { .prefix = (char *)"OK", .verdict = CATALOGUE_GOOD },
		   { .contains = (char *)"busy", .verdict = CATALOGUE_SERVER_ERROR } },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct provider_value password = { "password", "secret horse" };
	struct provider_update update = { .settings = &password, .setting_count = 1,
					  .hostnames = names };
	struct provider_verdict verdicts[4];
	const uint8_t *line;
	char wait[64] = "";

	if (size < 3 || !addr_parse("81.2.69.7", &update.ipv4))
		return 0;
	update.hostname_count = 1 + data[2] % 4;
	line = memchr(data + 3, '\n', size - 3);
	if (line && line - (data + 3) < (long)sizeof(wait))
		memcpy(wait, data + 3, (size_t)(line - (data + 3)));
	line = line ? line + 1 : data + 3;
	struct provider_answer answer = {
		.http_status = data[0] * 4u + data[1] % 4, .body = (const char *)line,
		.length = size - (size_t)(line - data), .cut = data[2] & 0x40,
		.https = data[2] & 0x20, .retry_after = wait, .wall_s = 1767225600 };
	const struct catalogue *catalogue = data[2] & 0x80 ? &rules : &lines;

	provider_judge(catalogue, &answer, &update, verdicts);
	check_verdicts(&answer, verdicts, update.hostname_count);
	check_text(catalogue, &update, &answer);
	return 0;
}
