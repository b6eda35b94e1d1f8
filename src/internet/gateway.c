/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The router in front is asked by PCP, and where that brings nothing by NAT-PMP: the same
 * port, one socket. Each question goes out a few times, with twice the wait before each.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "outside.h"
#include "portmap.h"

enum { LIFETIME_S = 120, PCP_TRIES = 3, NATPMP_TRIES = 4, READS_MAX = 16 };

#define FIRST_WAIT_S 0.25		/* RFC 6886 section 3.1 */

struct gateway {
	struct outside outside;		/* first */
	int fd;
	ev_io io;
	ev_timer again;
	bool natpmp;			/* PCP is over */
	unsigned tries;
	struct pcp_map map;
	char why[64];
};

static void gateway_free(struct outside *outside)
{
	struct gateway *gateway = (struct gateway *)outside;

	ev_io_stop(outside->loop, &gateway->io);
	ev_timer_stop(outside->loop, &gateway->again);
	if (gateway->fd >= 0)
		close(gateway->fd);
	free(gateway);
}

/* --- questions --- */

static void send_map(struct gateway *gateway)
{
	uint8_t packet[PCP_MAP_BYTES];

	pcp_map_write(&gateway->map, packet);
	if (send(gateway->fd, packet, sizeof(packet), MSG_NOSIGNAL) >= 0)
		gateway->outside.asked = true;
}

static void send_natpmp(struct gateway *gateway)
{
	uint8_t packet[NATPMP_BYTES];

	natpmp_write(packet);
	if (send(gateway->fd, packet, sizeof(packet), MSG_NOSIGNAL) >= 0)
		gateway->outside.asked = true;
}

static void send_next(struct gateway *gateway)
{
	double wait_s = FIRST_WAIT_S * (1u << gateway->tries);

	if (gateway->natpmp)
		send_natpmp(gateway);
	else
		send_map(gateway);
	gateway->tries++;
	ev_timer_stop(gateway->outside.loop, &gateway->again);
	ev_timer_set(&gateway->again, wait_s, 0.);
	ev_timer_start(gateway->outside.loop, &gateway->again);
}

static void try_natpmp(struct gateway *gateway)
{
	gateway->natpmp = true;
	gateway->tries = 0;
	send_next(gateway);
}

static void give_up(struct gateway *gateway)
{
	outside_failed(&gateway->outside,
		       gateway->outside.asked ? OUTSIDE_SILENCE : OUTSIDE_UNREACHABLE,
		       gateway->why[0] ? gateway->why
				       : "speaks neither PCP nor NAT-PMP");
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct gateway *gateway = timer->data;

	(void)loop;
	(void)events;
	if (!gateway->natpmp && gateway->tries == PCP_TRIES)
		try_natpmp(gateway);
	else if (gateway->natpmp && gateway->tries == NATPMP_TRIES)
		give_up(gateway);
	else
		send_next(gateway);
}

/* --- answers --- */

static void refused(struct gateway *gateway, const char *protocol, unsigned code)
{
	snprintf(gateway->why, sizeof(gateway->why), "refuses by %s, code %u", protocol,
		 code);
}

/* True: the question is over, and the gateway freed. */
static bool take_pcp(struct gateway *gateway, const uint8_t *bytes, size_t length)
{
	struct addr address;
	unsigned code = 0;

	switch (pcp_map_read(bytes, length, &gateway->map, &address, &code)) {
	case PORTMAP_ADDRESS:
		gateway->map.lifetime_s = 0;	/* nothing listens there */
		send_map(gateway);
		outside_found(&gateway->outside, &address);
		return true;
	case PORTMAP_REFUSED:
		refused(gateway, "PCP", code);
		try_natpmp(gateway);
		return false;
	case PORTMAP_NO_PCP:
		try_natpmp(gateway);
		return false;
	case PORTMAP_OTHER:
		break;
	}
	return false;
}

static bool take_natpmp(struct gateway *gateway, const uint8_t *bytes, size_t length)
{
	struct addr address;
	unsigned code = 0;

	switch (natpmp_read(bytes, length, &address, &code)) {
	case PORTMAP_ADDRESS:
		outside_found(&gateway->outside, &address);
		return true;
	case PORTMAP_REFUSED:
		refused(gateway, "NAT-PMP", code);
		give_up(gateway);
		return true;
	default:
		return false;
	}
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct gateway *gateway = io->data;
	uint8_t bytes[PORTMAP_BYTES_MAX + 1];
	ssize_t got;

	(void)loop;
	(void)events;
	for (int i = 0; i < READS_MAX; i++) {
		got = recv(gateway->fd, bytes, sizeof(bytes), 0);
		if (got < 0 && errno == ECONNREFUSED) {
			give_up(gateway);	/* nobody listens there */
			return;
		}
		if (got < 0)
			return;
		if (gateway->natpmp ? take_natpmp(gateway, bytes, (size_t)got)
				    : take_pcp(gateway, bytes, (size_t)got))
			return;
	}
}

/* --- beginning --- */

/* By which of our addresses and ports the router is reached, the request itself says. */
static int learn_client(struct gateway *gateway)
{
	struct sockaddr_in own = { 0 };
	socklen_t bytes = sizeof(own);

	if (getsockname(gateway->fd, (struct sockaddr *)&own, &bytes) < 0)
		return -errno;
	gateway->map.client = addr_from_bytes(AF_INET, &own.sin_addr);
	gateway->map.port = ntohs(own.sin_port);
	gateway->map.lifetime_s = LIFETIME_S;
	if (getrandom(gateway->map.nonce, PCP_NONCE_BYTES, 0) != PCP_NONCE_BYTES)
		return -EIO;
	return 0;
}

static int open_gateway(struct gateway *gateway, const struct addr *address)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORTMAP_PORT) };

	gateway->fd = outside_socket(&gateway->outside);
	if (gateway->fd < 0)
		return gateway->fd;
	memcpy(&to.sin_addr, address->bytes, 4);
	if (connect(gateway->fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	ev_io_set(&gateway->io, gateway->fd, EV_READ);
	return learn_client(gateway);
}

int outside_pcp_start(const struct outside_question *question, outside_fn *fn,
		      void *context, struct outside **ret_outside)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	int r;

	if (!gateway)
		return -ENOMEM;
	gateway->fd = -1;
	ev_io_init(&gateway->io, on_readable, -1, EV_READ);
	ev_timer_init(&gateway->again, on_again, 0., 0.);
	gateway->io.data = gateway->again.data = gateway;
	r = outside_init(&gateway->outside, question, fn, context, gateway_free);
	if (r == 0 && (question->family != AF_INET || question->gateway.family != AF_INET))
		r = -EINVAL;
	if (r == 0)
		r = open_gateway(gateway, &question->gateway);
	if (r < 0) {
		outside_stop(&gateway->outside);
		return r;
	}
	ev_io_start(gateway->outside.loop, &gateway->io);
	send_next(gateway);
	*ret_outside = &gateway->outside;
	return 0;
}
