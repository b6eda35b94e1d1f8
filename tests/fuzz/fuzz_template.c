/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A template, then values, a line each: a setting's, one that was read, the next page's
 * URL. Whatever they are: in the URL they add nothing that ends a component or a line, in
 * JSON and XML nothing that ends a string or a tag, an expression of them matches just
 * them, no request has a line too many, and what is kept comes back as it was.
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hairpin/json.h"
#include "provider/memo.h"
#include "provider/request.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const char *string, const char *bytes)
{
	size_t found = 0;

	for (; *string; string++)
		found += strchr(bytes, *string) != NULL;
	return found;
}

static const struct catalogue catalogue = {
	.setting_count = 2,
	.settings = { { .name = "v", .secret = true }, { .name = "empty" } },
	.value_count = 2,
	.values = { { .name = "w", .templates = { (char *)"{v}{read}" } },
		    { .name = "d", .form = CATALOGUE_DIGEST, .digest = "sha256",
		      .templates = { (char *)"{w}" } } },
	.basic_user = (char *)"{v}", .basic_password = (char *)"{v}{ip}",
	.step_count = 1,
	.steps = { { .read_count = 1,
		     .reads = { { .name = "read", .keep = true } } } },
};

static void check_request(const char *template, struct provider_request *request)
{
	static const char marks[] = "/?#&=@ \"<>\\";

	/* Fewer where an empty setting takes its parameter along. */
	require(count(request->url, marks) <= count(template, marks));
	require(count(request->url, "\r\n\t") == 0);
	for (size_t i = 0; i < request->header_count; i++)
		require(count(request->headers[i], "\r\n") == 0);
}

static void make_request(struct fill *fill, char *template, const char *type)
{
	struct catalogue_step step = {
		.method = "POST", .url = template, .body = template, .each = template,
		.header_count = 1, .headers = { { (char *)"X", template } } };
	struct provider_request request;

	text_copy(step.body_type, sizeof(step.body_type), type);
	if (request_make(fill, &step, NULL, false, &request, NULL) < 0)
		return;
	check_request(template, &request);
	provider_request_done(&request);
}

/* Two values within quotes are two strings, whatever they hold. */
static void check_json(const struct fill *fill)
{
	struct json_error error;
	struct json *json;
	char *text;

	if (fill_new(fill, "[\"{read}\",\"{v}\"]", PLACE_JSON, &text, NULL) == 0) {
		json = json_parse(text, strlen(text), JSON_STRICT, &error);
		if (json) {		/* not where it is no UTF-8 */
			require(json_count(json) == 2);
			require(strcmp(json_string(json_child(json)),
				       fill_find(fill, "read")) == 0);
		}
		json_free(json);
		free(text);
	}
	if (fill_new(fill, "[\"{read:raw}\"]", PLACE_JSON, &text, NULL) == 0) {
		json = json_parse(text, strlen(text), JSON_STRICT, &error);
		require(!json || json_count(json) == 1);
		require(count(text, "[]{},\"") == 2);
		json_free(json);
		free(text);
	}
}

static void check_others(const struct fill *fill)
{
	const char *value = fill_find(fill, "read");
	regmatch_t match;
	regex_t regex;
	char *text;

	if (fill_new(fill, "<a b='{read}'>{read}</a>", PLACE_XML, &text, NULL) == 0) {
		require(count(text, "<>") == 4 && count(text, "'\"") == 2);
		free(text);
	}
	if (fill_new(fill, "^{read}$", PLACE_REGEX, &text, NULL) < 0)
		return;
	if (regcomp(&regex, text, REG_EXTENDED) == 0) {
		if (regexec(&regex, value, 1, &match, 0) == 0)
			require(match.rm_eo == (regoff_t)strlen(value));
		regfree(&regex);
	} else {
		require(strlen(value) > 1000);
	}
	free(text);
}

static void check_memo(struct fill *fill)
{
	char memo[MESSAGE_MEMO_BYTES], again[MESSAGE_MEMO_BYTES], *value;

	memo_write(fill, memo);
	require(strlen(memo) < MESSAGE_MEMO_BYTES);
	for (const char *c = memo; *c; c++)
		require(*c > 0x20 && *c < 0x7f);
	if (!*memo)
		return;
	value = strdup(fill_find(fill, "read"));
	fill_forget_reads(fill);
	require(memo_read(memo, fill));
	require(value && strcmp(fill_find(fill, "read"), value) == 0);
	memo_write(fill, again);
	require(strcmp(memo, again) == 0);
	free(value);
}

static void fill_all(char *template, const char *value, const char *read)
{
	const struct provider_value v = { "v", value };
	struct fill_name names[2] = { { .hostname = "home.example.org" },
				      { .hostname = "*.example.org" } };
	struct fill fill;

	if (!addr_parse("2a01:4f8::1", &names[0].ipv6))
		return;
	names[1].ipv6 = names[0].ipv6;
	fill_init(&fill, &catalogue, &v, 1);
	fill_set_names(&fill, names, 2);
	fill_set_read(&fill, "read", read);
	make_request(&fill, template, "json");
	make_request(&fill, template, "form");
	make_request(&fill, template, "xml");
	if (fill_find(&fill, "read")) {
		check_json(&fill);
		check_others(&fill);
		check_memo(&fill);
	}
	fill_forget_reads(&fill);
	memo_read(value, &fill);
	fill_done(&fill);
}

static char *cut_line(char *text)
{
	char *end = text ? strchr(text, '\n') : NULL;

	if (end)
		*end++ = '\0';
	return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *template = malloc(size + 1), *value, *read, *again;

	require(template != NULL);
	if (size > 0)
		memcpy(template, data, size);
	template[size] = '\0';
	value = cut_line(template);
	if (value) {
		/* What is behind the third line break stays in the last value. */
		read = cut_line(value);
		/* Descriptions with control characters are refused at load. */
		if (count(template, "\r\t") == 0)
			fill_all(template, value, read);
		again = provider_redirect(template, value);
		require(!again || strncasecmp(again, "https://", 8) == 0);
		free(again);
	}
	free(template);
	return 0;
}
