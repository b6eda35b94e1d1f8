/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hosts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/order.h"
#include "hairpin/text.h"

/*
 * One server: asked for (`question`), or known until `until` (`turn` then tells those who
 * ask meanwhile). Who is neither is asked for again, or replaced.
 */
struct host {
	struct hosts *hosts;
	struct host *next;		/* the one used last comes first */
	struct resolve_host *question;
	ev_timer turn;
	double until;			/* ev_now() */
	struct resolve_addresses addresses;
	struct hosts_waiter *waiters;
	unsigned round;			/* of telling */
	bool telling;
	char name[DNSMSG_NAME_BYTES];
};

struct hosts {
	struct ev_loop *loop;
	struct resolve *resolve;
	struct host *list;
};

struct hosts_waiter {
	struct host *host;
	struct hosts_waiter *next;
	unsigned round;			/* it came in */
	resolve_host_fn *fn;
	void *context;
};

int hosts_new(struct ev_loop *loop, struct resolve *resolve, struct hosts **ret_hosts)
{
	struct hosts *hosts = calloc(1, sizeof(*hosts));

	if (!hosts)
		return -ENOMEM;
	hosts->loop = loop;
	hosts->resolve = resolve;
	*ret_hosts = hosts;
	return 0;
}

static void host_free(struct host *host)
{
	resolve_host_stop(host->question);
	ev_timer_stop(host->hosts->loop, &host->turn);
	free(host);
}

void hosts_free(struct hosts *hosts)
{
	if (!hosts)
		return;
	while (hosts->list) {
		struct host *first = hosts->list;

		hosts->list = first->next;
		host_free(first);
	}
	free(hosts);
}

/* --- answers --- */

/* Those who ask within a call are told in a turn of their own. */
static void tell(struct host *host)
{
	unsigned round = ++host->round;

	host->telling = true;
	while (host->waiters && host->waiters->round != round) {
		struct hosts_waiter waiter = *host->waiters;

		free(host->waiters);
		host->waiters = waiter.next;
		waiter.fn(waiter.context, &host->addresses);
	}
	host->telling = false;
}

static void on_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	tell(timer->data);
}

static void on_resolved(void *context, const struct resolve_addresses *addresses)
{
	struct host *host = context;

	host->question = NULL;
	host->addresses = *addresses;
	host->until = ev_now(host->hosts->loop) + MIN(addresses->ttl_s, HOSTS_FRESH_S);
	tell(host);
}

/* --- questions --- */

static bool is_idle(const struct host *host)
{
	return !host->question && !host->waiters && !host->telling;
}

/* Of too many the one that was used longest ago goes, if it can. */
static void shrink(struct hosts *hosts)
{
	struct host **at = &hosts->list, **last = NULL, *gone;
	size_t count = 0;

	for (; *at; at = &(*at)->next, count++)
		if (is_idle(*at))
			last = at;
	if (count < HOSTS_KEPT || !last)
		return;
	gone = *last;
	*last = gone->next;
	host_free(gone);
}

static struct host *find(struct hosts *hosts, const char *name)
{
	for (struct host **at = &hosts->list; *at; at = &(*at)->next) {
		struct host *host = *at;

		if (strcmp(host->name, name) != 0)
			continue;
		*at = host->next;
		host->next = hosts->list;
		hosts->list = host;
		return host;
	}
	return NULL;
}

static struct host *add(struct hosts *hosts, const char *name)
{
	struct host *host;

	shrink(hosts);
	host = calloc(1, sizeof(*host));
	if (!host)
		return NULL;
	if (!text_copy(host->name, sizeof(host->name), name)) {
		free(host);
		return NULL;
	}
	host->hosts = hosts;
	ev_timer_init(&host->turn, on_turn, 0., 0.);
	host->turn.data = host;
	host->next = hosts->list;
	hosts->list = host;
	return host;
}

/* Sees to it that the host's waiters are told. */
static int pursue(struct host *host)
{
	struct hosts *hosts = host->hosts;

	if (host->question)
		return 0;
	if (host->until > ev_now(hosts->loop)) {
		ev_timer_stop(hosts->loop, &host->turn);
		ev_timer_set(&host->turn, 0., 0.);
		ev_timer_start(hosts->loop, &host->turn);
		return 0;
	}
	return resolve_host_start(hosts->resolve, host->name, RESOLVE_IPV4 | RESOLVE_IPV6,
				  on_resolved, host, &host->question);
}

int hosts_ask(struct hosts *hosts, const char *name, resolve_host_fn *fn, void *context,
	      struct hosts_waiter **ret_waiter)
{
	struct hosts_waiter *waiter = calloc(1, sizeof(*waiter)), **end;
	struct host *host = find(hosts, name);
	int r = -ENOMEM;

	if (!host)
		host = add(hosts, name);
	if (waiter && host)
		r = pursue(host);
	if (r < 0) {
		free(waiter);
		return r;
	}
	*waiter = (struct hosts_waiter){
		.host = host, .round = host->round, .fn = fn, .context = context };
	for (end = &host->waiters; *end; end = &(*end)->next)
		;
	*end = waiter;
	*ret_waiter = waiter;
	return 0;
}

void hosts_stop(struct hosts_waiter *waiter)
{
	struct hosts_waiter **at;

	if (!waiter)
		return;
	for (at = &waiter->host->waiters; *at != waiter; at = &(*at)->next)
		;
	*at = waiter->next;
	free(waiter);
}
