/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/clock.h"

/* linux/in.h has it, and does not bear netinet/in.h beside it everywhere. */
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static socklen_t to_sockaddr(const struct addr *address, uint16_t port,
			     struct sockaddr_storage *ret)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	memset(ret, 0, sizeof(*ret));
	if (address->family == AF_INET) {
		memcpy(&to4.sin_addr, address->bytes, sizeof(to4.sin_addr));
		memcpy(ret, &to4, sizeof(to4));
		return sizeof(to4);
	}
	memcpy(&to6.sin6_addr, address->bytes, sizeof(to6.sin6_addr));
	memcpy(ret, &to6, sizeof(to6));
	return sizeof(to6);
}

/* What became of a connection; 0: it is there. Not of a socket that could not be made. */
static enum reach_result judge(int error)
{
	switch (error) {
	case 0:
	case ECONNRESET:	/* it came about, and was ended at once */
	case EPIPE:
		return REACH_OPEN;
	case ECONNREFUSED:
		return REACH_REFUSED;
	case ETIMEDOUT:
		return REACH_SILENT;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
	case ENOPROTOOPT:	/* "protocol unreachable" */
	case EACCES:		/* "prohibited" of IPv6, or a route of ours that says so */
		return REACH_NO_HOST;
	default:
		return REACH_NOT_TRIED;
	}
}

static void settle(struct reach *reach, enum reach_result result, int error)
{
	reach->result = result;
	reach->error = error;
}

static int bind_source(int fd, const struct addr *source)
{
	struct sockaddr_storage from;
	socklen_t length = to_sockaddr(source, 0, &from);
	int on = 1;

	/* The port is chosen at the connection: no two that differ get in each other's way. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&from, length);
}

/* A socket on which a connection is under way; -1: `reach` says what came of it. */
static int begin(struct reach *reach)
{
	/* Ended by a RST: nothing waits for a server's farewell. */
	const struct linger at_once = { .l_onoff = 1 };
	struct sockaddr_storage to;
	socklen_t length = to_sockaddr(&reach->destination, reach->port, &to);
	int fd;

	fd = socket(reach->destination.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    IPPROTO_TCP);
	if (fd < 0) {
		settle(reach, REACH_NOT_TRIED, errno);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	if (!addr_is_none(&reach->source) && bind_source(fd, &reach->source) < 0)
		settle(reach, REACH_NOT_TRIED, errno);
	else if (connect(fd, (struct sockaddr *)&to, length) == 0)
		settle(reach, REACH_OPEN, 0);
	else if (errno != EINPROGRESS)
		settle(reach, judge(errno), errno);
	else
		return fd;
	close(fd);
	return -1;
}

/* Those under way, and nothing else: poll() bears no more than there may be descriptors. */
struct race {
	struct pollfd *waits;
	struct reach **whose;
	size_t count;
};

static void end(struct race *race, size_t index)
{
	struct pollfd *wait = &race->waits[index];
	socklen_t length = sizeof(int);
	int error = 0;

	if (getsockopt(wait->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	settle(race->whose[index], judge(error), error);
	close(wait->fd);
	race->count--;
	race->waits[index] = race->waits[race->count];
	race->whose[index] = race->whose[race->count];
}

/* Those that are still under way at the limit are silent. */
static int wait_for_all(struct race *race, int64_t until_ms)
{
	while (race->count > 0) {
		int64_t rest = until_ms - clock_now_ms();
		int ready = poll(race->waits, race->count, rest < 0 ? 0 : (int)rest);

		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready == 0 && rest <= 0)
			return 0;
		for (size_t i = race->count; ready > 0 && i-- > 0;) {
			if (race->waits[i].revents)
				end(race, i);
		}
	}
	return 0;
}

static void begin_all(struct race *race, struct reach *reaches, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int fd = begin(&reaches[i]);

		if (fd < 0)
			continue;
		settle(&reaches[i], REACH_SILENT, 0);
		race->waits[race->count] = (struct pollfd){ .fd = fd, .events = POLLOUT };
		race->whose[race->count++] = &reaches[i];
	}
}

int reach_all(struct reach *reaches, size_t count, int64_t limit_ms)
{
	int64_t limit = limit_ms < 0 ? 0 : limit_ms > INT32_MAX ? INT32_MAX : limit_ms;
	int64_t until = clock_now_ms() + limit;
	struct race race = { calloc(count + 1, sizeof(*race.waits)),
			     calloc(count + 1, sizeof(struct reach *)), 0 };
	int r = -ENOMEM;

	if (race.waits && race.whose) {
		begin_all(&race, reaches, count);
		r = wait_for_all(&race, until);
	}
	for (size_t i = 0; i < race.count; i++)
		close(race.waits[i].fd);
	free(race.waits);
	free(race.whose);
	return r;
}
