/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hairpin/secret.h"
#include "hairpin/text.h"

/* Some providers want to know whom to write to: who builds a package says it. */
#ifndef HAIRPIN_CONTACT
#define HAIRPIN_CONTACT "Linux router"
#endif

static const char own_agent[] = "hairpind/" HAIRPIN_VERSION " (" HAIRPIN_CONTACT ")";

/* --- what comes back --- */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_exchange *exchange = context;
	size_t length = size * count, room = HTTP_BODY_MAX - exchange->body_length;
	char *body;

	if (length > room) {
		exchange->reply.cut = true;
		return 0;			/* ends the transfer */
	}
	body = realloc(exchange->body, exchange->body_length + length + 1);
	if (!body)
		return 0;
	memcpy(body + exchange->body_length, bytes, length);
	exchange->body = body;
	exchange->body_length += length;
	body[exchange->body_length] = '\0';
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
	while (length > 0 && strchr(" \t\r\n", line[length - 1]))
		length--;
	if (length >= room || memchr(line, '\0', length))
		return;
	memcpy(out, line, length);
	out[length] = '\0';
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct http_exchange *exchange = context;
	struct http_reply *reply = &exchange->reply;
	size_t length = size * count;

	exchange->header_bytes += length;
	if (exchange->header_bytes > HTTP_HEADERS_MAX)
		return 0;
	if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* Another answer begins: what an interim one said does not count. */
		reply->retry_after[0] = '\0';
		reply->location[0] = '\0';
		return length;
	}
	keep_header(line, length, "Retry-After", reply->retry_after,
		    sizeof(reply->retry_after));
	keep_header(line, length, "Location", reply->location, sizeof(reply->location));
	return length;
}

/* --- what libcurl is told --- */

static int read_url(struct http_exchange *exchange, const char *url, struct err *ret_err)
{
	char *host = NULL, *port = NULL;
	CURLU *parts = curl_url();
	int r = -EINVAL;
	size_t length;

	if (!parts || curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) ||
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) ||
	    curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT)) {
		err_set(ret_err, r, "the request's URL makes no sense");
		goto done;
	}
	length = strlen(host);
	if (host[0] == '[' && length > 2) {	/* an IPv6 address */
		memmove(host, host + 1, length - 2);
		host[length - 2] = '\0';
	}
	if (!text_copy(exchange->host_name, sizeof(exchange->host_name), host) ||
	    !text_copy(exchange->port, sizeof(exchange->port), port))
		err_set(ret_err, r, "the server's name is too long");
	else
		r = 0;
done:
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(parts);
	return r;
}

static int add_headers(struct http_exchange *exchange, const struct http_request *request)
{
	for (size_t i = 0; i < request->header_count; i++) {
		struct curl_slist *more;

		more = curl_slist_append(exchange->headers, request->headers[i]);
		if (!more)
			return -ENOMEM;
		exchange->headers = more;
	}
	return 0;
}

/* Remembers the first failure, so that the caller checks once. */
#define SET(option, value) \
	do { \
		if (code == CURLE_OK) \
			code = curl_easy_setopt(easy, option, value); \
	} while (0)

static CURLcode set_rules(CURL *easy, const struct http_request *request)
{
	const char *protocols = request->insecure_http ? "https,http" : "https";
	CURLcode code = CURLE_OK;

	SET(CURLOPT_PROTOCOLS_STR, protocols);
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	return code;
}

static CURLcode set_callbacks(CURL *easy, struct http_exchange *exchange)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_PRIVATE, exchange);
	SET(CURLOPT_ERRORBUFFER, exchange->problem);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, exchange);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, exchange);
	return code;
}

static CURLcode set_method(CURL *easy, const struct http_request *request)
{
	CURLcode code = CURLE_OK;

	if (request->body)
		SET(CURLOPT_COPYPOSTFIELDS, request->body);
	else
		SET(CURLOPT_HTTPGET, 1L);
	if (strcmp(request->method, request->body ? "POST" : "GET") != 0)
		SET(CURLOPT_CUSTOMREQUEST, request->method);
	return code;
}

static CURLcode set_request(CURL *easy, struct http_exchange *exchange,
			    const struct http_request *request)
{
	CURLcode code = set_method(easy, request);

	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_HTTPHEADER, exchange->headers);
	SET(CURLOPT_USERAGENT, request->user_agent ? request->user_agent : own_agent);
	if (request->user) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(CURLOPT_USERNAME, request->user);
		SET(CURLOPT_PASSWORD, request->password ? request->password : "");
	}
	if (request->ca_pem) {
		struct curl_blob pem = { (void *)(uintptr_t)request->ca_pem,
					 strlen(request->ca_pem), CURL_BLOB_COPY };

		SET(CURLOPT_CAINFO_BLOB, &pem);
		SET(CURLOPT_CAPATH, NULL);
	}
	return code;
}

