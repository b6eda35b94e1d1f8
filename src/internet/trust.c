/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom we believe to be who he says. */
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "exchange.h"

/*
 * With a directory beside the file of all certificates libcurl reads both anew for each
 * connection, 10 ms and a megabyte; of the file alone one copy serves all.
 */
CURLcode trust_prepare(CURL *easy, const struct http *http,
		       const struct http_request *request)
{
	struct curl_blob pem = { .flags = CURL_BLOB_COPY };
	CURLcode code = CURLE_OK;

	/* Not every TLS library can tell: then there is nothing to look at. */
	(void)curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
	if (request->ca_pem) {
		pem.data = (void *)(uintptr_t)request->ca_pem;
		pem.len = strlen(request->ca_pem);
		SET(CURLOPT_CAINFO_BLOB, &pem);
	}
	if (request->ca_pem || http->has_ca_file)
		SET(CURLOPT_CAPATH, NULL);
	return code;
}

/* Does the certificate hold the extension subjectAltName (RFC 5280, 4.2.1.6)? */
static bool has_alternative_names(const char *pem)
{
	BIO *text = BIO_new_mem_buf(pem, -1);
	X509 *certificate = text ? PEM_read_bio_X509(text, NULL, NULL, NULL) : NULL;
	bool has = certificate &&
		X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) >= 0;

	X509_free(certificate);
	BIO_free(text);
	return has;
}

/*
 * TLS libraries fall back on the subject's common name where a certificate has no other.
 * No authority has issued such a one for years (RFC 9110, 4.3.4), so it is somebody's own
 * doing. A connection that was used before was looked at then.
 */
bool trust_has_names(CURL *easy)
{
	struct curl_certinfo *chain = NULL;

	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain ||
	    chain->num_of_certs == 0)
		return true;
	for (struct curl_slist *at = chain->certinfo[0]; at; at = at->next)
		if (strncmp(at->data, "Cert:", 5) == 0)
			return has_alternative_names(at->data + strlen("Cert:"));
	return true;
}
