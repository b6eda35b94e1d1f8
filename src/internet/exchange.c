/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/secret.h"
#include "hairpin/text.h"

/* Some providers want to know whom to write to: who builds a package says it. */
#ifndef HAIRPIN_CONTACT
#define HAIRPIN_CONTACT "Linux router"
#endif

static const char own_agent[] = "hairpind/" HAIRPIN_VERSION " (" HAIRPIN_CONTACT ")";

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

static int add_header(struct http_exchange *exchange, const char *header)
{
	struct curl_slist *more = curl_slist_append(exchange->headers, header);

	if (!more)
		return -ENOMEM;
	exchange->headers = more;
	return 0;
}

/* What is meant to have a body says at least that it is empty (RFC 9110, 8.6). */
static const char *body_of(const struct http_request *request)
{
	bool has_one = request->body || (strcmp(request->method, "GET") != 0 &&
					 strcmp(request->method, "DELETE") != 0);

	return request->body || !has_one ? request->body : "";
}

/*
 * An empty body has no type, but libcurl would say one. Where it signs, the line that
 * takes it away would be signed, and not sent.
 */
static bool hide_type(const struct http_request *request)
{
	return !request->body && body_of(request) && !request->aws_sigv4;
}

static int add_headers(struct http_exchange *exchange, const struct http_request *request)
{
	int r = 0;

	for (size_t i = 0; i < request->header_count && r == 0; i++)
		r = add_header(exchange, request->headers[i]);
	if (r == 0 && hide_type(request))
		r = add_header(exchange, "Content-Type:");
	return r;
}

static CURLcode set_rules(CURL *easy, const struct http_request *request)
{
	const char *protocols = request->insecure_http ? "https,http" : "https";
	CURLcode code = CURLE_OK;

	SET(CURLOPT_PROTOCOLS_STR, protocols);
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	return code;
}

/*
 * HTTP/2 where the server offers it. Then one connection is enough for all requests: the
 * others wait until it is known.
 */
static CURLcode set_version(CURL *easy)
{
	bool http2 = curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2;
	CURLcode code = CURLE_OK;

	SET(CURLOPT_HTTP_VERSION, (long)(http2 ? CURL_HTTP_VERSION_2TLS :
						 CURL_HTTP_VERSION_1_1));
	SET(CURLOPT_PIPEWAIT, (long)http2);
	return code;
}

static struct addr address_of(const struct curl_sockaddr *from)
{
	const struct sockaddr *address = &from->addr;

	if (from->family == AF_INET)
		return addr_from_bytes(AF_INET, &((const struct sockaddr_in *)
						  (const void *)address)->sin_addr);
	if (from->family == AF_INET6)
		return addr_from_bytes(AF_INET6, &((const struct sockaddr_in6 *)
						   (const void *)address)->sin6_addr);
	return (struct addr){ 0 };
}

static bool may_use(const struct http_exchange *exchange, const struct addr *address)
{
	return (exchange->family == 0 || address->family == exchange->family) &&
	       (exchange->private_server || addr_is_global(address));
}

/* The link is left by only for the internet: a server at home is not behind it. */
static const char *link_to(const struct http_exchange *exchange,
			   const struct addr *address)
{
	if (!addr_is_global(address) && !exchange->near)
		return "";
	return address->family == AF_INET6 && exchange->interface6[0]
		       ? exchange->interface6 : exchange->interface;
}

static bool bind_to(int fd, const char *link)
{
	return !link[0] || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link,
				      (socklen_t)strlen(link)) == 0;
}

/*
 * The last gate: what one request pinned for a host stands for all at that host, though
 * they may not be allowed the same. And the only place where the family is known, which
 * may have a link of its own.
 */
static curl_socket_t open_socket(void *context, curlsocktype purpose,
				 struct curl_sockaddr *to)
{
	const struct http_exchange *exchange = context;
	struct addr address = address_of(to);
	int fd;

	(void)purpose;
	if (!may_use(exchange, &address))
		return CURL_SOCKET_BAD;
	fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	if (fd < 0 || bind_to(fd, link_to(exchange, &address)))
		return fd;
	close(fd);
	return CURL_SOCKET_BAD;
}

/*
 * Called whenever the request is about to leave: the other end is known by then. Where a
 * kept connection ends without an answer, libcurl would send it once more; but the server
 * may have done what it says, and would create a second record.
 */
static int may_leave(void *context, char *ip, char *local_ip, int port, int local_port)
{
	struct http_exchange *exchange = context;

	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	if (exchange->left) {
		exchange->lost = true;
		return CURL_PREREQFUNC_ABORT;
	}
	if (!trust_has_names(exchange->easy)) {
		exchange->nameless = true;
		curl_easy_setopt(exchange->easy, CURLOPT_FORBID_REUSE, 1L);
		return CURL_PREREQFUNC_ABORT;
	}
	exchange->left = true;
	return CURL_PREREQFUNC_OK;
}

static CURLcode set_callbacks(CURL *easy, struct http_exchange *exchange)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_PRIVATE, exchange);
	SET(CURLOPT_ERRORBUFFER, exchange->problem);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, exchange);
	SET(CURLOPT_PREREQFUNCTION, may_leave);
	SET(CURLOPT_PREREQDATA, exchange);
	if (code == CURLE_OK)
		code = records_prepare(exchange);
	return code == CURLE_OK ? reply_prepare(exchange) : code;
}

