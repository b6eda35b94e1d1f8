/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hosts: an address, a line of /etc/hosts, or two questions to the system's resolver.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/order.h"

#include "hosts_file.h"
#include "resolver.h"

enum { OTHER_FAMILY_S = 1 };	/* what the slower family still gets */

struct family_question {
	struct resolve_host *host;
	struct ask_question *question;	/* NULL: answered, or not asked */
	enum dnsmsg_type type;
};

struct resolve_host {
	struct resolve *resolve;
	resolve_host_fn *fn;
	void *context;
	ev_timer timer;
	struct family_question families[2];	/* IPv6, IPv4 */
	char name[DNSMSG_NAME_BYTES];
	struct resolve_addresses found[2];	/* likewise */
};

void resolve_host_stop(struct resolve_host *host)
{
	if (!host)
		return;
	for (int i = 0; i < 2; i++)
		ask_forget(host->families[i].question);
	ev_timer_stop(host->resolve->loop, &host->timer);
	free(host);
}

/* A family without addresses holds as long as the other. */
static uint32_t holds_for_s(const struct resolve_host *host)
{
	uint32_t ttl_s = UINT32_MAX;

	for (int i = 0; i < 2; i++) {
		const struct resolve_addresses *found = &host->found[i];

		if (host->families[i].type && !found->answered)
			return 0;
		if (found->count > 0)
			ttl_s = MIN(ttl_s, found->ttl_s);
	}
	return ttl_s == UINT32_MAX ? 0 : ttl_s;
}

static void finish(struct resolve_host *host)
{
	struct resolve_addresses all = { 0 };
	resolve_host_fn *fn = host->fn;
	void *context = host->context;

	for (int i = 0; i < 2; i++) {
		resolve_addresses_add(all.addresses, &all.count, host->found[i].addresses,
				      host->found[i].count);
		all.answered = all.answered || host->found[i].answered;
	}
	all.ttl_s = holds_for_s(host);
	resolve_host_stop(host);
	fn(context, &all);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	finish(timer->data);
}

static void read_answer(const char *name, enum dnsmsg_type type, const void *bytes,
			size_t length, struct resolve_addresses *ret)
{
	struct dnsmsg_found found;
	struct dnsmsg message;

	if (!bytes || !dnsmsg_read(bytes, length, &message) ||
	    message.type != (unsigned)type ||
	    (message.rcode != DNSMSG_NOERROR && message.rcode != DNSMSG_NXDOMAIN))
		return;
	ret->answered = true;
	dnsmsg_follow(&message, name, type, NULL, &found);
	ret->ttl_s = found.ttl_s;
	resolve_addresses_add(ret->addresses, &ret->count, found.addresses,
			      found.address_count);
}

static void on_answer(void *context, const void *bytes, size_t length)
{
	struct family_question *family = context;
	struct resolve_host *host = family->host;
	size_t index = (size_t)(family - host->families);

	family->question = NULL;
	read_answer(host->name, family->type, bytes, length, &host->found[index]);
	if (!host->families[0].question && !host->families[1].question) {
		finish(host);
		return;
	}
	if (host->found[index].count == 0)
		return;
	ev_timer_stop(host->resolve->loop, &host->timer);
	ev_timer_set(&host->timer, OTHER_FAMILY_S, 0.);
	ev_timer_start(host->resolve->loop, &host->timer);
}

/* What needs no question: an address, or /etc/hosts. */
static bool is_known(struct resolve_host *host, unsigned families)
{
	struct addr *first = &host->found[0].addresses[0];

	if (addr_parse(host->name, first)) {
		host->found[0].count = 1;
		host->found[0].ttl_s = RESOLVE_FILE_TTL_S;
		return true;
	}
	if (families & RESOLVE_IPV6)
		hosts_file_find(host->name, AF_INET6, &host->found[0]);
	if (families & RESOLVE_IPV4)
		hosts_file_find(host->name, AF_INET, &host->found[1]);
	for (int i = 0; i < 2; i++)
		host->found[i].ttl_s = RESOLVE_FILE_TTL_S;
	return host->found[0].count + host->found[1].count > 0;
}

static bool ask_family(struct resolve_host *host, int index, enum dnsmsg_type type)
{
	struct family_question *family = &host->families[index];

	family->type = type;
	family->question = ask_start(host->resolve->system, host->name, type, on_answer,
				     family);
	return family->question != NULL;
}

int resolve_host_start(struct resolve *resolve, const char *name, unsigned families,
		       resolve_host_fn *fn, void *context, struct resolve_host **ret_host)
{
	struct resolve_host *host = calloc(1, sizeof(*host));
	bool known, asked = false;

	if (!host)
		return -ENOMEM;
	*host = (struct resolve_host){ .resolve = resolve, .fn = fn, .context = context };
	host->families[0].host = host->families[1].host = host;
	if (!name_lower(host->name, name)) {
		free(host);
		return -EINVAL;
	}
	known = is_known(host, families);
	if (!known && (families & RESOLVE_IPV6))
		asked = ask_family(host, 0, DNSMSG_AAAA);
	if (!known && (families & RESOLVE_IPV4))
		asked = ask_family(host, 1, DNSMSG_A) || asked;
	ev_now_update(resolve->loop);
	ev_timer_init(&host->timer, on_timer, asked ? RESOLVE_LIMIT_MS / 1e3 : 0., 0.);
	host->timer.data = host;
	ev_timer_start(resolve->loop, &host->timer);
	*ret_host = host;
	return 0;
}
