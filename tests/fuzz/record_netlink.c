/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record_netlink FILE WHAT OPTIONS MORE: asks this kernel as the fuzz target WHAT does, and
 * writes its answers as an input of that. Called by tests/fuzz/record.
 *
 * The real netlink_ask() and netlink_receive() are called under other names; these write
 * down beside them.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define netlink_ask netlink_really_ask
#define netlink_receive netlink_really_receive
/* NOLINTNEXTLINE: the point of it */
#include "kernel/netlink.c"
#undef netlink_ask
#undef netlink_receive

#include "fuzz/netlink_input.h"
#include "hairpin/conntrack.h"
#include "hairpin/guest.h"
#include "hairpin/router.h"
#include "hairpin/rtnl.h"
#include "hairpin/trace.h"
#include "hairpin/walk.h"

int netlink_ask(struct netlink *netlink, const struct wire *request,
		netlink_message_fn *message, void *context);
ssize_t netlink_receive(const struct netlink *netlink, void *buffer, size_t bytes,
			int flags);

static FILE *record;

static void write_answer(struct input_answer *answer, const void *bytes, size_t length)
{
	static const uint8_t padding[INPUT_ALIGN];

	if (length > UINT16_MAX)
		return;
	answer->length = (uint16_t)length;
	fwrite(answer, sizeof(*answer), 1, record);
	if (length)
		fwrite(bytes, 1, length, record);
	fwrite(padding, 1, MNL_ALIGN(length) - length, record);
}

struct listener {
	netlink_message_fn *message;
	void *context;
	struct wire heard;
};

static int listen_and_pass(void *context, const struct nlmsghdr *message)
{
	struct listener *listener = context;

	wire_add(&listener->heard, message, message->nlmsg_len);
	return listener->message(listener->context, message);
}

int netlink_ask(struct netlink *netlink, const struct wire *request,
		netlink_message_fn *message, void *context)
{
	struct listener listener = { .message = message, .context = context };
	struct input_answer answer = {
		.kind = input_kind(request), .key = input_key(request) };
	int r = netlink_really_ask(netlink, request, listen_and_pass, &listener);

	answer.status = (int8_t)r;
	if (!listener.heard.failed)
		write_answer(&answer, listener.heard.bytes, listener.heard.length);
	wire_done(&listener.heard);
	return r;
}

/* What a batch is answered is made by fake/netlink.h itself. */
ssize_t netlink_receive(const struct netlink *netlink, void *buffer, size_t bytes,
			int flags)
{
	struct input_answer answer = { .kind = INPUT_HEARD };
	ssize_t got = netlink_really_receive(netlink, buffer, bytes, flags);

	if (got > 0 && !netlink->buffer)
		write_answer(&answer, buffer, (size_t)got);
	return got;
}

static void demand(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "record_netlink: %s fails\n", what);
	exit(1);
}

static void ask_sync(const uint8_t *options)
{
	struct input_request input;
	struct nft_report report;
	struct err err = { "" };
	struct nft *nft;

	input_request(&input, options);
	demand(nft_new(&nft, &err) == 0 &&
	       nft_sync(nft, &input.request, &report, &err) == 0, err.text);
	nft_free(nft);
	input_done(&input);
	printf("%u tagged, %u changed\n", report.total.tagged, report.total.changed);
}

static void ask_links(const uint8_t *options)
{
	struct rtnl_watch watch = { .links = { 1, 12, 3 }, .count = 3,
				    .bits = 1 + options[0] % 128u };
	struct router_question question = { .destination = input_addr("203.0.113.1"),
					    .in = 3 };
	struct rtnl_snapshot snapshot = { 0 };
	struct rtnl_routes routes = { 0 };
	struct router_answer answer;
	struct guest_bridge bridge;
	struct router *router;
	struct rtnl *rtnl;

	demand(rtnl_new(&rtnl, NULL) == 0 &&
	       rtnl_snapshot(rtnl, &snapshot, NULL) == 0 &&
	       rtnl_routes(rtnl, &watch, &routes, NULL) == 0, "rtnl");
	demand(router_new(&router, NULL) == 0 &&
	       router_route(router, &question, &answer, NULL) == 0, "router");
	printf("%zu links, %zu routes, bridge: %d\n", snapshot.link_count, routes.count,
	       guest_find_bridge(3, &bridge, NULL));
	rtnl_snapshot_done(&snapshot);
	rtnl_routes_done(&routes);
	router_free(router);
	rtnl_free(rtnl);
}

