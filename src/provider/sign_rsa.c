/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "sign_parts.h"

/* A key under a passphrase is refused; libcrypto would ask for it at the terminal. */
static int no_passphrase(char *out, int room, int writing, void *context)
{
	(void)out;
	(void)room;
	(void)writing;
	*(bool *)context = true;
	return -1;
}

static int key_read(const struct sign_rsa *key, EVP_PKEY **ret_key, struct err *ret_err)
{
	BIO *bio = BIO_new_mem_buf(key->pem, -1);
	bool locked = false;
	EVP_PKEY *pkey;

	if (!bio)
		return err_set(ret_err, -ENOMEM, "no memory for a signature");
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &locked);
	BIO_free(bio);
	if (pkey && EVP_PKEY_is_a(pkey, "RSA")) {
		*ret_key = pkey;
		return 0;
	}
	if (pkey) {
		EVP_PKEY_free(pkey);
		return err_set(ret_err, -EINVAL, "%s holds a key that is not RSA",
			       key->where);
	}
	if (locked)
		return err_set(ret_err, -EINVAL,
			       "%s holds a key with a passphrase; it must have none",
			       key->where);
	return err_set(ret_err, -EINVAL, "%s holds no private key in PEM form",
		       key->where);
}

static unsigned char *signature_new(EVP_PKEY *pkey, const char *digest, const char *text,
				    size_t *ret_length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t length = 0, text_length = strlen(text);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char *signature = NULL;

	if (!context ||
	    EVP_DigestSignInit_ex(context, NULL, digest, NULL, NULL, pkey, NULL) != 1 ||
	    EVP_DigestSign(context, NULL, &length, bytes, text_length) != 1)
		goto done;
	signature = malloc(length);
	if (signature &&
	    EVP_DigestSign(context, signature, &length, bytes, text_length) != 1) {
		free(signature);
		signature = NULL;
	}
done:
	EVP_MD_CTX_free(context);
	*ret_length = length;
	return signature;
}

static int add_signature(const struct sign_rsa *key, EVP_PKEY *pkey, const char *text,
			 enum sign_base64 form, struct text *out, struct err *ret_err)
{
	size_t length;
	unsigned char *signature = signature_new(pkey, key->digest, text, &length);

	if (!signature)
		return err_set(ret_err, -EINVAL, "the key of %s does not sign",
			       key->where);
	sign_add_base64(out, form, signature, length);
	free(signature);
	return 0;
}

int sign_rsa(const struct sign_rsa *key, const char *text, enum sign_base64 form,
	     struct text *out, struct err *ret_err)
{
	EVP_PKEY *pkey = NULL;
	int r = key_read(key, &pkey, ret_err);

	if (r == 0)
		r = add_signature(key, pkey, text, form, out, ret_err);
	EVP_PKEY_free(pkey);
	/* What it says of a broken key is of no use to anybody, and stays in its queue. */
	ERR_clear_error();
	return r;
}
