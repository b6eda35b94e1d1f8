/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A byte for the signer, a line of URL, a line of body, and a key: whatever they are, what
 * was signed has no header with a line too many and goes to the same server, and what was
 * refused got no header that says it was signed.
 */
#include <stdlib.h>
#include <string.h>

#include "provider/sign.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT(string) ((char *)(uintptr_t)(string))

static const struct catalogue catalogue = {
	.setting_count = 1, .settings = { { .name = "secret", .secret = true } },
};

static const struct {
	const char *by, *parts[4];	/* of which the last one is the key */
} signers[] = {
	{ "aliyun", { "key", "key_name", "secret" } },
	{ "aws4", { "region", "service", "key", "secret" } },
	{ "bce", { "key", "secret" } },
	{ "huawei", { "key", "secret" } },
	{ "jwt", { "scope", "key_file" } },
	{ "nfsn", { "login", "key" } },
	{ "ovh", { "app_key", "consumer_key", "time", "app_secret" } },
	{ "tc3", { "service", "key", "secret" } },
	{ "transip", { "private_key" } },
	{ "volc", { "region", "service", "key", "secret" } },
};

enum { SIGNERS = sizeof(signers) / sizeof(signers[0]) };

static struct catalogue_sign sign_of(size_t which)
{
	struct catalogue_sign sign = { 0 };

	strcpy(sign.by, signers[which].by);
	for (size_t i = 0; i < 4 && signers[which].parts[i]; i++) {
		bool last = i == 3 || !signers[which].parts[i + 1];

		sign.parts[sign.part_count++] = (struct catalogue_pair){
			TEXT(signers[which].parts[i]), TEXT(last ? "{secret}" : "1") };
	}
	require(sign_check(&sign, NULL) == 0);
	return sign;
}

static size_t server_length(const char *url)
{
	const char *end = strstr(url, "://");

	return end ? (size_t)(end - url) + 3 + strcspn(end + 3, "/?#") : 0;
}

static void check_signed(const struct provider_request *request, const char *url)
{
	size_t length = server_length(url);

	require(length > 0 && strncmp(request->url, url, length) == 0);
	require(request->header_count <= PROVIDER_HEADERS_MAX);
	for (size_t i = 0; i < request->header_count; i++)
		require(!strpbrk(request->headers[i], "\r\n"));
}

static void sign(size_t which, const char *url, const char *body, const struct fill *fill)
{
	struct provider_request request = { .method = "POST", .url = strdup(url),
					    .body = *body ? strdup(body) : NULL };
	struct catalogue_sign what = sign_of(which);
	struct provider_moment moment = { .wall_s = 1551113065 };
	char *value = NULL;

	request.headers[request.header_count++] = strdup("Content-Type: text/plain");
	if (sign_request(&what, fill, &moment, &request, NULL) == 0)
		check_signed(&request, url);
	else
		require(request.header_count < 5);
	provider_request_done(&request);
	if (sign_make_value(&what, fill, &moment, &value, NULL) == 0 && value)
		require(strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_.") == strlen(value));
	free(value);
}

/* Ends the line at `text` and returns what is behind it. */
static char *cut_line(char *text)
{
	char *end = strchr(text, '\n');

	if (!end)
		return text + strlen(text);
	*end = '\0';
	return end + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct provider_moment moment = { .wall_s = 1551113065 };
	struct provider_value secret = { "secret", NULL };
	char *url, *body, *key;
	struct fill fill;

	if (size < 1)
		return 0;
	url = malloc(size);
	require(url != NULL);
	memcpy(url, data + 1, size - 1);
	url[size - 1] = '\0';
	body = cut_line(url);
	key = cut_line(body);
	secret.value = key;
	fill_init(&fill, &catalogue, &secret, 1);
	fill_set_moment(&fill, &moment);
	if (server_length(url) > 0)
		sign(data[0] % SIGNERS, url, body, &fill);
	fill_done(&fill);
	free(url);
	return 0;
}
