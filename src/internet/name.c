/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names for their own sake: lines of /etc/hosts, else a question to the system's
 * resolver. Where its answer ends at a CNAME, the target is asked for: a name server that
 * does not recurse is a resolver too, to who writes it into resolv.conf.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hosts_file.h"
#include "resolver.h"

struct resolve_name {
	struct resolve *resolve;
	resolve_name_fn *fn;
	void *context;
	int family;
	ev_timer timer;			/* the limit, or the end that is known already */
	struct ask_question *question;
	char name[DNSMSG_NAME_BYTES];	/* it, or where its CNAMEs have led so far */
	unsigned hops;
	struct resolve_named named;
};

void resolve_name_stop(struct resolve_name *name)
{
	if (!name)
		return;
	ask_forget(name->question);
	ev_timer_stop(name->resolve->loop, &name->timer);
	free(name);
}

static void finish(struct resolve_name *name)
{
	struct resolve_named named = name->named;
	resolve_name_fn *fn = name->fn;
	void *context = name->context;

	resolve_name_stop(name);
	fn(context, &named);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	finish(timer->data);
}

/* --- addresses, ascending --- */

static void keep(struct resolve_named *named, const struct addr *address)
{
	size_t at = 0;
	int order = 1;

	while (at < named->count &&
	       (order = memcmp(&named->addresses[at], address, sizeof(*address))) < 0)
		at++;
	if (at < named->count && order == 0)
		return;
	if (named->count == RESOLVE_ADDRESSES_MAX) {
		named->more = true;
		if (at == named->count)
			return;
		named->count--;		/* the largest falls out */
	}
	memmove(&named->addresses[at + 1], &named->addresses[at],
		(named->count - at) * sizeof(*address));
	named->addresses[at] = *address;
	named->count++;
}

static void keep_all(struct resolve_named *named, const struct dnsmsg *message,
		     const char *owner, enum dnsmsg_type type)
{
	struct dnsmsg_walk walk = { 0 };
	struct dnsmsg_record record;

	while (dnsmsg_next(message, &walk, &record))
		if (record.type == (unsigned)type && strcmp(record.owner, owner) == 0)
			keep(named, &record.address);
}

/* --- questions --- */

static enum dnsmsg_type type_of(const struct resolve_name *name)
{
	return name->family == AF_INET6 ? DNSMSG_AAAA : DNSMSG_A;
}

static void lower_ttl(struct resolve_named *named, uint32_t ttl_s)
{
	if (ttl_s < named->ttl_s)
		named->ttl_s = ttl_s;
}

static bool ask(struct resolve_name *name);

/* The answer ended at another name of which it said nothing. False: that leads nowhere. */
static bool follow_alias(struct resolve_name *name, const struct dnsmsg_found *found)
{
	name->hops += found->hops;
	if (!found->name[0] || strcmp(found->name, "?") == 0)
		return false;
	memcpy(name->name, found->name, sizeof(name->name));
	return ask(name);
}

static bool is_usable(const struct resolve_name *name, const struct dnsmsg *message)
{
	return message->type == (unsigned)type_of(name) && !message->truncated &&
	       strcmp(message->name, name->name) == 0 &&
	       (message->rcode == DNSMSG_NOERROR || message->rcode == DNSMSG_NXDOMAIN);
}

/* True: another question is on its way. */
static bool read_answer(struct resolve_name *name, const struct dnsmsg *message)
{
	struct resolve_named *named = &name->named;
	struct dnsmsg_found found;

	dnsmsg_follow(message, name->name, type_of(name), NULL, &found);
	if (message->rcode == DNSMSG_NXDOMAIN) {
		named->said = RESOLVE_NO_NAME;
		return false;
	}
	if (name->hops + found.hops > DNSMSG_HOPS_MAX)
		return false;
	if (found.address_count > 0 || found.hops > 0)
		lower_ttl(named, found.ttl_s);
	if (found.address_count > 0) {
		named->said = RESOLVE_ADDRESSES;
		keep_all(named, message, found.name, type_of(name));
		return false;
	}
	if (found.hops > 0)
		return follow_alias(name, &found);
	named->said = RESOLVE_NO_ADDRESS;
	return false;
}

static void on_answer(void *context, const void *bytes, size_t length)
{
	struct resolve_name *name = context;
	struct dnsmsg message;

	name->question = NULL;
	if (bytes && dnsmsg_read(bytes, length, &message) && is_usable(name, &message) &&
	    read_answer(name, &message))
		return;
	finish(name);
}

static bool ask(struct resolve_name *name)
{
	name->question = ask_start(name->resolve->system, name->name, (int)type_of(name),
				   on_answer, name);
	return name->question != NULL;
}

static bool is_in_file(struct resolve_name *name)
{
	struct resolve_addresses addresses = { 0 };

	hosts_file_find(name->name, name->family, &addresses);
	for (size_t i = 0; i < addresses.count; i++)
		keep(&name->named, &addresses.addresses[i]);
	if (addresses.count == 0)
		return false;
	name->named.said = RESOLVE_ADDRESSES;
	name->named.ttl_s = RESOLVE_FILE_TTL_S;
	return true;
}

int resolve_name_start(struct resolve *resolve, const char *string, int family,
		       resolve_name_fn *fn, void *context, struct resolve_name **ret_name)
{
	struct resolve_name *name = calloc(1, sizeof(*name));
	bool asked;

	if (!name)
		return -ENOMEM;
	name->resolve = resolve;
	name->fn = fn;
	name->context = context;
	name->family = family;
	name->named.ttl_s = DNSMSG_TTL_MAX_S;
	if (!name_lower(name->name, string)) {
		free(name);
		return -EINVAL;
	}
	asked = !is_in_file(name) && ask(name);
	ev_now_update(resolve->loop);
	ev_timer_init(&name->timer, on_timer, asked ? RESOLVE_LIMIT_MS / 1e3 : 0., 0.);
	name->timer.data = name;
	ev_timer_start(resolve->loop, &name->timer);
	*ret_name = name;
	return 0;
}
