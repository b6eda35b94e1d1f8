/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signers with a private key; the keys are made here, the signatures verified. */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hairpin/json.h"
#include "provider/sign.h"

#define TEXT(string) ((char *)(uintptr_t)(string))

static EVP_PKEY *rsa;
static char *rsa_pem, *locked_pem, *ec_pem;

static char *pem_of(EVP_PKEY *key, const char *passphrase)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *pem;
	long length;

	assert_int_equal(PEM_write_bio_PrivateKey(
				 bio, key, passphrase ? EVP_aes_128_cbc() : NULL, NULL, 0,
				 NULL, TEXT(passphrase)), 1);
	length = BIO_get_mem_data(bio, &bytes);
	pem = strndup(bytes, (size_t)length);
	BIO_free(bio);
	return pem;
}

static int make_keys(void **state)
{
	EVP_PKEY *ec = EVP_EC_gen("P-256");

	(void)state;
	rsa = EVP_RSA_gen(2048);
	rsa_pem = pem_of(rsa, NULL);
	locked_pem = pem_of(rsa, "horse");
	ec_pem = pem_of(ec, NULL);
	EVP_PKEY_free(ec);
	return 0;
}

static int drop_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	free(rsa_pem);
	free(locked_pem);
	free(ec_pem);
	return 0;
}

/* Any form of base64, up to the end or a dot. Returns how many bytes. */
static size_t decode(const char *text, unsigned char *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789+/";
	unsigned bits = 0, have = 0;
	size_t count = 0;

	for (; *text && *text != '.' && *text != '='; text++) {
		char c = *text == '-' ? '+' : *text == '_' ? '/' : *text;
		const char *at = strchr(letters, c);

		assert_non_null(at);
		bits = bits << 6 | (unsigned)(at - letters);
		have += 6;
		if (have >= 8)
			out[count++] = (unsigned char)(bits >> (have -= 8));
	}
	return count;
}

static bool verifies(const char *digest, const char *signature, const char *text,
		     size_t length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char bytes[512];
	size_t count = decode(signature, bytes);
	bool fine;

	assert_int_equal(EVP_DigestVerifyInit_ex(context, NULL, digest, NULL, NULL, rsa,
						 NULL), 1);
	fine = EVP_DigestVerify(context, bytes, count, (const unsigned char *)text,
				length) == 1;
	EVP_MD_CTX_free(context);
	return fine;
}

static const struct catalogue catalogue = {
	.setting_count = 1, .settings = { { .name = "secret_key", .required = true,
					    .secret = true, .kind = CATALOGUE_DOCUMENT } },
};

/* `by` with the setting "secret_key"; a request, or a value where that is NULL. */
static int run(const char *by, const char *value, struct provider_request *request,
	       char **ret_value, struct err *err)
{
	struct provider_value setting = { "secret_key", value };
	struct provider_moment moment = { .wall_s = 1551113065 };
	struct catalogue_sign transip = {
		.by = "transip", .part_count = 1,
		.parts = { { TEXT("private_key"), TEXT("{secret_key}") } } };
	struct catalogue_sign jwt = {
		.by = "jwt", .part_count = 2,
		.parts = { { TEXT("key_file"), TEXT("{secret_key}") },
			   { TEXT("scope"), TEXT("https://example.org/dns \"x\"") } } };
	const struct catalogue_sign *sign = strcmp(by, "jwt") == 0 ? &jwt : &transip;
	struct fill fill;
	int r;

	fill_init(&fill, &catalogue, &setting, 1);
	fill_set_moment(&fill, &moment);
	if (request)
		r = sign_request(sign, &fill, &moment, request, err);
	else
		r = sign_make_value(sign, &fill, &moment, ret_value, err);
	fill_done(&fill);
	return r;
}

static void transip(void **state)
{
	static const char body[] = "{\"login\":\"me\",\"nonce\":\"n\"}";
	struct provider_request request = {
		.method = "POST", .url = strdup("https://api.transip.nl/v6/auth"),
		.body = strdup(body) };
	char *none = TEXT("untouched");
	const char *value;

	(void)state;
	assert_int_equal(run("transip", rsa_pem, &request, NULL, NULL), 0);
	assert_int_equal(request.header_count, 1);
	value = request.headers[0];
	assert_memory_equal(value, "Signature: ", 11);
	assert_int_equal(strlen(value + 11), 344);	/* 256 bytes */
	assert_true(verifies("SHA512", value + 11, body, strlen(body)));
	assert_false(verifies("SHA512", value + 11, body, strlen(body) - 1));
	provider_request_done(&request);
	/* It makes no value. */
	assert_int_equal(run("transip", rsa_pem, NULL, &none, NULL), 0);
	assert_null(none);
}

