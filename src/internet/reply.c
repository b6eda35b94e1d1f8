/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes back, within its limits. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "exchange.h"

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_exchange *exchange = context;
	struct http *http = exchange->http;
	size_t length = size * count;

	if (length > exchange->body_max - exchange->body.length) {
		exchange->reply.cut = true;
		return 0;			/* ends the transfer */
	}
	/* The machine's memory is for others too; whoever says little may always say it. */
	if (exchange->body.length + length > HTTP_BODY_SMALL &&
	    http->body_bytes + length > HTTP_BODIES_MAX)
		return 0;
	text_add_bytes(&exchange->body, bytes, length);
	if (exchange->body.failed)
		return 0;
	http->body_bytes += length;
	exchange->pool->taken += length;
	return length;
}

static void keep_header(const char *line, size_t length, const char *name, char *out,
			size_t room)
{
	size_t name_length = strlen(name);

	if (length <= name_length || line[name_length] != ':' ||
	    strncasecmp(line, name, name_length) != 0)
		return;
	line += name_length + 1;
	length -= name_length + 1;
	while (length > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		length--;
	}
	if (length >= room)
		return;
	memcpy(out, line, length);
	out[length] = '\0';
}

static void take_line(struct http_exchange *exchange, const char *line, size_t length)
{
	struct http_reply *reply = &exchange->reply;

	while (length > 0 && strchr(" \t\r\n", line[length - 1]))
		length--;
	/* A bare CR makes a header invalid: RFC 9112, section 2.2. */
	if (length == 0 || memchr(line, '\0', length) || memchr(line, '\r', length))
		return;
	text_add_bytes(&exchange->header_lines, line, length);
	text_add(&exchange->header_lines, "\r\n");
	keep_header(line, length, "Retry-After", reply->retry_after,
		    sizeof(reply->retry_after));
	keep_header(line, length, "Location", reply->location, sizeof(reply->location));
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct http_exchange *exchange = context;
	struct http_reply *reply = &exchange->reply;
	size_t length = size * count;

	exchange->header_bytes += length;
	exchange->pool->taken += length;
	if (exchange->header_bytes > HTTP_HEADERS_MAX)
		return 0;
	if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* Another answer begins: what an interim one said does not count. */
		reply->retry_after[0] = '\0';
		reply->location[0] = '\0';
		text_clear(&exchange->header_lines);
		return length;
	}
	take_line(exchange, line, length);
	return exchange->header_lines.failed ? 0 : length;
}

static uint64_t bytes_heard(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t bytes = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) < 0)
		return 0;
	return info.tcpi_bytes_received;
}

/*
 * The frame around a body may be endless (RFC 9112, 7.1.1), and libcurl shows it to
 * nobody. Not so with HTTP/2, where a connection is of many.
 */
static int on_progress(void *context, curl_off_t to_come, curl_off_t came,
		       curl_off_t to_go, curl_off_t gone)
{
	struct http_exchange *exchange = context;
	uint64_t heard = exchange->fd < 0 ? 0 : bytes_heard(exchange->fd);
	long version = 0;

	(void)to_come;
	(void)came;
	(void)to_go;
	(void)gone;
	if (exchange->heard_before == 0)
		exchange->heard_before = heard;
	if (heard <= exchange->heard_before + HTTP_FRAMES_MAX * exchange->body_max)
		return 0;
	curl_easy_getinfo(exchange->easy, CURLINFO_HTTP_VERSION, &version);
	exchange->endless = version == CURL_HTTP_VERSION_1_1;
	return exchange->endless;
}

CURLcode reply_prepare(struct http_exchange *exchange)
{
	CURL *easy = exchange->easy;
	CURLcode code = CURLE_OK;

	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, exchange);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, exchange);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, exchange);
	SET(CURLOPT_NOPROGRESS, 0L);
	return code;
}
