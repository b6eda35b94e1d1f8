/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands around answers within TLS: frames of HTTP/2, session tickets, new keys.
 *
 * libcurl and OpenSSL show it to nobody, and go on reading within one call for as long as
 * more of it comes: whoever sends it without end would keep us there, past every deadline.
 * So the records are counted where they are read, and a connection by which too much came
 * that is no answer is as good as closed.
 */
#include <string.h>

#include <openssl/ssl.h>

#include "exchange.h"

/* Each is work of its own, however short it is. */
enum { RECORD_BYTES = 256 };

/*
 * What a connection may say grows with what replies took; compared as a difference, so
 * that neither sum need fit.
 */
static bool is_too_much(const struct pool *pool, uintptr_t heard)
{
	return (intptr_t)(heard - HTTP_FRAMES_MAX * pool->taken) > HTTP_AROUND_MAX;
}

/* libcurl makes an SSL_CTX for each connection: the count is kept there. */
static void on_record(int out, int version, int type, const void *bytes, size_t length,
		      SSL *tls, void *context)
{
	const unsigned char *head = bytes;
	SSL_CTX *connection = SSL_get_SSL_CTX(tls);
	struct pool *pool = context;
	uintptr_t heard;

	(void)version;
	if (out || type != SSL3_RT_HEADER || length < SSL3_RT_HEADER_LENGTH)
		return;
	heard = (uintptr_t)SSL_CTX_get_app_data(connection) + RECORD_BYTES +
		(uintptr_t)(head[3] << 8 | head[4]);
	SSL_CTX_set_app_data(connection, (void *)heard);
	if (!is_too_much(pool, heard))
		return;
	pool->endless = true;
	SSL_set_shutdown(tls, SSL_get_shutdown(tls) | SSL_RECEIVED_SHUTDOWN);
}

/* And who was looked at is not to become somebody else within the connection. */
static CURLcode count_records(CURL *easy, void *tls, void *context)
{
	const struct http_exchange *exchange = context;
	struct pool *pool = exchange->pool;

	(void)easy;
	SSL_CTX_set_options((SSL_CTX *)tls, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_msg_callback((SSL_CTX *)tls, on_record);
	SSL_CTX_set_msg_callback_arg((SSL_CTX *)tls, pool);
	SSL_CTX_set_app_data((SSL_CTX *)tls, (void *)(HTTP_FRAMES_MAX * pool->taken));
	return CURLE_OK;
}

CURLcode records_prepare(struct http_exchange *exchange)
{
	const char *library = curl_version_info(CURLVERSION_NOW)->ssl_version;
	CURL *easy = exchange->easy;
	CURLcode code = CURLE_OK;

	if (!library || strncmp(library, "OpenSSL/", strlen("OpenSSL/")) != 0)
		return code;
	SET(CURLOPT_SSL_CTX_FUNCTION, count_records);
	SET(CURLOPT_SSL_CTX_DATA, exchange);
	return code;
}
