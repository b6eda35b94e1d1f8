/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server that answers any bytes: libcurl as we set it up, on a socket whose other end is
 * the input. The first byte's lowest bit asks for a list, which may be longer. What comes of
 * it is within its limits, and a header's value is of one line.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "internet/exchange.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAID_MAX = 180000, WAIT_MS = 5000 };

/* Where libcurl connects to instead: a name that no other process has. */
static char place[64];
static int listener = -1;

static curl_socket_t open_socket(void *context, curlsocktype purpose,
				 struct curl_sockaddr *to)
{
	(void)context;
	(void)purpose;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static void begin(void)
{
	struct sockaddr_un where = { .sun_family = AF_UNIX };

	snprintf(place, sizeof(place), "hairpin-fuzz-http-%d", (int)getpid());
	memcpy(where.sun_path + 1, place, strlen(place));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	require(listener >= 0 && http_global_init() == 0);
	require(bind(listener, (struct sockaddr *)&where,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				 strlen(place))) == 0);
	require(listen(listener, 4) == 0);
}

static void check_line(const char *text)
{
	require(!strpbrk(text, "\r\n"));
}

static void check_reply(struct http_exchange *exchange, CURLcode code)
{
	const struct http_reply *reply = &exchange->reply;

	exchange_conclude(exchange, code);
	require(exchange->body.length <= exchange->body_max);
	require(exchange->header_lines.length <= 2 * HTTP_HEADERS_MAX);
	check_line(reply->retry_after);
	check_line(reply->location);
	require(reply->status < 1000 && reply->outcome <= HTTP_CUT_OFF);
	require((reply->outcome == HTTP_REPLY) || reply->status == 0);
	require(reply->outcome == HTTP_REPLY || reply->why[0]);
	for (const char *c = reply->why; *c; c++)
		require((unsigned char)*c >= ' ' && *c != 0x7f);
}

/* Says all of it at once, to the first who connects; what does not fit is not said. */
static int serve(const uint8_t *bytes, size_t length)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), room = 4 * SAID_MAX;

	if (fd < 0)
		return fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	(void)!send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	require(shutdown(fd, SHUT_WR) == 0);
	return fd;
}

static CURLcode perform(CURL *easy, const uint8_t *bytes, size_t length)
{
	CURLM *multi = curl_multi_init();
	int running = 1, served = -1, left;
	CURLMsg *told;
	CURLcode code;

	require(multi && curl_multi_add_handle(multi, easy) == CURLM_OK);
	while (running > 0) {
		require(curl_multi_perform(multi, &running) == CURLM_OK);
		if (served < 0)
			served = serve(bytes, length);
		else if (running > 0)
			require(curl_multi_poll(multi, NULL, 0, WAIT_MS, NULL) == CURLM_OK);
	}
	told = curl_multi_info_read(multi, &left);
	require(told && told->msg == CURLMSG_DONE);
	code = told->data.result;
	require(curl_multi_remove_handle(multi, easy) == CURLM_OK);
	(void)curl_multi_cleanup(multi);
	if (served >= 0)
		close(served);
	return code;
}

static void exchange_with(struct http *http, bool list, const uint8_t *bytes, size_t length)
{
	const struct http_request request = {
		.method = "GET", .url = "http://81.2.69.7/nic/update?a=b", .interface = "",
		.insecure_http = true, .list = list };
	struct http_exchange *exchange = calloc(1, sizeof(*exchange));
	struct pool pool = { 0 };	/* only counts here */
	struct err err = { "" };
	CURL *easy;

	require(exchange != NULL);
	exchange->http = http;
	exchange->pool = &pool;
	exchange->body = exchange->header_lines = (struct text)TEXT_INIT;
	exchange->fd = -1;
	require(exchange_prepare(exchange, &request, &err) == 0);
	easy = exchange->easy;
	require(curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK);
	require(curl_easy_setopt(easy, CURLOPT_ABSTRACT_UNIX_SOCKET, place) == CURLE_OK);
	require(curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)WAIT_MS) == CURLE_OK);
	check_reply(exchange, perform(easy, bytes, length));
	exchange_free(exchange);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http http = { .loop = NULL };

	if (listener < 0)
		begin();
	if (size == 0 || size > SAID_MAX)
		return 0;
	exchange_with(&http, data[0] & 1, data + 1, size - 1);
	require(http.body_bytes == 0);
	return 0;
}
