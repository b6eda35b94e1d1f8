/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ask.h"

/* ares_send() is what Debian 12's c-ares has; later ones keep it and call it old. */
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "hairpin/text.h"

enum {
	TRY_MS = 1500,		/* of the first round; c-ares doubles it for the second */
	TRIES = 2,
	CLASS_IN = 1,
};

/* A socket of c-ares's that it wants watched. */
struct watch {
	ev_io io;
	struct ask *ask;
	struct watch *next;
};

struct ask_question {
	struct ask *ask;
	ask_fn *fn;			/* NULL: forgotten */
	void *context;
	struct ask_question *next;	/* in the queue of those that are answered */
	void *bytes;
	size_t length;
};

struct ask {
	struct ev_loop *loop;
	ares_channel channel;
	ev_timer timeout;		/* when c-ares wants to look again */
	ev_timer delivery;		/* runs while `answered` is not empty */
	struct watch *watches;
	struct ask_question *answered, **answered_end;
	bool closing, recurse;
	char interface[IFNAMSIZ];
};

static void arm_timeout(struct ask *ask)
{
	struct timeval left, *next = ares_timeout(ask->channel, NULL, &left);

	ev_timer_stop(ask->loop, &ask->timeout);
	if (!next)
		return;
	ev_now_update(ask->loop);
	ev_timer_set(&ask->timeout, (double)next->tv_sec + (double)next->tv_usec / 1e6,
		     0.);
	ev_timer_start(ask->loop, &ask->timeout);
}

static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct ask *ask = timer->data;

	(void)loop;
	(void)events;
	ares_process_fd(ask->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm_timeout(ask);
}

static void on_socket(struct ev_loop *loop, ev_io *io, int events)
{
	struct ask *ask = ((struct watch *)io->data)->ask;
	int fd = io->fd;

	(void)loop;
	/* The watch may be gone after this. */
	ares_process_fd(ask->channel, events & EV_READ ? fd : ARES_SOCKET_BAD,
			events & EV_WRITE ? fd : ARES_SOCKET_BAD);
	arm_timeout(ask);
}

static struct watch **watch_find(struct ask *ask, int fd)
{
	struct watch **at = &ask->watches;

	while (*at && (*at)->io.fd != fd)
		at = &(*at)->next;
	return at;
}

static struct watch *watch_new(struct ask *ask, int fd)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;		/* the question will time out */
	watch->ask = ask;
	watch->next = ask->watches;
	ask->watches = watch;
	ev_io_init(&watch->io, on_socket, fd, 0);
	watch->io.data = watch;
	return watch;
}

static void watch_remove(struct watch **at)
{
	struct watch *watch = *at;

	ev_io_stop(watch->ask->loop, &watch->io);
	*at = watch->next;
	free(watch);
}

static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
	int events = (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0);
	struct ask *ask = data;
	struct watch **at = watch_find(ask, fd), *watch = *at;

	if (!events) {
		if (watch)
			watch_remove(at);
		return;
	}
	if (!watch)
		watch = watch_new(ask, fd);
	if (!watch)
		return;
	ev_io_stop(ask->loop, &watch->io);
	ev_io_set(&watch->io, fd, events);
	ev_io_start(ask->loop, &watch->io);
}

static int on_new_socket(ares_socket_t fd, int type, void *data)
{
	struct ask *ask = data;

	(void)type;
	if (!ask->interface[0])
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ask->interface,
			  (socklen_t)strlen(ask->interface));
}

static void question_free(struct ask_question *question)
{
	free(question->bytes);
	free(question);
}

/*
 * One at a time, and the timer is armed again before the call: afterwards the asker may
 * be gone.
 */
static void on_delivery(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct ask *ask = timer->data;
	struct ask_question *question = ask->answered;
	ask_fn *fn = question->fn;
	void *context = question->context, *bytes = question->bytes;
	size_t length = question->length;

	(void)events;
	ask->answered = question->next;
	if (!ask->answered)
		ask->answered_end = &ask->answered;
	else
		ev_timer_start(loop, timer);
	free(question);
	if (fn)
		fn(context, bytes, length);
	free(bytes);
}

