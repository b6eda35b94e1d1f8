/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/notify.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hairpin/text.h"

/* A path, or "@name" for an abstract one; anything else is not ours to understand. */
static socklen_t notify_address(const char *name, struct sockaddr_un *address)
{
	size_t length = strlen(name);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if ((name[0] != '/' && name[0] != '@') || length < 2 ||
	    length >= sizeof(address->sun_path))
		return 0;
	memcpy(address->sun_path, name, length);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

void notify_send(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t bytes;
	int fd;

	if (!name)
		return;
	bytes = notify_address(name, &address);
	if (bytes == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		     (struct sockaddr *)&address, bytes);
	close(fd);
}

int64_t notify_watchdog_ms(void)
{
	const char *interval = getenv("WATCHDOG_USEC"), *who = getenv("WATCHDOG_PID");
	long us, pid;

	if (!interval || !text_parse_number(interval, 1, LONG_MAX, &us))
		return 0;
	if (who && (!text_parse_number(who, 1, INT_MAX, &pid) || pid != (long)getpid()))
		return 0;
	return us < 2000 ? 1 : us / 2000;
}