static CURLcode set_method(CURL *easy, const struct http_request *request)
{
	const char *body = body_of(request);
	CURLcode code = CURLE_OK;

	if (body)
		SET(CURLOPT_COPYPOSTFIELDS, body);
	else
		SET(CURLOPT_HTTPGET, 1L);
	if (strcmp(request->method, body ? "POST" : "GET") != 0)
		SET(CURLOPT_CUSTOMREQUEST, request->method);
	return code;
}

static CURLcode set_user(CURL *easy, const struct http_request *request)
{
	CURLcode code = CURLE_OK;

	if (request->aws_sigv4)
		SET(CURLOPT_AWS_SIGV4, request->aws_sigv4);
	else if (request->user)
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	if (request->user) {
		SET(CURLOPT_USERNAME, request->user);
		SET(CURLOPT_PASSWORD, request->password ? request->password : "");
	}
	return code;
}

static CURLcode set_family(CURL *easy, const struct http_request *request)
{
	long which = request->family == AF_INET ? CURL_IPRESOLVE_V4 :
		     request->family == AF_INET6 ? CURL_IPRESOLVE_V6 :
						   CURL_IPRESOLVE_WHATEVER;

	return curl_easy_setopt(easy, CURLOPT_IPRESOLVE, which);
}

static CURLcode set_request(CURL *easy, struct http_exchange *exchange,
			    const struct http_request *request)
{
	CURLcode code = set_method(easy, request);

	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_HTTPHEADER, exchange->headers);
	SET(CURLOPT_USERAGENT, request->user_agent ? request->user_agent : own_agent);
	if (code == CURLE_OK)
		code = set_user(easy, request);
	if (code == CURLE_OK)
		code = set_family(easy, request);
	return code == CURLE_OK ? trust_prepare(easy, exchange->http, request) : code;
}

int exchange_prepare(struct http_exchange *exchange, const struct http_request *request,
		     struct err *ret_err)
{
	CURLcode code;
	int r = read_url(exchange, request->url, ret_err);

	if (r < 0)
		return r;
	if (!text_copy(exchange->interface, sizeof(exchange->interface),
		       request->interface) ||
	    !text_copy(exchange->interface6, sizeof(exchange->interface6),
		       request->interface6 ? request->interface6 : ""))
		return err_set(ret_err, -EINVAL, "the interface's name is too long");
	exchange->private_server = request->private_server;
	exchange->near = request->near;
	exchange->body_max = request->list ? HTTP_LIST_MAX : HTTP_BODY_MAX;
	exchange->family = request->family;
	exchange->easy = curl_easy_init();
	if (!exchange->easy || add_headers(exchange, request) < 0)
		return err_set(ret_err, -ENOMEM, "no memory for a request");
	code = set_rules(exchange->easy, request);
	if (code == CURLE_OK)
		code = set_version(exchange->easy);
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
	exchange->http->body_bytes -= exchange->body.length;
	secret_wipe(exchange->body.bytes, exchange->body.length);
	secret_wipe(exchange->header_lines.bytes, exchange->header_lines.length);
	text_done(&exchange->body);
	text_done(&exchange->header_lines);
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

/* Will the link be bound to? Tried before, to say why not. */
static bool may_bind(struct http_exchange *exchange, const char *link)
{
	int fd, code = 0;

	if (!link[0])
		return true;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !bind_to(fd, link))
		code = errno;
	if (fd >= 0)
		close(fd);
	if (code)
		snprintf(exchange->reply.why, sizeof(exchange->reply.why),
			 "nothing can be sent by %s alone: %s%s", link, strerror(code),
			 code == EPERM ? " (Linux has allowed that since 5.7; \"bind\": "
					 "false does without)" : "");
	return code == 0;
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

static void say_none(struct http_exchange *exchange,
		     const struct resolve_addresses *addresses)
{
	const char *family = exchange->family == AF_INET ? " IPv4" : " IPv6";
	char host[100], *why = exchange->reply.why;
	size_t room = sizeof(exchange->reply.why);

	text_escape(host, sizeof(host), exchange->host_name, strlen(exchange->host_name));
	if (addresses->count == 0 && !addresses->answered)
		snprintf(why, room, "no resolver answered for %s", host);
	else
		snprintf(why, room, "%s has no%s address", host,
			 addresses->count > 0 ? family : "");
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

/*
 * All addresses that are allowed are pinned, those of another family too: others may need
 * them, and libcurl keeps one pin for a host.
 */
bool exchange_pin(struct http_exchange *exchange,
		  const struct resolve_addresses *addresses)
{
	const struct addr *refused = NULL;
	struct text pin = TEXT_INIT;
	bool blocked = false, ok;
	size_t pinned = 0, used = 0;

	text_addf(&pin, "%s:%s:", exchange->host_name, exchange->port);
	for (size_t i = 0; i < addresses->count; i++) {
		const struct addr *address = &addresses->addresses[i];
		bool of_family = exchange->family == 0 ||
				 address->family == exchange->family;

		if (!exchange->private_server && !addr_is_global(address)) {
			refused = of_family ? address : refused;
			continue;
		}
		add_pin(&pin, address, pinned++ == 0);
		if (of_family && may_bind(exchange, link_to(exchange, address)))
			used++;
		else if (of_family)
			blocked = true;
	}
	if (used == 0 && refused)
		say_refused(exchange, refused);
	else if (used == 0 && !blocked)
		say_none(exchange, addresses);
	ok = used > 0 && set_pin(exchange, &pin);
	text_done(&pin);
	return ok;
}
