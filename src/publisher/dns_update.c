/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UPDATE_RECORDS by DNS UPDATE: the server's addresses, then one message after the other.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "hairpin/clock.h"
#include "hairpin/dnssend.h"
#include "hairpin/dnsupdate.h"
#include "hairpin/text.h"
#include "job.h"

struct dns_update {
	struct job *job;
	struct dnsupdate *update;
	struct resolve_host *host;	/* while the server's name is being resolved */
	struct addr addresses[DNSSEND_ADDRESSES_MAX];	/* that may be asked */
	size_t address_count;
	struct dnssend *send;
	ev_timer turn;			/* the next message begins in a turn of its own */
};

void dns_update_free(struct dns_update *dns)
{
	if (!dns)
		return;
	resolve_host_stop(dns->host);
	dnssend_stop(dns->send);
	ev_timer_stop(job_loop(dns->job), &dns->turn);
	dnsupdate_free(dns->update);
	free(dns);
}

static void take_turn(struct dns_update *dns)
{
	ev_timer_set(&dns->turn, 0., 0.);
	ev_timer_start(job_loop(dns->job), &dns->turn);
}

/* Tells what is judged by now; job_answer() drops what was told before. */
static void tell(struct dns_update *dns)
{
	for (size_t i = 0; i < dns->job->message->record_count; i++) {
		struct message_result result = { 0 };
		const char *text;

		result.verdict = dnsupdate_verdict(dns->update, i, &text);
		text_copy(result.text, sizeof(result.text), text);
		if (result.verdict)
			job_answer(dns->job, i, &result);
	}
}

static void give_up(struct dns_update *dns, enum message_verdict verdict, const char *why)
{
	dnsupdate_fail(dns->update, verdict, why);
	take_turn(dns);
}

/* --- messages --- */

static enum dnssend_look on_look(void *context, const void *bytes, size_t length,
				 bool tcp)
{
	struct dns_update *dns = context;

	switch (dnsupdate_answer(dns->update, bytes, length, tcp, clock_wall_s())) {
	case DNSUPDATE_TAKEN:
		return DNSSEND_TAKEN;
	case DNSUPDATE_OVER_TCP:
		return DNSSEND_OVER_TCP;
	case DNSUPDATE_IGNORED:
		break;
	}
	return DNSSEND_IGNORED;
}

static void on_end(void *context, enum dnssend_outcome outcome)
{
	struct dns_update *dns = context;

	dns->send = NULL;
	if (outcome == DNSSEND_ANSWERED)
		take_turn(dns);
	else if (outcome == DNSSEND_UNREACHABLE)
		give_up(dns, MESSAGE_UNREACHABLE, "the server does not answer");
	else
		give_up(dns, MESSAGE_TRANSIENT, "the server gave no whole answer");
}

static void send_message(struct dns_update *dns, const struct dnsupdate_message *message)
{
	double left_s = dns->job->until - ev_now(job_loop(dns->job));
	struct dnssend_request request = {
		.bytes = message->bytes, .length = message->length,
		.addresses = dns->addresses, .address_count = dns->address_count,
		.port = dnsupdate_port(dns->update),
		.interface = dns->job->message->interface,
		.interface6 = dns->job->message->interface6,
		.timeout_ms = left_s > 0.001 ? (int64_t)(left_s * 1e3) : 1,
		.look = on_look, .fn = on_end, .context = dns,
	};

	if (dnssend_start(job_loop(dns->job), &request, &dns->send) < 0)
		give_up(dns, MESSAGE_TRANSIENT, "no memory for a message");
}

static void on_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct dns_update *dns = timer->data;
	struct provider_moment moment = { .wall_s = clock_wall_s() };
	struct dnsupdate_message message;

	(void)loop;
	(void)events;
	tell(dns);
	if (getrandom(moment.chance, sizeof(moment.chance), 0) !=
	    (ssize_t)sizeof(moment.chance)) {
		job_answer_rest(dns->job, MESSAGE_TRANSIENT, "no random numbers");
		job_done(dns->job);
		return;
	}
	if (dnsupdate_next(dns->update, &moment, &message)) {
		send_message(dns, &message);
		return;
	}
	tell(dns);
	job_done(dns->job);
}

/* --- the server --- */

static void say_unusable(struct dns_update *dns,
			 const struct resolve_addresses *addresses)
{
	const char *host = dnsupdate_host(dns->update);
	char why[MESSAGE_TEXT_BYTES], room[ADDR_TEXT_BYTES];

	if (addresses->count > 0)
		snprintf(why, sizeof(why), "%.100s has the address %s, which is not "
			 "global: not asked (\"private_server\": true allows it)",
			 host, addr_format(&addresses->addresses[0], room));
	else
		snprintf(why, sizeof(why), addresses->answered ? "%.100s has no address" :
			 "no resolver answered for %.100s", host);
	give_up(dns, MESSAGE_UNREACHABLE, why);
}

/*
 * An address that stands in the configuration is meant as it is; a name must not lead to
 * where it was not meant to.
 */
static void on_host(void *context, const struct resolve_addresses *addresses)
{
	struct dns_update *dns = context;
	struct addr literal;
	bool any = dns->job->message->private_server ||
		   addr_parse(dnsupdate_host(dns->update), &literal);

	dns->host = NULL;
	for (size_t i = 0; i < addresses->count &&
			   dns->address_count < DNSSEND_ADDRESSES_MAX; i++)
		if (any || addr_is_global(&addresses->addresses[i]))
			dns->addresses[dns->address_count++] = addresses->addresses[i];
	if (dns->address_count > 0)
		take_turn(dns);
	else
		say_unusable(dns, addresses);
}

/* --- beginning --- */

int dns_update_start(struct job *job)
{
	struct dns_update *dns = calloc(1, sizeof(*dns));
	struct err err = { 0 };
	int r;

	if (!dns)
		return -ENOMEM;
	dns->job = job;
	job->dns_update = dns;
	ev_timer_init(&dns->turn, on_turn, 0., 0.);
	dns->turn.data = dns;
	r = dnsupdate_new(&job->order.job, &dns->update, &err);
	if (r == 0) {
		r = resolve_host_start(job_resolve(job), dnsupdate_host(dns->update),
				       RESOLVE_IPV4 | RESOLVE_IPV6, on_host, dns,
				       &dns->host);
		if (r < 0)
			err_set(&err, r, "the server's name is no name");
	}
	if (r == 0 || r == -ENOMEM)
		return r;
	job_answer_rest(job, MESSAGE_BAD_REQUEST, err.text);
	job_done(job);
	return 0;
}
