/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/dnssend.h"

#include <errno.h>
#include <ev.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/text.h"

enum {
	UDP_TRIES = 3,
	UDP_FIRST_WAIT_S = 1,		/* doubled each time */
	UDP_ANSWER_BYTES = 4096,	/* more than a server may send us */
	TCP_CONNECT_S = 5,
	TCP_ANSWER_S = 10,
	TCP_MESSAGE_MAX = 65535,
};

/* A try over UDP; its socket stays open, since an answer may be late. */
struct line {
	struct dnssend *send;
	ev_io io;			/* fd -1: none */
	size_t address;
};

struct dnssend {
	struct ev_loop *loop;
	struct dnssend_request request;
	uint8_t *bytes;			/* the message behind its length, as TCP has it */
	struct addr addresses[DNSSEND_ADDRESSES_MAX];
	char interface[IFNAMSIZ], interface6[IFNAMSIZ];
	ev_timer limit;
	ev_timer step;			/* the next try */
	struct line lines[UDP_TRIES];
	size_t line_count;
	size_t next_address;
	bool over_tcp;
	ev_io stream;			/* fd -1: none */
	size_t tcp_tries;
	bool connected;			/* some stream was */
	bool connecting;
	size_t sent;
	uint8_t *in;			/* 2 + TCP_MESSAGE_MAX bytes; NULL: not yet */
	size_t got;
};

/* --- ends --- */

static void io_close(struct ev_loop *loop, ev_io *io)
{
	if (io->fd < 0)
		return;
	ev_io_stop(loop, io);
	close(io->fd);
	io->fd = -1;
}

void dnssend_stop(struct dnssend *send)
{
	if (!send)
		return;
	for (size_t i = 0; i < send->line_count; i++)
		io_close(send->loop, &send->lines[i].io);
	io_close(send->loop, &send->stream);
	ev_timer_stop(send->loop, &send->limit);
	ev_timer_stop(send->loop, &send->step);
	free(send->in);
	free(send->bytes);
	free(send);
}

static void finish(struct dnssend *send, enum dnssend_outcome outcome)
{
	dnssend_fn *fn = send->request.fn;
	void *context = send->request.context;

	dnssend_stop(send);
	fn(context, outcome);
}

static void fail(struct dnssend *send)
{
	finish(send, send->connected ? DNSSEND_CUT_OFF : DNSSEND_UNREACHABLE);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	fail(timer->data);
}

static void step_in(struct dnssend *send, double seconds)
{
	ev_now_update(send->loop);
	ev_timer_stop(send->loop, &send->step);
	ev_timer_set(&send->step, seconds, 0.);
	ev_timer_start(send->loop, &send->step);
}

/* --- sockets --- */

static socklen_t make_address(const struct dnssend *send, size_t index,
			      struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	const struct addr *address = &send->addresses[index];

	memset(ret, 0, sizeof(*ret));
	ret->ss_family = address->family;
	if (address->family == AF_INET6) {
		memcpy(&v6->sin6_addr, address->bytes, sizeof(v6->sin6_addr));
		v6->sin6_port = htons(send->request.port);
		return sizeof(*v6);
	}
	memcpy(&v4->sin_addr, address->bytes, sizeof(v4->sin_addr));
	v4->sin_port = htons(send->request.port);
	return sizeof(*v4);
}

/* The link is left by only for the internet: a server at home is not behind it. */
static bool set_link(const struct dnssend *send, size_t index, int fd)
{
	const struct addr *to = &send->addresses[index];
	const char *link = to->family == AF_INET6 && send->interface6[0]
				   ? send->interface6 : send->interface;

	if (!link[0] || !addr_is_global(to))
		return true;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link,
			  (socklen_t)strlen(link)) == 0;
}

/* Connected, or for a stream about to be. -1: that address cannot be reached. */
static int open_socket(const struct dnssend *send, size_t index, int type)
{
	int family = send->addresses[index].family;
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage to;
	socklen_t length = make_address(send, index, &to);

	if (fd < 0)
		return -1;
	if (set_link(send, index, fd) &&
	    (connect(fd, (struct sockaddr *)&to, length) == 0 || errno == EINPROGRESS))
		return fd;
	close(fd);
	return -1;
}

