/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/trace.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "trace_private.h"

/* --- one message --- */

static void take_name(const struct nlattr *attr, char out[TRACE_NAME_BYTES])
{
	struct span name;

	if (!attr_string(attr, &name) || name.length >= TRACE_NAME_BYTES)
		return;
	memcpy(out, name.bytes, name.length);
	out[name.length] = '\0';
}

/* The kernel sends the headers with the first event of each base chain. */
static void take_headers(struct span network, struct span transport,
			 struct trace_event *event)
{
	uint16_t ports[2];
	int version = network.length ? network.bytes[0] >> 4 : 0;

	if (version == 4 && network.length >= 20) {
		event->source = addr_from_bytes(AF_INET, network.bytes + 12);
		event->destination = addr_from_bytes(AF_INET, network.bytes + 16);
	} else if (version == 6 && network.length >= 40) {
		event->source = addr_from_bytes(AF_INET6, network.bytes + 8);
		event->destination = addr_from_bytes(AF_INET6, network.bytes + 24);
	} else {
		return;
	}
	if (transport.length < sizeof(ports))
		return;
	memcpy(ports, transport.bytes, sizeof(ports));
	event->source_port = be16toh(ports[0]);
	event->destination_port = be16toh(ports[1]);
}

static bool take_kind(uint32_t type, enum trace_kind *ret_kind)
{
	switch (type) {
	case NFT_TRACETYPE_RULE:
		*ret_kind = TRACE_RULE;
		return true;
	case NFT_TRACETYPE_RETURN:
		*ret_kind = TRACE_RETURN;
		return true;
	case NFT_TRACETYPE_POLICY:
		*ret_kind = TRACE_POLICY;
		return true;
	}
	return false;
}

static void take_verdict(const struct nlattr **table, struct trace_event *event)
{
	struct span verdict = attr_span(table[NFTA_TRACE_VERDICT]);
	uint32_t code;

	if (attr_be32(attr_find(verdict, NFTA_VERDICT_CODE), &code) ||
	    attr_be32(table[NFTA_TRACE_POLICY], &code))
		event->verdict = (int32_t)code;
	take_name(attr_find(verdict, NFTA_VERDICT_CHAIN), event->target);
}

static bool read_event(const struct trace *trace, const struct nlmsghdr *message,
		       struct trace_event *ret_event)
{
	const struct nlattr *table[NFTA_TRACE_MAX + 1];
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	struct trace_event event = { 0 };
	uint32_t type = 0;
	struct span chain;

	if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE) ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return false;
	attr_index(attr_of_message(message, sizeof(*header)), table, NFTA_TRACE_MAX + 1);
	attr_be32(table[NFTA_TRACE_TYPE], &type);
	if (!take_kind(type, &event.kind))
		return false;
	event.family = header->nfgen_family;
	attr_be32(table[NFTA_TRACE_ID], &event.packet);
	attr_be64(table[NFTA_TRACE_RULE_HANDLE], &event.handle);
	attr_be32(table[NFTA_TRACE_IIF], &event.in);
	attr_be32(table[NFTA_TRACE_OIF], &event.out);
	take_name(table[NFTA_TRACE_TABLE], event.table);
	take_name(table[NFTA_TRACE_CHAIN], event.chain);
	take_verdict(table, &event);
	take_headers(attr_span(table[NFTA_TRACE_NETWORK_HEADER]),
		     attr_span(table[NFTA_TRACE_TRANSPORT_HEADER]), &event);
	/* Kernels tell the end of a chain as a rule without a handle, too. */
	if (event.kind == TRACE_RULE && event.handle == 0)
		event.kind = TRACE_RETURN;
	event.ours = strcmp(event.table, trace->table) == 0;
	if (event.ours && attr_string(table[NFTA_TRACE_CHAIN], &chain))
		event.hook = trace_table_hook(chain);
	*ret_event = event;
	return true;
}

/* --- many --- */

static bool is_known(const struct trace *trace, uint32_t packet)
{
	size_t count = trace->packet_count < TRACE_PACKETS_MAX ? trace->packet_count
							       : TRACE_PACKETS_MAX;

	for (size_t i = 0; i < count; i++)
		if (trace->packets[i] == packet)
			return true;
	return false;
}

/*
 * Others trace too, and all hear of all. A packet is ours from where our own rule marks it
 * on; the tables of another one like us say nothing about it.
 */
static bool is_meant(struct trace *trace, const struct trace_event *event)
{
	if (is_known(trace, event->packet))
		return event->ours ||
		       strncmp(event->table, TRACE_TABLE, strlen(TRACE_TABLE)) != 0;
	if (!event->ours || event->kind != TRACE_RULE)
		return false;
	trace->packets[trace->packet_count++ % TRACE_PACKETS_MAX] = event->packet;
	return true;
}

int trace_new(const struct trace_flow *flow, struct trace **ret_trace,
	      struct err *ret_err)
{
	static const int group = NFNLGRP_NFTRACE;
	struct trace *trace = calloc(1, sizeof(*trace));
	int r;

	if (!trace)
		return err_set_errno(ret_err, -ENOMEM, "trace");
	trace->owner.fd = trace->events.fd = -1;
	r = netlink_subscribe(&trace->events, NETLINK_NETFILTER, &group, 1, NULL, ret_err);
	if (r == 0)
		r = netlink_open(&trace->owner, NETLINK_NETFILTER, ret_err);
	if (r == 0)
		r = trace_table_make(trace, flow, ret_err);
	if (r < 0) {
		trace_free(trace);
		return r;
	}
	*ret_trace = trace;
	return 0;
}

void trace_free(struct trace *trace)
{
	if (!trace)
		return;
	netlink_close(&trace->events);
	netlink_close(&trace->owner);
	free(trace);
}

int trace_fd(const struct trace *trace)
{
	return trace->events.fd;
}

int trace_next(struct trace *trace, struct trace_event *ret_event)
{
	const struct nlmsghdr *message;
	ssize_t got;

	for (;;) {
		message = (const void *)(trace->datagram + trace->place);
		if (attr_message_ok(message, (int)(trace->length - trace->place))) {
			trace->place += NLMSG_ALIGN(message->nlmsg_len);
			if (trace->place > trace->length)
				trace->place = trace->length;
			if (read_event(trace, message, ret_event) &&
			    is_meant(trace, ret_event))
				return 0;
			continue;
		}
		trace->length = trace->place = 0;
		got = netlink_receive(&trace->events, trace->datagram,
				      sizeof(trace->datagram), MSG_DONTWAIT);
		if (got < 0)
			return (int)got;
		trace->length = (size_t)got;
	}
}
