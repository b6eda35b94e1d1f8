/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sign_parts.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hairpin/secret.h"

void sign_wipe_text(struct text *text)
{
	if (text->room > 0)
		secret_wipe(text->bytes, text->room);
	text_done(text);
}

/* --- the request --- */

const char *sign_body(const struct sign_job *job)
{
	return job->request->body ? job->request->body : "";
}

const char *sign_header(const struct sign_job *job, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < job->request->header_count; i++) {
		const char *line = job->request->headers[i];

		if (strncasecmp(line, name, length) == 0 && line[length] == ':')
			return line + length + 1 + strspn(line + length + 1, " \t");
	}
	return NULL;
}

int sign_add_header(struct sign_job *job, const char *name, const char *value)
{
	struct provider_request *request = job->request;
	char *line;

	if (sign_header(job, name))
		return err_set(job->err, -EINVAL,
			       "the header %s is the signer's, not the description's",
			       name);
	if (request->header_count == PROVIDER_HEADERS_MAX)
		return err_set(job->err, -EINVAL, "a request with too many headers");
	if (asprintf(&line, "%s: %s", name, value) < 0)
		return err_set(job->err, -ENOMEM, "no memory for a signature");
	request->headers[request->header_count++] = line;
	return 0;
}

int sign_add_header_text(struct sign_job *job, const char *name, struct text *take)
{
	int r = take->failed ? err_set(job->err, -ENOMEM, "no memory for a signature")
			     : sign_add_header(job, name, take->bytes);

	sign_wipe_text(take);
	return r;
}

int sign_replace_url(struct sign_job *job, const struct text *query)
{
	char *url;

	if (query->failed || asprintf(&url, "%s%s%s", job->url.base,
				      query->length > 0 ? "?" : "", query->bytes) < 0)
		return err_set(job->err, -ENOMEM, "no memory for a signature");
	secret_free(job->request->url);
	job->request->url = url;
	return 0;
}

int sign_nonce(const struct sign_job *job, const char **ret_nonce)
{
	const char *nonce = fill_find(job->fill, "nonce");

	if (!nonce || nonce[0] == '\0')
		return err_set(job->err, -EINVAL, "nothing is known for {nonce}");
	*ret_nonce = nonce;
	return 0;
}

/* --- canonical requests --- */

int sign_sha256_hex(const char *text, char ret_hex[HASH_HEX_BYTES])
{
	struct hash hash;
	int r = hash_digest("sha256", (const char *const[]){ text, NULL }, &hash);

	if (r == 0)
		hash_hex(&hash, ret_hex);
	return r;
}

static void add_lines(const struct sign_line *line, struct text *names, struct text *out)
{
	for (; line->name; line++) {
		if (!line->value)
			continue;
		if (names->length > 0)
			text_add_char(names, ';');
		text_add(names, line->name);
		text_addf(out, "%s:%s\n", line->name, line->value);
	}
}

int sign_canonical(struct sign_job *job, const struct sign_canonical *canonical,
		   struct text *names, char ret_hash[HASH_HEX_BYTES])
{
	struct text text = TEXT_INIT;
	int r = -ENOMEM;

	text_addf(&text, "%s\n%s\n", job->request->method, canonical->path);
	sign_url_query(&job->url, &text);
	text_add_char(&text, '\n');
	add_lines(canonical->lines, names, &text);
	text_addf(&text, "\n%s\n%s", names->bytes, canonical->body_hash);
	if (!text.failed && !names->failed)
		r = sign_sha256_hex(text.bytes, ret_hash);
	sign_wipe_text(&text);
	return r < 0 ? err_set(job->err, r, "no memory for a signature") : 0;
}

/* --- keys --- */

static int chain(const char *algorithm, const void *key, size_t length,
		 const char *const *messages, struct hash *ret_hash)
{
	struct hash hash;
	int r = hash_hmac(algorithm, key, length, messages[0], strlen(messages[0]), &hash);

	for (messages++; r == 0 && *messages; messages++)
		r = hash_hmac(algorithm, hash.bytes, hash.length, *messages,
			      strlen(*messages), &hash);
	if (r == 0)
		*ret_hash = hash;
	secret_wipe(&hash, sizeof(hash));
	return r;
}

int sign_chain(const char *algorithm, const struct sign_key *key,
	       const char *const *messages, struct hash *ret_hash)
{
	size_t length = strlen(key->before) + strlen(key->secret) + strlen(key->behind);
	char *bytes = malloc(length + 1);
	int r;

	if (!bytes)
		return -ENOMEM;
	snprintf(bytes, length + 1, "%s%s%s", key->before, key->secret, key->behind);
	r = chain(algorithm, bytes, length, messages, ret_hash);
	secret_wipe(bytes, length);
	free(bytes);
	return r;
}

/* A character of RFC 4648's second table, which has two others and no '='. */
static char url_safe(unsigned char c)
{
	return c == '+' ? '-' : c == '/' ? '_' : (char)c;
}

void sign_add_base64(struct text *out, enum sign_base64 form, const void *bytes,
		     size_t length)
{
	const unsigned char *at = bytes;

	while (length > 0) {
		int taken = length < 3 ? (int)length : 3;
		unsigned char four[5];

		EVP_EncodeBlock(four, at, taken);
		for (int i = 0; i < 4; i++) {
			if (form == SIGN_BASE64)
				text_add_char(out, (char)four[i]);
			else if (four[i] != '=')
				text_add_char(out, url_safe(four[i]));
		}
		at += taken;
		length -= (size_t)taken;
	}
}
