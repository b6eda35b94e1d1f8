/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "outside.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/text.h"

void outside_stop(struct outside *outside)
{
	if (!outside)
		return;
	ev_timer_stop(outside->loop, &outside->limit);
	outside->free(outside);
}

static void end(struct outside *outside, const struct outside_answer *answer)
{
	outside_fn *fn = outside->fn;
	void *context = outside->context;

	outside_stop(outside);
	fn(context, answer);
}

void outside_found(struct outside *outside, const struct addr *address)
{
	struct outside_answer answer = { OUTSIDE_ADDRESS, .address = *address };

	if (address->family == outside->family)
		end(outside, &answer);
	else
		outside_failed(outside, OUTSIDE_NONSENSE,
			       "answered with an address of the other family");
}

void outside_failed(struct outside *outside, enum outside_outcome outcome,
		    const char *why)
{
	struct outside_answer answer = { .outcome = outcome };

	text_escape(answer.why, sizeof(answer.why), why, strlen(why));
	end(outside, &answer);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct outside *outside = timer->data;

	(void)loop;
	(void)events;
	if (outside->asked)
		outside_failed(outside, OUTSIDE_SILENCE, "does not answer");
	else
		outside_failed(outside, OUTSIDE_UNREACHABLE, "cannot be reached");
}

int outside_init(struct outside *outside, const struct outside_question *question,
		 outside_fn *fn, void *context, void (*free_fn)(struct outside *outside))
{
	*outside = (struct outside){ .loop = question->loop, .family = question->family,
				     .fn = fn, .context = context, .free = free_fn };
	ev_now_update(outside->loop);
	ev_timer_init(&outside->limit, on_limit, (double)question->timeout_ms / 1e3, 0.);
	outside->limit.data = outside;
	if (!text_copy(outside->interface, sizeof(outside->interface),
		       question->interface))
		return -EINVAL;
	ev_timer_start(outside->loop, &outside->limit);
	return 0;
}

int outside_socket(const struct outside *outside)
{
	int fd = socket(outside->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int code;

	if (fd < 0)
		return -errno;
	if (!outside->interface[0] ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, outside->interface,
		       (socklen_t)strlen(outside->interface)) == 0)
		return fd;
	code = -errno;
	close(fd);
	return code;
}
