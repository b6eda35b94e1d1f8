/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hairpin/secret.h"
#include "sign_parts.h"

struct signer {
	const char *name;
	const char *parts[SIGN_PARTS_MAX + 1];
	const char *document;	/* the part that is a whole setting of several lines */
	int (*sign)(struct sign_job *job);	/* NULL: it makes a value instead */
};

static const struct signer signers[] = {
	{ "aliyun", { "key", "secret", "key_name" }, NULL, sign_aliyun },
	{ "aws4", { "region", "service", "key", "secret" }, NULL, sign_aws4 },
	{ "bce", { "key", "secret" }, NULL, sign_bce },
	{ "huawei", { "key", "secret" }, NULL, sign_huawei },
	{ "jwt", { "key_file", "scope" }, "key_file", NULL },
	{ "nfsn", { "login", "key" }, NULL, sign_nfsn },
	{ "ovh", { "app_key", "app_secret", "consumer_key", "time" }, NULL, sign_ovh },
	{ "tc3", { "service", "key", "secret" }, NULL, sign_tc3 },
	{ "transip", { "private_key" }, "private_key", sign_transip },
	{ "volc", { "region", "service", "key", "secret" }, NULL, sign_volc },
};

enum { SIGNERS = sizeof(signers) / sizeof(signers[0]) };

static const struct signer *signer_find(const char *name)
{
	for (size_t i = 0; i < SIGNERS; i++)
		if (strcmp(signers[i].name, name) == 0)
			return &signers[i];
	return NULL;
}

static const char *part_find(const struct catalogue_sign *sign, const char *name)
{
	for (size_t i = 0; i < sign->part_count; i++)
		if (strcmp(sign->parts[i].name, name) == 0)
			return sign->parts[i].value;
	return NULL;
}

/* The NAME of a template that is "{NAME}" and nothing else. */
static bool lone_name(const char *template, char name[CATALOGUE_NAME_BYTES])
{
	size_t length = strlen(template);

	if (length < 3 || length - 2 >= CATALOGUE_NAME_BYTES || template[0] != '{' ||
	    strcspn(template, "}") != length - 1)
		return false;
	memcpy(name, template + 1, length - 2);
	name[length - 2] = '\0';
	return true;
}

/* --- what a description says --- */

static int unknown_signer(const char *name, struct err *ret_err)
{
	const char *names[SIGNERS + 1] = { NULL }, *nearest;

	for (size_t i = 0; i < SIGNERS; i++)
		names[i] = signers[i].name;
	nearest = text_nearest(name, names);
	return err_set(ret_err, -EINVAL, "there is no signer \"%s\"%s%s%s", name,
		       nearest ? "; did you mean \"" : "", nearest ? nearest : "",
		       nearest ? "\"?" : "");
}

static bool has_part(const struct signer *signer, const char *name)
{
	for (size_t i = 0; signer->parts[i]; i++)
		if (strcmp(signer->parts[i], name) == 0)
			return true;
	return false;
}

int sign_check(const struct catalogue_sign *sign, struct err *ret_err)
{
	const struct signer *signer = signer_find(sign->by);
	char name[CATALOGUE_NAME_BYTES];

	if (!signer)
		return unknown_signer(sign->by, ret_err);
	for (size_t i = 0; i < sign->part_count; i++)
		if (!has_part(signer, sign->parts[i].name))
			return err_set(ret_err, -EINVAL,
				       "the signer \"%s\" knows no \"%s\"", signer->name,
				       sign->parts[i].name);
	for (size_t i = 0; signer->parts[i]; i++)
		if (!part_find(sign, signer->parts[i]))
			return err_set(ret_err, -EINVAL,
				       "the signer \"%s\" needs \"%s\"", signer->name,
				       signer->parts[i]);
	if (signer->document && !lone_name(part_find(sign, signer->document), name))
		return err_set(ret_err, -EINVAL,
			       "\"%s\" of a signature must be one setting, as \"{%s}\"",
			       signer->document, signer->document);
	return 0;
}

/* --- what it comes to --- */

/* The parts of one signature, filled. */
struct filled {
	char *values[SIGN_PARTS_MAX];
	char document_from[CATALOGUE_NAME_BYTES + 16];
};

static void name_document(struct filled *filled, const char *template)
{
	char name[CATALOGUE_NAME_BYTES] = "";

	lone_name(template, name);
	snprintf(filled->document_from, sizeof(filled->document_from),
		 "the setting \"%s\"", name);
}

static int fill_parts(struct filled *filled, const struct signer *signer,
		      const struct catalogue_sign *sign, const struct fill *fill,
		      struct err *err)
{
	for (size_t i = 0; signer->parts[i]; i++) {
		const char *name = signer->parts[i];
		const char *template = part_find(sign, name);
		bool document = signer->document && strcmp(signer->document, name) == 0;
		int r;

		if (document)
			name_document(filled, template);
		r = fill_new(fill, template, document ? PLACE_DOCUMENT : PLACE_PLAIN,
			     &filled->values[i], err);
		if (r < 0)
			return r == -ENODATA ? -EINVAL : r;	/* no name is to blame */
		if (filled->values[i][0] == '\0')
			return err_set(err, -EINVAL, "\"%s\" of the signature is empty",
				       name);
	}
	return 0;
}

static void filled_done(struct filled *filled)
{
	for (size_t i = 0; i < SIGN_PARTS_MAX; i++)
		secret_free(filled->values[i]);
}

/* --- signing --- */

int sign_make_value(const struct catalogue_sign *sign, const struct fill *fill,
		    const struct provider_moment *moment, char **ret_value,
		    struct err *ret_err)
{
	const struct signer *signer = sign->by[0] ? signer_find(sign->by) : NULL;
	struct filled filled = { 0 };
	struct sign_job job = { .values = (const char *const *)filled.values,
				.document_from = filled.document_from, .fill = fill,
				.moment = moment, .err = ret_err };
	char *value = NULL;
	int r = 0;

	if (signer && !signer->sign) {
		r = sign_check(sign, ret_err);
		if (r == 0)
			r = fill_parts(&filled, signer, sign, fill, ret_err);
		if (r == 0)
			r = sign_jwt(&job, &value);
	}
	filled_done(&filled);
	if (r == 0)
		*ret_value = value;
	return r;
}

int sign_request(const struct catalogue_sign *sign, const struct fill *fill,
		 const struct provider_moment *moment, struct provider_request *request,
		 struct err *ret_err)
{
	const struct signer *signer = signer_find(sign->by);
	struct filled filled = { 0 };
	struct sign_job job = { .values = (const char *const *)filled.values,
				.document_from = filled.document_from, .fill = fill,
				.moment = moment, .request = request, .err = ret_err };
	int r;

	if (!sign->by[0])
		return 0;
	r = sign_check(sign, ret_err);
	if (r < 0 || !signer->sign)
		return r;
	r = fill_parts(&filled, signer, sign, fill, ret_err);
	if (r == 0)
		r = sign_url_read(request->url, &job.url, ret_err);
	if (r == 0)
		r = signer->sign(&job);
	sign_url_done(&job.url);
	filled_done(&filled);
	return r;
}