static char *key_file(const char *pem, const char *email)
{
	struct json *file = json_new_object();
	char *text;

	json_add_string(file, "type", "service_account");
	json_add_string(file, "private_key_id", "abc123");
	if (pem)
		json_add_string(file, "private_key", pem);
	if (email)
		json_add_string(file, "client_email", email);
	json_add_string(file, "token_uri", "https://oauth2.googleapis.com/token");
	text = json_print(file, true);
	json_free(file);
	return text;
}

/* RFC 7515, section 3.1, and RFC 7523. */
static void jwt(void **state)
{
	char *file = key_file(rsa_pem, "me@p.iam.gserviceaccount.com"), *value = NULL;
	struct provider_request untouched = { .method = "POST" };
	unsigned char part[1024];
	const char *first, *second;
	size_t count;

	(void)state;
	assert_int_equal(run("jwt", file, NULL, &value, NULL), 0);
	first = strchr(value, '.');
	assert_non_null(first);
	second = strchr(first + 1, '.');
	assert_non_null(second);
	assert_null(strchr(second + 1, '.'));
	assert_null(strpbrk(value, "=+/"));
	count = decode(value, part);
	part[count] = '\0';
	assert_string_equal((char *)part,
			    "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"abc123\"}");
	count = decode(first + 1, part);
	part[count] = '\0';
	assert_string_equal((char *)part,
			    "{\"iss\":\"me@p.iam.gserviceaccount.com\","
			    "\"scope\":\"https://example.org/dns \\\"x\\\"\","
			    "\"aud\":\"https://oauth2.googleapis.com/token\","
			    "\"iat\":1551113065,\"exp\":1551116665}");
	assert_true(verifies("SHA256", second + 1, value, (size_t)(second - value)));
	free(value);
	/* It signs no request. */
	assert_int_equal(run("jwt", file, &untouched, NULL, NULL), 0);
	assert_int_equal(untouched.header_count, 0);
	free(file);
}

/* Which setting, and why; of what it holds nothing. */
static void expect_refused(const char *by, const char *key, const char *words)
{
	struct provider_request request = {
		.method = "POST", .url = strdup("https://api.transip.nl/v6/auth") };
	bool value = strcmp(by, "jwt") == 0;
	char *none = TEXT("untouched");
	struct err err = { "" };

	assert_int_equal(run(by, key, value ? NULL : &request, &none, &err), -EINVAL);
	assert_string_equal(err.text, words);
	assert_string_equal(none, "untouched");
	assert_int_equal(request.header_count, 0);
	provider_request_done(&request);
}

static void wrong_keys(void **state)
{
	char *cut = strdup(rsa_pem), *public_key = strdup(rsa_pem);

	(void)state;
	cut[strlen(cut) / 2] = '\0';
	memcpy(strstr(public_key, "PRIVATE"), "PUBLICK", 7);
	expect_refused("transip", "horse",
		       "the setting \"secret_key\" holds no private key in PEM form");
	expect_refused("transip", cut,
		       "the setting \"secret_key\" holds no private key in PEM form");
	expect_refused("transip", public_key,
		       "the setting \"secret_key\" holds no private key in PEM form");
	expect_refused("transip", ec_pem,
		       "the setting \"secret_key\" holds a key that is not RSA");
	expect_refused("transip", locked_pem,
		       "the setting \"secret_key\" holds a key with a passphrase; it must "
		       "have none");
	expect_refused("transip", "", "\"private_key\" of the signature is empty");
	free(cut);
	free(public_key);
}

static void wrong_key_files(void **state)
{
	static const char start[] =
		"the setting \"secret_key\" is no key file of a service account: ";
	static const char *const no_json[] = { "horse", "{", "{\"a\":1}}",
					       "-----BEGIN PRIVATE KEY-----" };
	char *cases[] = { key_file(NULL, "me"), key_file(rsa_pem, NULL), strdup("[]"),
			  strdup("{\"client_email\":1,\"private_key\":2}") };
	char words[160], *file = key_file(ec_pem, "me");

	(void)state;
	snprintf(words, sizeof(words), "%sit is no JSON", start);
	for (size_t i = 0; i < 4; i++)
		expect_refused("jwt", no_json[i], words);
	snprintf(words, sizeof(words), "%sclient_email and private_key must be there",
		 start);
	for (size_t i = 0; i < 4; i++) {
		expect_refused("jwt", cases[i], words);
		free(cases[i]);
	}
	expect_refused("jwt", file,
		       "the setting \"secret_key\" holds a key that is not RSA");
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transip),
		cmocka_unit_test(jwt),
		cmocka_unit_test(wrong_keys),
		cmocka_unit_test(wrong_key_files),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
