/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Google service account's assertion (RFC 7523): who I am and what I want to do, for an
 * hour, signed with the key of its key file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/json.h"
#include "sign_parts.h"

enum { KEY_FILE, SCOPE };
enum { VALID_S = 3600 };	/* the longest that Google takes */

/* What the key file says; strings live in its document. */
struct account {
	const char *email, *private_key, *key_id, *token_uri;
};

static bool read_account(const struct json *file, struct account *account)
{
	account->email = json_string(json_get(file, "client_email"));
	account->private_key = json_string(json_get(file, "private_key"));
	account->key_id = json_string(json_get(file, "private_key_id"));
	account->token_uri = json_string(json_get(file, "token_uri"));
	if (!account->token_uri)
		account->token_uri = "https://oauth2.googleapis.com/token";
	return account->email && account->private_key;
}

/* `take` as a part of the assertion. */
static void add_part(struct text *out, struct json *take)
{
	struct text json = TEXT_INIT;

	json_print_take(&json, take);
	out->failed |= json.failed;
	sign_add_base64(out, SIGN_BASE64_URL, json.bytes, json.length);
	text_done(&json);
}

static void add_claims(struct text *out, const struct sign_job *job,
		       const struct account *account)
{
	struct json *header = json_new_object(), *claims = json_new_object();

	json_add_string(header, "alg", "RS256");
	json_add_string(header, "typ", "JWT");
	if (account->key_id)
		json_add_string(header, "kid", account->key_id);
	json_add_string(claims, "iss", account->email);
	json_add_string(claims, "scope", job->values[SCOPE]);
	json_add_string(claims, "aud", account->token_uri);
	json_add_integer(claims, "iat", job->moment->wall_s);
	json_add_integer(claims, "exp", job->moment->wall_s + VALID_S);
	add_part(out, header);
	text_add_char(out, '.');
	add_part(out, claims);
}

static int make_assertion(struct sign_job *job, const struct account *account,
			  struct text *out)
{
	struct sign_rsa key = { account->private_key, job->document_from, "SHA256" };
	struct text signature = TEXT_INIT;
	int r;

	add_claims(out, job, account);
	if (out->failed)
		return err_set(job->err, -ENOMEM, "no memory for a signature");
	r = sign_rsa(&key, out->bytes, SIGN_BASE64_URL, &signature, job->err);
	text_add_char(out, '.');
	text_add(out, signature.bytes);
	out->failed |= signature.failed;
	sign_wipe_text(&signature);
	return r;
}

int sign_jwt(struct sign_job *job, char **ret_value)
{
	const char *bytes = job->values[KEY_FILE];
	struct text assertion = TEXT_INIT;
	struct json_error wrong;
	struct account account;
	struct json *file;
	char *value;
	int r;

	file = json_parse(bytes, strlen(bytes), JSON_STRICT, &wrong);
	if (!file || !read_account(file, &account))
		r = err_set(job->err, -EINVAL,
			    "%s is no key file of a service account: %s",
			    job->document_from,
			    file ? "client_email and private_key must be there"
				 : "it is no JSON");
	else
		r = make_assertion(job, &account, &assertion);
	json_wipe_free(file);
	value = r == 0 ? text_take(&assertion) : NULL;
	sign_wipe_text(&assertion);
	if (r == 0 && !value)
		r = err_set(job->err, -ENOMEM, "no memory for a signature");
	if (r == 0)
		*ret_value = value;
	return r;
}