/* The server may have hung up: no signal for that. */
static ssize_t send_bytes(int fd, const uint8_t *bytes, size_t length)
{
	return send(fd, bytes, length, MSG_NOSIGNAL);
}

/* --- TCP --- */

static void next_stream(struct dnssend *send);

static void begin_tcp(struct dnssend *send, size_t first_address)
{
	if (send->over_tcp)
		return;
	send->over_tcp = true;
	send->next_address = first_address;
	step_in(send, 0.);
}

/* How the stream goes on. */
enum flow { FLOW_WAIT, FLOW_BROKEN, FLOW_ENDED };

static enum flow look_at_message(struct dnssend *send)
{
	size_t length = (size_t)(send->in[0] << 8 | send->in[1]);

	if (send->request.look(send->request.context, send->in + 2, length, true) ==
	    DNSSEND_TAKEN) {
		finish(send, DNSSEND_ANSWERED);
		return FLOW_ENDED;
	}
	send->got = 0;
	return FLOW_WAIT;
}

static enum flow read_stream(struct dnssend *send)
{
	size_t wanted = send->got < 2 ? 2 :
			2 + (size_t)(send->in[0] << 8 | send->in[1]);
	ssize_t n = recv(send->stream.fd, send->in + send->got, wanted - send->got, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? FLOW_WAIT : FLOW_BROKEN;
	if (n == 0)
		return FLOW_BROKEN;
	send->got += (size_t)n;
	if (send->got < wanted)
		return FLOW_WAIT;
	if (wanted == 2 && (send->in[0] || send->in[1]))
		return FLOW_WAIT;
	return look_at_message(send);
}

static enum flow write_stream(struct dnssend *send)
{
	size_t all = send->request.length + 2;
	ssize_t n = send_bytes(send->stream.fd, send->bytes + send->sent,
			       all - send->sent);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? FLOW_WAIT : FLOW_BROKEN;
	send->sent += (size_t)n;
	if (send->sent < all)
		return FLOW_WAIT;
	ev_io_stop(send->loop, &send->stream);
	ev_io_set(&send->stream, send->stream.fd, EV_READ);
	ev_io_start(send->loop, &send->stream);
	return FLOW_WAIT;
}

static enum flow end_connecting(struct dnssend *send)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(send->stream.fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ||
	    error != 0)
		return FLOW_BROKEN;
	send->connecting = false;
	send->connected = true;
	step_in(send, TCP_ANSWER_S);
	return FLOW_WAIT;
}

static void on_stream(struct ev_loop *loop, ev_io *io, int events)
{
	struct dnssend *send = io->data;
	enum flow flow = FLOW_WAIT;

	(void)loop;
	if (send->connecting)
		flow = end_connecting(send);
	if (flow == FLOW_WAIT && events & EV_WRITE)
		flow = write_stream(send);
	else if (flow == FLOW_WAIT && events & EV_READ)
		flow = read_stream(send);
	if (flow == FLOW_BROKEN)
		next_stream(send);
}

/* To the next address that lets us try; each has one chance. */
static void next_stream(struct dnssend *send)
{
	size_t count = send->request.address_count;
	int fd = -1;

	io_close(send->loop, &send->stream);
	if (!send->in)
		send->in = malloc(2 + TCP_MESSAGE_MAX);
	while (send->in && fd < 0 && send->tcp_tries < count) {
		fd = open_socket(send, send->next_address++ % count, SOCK_STREAM);
		send->tcp_tries++;
	}
	if (fd < 0) {
		fail(send);
		return;
	}
	send->connecting = true;
	send->sent = send->got = 0;
	ev_io_set(&send->stream, fd, EV_WRITE);
	ev_io_start(send->loop, &send->stream);
	step_in(send, TCP_CONNECT_S);
}

