/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/clock.h"

enum {
	AGAIN_MS = 500,		/* a datagram is sent again; TCP does so by itself */
	HEARD_MAX = 1000,	/* packets at one time: others may flood us */
};

union name {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

static socklen_t make_name(const struct addr *address, uint16_t port, union name *ret)
{
	*ret = (union name){ 0 };
	ret->any.sa_family = address->family;
	if (address->family == AF_INET) {
		ret->ip4.sin_port = htons(port);
		memcpy(&ret->ip4.sin_addr, address->bytes, sizeof(ret->ip4.sin_addr));
		return sizeof(ret->ip4);
	}
	ret->ip6.sin6_port = htons(port);
	memcpy(&ret->ip6.sin6_addr, address->bytes, sizeof(ret->ip6.sin6_addr));
	return sizeof(ret->ip6);
}

/*
 * Closing it is a RST: nothing of it waits on either side, also when we are killed, and
 * the namespace is not held by it.
 */
static int open_socket(const struct probe_client *client, struct conntrack_flow *flow,
		       struct err *ret_err)
{
	int kind = flow->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, fd;
	struct linger at_once = { .l_onoff = 1 };
	union name name;
	socklen_t length;
	int r = netns_enter(&client->netns, ret_err);

	if (r < 0)
		return r;
	fd = socket(flow->source.family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	netns_leave(&client->netns);
	if (fd < 0)
		return err_set_errno(ret_err, -errno, "a client's socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	length = make_name(&flow->source, 0, &name);
	if (bind(fd, &name.any, length) < 0 || getsockname(fd, &name.any, &length) < 0) {
		r = err_set_errno(ret_err, -errno, "a client's socket");
		close(fd);
		return r;
	}
	flow->source_port = ntohs(name.any.sa_family == AF_INET ? name.ip4.sin_port
								: name.ip6.sin6_port);
	return fd;
}

/* --- what is heard meanwhile --- */

static bool is_of_us(const struct conntrack_flow *flow, const struct overheard *heard)
{
	if (heard->protocol != flow->protocol)
		return false;
	if (heard->error)
		return addr_equal(&heard->source, &flow->source) &&
		       heard->source_port == flow->source_port;
	return addr_equal(&heard->destination, &flow->source) &&
	       heard->destination_port == flow->source_port;
}

static bool is_answer(const struct overheard *heard)
{
	return heard->protocol == IPPROTO_UDP ||
	       heard->tcp_flags & (OVERHEARD_SYN | OVERHEARD_RST);
}

static void listen_in(const struct probe_client *client, struct probe_try *tried)
{
	const struct conntrack_flow *flow = &tried->flow;
	struct overheard heard;

	for (int i = 0; i < HEARD_MAX && overhear_next(client->ears, &heard) == 0; i++) {
		if (!is_of_us(flow, &heard))
			continue;
		if (heard.error)
			tried->told = heard;
		else if (is_answer(&heard) &&
			 (!addr_equal(&heard.source, &flow->destination) ||
			  heard.source_port != flow->destination_port))
			tried->astray = heard;
	}
}

static void read_trace(struct trace *trace, struct probe_try *tried)
{
	struct trace_event event;
	int r;

	while (trace && (r = trace_next(trace, &event)) != -EAGAIN) {
		if (r < 0 || tried->event_count == PROBE_EVENTS_MAX)
			tried->events_lost = true;
		else
			tried->events[tried->event_count++] = event;
		if (r < 0 && r != -ENOBUFS)
			return;
	}
}

/* --- the question --- */

/* 1: answered; 0: not yet; else why not. */
static int look_for_answer(int fd, uint8_t protocol)
{
	socklen_t length = sizeof(int);
	char byte;
	int error = 0;

	if (protocol == IPPROTO_UDP) {
		if (recv(fd, &byte, sizeof(byte), 0) >= 0)
			return 1;
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return -errno;
	return error ? -error : 1;
}

static enum probe_end end_of(int result, const struct probe_try *tried)
{
	if (result == 1)
		return PROBE_ANSWERED;
	if (tried->astray.protocol)
		return PROBE_ASTRAY;
	if (result == -ECONNREFUSED)
		return PROBE_REFUSED;
	return tried->told.protocol ? PROBE_TOLD : PROBE_SILENT;
}

static int ask(int fd, const struct conntrack_flow *flow)
{
	union name name;
	socklen_t length = make_name(&flow->destination, flow->destination_port, &name);

	if (connect(fd, &name.any, length) < 0 && errno != EINPROGRESS)
		return -errno;
	if (flow->protocol == IPPROTO_UDP && send(fd, "", 0, 0) < 0)
		return -errno;
	return 0;
}

/*
 * Until somebody answers, in whatever way. What came astray may be overtaken by what came
 * right, where both come: so it is believed when a look later there is nothing else.
 */
static int wait_for_answer(int fd, const struct probe_client *client, struct trace *trace,
			   int64_t limit_ms, struct probe_try *tried)
{
	bool udp = tried->flow.protocol == IPPROTO_UDP;
	struct pollfd ready[] = {
		{ .fd = fd, .events = udp ? POLLIN : POLLOUT },
		{ .fd = client->ears, .events = POLLIN },
		{ .fd = trace ? trace_fd(trace) : -1, .events = POLLIN },
	};
	int64_t now_ms = clock_now_ms(), end_ms = now_ms + limit_ms;
	int64_t again_ms = now_ms + AGAIN_MS, wait_ms;
	bool astray = false;
	int result = 0;

	while (result == 0 && !astray && now_ms < end_ms) {
		astray = tried->astray.protocol != 0;
		wait_ms = astray ? 100 : end_ms - now_ms;
		if (udp && again_ms - now_ms < wait_ms)
			wait_ms = again_ms > now_ms ? again_ms - now_ms : 0;
		(void)poll(ready, 3, (int)wait_ms);
		now_ms = clock_now_ms();
		if (ready[0].revents)
			result = look_for_answer(fd, tried->flow.protocol);
		listen_in(client, tried);
		read_trace(trace, tried);
		if (udp && result == 0 && now_ms >= again_ms) {
			(void)send(fd, "", 0, 0);
			again_ms = now_ms + AGAIN_MS;
		}
	}
	return result;
}

static void look_at_entry(struct probe_try *tried)
{
	struct err err;

	tried->entry_known = conntrack_find(&tried->flow, &tried->entry, &err) == 0;
}

int probe_try(const struct probe_client *client, const struct conntrack_flow *wanted,
	      struct trace *trace, int64_t limit_ms, struct probe_try *ret_try,
	      struct err *ret_err)
{
	struct probe_try tried = { .flow = *wanted, .traced = trace };
	int64_t begin_us;
	int fd, result;

	tried.events = calloc(PROBE_EVENTS_MAX, sizeof(*tried.events));
	if (!tried.events)
		return err_set(ret_err, -ENOMEM, "out of memory");
	fd = open_socket(client, &tried.flow, ret_err);
	if (fd < 0) {
		free(tried.events);
		return fd;
	}
	begin_us = clock_now_us();
	result = ask(fd, &tried.flow);
	if (result == 0)
		result = wait_for_answer(fd, client, trace, limit_ms, &tried);
	tried.took_us = clock_now_us() - begin_us;
	look_at_entry(&tried);
	close(fd);
	listen_in(client, &tried);
	read_trace(trace, &tried);
	tried.end = end_of(result, &tried);
	*ret_try = tried;
	return 0;
}

void probe_try_done(struct probe_try *tried)
{
	free(tried->events);
	tried->events = NULL;
}
