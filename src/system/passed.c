/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/passed.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_US = 2000 };

static void wake(int number)
{
	(void)number;
}

/* Again and again: the first one may come before the waiting begins. */
static void guard_begin(void)
{
	struct sigaction action = { .sa_handler = wake };
	struct itimerval soon = {
		.it_value.tv_usec = PATIENCE_US, .it_interval.tv_usec = PATIENCE_US,
	};

	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &soon, NULL);
}

static void guard_end(void)
{
	struct itimerval never = { .it_value = { 0 } };
	int saved = errno;

	(void)setitimer(ITIMER_REAL, &never, NULL);
	errno = saved;
}

ssize_t passed_receive(int socket, void *bytes, size_t room)
{
	ssize_t got;

	guard_begin();
	got = recv(socket, bytes, room, MSG_DONTWAIT);
	guard_end();
	return got;
}

ssize_t passed_receive_message(int socket, struct msghdr *message, int flags)
{
	ssize_t got;

	guard_begin();
	got = recvmsg(socket, message, flags | MSG_DONTWAIT);
	guard_end();
	return got;
}

void passed_close(int fd)
{
	guard_begin();
	close(fd);
	guard_end();
}
