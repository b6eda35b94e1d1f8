/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What signers share: the request taken apart, its canonical form, keys, headers, time.
 * Text that was made here may hold secrets: whoever made it wipes it.
 */
#ifndef PROVIDER_SIGN_PARTS_H
#define PROVIDER_SIGN_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/provider.h"
#include "fill.h"
#include "hash.h"

enum { SIGN_QUERY_MAX = 32, SIGN_PARTS_MAX = 4, SIGN_TIME_BYTES = 24 };

/* --- the URL --- */

struct sign_parameter {
	char *name, *value;		/* percent-encoded: all but RFC 3986's unreserved */
};

/*
 * A request's URL, strictly: http or https, no user, no fragment, no dot segments, only
 * characters that may stand in one; in the query no '+' (a space for some, a plus for
 * others) and no parameter twice. Names and values are decoded and encoded again, so that
 * they are as servers make them, whatever the template left as it was.
 */
struct sign_url {
	char *base;			/* up to the query, path "/" where it had none */
	const char *sent_path;		/* the path as it is sent, in `base` */
	char *host;			/* as in the header Host: a default port left out */
	char *path;			/* canonical */
	struct sign_parameter query[SIGN_QUERY_MAX];
	size_t query_count;
};

/* -EINVAL, -ENOMEM; sign_url_done() in any case. */
int sign_url_read(const char *url, struct sign_url *ret_url,
		  struct err *ret_err) must_check;
void sign_url_done(struct sign_url *url);
/* A further parameter, in plain text. -EINVAL: it is there, or there are too many. */
int sign_url_add(struct sign_url *url, const char *name, const char *value) must_check;
/* Sorted by names: "a=1&b=". */
void sign_url_query(struct sign_url *url, struct text *out);

/* --- one request to be signed --- */

struct sign_job {
	/* the parts of "sign", filled, in the order of the signer's table */
	const char *const *values;
	/* where the part of several lines came from: "the setting \"private_key\"" */
	const char *document_from;
	const struct fill *fill;
	const struct provider_moment *moment;
	struct provider_request *request;
	struct sign_url url;
	struct err *err;
};

const char *sign_body(const struct sign_job *job);	/* "" for none */
/* The value of a header of the request; NULL: there is none. */
const char *sign_header(const struct sign_job *job, const char *name);
/* Adds "NAME: value". -EINVAL: it is there, or there are too many; -ENOMEM. */
int sign_add_header(struct sign_job *job, const char *name, const char *value) must_check;
/* The same for text that was being made; wipes and frees it. */
int sign_add_header_text(struct sign_job *job, const char *name,
			 struct text *take) must_check;
/* The request goes to url.base with this query from now on. -ENOMEM. */
int sign_replace_url(struct sign_job *job, const struct text *query) must_check;
/* The request's {nonce}: 16 letters and digits. -EINVAL. */
int sign_nonce(const struct sign_job *job, const char **ret_nonce) must_check;

/* --- canonical requests, as SigV4 and its kin have them --- */

struct sign_line {
	const char *name, *value;	/* lower case; value NULL: left out */
};

struct sign_canonical {
	const char *path;
	const struct sign_line *lines;	/* in order, up to a name that is NULL */
	const char *body_hash;		/* hexadecimal */
};

/*
 * Method, path, query, lines, names and the body's hash; `ret_hash` is the SHA-256 of it
 * in hexadecimal, `names` gets "content-type;host".
 */
int sign_canonical(struct sign_job *job, const struct sign_canonical *canonical,
		   struct text *names, char ret_hash[HASH_HEX_BYTES]) must_check;

/* --- keys --- */

int sign_sha256_hex(const char *text, char ret_hex[HASH_HEX_BYTES]) must_check;

/*
 * HMAC of the first message under before + secret + behind, of each further one under
 * what came out before, up to the NULL.
 */
struct sign_key {
	const char *before, *secret, *behind;
};
int sign_chain(const char *algorithm, const struct sign_key *key,
	       const char *const *messages, struct hash *ret_hash) must_check;

enum sign_base64 { SIGN_BASE64, SIGN_BASE64_URL /* RFC 4648, 5; without '=' */ };
void sign_add_base64(struct text *out, enum sign_base64 form, const void *bytes,
		     size_t length);

/*
 * RSA with PKCS #1 v1.5 padding over the text, by a PEM private key. -EINVAL: it is none;
 * `ret_err` says so of `where`, as "the setting \"private_key\"".
 */
struct sign_rsa {
	const char *pem, *where, *digest;
};
int sign_rsa(const struct sign_rsa *key, const char *text, enum sign_base64 form,
	     struct text *out, struct err *ret_err) must_check;

void sign_wipe_text(struct text *text);		/* wipes and frees */

/* --- the signers: each in sign_NAME.c --- */

int sign_aliyun(struct sign_job *job) must_check;
int sign_aws4(struct sign_job *job) must_check;
int sign_bce(struct sign_job *job) must_check;
int sign_huawei(struct sign_job *job) must_check;
int sign_nfsn(struct sign_job *job) must_check;
int sign_ovh(struct sign_job *job) must_check;
int sign_tc3(struct sign_job *job) must_check;
int sign_transip(struct sign_job *job) must_check;
int sign_volc(struct sign_job *job) must_check;

/* The value {jwt}; `job` has neither request nor URL. The caller wipes and frees. */
int sign_jwt(struct sign_job *job, char **ret_value) must_check;

#endif