/* One datagram, that it may be tracked or traced; returns its socket. */
static int send_datagram(const char *to, uint16_t port)
{
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(4000) };

	inet_pton(AF_INET, to, &where.sin_addr);
	demand(bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0, "bind");
	(void)!sendto(fd, "x", 1, 0, (struct sockaddr *)&where, sizeof(where));
	return fd;
}

static void ask_conntrack(const uint8_t *options)
{
	struct conntrack_flow flow = {
		.protocol = IPPROTO_UDP, .source = input_addr("203.0.113.1"),
		.destination = input_addr("203.0.113.1"), .source_port = 4000,
		.destination_port = 53 };
	struct nft_services *services = calloc(1, sizeof(*services));
	struct conntrack_entry entry;
	struct conntrack *conntrack;
	unsigned removed = 0;
	int fd = send_datagram("203.0.113.1", 53), r = 0;

	demand(conntrack_new(&conntrack, NULL) == 0 && services, "conntrack");
	services->count = 1;
	services->list[0] = (struct nft_service){ .address = flow.destination,
						  .port_last = 65535 };
	if (options[0] >> 6 == 0)
		r = conntrack_find(&flow, &entry, NULL);
	else if (options[0] >> 6 == 1)
		r = conntrack_forget_old(conntrack, &flow.destination, &removed, NULL);
	else
		r = conntrack_forget_stale(conntrack, services, &removed, NULL);
	printf("%d, %u removed\n", r, removed);
	conntrack_free(conntrack);
	free(services);
	close(fd);
}

static void ask_trace(const uint8_t *options)
{
	struct trace_flow flow = { .protocol = IPPROTO_UDP, .port = 53,
				   .client = input_addr("203.0.113.1"),
				   .destination = input_addr("203.0.113.1") };
	struct pollfd wait = { .events = POLLIN };
	struct trace_event event;
	struct trace *trace;
	unsigned events = 0;
	int fd;

	(void)options;
	demand(trace_new(&flow, &trace, NULL) == 0, "trace");
	fd = send_datagram("203.0.113.1", 53);
	wait.fd = trace_fd(trace);
	(void)poll(&wait, 1, 1000);
	while (trace_next(trace, &event) == 0)
		events++;
	printf("%u events\n", events);
	trace_free(trace);
	close(fd);
}

static void ask_ruleset(const uint8_t *options)
{
	static struct walk_result result;
	struct walk_question question = { .packet = {
		.protocol = IPPROTO_TCP, .source = input_addr("198.18.0.77"),
		.destination = input_addr("203.0.113.1"), .source_port = 40000,
		.destination_port = 80, .in = 12 } };
	struct err err = { "" };
	struct router *router;
	struct walk *walk;

	(void)options;
	demand(walk_new(&walk, &err) == 0 && router_new(&router, &err) == 0 &&
	       walk_run(walk, router, &question, &result, &err) == 0, err.text);
	printf("%zu steps\n", result.step_count);
	router_free(router);
	walk_free(walk);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *word;
		void (*ask)(const uint8_t *options);
	} whats[] = { { "netlink", ask_sync }, { "links", ask_links },
		      { "conntrack", ask_conntrack }, { "trace", ask_trace },
		      { "ruleset", ask_ruleset } };
	uint8_t options[INPUT_OPTIONS];

	demand(argc == 5, "the command line");
	options[0] = (uint8_t)atoi(argv[3]);
	options[1] = (uint8_t)atoi(argv[4]);
	record = fopen(argv[1], "wb");
	demand(record && fwrite(options, sizeof(options), 1, record) == 1, argv[1]);
	printf("%s: ", argv[1]);
	for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++)
		if (strcmp(argv[2], whats[i].word) == 0)
			whats[i].ask(options);
	return fclose(record) != 0;
}
