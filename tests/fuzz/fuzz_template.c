/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A template and a value, a line each: whatever the value is, in the URL it adds
 * nothing that ends a component or a line, and no request has a line too many.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hairpin/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "home.example.org" };

static void require(bool fine)
{
	if (!fine)
		abort();
}

static size_t count(const char *string, const char *bytes)
{
	size_t found = 0;

	for (; *string; string++)
		found += strchr(bytes, *string) != NULL;
	return found;
}

static void check(const char *template, struct provider_request *request)
{
	static const char marks[] = "/?#&=@ \"<>\\";

	require(count(request->url, marks) == count(template, marks));
	require(count(request->url, "\r\n\t") == 0);
	for (size_t i = 0; i < request->header_count; i++)
		require(count(request->headers[i], "\r\n") == 0);
}

static void fill(char *template, const char *value)
{
	struct catalogue catalogue = {
		.setting_count = 1, .settings = { { .name = "v", .secret = true } },
		.basic_user = (char *)"{v}", .basic_password = (char *)"{v}{ip}" };
	struct provider_value v = { "v", value };
	struct provider_update update = { .settings = &v, .setting_count = 1,
					  .hostnames = names, .hostname_count = 1 };
	struct catalogue_step step = {
		.method = "POST", .url = template, .body = template, .body_type = "json",
		.header_count = 1, .headers = { { (char *)"X", template } } };
	struct provider_request request;

	if (!addr_parse("2a01:4f8::1", &update.ipv6))
		return;
	if (provider_request_make(&catalogue, &step, &update, &request, NULL) < 0)
		return;
	check(template, &request);
	provider_request_done(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *template = malloc(size + 1), *value, *again;

	require(template != NULL);
	if (size > 0)
		memcpy(template, data, size);
	template[size] = '\0';
	value = strchr(template, '\n');
	if (value) {
		*value++ = '\0';
		/* Descriptions with control characters are refused at load. */
		if (count(template, "\r\t") == 0)
			fill(template, value);
		again = provider_redirect(template, value);
		require(!again || strncasecmp(again, "https://", 8) == 0);
		free(again);
	}
	free(template);
	return 0;
}
