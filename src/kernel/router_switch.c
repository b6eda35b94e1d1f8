/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Switches and other small files of /proc. */
#include "router_private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

bool router_read_file(const char *path, char *out, size_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got = -1;

	if (fd < 0)
		return false;
	while (length < bytes - 1) {
		got = read(fd, out + length, bytes - 1 - length);
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	close(fd);
	out[length] = '\0';
	return got >= 0;
}

static enum router_switch read_switch(const char *path)
{
	char text[16];

	if (!router_read_file(path, text, sizeof(text)))
		return ROUTER_ABSENT;
	return strtol(text, NULL, 10) != 0 ? ROUTER_ON : ROUTER_OFF;
}

void router_read_switches(struct router *router)
{
	router->bridge_calls_ip =
		read_switch("/proc/sys/net/bridge/bridge-nf-call-iptables");
	router->bridge_calls_ip6 =
		read_switch("/proc/sys/net/bridge/bridge-nf-call-ip6tables");
	router->route_localnet = read_switch("/proc/sys/net/ipv4/conf/all/route_localnet");
}
