/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who listens: asked over sock_diag; a kernel built without it (OpenWrt's) still has the
 * tables of /proc/net, which do not tell links and IPV6_V6ONLY.
 */
#include "router_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rtnl_private.h"

struct reading {
	struct router *router;
	size_t room;
	struct netlink netlink;
	uint8_t family, protocol;
};

/* UDP sockets that are bound and speak to nobody in particular are "closed". */
static uint8_t state_of(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? TCP_LISTEN : TCP_CLOSE;
}

static int add_socket(struct reading *reading, const struct router_socket *socket)
{
	struct router *router = reading->router;
	struct router_socket *place;

	if (!socket->port)
		return 0;
	place = rtnl_grow((void **)&router->sockets, &router->socket_count,
			  &reading->room, sizeof(*place));
	if (!place)
		return -ENOMEM;
	*place = *socket;
	if (addr_is_unspecified(&place->address))
		place->address = (struct addr){ 0 };
	return 0;
}

static int take_socket(void *context, const struct nlmsghdr *message)
{
	struct reading *reading = context;
	const struct inet_diag_msg *header = mnl_nlmsg_get_payload(message);
	struct router_socket socket = { .protocol = reading->protocol,
					.family = reading->family };
	uint8_t only6 = 0;

	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*header) ||
	    header->idiag_family != reading->family)
		return 0;
	attr_u8(attr_find(attr_of_message(message, sizeof(*header)), INET_DIAG_SKV6ONLY),
		&only6);
	socket.only6 = only6;
	socket.port = ntohs(header->id.idiag_sport);
	socket.link = header->id.idiag_if;
	socket.inode = header->idiag_inode;
	socket.address = addr_from_bytes(reading->family, header->id.idiag_src);
	return add_socket(reading, &socket);
}

static int dump_sockets(struct reading *reading)
{
	struct inet_diag_req_v2 question = {
		.sdiag_family = reading->family, .sdiag_protocol = reading->protocol,
		.idiag_states = 1u << state_of(reading->protocol),
	};
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place;

	place = wire_message(&wire, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP,
			     ++reading->netlink.seq, &question, sizeof(question));
	wire_message_end(&wire, place);
	return netlink_ask(&reading->netlink, &wire, take_socket, reading);
}

/* --- /proc/net --- */

/* Hexadecimal words, each as the machine has it in memory. */
static bool parse_address(const char *hex, uint8_t family, struct addr *ret_address)
{
	uint32_t words[4] = { 0 };
	size_t count = family == AF_INET ? 1 : 4;

	if (strlen(hex) != count * 8)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (sscanf(hex + i * 8, "%8x", &words[i]) != 1)
			return false;
	}
	*ret_address = addr_from_bytes(family, words);
	return true;
}

/* " 0: 0100007F:0035 00000000:0000 0A 0:0 0:0 0 UID TIMEOUT INODE ..." */
static int take_line(struct reading *reading, const char *line)
{
	struct router_socket socket = { .protocol = reading->protocol,
					.family = reading->family };
	unsigned port, state, inode;
	char hex[33];

	if (sscanf(line, " %*u: %32[0-9A-F]:%4x %*s %2x %*s %*s %*s %*u %*u %u", hex, &port,
		   &state, &inode) != 4 ||
	    state != state_of(reading->protocol) ||
	    !parse_address(hex, reading->family, &socket.address))
		return 0;
	socket.port = (uint16_t)port;
	socket.inode = inode;
	return add_socket(reading, &socket);
}

static int read_table(struct reading *reading)
{
	char path[32], *line = NULL;
	size_t room = 0;
	FILE *file;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/net/%s%s",
		 reading->protocol == IPPROTO_TCP ? "tcp" : "udp",
		 reading->family == AF_INET ? "" : "6");
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (r == 0 && getline(&line, &room, file) > 0)
		r = take_line(reading, line);
	free(line);
	fclose(file);
	return r;
}

/* --- both --- */

static int read_kind(struct reading *reading, bool ask)
{
	size_t before = reading->router->socket_count;
	int r = -ENOENT;

	for (int i = 0; ask && i < RTNL_TRIES_MAX; i++) {
		reading->router->socket_count = before;
		r = dump_sockets(reading);
		if (r != -EINTR)
			break;
	}
	if (r == 0 || r == -ENOMEM)
		return r;
	reading->router->socket_count = before;
	return read_table(reading);
}

int router_read_sockets(struct router *router, bool ask, struct err *ret_err)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct reading reading = { .router = router };
	int r = 0;

	ask = ask && netlink_open(&reading.netlink, NETLINK_SOCK_DIAG, NULL) == 0;
	for (size_t i = 0; i < 4 && r == 0; i++) {
		reading.protocol = protocols[i / 2];
		reading.family = families[i % 2];
		r = read_kind(&reading, ask);
	}
	if (ask)
		netlink_close(&reading.netlink);
	return r < 0 ? err_set_errno(ret_err, r, "reading who listens") : 0;
}