/* --- UDP --- */

static void on_datagram(struct ev_loop *loop, ev_io *io, int events)
{
	uint8_t bytes[UDP_ANSWER_BYTES];
	struct line *line = io->data;
	struct dnssend *send = line->send;
	ssize_t n = recv(io->fd, bytes, sizeof(bytes), 0);

	(void)events;
	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return;
		io_close(loop, io);		/* nobody listens there */
		if (line == &send->lines[send->line_count - 1] && !send->over_tcp)
			step_in(send, 0.);
		return;
	}
	switch (send->request.look(send->request.context, bytes, (size_t)n, false)) {
	case DNSSEND_TAKEN:
		finish(send, DNSSEND_ANSWERED);
		break;
	case DNSSEND_OVER_TCP:
		begin_tcp(send, line->address);
		break;
	case DNSSEND_IGNORED:
		break;
	}
}

static bool send_datagram(struct dnssend *send, size_t address)
{
	struct line *line = &send->lines[send->line_count];
	int fd = open_socket(send, address, SOCK_DGRAM);

	if (fd < 0)
		return false;
	if (send_bytes(fd, send->bytes + 2, send->request.length) < 0) {
		close(fd);
		return false;
	}
	*line = (struct line){ .send = send, .address = address };
	ev_io_init(&line->io, on_datagram, fd, EV_READ);
	line->io.data = line;
	ev_io_start(send->loop, &line->io);
	send->line_count++;
	return true;
}

static void next_datagram(struct dnssend *send)
{
	size_t count = send->request.address_count;

	for (size_t i = 0; i < count && send->line_count < UDP_TRIES; i++) {
		if (!send_datagram(send, send->next_address++ % count))
			continue;
		step_in(send, UDP_FIRST_WAIT_S << (send->line_count - 1));
		return;
	}
	begin_tcp(send, 0);
}

/* --- beginning --- */

static void on_step(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct dnssend *send = timer->data;

	(void)loop;
	(void)events;
	if (send->over_tcp)
		next_stream(send);
	else
		next_datagram(send);
}

static int take_request(struct dnssend *send, const struct dnssend_request *request)
{
	send->request = *request;
	if (request->address_count > DNSSEND_ADDRESSES_MAX)
		send->request.address_count = DNSSEND_ADDRESSES_MAX;
	memcpy(send->addresses, request->addresses,
	       send->request.address_count * sizeof(send->addresses[0]));
	if (!text_copy(send->interface, sizeof(send->interface), request->interface) ||
	    !text_copy(send->interface6, sizeof(send->interface6),
		       request->interface6 ? request->interface6 : ""))
		return -EINVAL;
	send->bytes = malloc(request->length + 2);
	if (!send->bytes)
		return -ENOMEM;
	send->bytes[0] = (uint8_t)(request->length >> 8);
	send->bytes[1] = (uint8_t)request->length;
	memcpy(send->bytes + 2, request->bytes, request->length);
	return 0;
}

int dnssend_start(struct ev_loop *loop, const struct dnssend_request *request,
		  struct dnssend **ret_send)
{
	struct dnssend *send;
	int r;

	if (request->address_count == 0 || request->length > TCP_MESSAGE_MAX)
		return -EINVAL;
	send = calloc(1, sizeof(*send));
	if (!send)
		return -ENOMEM;
	send->loop = loop;
	ev_io_init(&send->stream, on_stream, -1, EV_WRITE);
	ev_timer_init(&send->limit, on_limit, (double)request->timeout_ms / 1e3, 0.);
	ev_timer_init(&send->step, on_step, 0., 0.);
	send->stream.data = send->limit.data = send->step.data = send;
	r = take_request(send, request);
	if (r < 0) {
		dnssend_stop(send);
		return r;
	}
	send->over_tcp = request->length > DNSSEND_UDP_MAX;
	ev_now_update(loop);
	ev_timer_start(loop, &send->limit);
	ev_timer_start(loop, &send->step);
	*ret_send = send;
	return 0;
}