int exchange_prepare(struct http_exchange *exchange, const struct http_request *request,
		     struct err *ret_err)
{
	CURLcode code;
	int r = read_url(exchange, request->url, ret_err);

	if (r < 0)
		return r;
	if (!text_copy(exchange->interface, sizeof(exchange->interface),
		       request->interface))
		return err_set(ret_err, -EINVAL, "the interface's name is too long");
	exchange->private_server = request->private_server;
	exchange->easy = curl_easy_init();
	if (!exchange->easy || add_headers(exchange, request) < 0)
		return err_set(ret_err, -ENOMEM, "no memory for a request");
	code = set_rules(exchange->easy, request);
	if (code == CURLE_OK)
		code = set_callbacks(exchange->easy, exchange);
	if (code == CURLE_OK)
		code = set_request(exchange->easy, exchange, request);
	if (code != CURLE_OK)
		return err_set(ret_err, code == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL,
			       "the request cannot be made: %s",
			       curl_easy_strerror(code));
	return 0;
}

static void slist_wipe_free(struct curl_slist *list)
{
	for (struct curl_slist *at = list; at; at = at->next)
		secret_wipe(at->data, strlen(at->data));
	curl_slist_free_all(list);
}

void exchange_free(struct http_exchange *exchange)
{
	curl_easy_cleanup(exchange->easy);
	slist_wipe_free(exchange->headers);
	curl_slist_free_all(exchange->pins);
	if (exchange->body)
		secret_wipe(exchange->body, exchange->body_length);
	free(exchange->body);
	free(exchange);
}

/* --- addresses --- */

static void add_pin(struct text *pin, const struct addr *address, bool first)
{
	char room[ADDR_TEXT_BYTES];

	if (!first)
		text_add(pin, ",");
	text_add(pin, addr_format(address, room));
}

/* The link is left by only for the internet: a server at home is not behind it. */
static bool set_link(struct http_exchange *exchange, bool all_global)
{
	char link[32];

	if (!exchange->interface[0] || !all_global)
		return true;
	snprintf(link, sizeof(link), "if!%s", exchange->interface);
	return curl_easy_setopt(exchange->easy, CURLOPT_INTERFACE, link) == CURLE_OK;
}

static bool set_pin(struct http_exchange *exchange, struct text *pin)
{
	struct addr literal;

	if (addr_parse(exchange->host_name, &literal))
		return true;		/* nothing to resolve */
	if (pin->failed)
		return false;
	exchange->pins = curl_slist_append(NULL, pin->bytes);
	return exchange->pins && curl_easy_setopt(exchange->easy, CURLOPT_RESOLVE,
						  exchange->pins) == CURLE_OK;
}

static void say_refused(struct http_exchange *exchange, const struct addr *address)
{
	char host[100], room[ADDR_TEXT_BYTES];

	text_escape(host, sizeof(host), exchange->host_name, strlen(exchange->host_name));
	snprintf(exchange->reply.why, sizeof(exchange->reply.why),
		 "%s has the address %s, which is not global: not asked "
		 "(\"private_server\": true allows it)",
		 host, addr_format(address, room));
}

bool exchange_pin(struct http_exchange *exchange,
		  const struct resolve_addresses *addresses)
{
	struct text pin = TEXT_INIT;
	bool all_global = true, ok;
	size_t used = 0;
	char host[100];

	text_addf(&pin, "%s:%s:", exchange->host_name, exchange->port);
	for (size_t i = 0; i < addresses->count; i++) {
		bool global = addr_is_global(&addresses->addresses[i]);

		if (!global && !exchange->private_server)
			continue;
		all_global = all_global && global;
		add_pin(&pin, &addresses->addresses[i], used++ == 0);
	}
	if (addresses->count == 0) {
		text_escape(host, sizeof(host), exchange->host_name,
			    strlen(exchange->host_name));
		snprintf(exchange->reply.why, sizeof(exchange->reply.why),
			 addresses->answered ? "%s has no address" :
			 "no resolver answered for %s", host);
	} else if (used == 0) {
		say_refused(exchange, &addresses->addresses[0]);
	}
	ok = used > 0 && set_pin(exchange, &pin) && set_link(exchange, all_global);
	text_done(&pin);
	return ok;
}
