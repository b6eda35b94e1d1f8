/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * provider SOCKET DELAY_MS: the provider of `tests/bench/run updates`, behind nginx, which
 * does TLS and HTTP/2. Plain HTTP/1.1 on the Unix socket SOCKET; each answer comes DELAY_MS
 * after its request: "good ADDRESS" for each name of /nic/update?hostname=...&myip=...,
 * else "OK". It counts, and /count tells and begins anew:
 *
 *	REQUESTS NAMES CONNECTIONS MOST_AT_ONCE FIRST_US LAST_US
 *
 * CONNECTIONS are the clients' (X-Connection), FIRST_US when the first request came,
 * LAST_US when the last answer went, by CLOCK_MONOTONIC.
 */
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_BYTES = 65536, CONNECTIONS_MAX = 65536 };

static struct count {
	unsigned requests, names, connections, at_once, most;
	long long first_us, last_us;
	char seen[CONNECTIONS_MAX];	/* by their number, which nginx counts up */
} count;

static double delay_s;

struct stream {
	ev_io io;
	ev_timer timer;
	char request[REQUEST_BYTES];
	size_t length;
	char *answer;
};

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void close_stream(struct ev_loop *loop, struct stream *stream)
{
	ev_io_stop(loop, &stream->io);
	ev_timer_stop(loop, &stream->timer);
	close(stream->io.fd);
	free(stream->answer);
	free(stream);
}

/* The value of a parameter of the request line, up to the next one. */
static size_t parameter(const char *line, const char *name, const char **ret_value)
{
	const char *end = strchr(line, '\r'), *at = strstr(line, name);

	if (!at || at > end)
		return 0;
	*ret_value = at + strlen(name);
	return strcspn(*ret_value, "& \r");
}

static char *make_body(const char *line)
{
	const char *names = "", *address = "";
	size_t names_length = parameter(line, "hostname=", &names);
	size_t length = parameter(line, "myip=", &address), size, lines = 1;
	char *body;
	FILE *out;

	if (names_length == 0) {
		count.names++;
		return strdup("OK");
	}
	out = open_memstream(&body, &size);
	if (!out)
		return NULL;
	for (size_t i = 0; i < names_length; i++)
		lines += names[i] == ',';
	count.names += (unsigned)lines;
	for (size_t i = 0; i < lines; i++)
		fprintf(out, "good %.*s\n", (int)length, address);
	return fclose(out) == 0 ? body : NULL;
}

static char *tell_count(void)
{
	char *body;

	if (asprintf(&body, "%u %u %u %u %lld %lld\n", count.requests, count.names,
		     count.connections, count.most, count.first_us, count.last_us) < 0)
		body = NULL;
	memset(&count, 0, sizeof(count));
	return body;
}

static void note_request(const struct stream *stream)
{
	const char *connection = strcasestr(stream->request, "x-connection: ");
	unsigned long number = connection ? strtoul(connection + 14, NULL, 10) : 0;

	if (count.requests++ == 0)
		count.first_us = now_us();
	if (++count.at_once > count.most)
		count.most = count.at_once;
	if (!count.seen[number % CONNECTIONS_MAX])
		count.connections++;
	count.seen[number % CONNECTIONS_MAX] = 1;
}

static void send_answer(struct ev_loop *loop, struct stream *stream)
{
	size_t length = strlen(stream->answer);

	if (send(stream->io.fd, stream->answer, length, MSG_NOSIGNAL) !=
	    (ssize_t)length) {
		close_stream(loop, stream);
		return;
	}
	free(stream->answer);
	stream->answer = NULL;
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct stream *stream = timer->data;

	(void)events;
	count.at_once--;
	count.last_us = now_us();
	send_answer(loop, stream);
}

static void take_request(struct ev_loop *loop, struct stream *stream)
{
	bool counts = strncmp(stream->request, "GET /count ", 11) == 0;
	char *body = counts ? tell_count() : make_body(stream->request);

	if (!body ||
	    asprintf(&stream->answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
		     "Content-Type: text/plain\r\n\r\n%s", strlen(body), body) < 0)
		exit(1);
	free(body);
	stream->length = 0;
	if (counts) {
		send_answer(loop, stream);
		return;
	}
	note_request(stream);
	ev_timer_set(&stream->timer, delay_s, 0.);
	ev_timer_start(loop, &stream->timer);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct stream *stream = io->data;
	ssize_t got = read(io->fd, stream->request + stream->length,
			   REQUEST_BYTES - 1 - stream->length);

	(void)events;
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0 || stream->answer) {
		count.at_once -= stream->answer != NULL;
		close_stream(loop, stream);
		return;
	}
	stream->length += (size_t)got;
	stream->request[stream->length] = '\0';
	if (strstr(stream->request, "\r\n\r\n"))
		take_request(loop, stream);
}

static void on_connection(struct ev_loop *loop, ev_io *io, int events)
{
	int fd;

	(void)events;
	while ((fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct stream *stream = calloc(1, sizeof(*stream));

		if (!stream)
			exit(1);
		ev_io_init(&stream->io, on_readable, fd, EV_READ);
		ev_timer_init(&stream->timer, on_timer, 0., 0.);
		stream->io.data = stream->timer.data = stream;
		ev_io_start(loop, &stream->io);
	}
}

int main(int argc, char **argv)
{
	struct ev_loop *loop = ev_default_loop(0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ev_io io;

	if (argc != 3 || fd < 0 || strlen(argv[1]) >= sizeof(address.sun_path))
		return 2;
	memcpy(address.sun_path, argv[1], strlen(argv[1]));
	delay_s = atoi(argv[2]) / 1e3;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 4096) < 0) {
		perror(argv[1]);
		return 1;
	}
	ev_io_init(&io, on_connection, fd, EV_READ);
	ev_io_start(loop, &io);
	ev_run(loop, 0);
	return 0;
}
