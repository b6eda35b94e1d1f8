/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: kernel */
/*
 * nftables' own trace of one connection: a table of ours, for as long as the trace lives,
 * marks its packets in both directions, and the kernel tells which rules took them.
 *
 * The table is its socket's: it goes when that is closed, whatever ends this process, and
 * nobody else can change it. Its last chain at each hook shows how far a packet came where
 * no chain of others would.
 *
 * Connections that exist already are not traced from their first packet, so NAT would not
 * be seen: trace first, then connect.
 */
#ifndef HAIRPIN_TRACE_H
#define HAIRPIN_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"

struct trace;

/* Which packets: of one client to one port. And their answers. */
struct trace_flow {
	uint8_t protocol;
	struct addr client, destination;
	uint16_t port;
};

enum trace_kind {
	TRACE_RULE,		/* `handle` took it with `verdict` */
	TRACE_RETURN,		/* end of a chain; of a base chain its policy follows */
	TRACE_POLICY,		/* end of a base chain */
};

enum { TRACE_NAME_BYTES = 256 };

struct trace_event {
	enum trace_kind kind;
	uint32_t packet;	/* the same for all events of one packet */
	bool ours;		/* of our own table: how far it came */
	int family;		/* of the table: NFPROTO_* */
	char table[TRACE_NAME_BYTES], chain[TRACE_NAME_BYTES];
	uint64_t handle;	/* of the rule; 0 */
	/* NF_ACCEPT, NF_DROP, NFT_CONTINUE, NFT_JUMP, NFT_GOTO, NFT_RETURN, ... */
	int32_t verdict;
	char target[TRACE_NAME_BYTES];	/* of a jump */
	/* As the packet is now; none where the event does not say it. */
	struct addr source, destination;
	uint16_t source_port, destination_port;
	uint32_t in, out;	/* links; 0 */
	unsigned hook;		/* of ours: NF_INET_* */
};

/*
 * -EOPNOTSUPP: the kernel knows no tables with an owner (before Linux 5.12), so that one
 * could stay behind: there is no trace then.
 */
int trace_new(const struct trace_flow *flow, struct trace **ret_trace,
	      struct err *ret_err) must_check;
void trace_free(struct trace *trace);

/* To wait on with poll(). */
int trace_fd(const struct trace *trace);
/*
 * The next event of a packet of the flow; what others trace is passed over.
 * -EAGAIN: nothing more now. -ENOBUFS: some events were lost, the next ones are there.
 */
int trace_next(struct trace *trace, struct trace_event *ret_event) must_check;

#endif