static void on_answer(void *data, int status, int timeouts, unsigned char *bytes,
		      int length)
{
	struct ask_question *question = data;
	struct ask *ask = question->ask;

	(void)status;		/* the message itself says more */
	(void)timeouts;
	if (ask->closing || !question->fn) {
		question_free(question);
		return;
	}
	if (bytes && length > 0)
		question->bytes = malloc((size_t)length);
	if (question->bytes) {
		/* NOLINTNEXTLINE(*NonNullParamChecker): taken only where bytes are */
		memcpy(question->bytes, bytes, (size_t)length);
		question->length = (size_t)length;
	}
	*ask->answered_end = question;
	ask->answered_end = &question->next;
	if (!ev_is_active(&ask->delivery))
		ev_timer_start(ask->loop, &ask->delivery);
}

static int set_server(struct ask *ask, const struct ask_server *server)
{
	struct ares_addr_port_node node = {
		.family = server->address.family,
		.udp_port = server->port, .tcp_port = server->port,
	};

	memcpy(&node.addr, server->address.bytes, addr_length_bytes(&server->address));
	if (!text_copy(ask->interface, sizeof(ask->interface), server->interface))
		return -EINVAL;
	return ares_set_servers_ports(ask->channel, &node) == ARES_SUCCESS ? 0 : -ENOMEM;
}

static int open_channel(struct ask *ask, const struct ask_server *server)
{
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = TRY_MS,
		.tries = TRIES,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = ask,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
		   ARES_OPT_SOCK_STATE_CB;

	if (server)		/* a refusal of the one server is its answer */
		options.flags |= ARES_FLAG_NOCHECKRESP;
	ask->recurse = !server || server->recurse;
#ifdef ARES_OPT_UDP_MAX_QUERIES
	options.udp_max_queries = 1;	/* a port of its own for every question */
	mask |= ARES_OPT_UDP_MAX_QUERIES;
#endif
#ifdef ARES_OPT_QUERY_CACHE
	options.qcache_max_ttl = 0;	/* we ask in order to see changes */
	mask |= ARES_OPT_QUERY_CACHE;
#endif
	if (ares_init_options(&ask->channel, &options, mask) != ARES_SUCCESS)
		return -ENOMEM;
	ares_set_socket_configure_callback(ask->channel, on_new_socket, ask);
	return server ? set_server(ask, server) : 0;
}

int ask_new(struct ev_loop *loop, const struct ask_server *server, struct ask **ret_ask)
{
	struct ask *ask = calloc(1, sizeof(*ask));
	int r;

	if (!ask)
		return -ENOMEM;
	ask->loop = loop;
	ask->answered_end = &ask->answered;
	ev_timer_init(&ask->timeout, on_timeout, 0., 0.);
	ev_timer_init(&ask->delivery, on_delivery, 0., 0.);
	ask->timeout.data = ask->delivery.data = ask;
	r = open_channel(ask, server);
	if (r < 0) {
		ask_free(ask);
		return r;
	}
	*ret_ask = ask;
	return 0;
}

void ask_free(struct ask *ask)
{
	if (!ask)
		return;
	ask->closing = true;
	if (ask->channel)
		ares_destroy(ask->channel);
	while (ask->watches)
		watch_remove(&ask->watches);
	while (ask->answered) {
		struct ask_question *question = ask->answered;

		ask->answered = question->next;
		question_free(question);
	}
	ev_timer_stop(ask->loop, &ask->timeout);
	ev_timer_stop(ask->loop, &ask->delivery);
	free(ask);
}

/*
 * The id is the kernel's: those that c-ares 1.18 gives are no even chance. Later versions
 * put one of their own in its place.
 */
static bool send_question(struct ask_question *question, const char *name, int class,
			  int type)
{
	struct ask *ask = question->ask;
	unsigned char *bytes = NULL;
	uint16_t id;
	int length;

	if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id) ||
	    ares_create_query(name, class, type, id, ask->recurse, &bytes, &length, 0) !=
		    ARES_SUCCESS)
		return false;
	ares_send(ask->channel, bytes, length, on_answer, question);
	ares_free_string(bytes);
	return true;
}

struct ask_question *ask_start_class(struct ask *ask, const char *name, int class, int type,
				     ask_fn *fn, void *context)
{
	struct ask_question *question = calloc(1, sizeof(*question));

	if (!question)
		return NULL;
	question->ask = ask;
	question->fn = fn;
	question->context = context;
	if (!send_question(question, name, class, type)) {
		free(question);
		return NULL;
	}
	arm_timeout(ask);
	return question;
}

struct ask_question *ask_start(struct ask *ask, const char *name, int type, ask_fn *fn,
			       void *context)
{
	return ask_start_class(ask, name, CLASS_IN, type, fn, context);
}

void ask_forget(struct ask_question *question)
{
	if (question)
		question->fn = NULL;
}
