/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries are first listed through the kernel's own filter, then deleted one by one,
 * or, where they are many and the kernel can, by one message with the same filter. A
 * delete without tuple and filter would empty the table: every message here carries one
 * of them.
 *
 * A list costs a walk through the whole hash table, 10 ms where that has 262,144 buckets,
 * however few entries there are: so no walk where there are none, and one instead of two
 * where looking at them all here is the cheaper way.
 */
#include "hairpin/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink.h"

/*
 * In one pass; where there are more, another pass follows. SINGLE_MAX: above it one
 * filtered delete is faster. The bit is that of IP_DST in CTA_FILTER's flags
 * (net/netfilter/nf_conntrack_netlink.c: CTA_FILTER_F_CTA_IP_DST), in host order.
 */
enum {
	LIST_MAX = 4096,
	PASSES_MAX = 256,
	SINGLE_MAX = 256,
	PER_DATAGRAM = 64,
	FEW = 2048,		/* their list is shorter work than another walk */
	FILTER_IP_DST = 1 << 1,
};

struct conntrack {
	struct netlink command;
};

int conntrack_new(struct conntrack **ret_conntrack, struct err *ret_err)
{
	struct conntrack *conntrack = calloc(1, sizeof(*conntrack));
	int r;

	if (!conntrack)
		return err_set_errno(ret_err, -ENOMEM, "conntrack");
	r = netlink_open(&conntrack->command, NETLINK_NETFILTER, ret_err);
	if (r < 0) {
		free(conntrack);
		return r;
	}
	*ret_conntrack = conntrack;
	return 0;
}

void conntrack_free(struct conntrack *conntrack)
{
	if (!conntrack)
		return;
	netlink_close(&conntrack->command);
	free(conntrack);
}

/*
 * Which entries: those of which one of these tuples has this destination; and of them,
 * if there are services, only the stale ones of these. No address: any.
 */
struct question {
	struct addr address;
	uint8_t family;			/* AF_UNSPEC: both */
	bool original, reply;
	const struct nft_services *services;
};

static uint16_t type_of(uint8_t type)
{
	return (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
}

static uint16_t destination_type(const struct addr *address)
{
	return address->family == AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST;
}

/*
 * The kernel's filter takes both tuples only together. And for IPv6 it takes equal
 * addresses for different ones (`!ipv6_addr_cmp()` in ctnetlink_filter_match_tuple(),
 * seen in 6.18): a filtered delete would spare exactly what is meant. In both cases
 * everything is listed and looked at here.
 */
static bool filter_works(const struct question *question)
{
	return question->address.family == AF_INET &&
	       question->original != question->reply;
}

static void put_filter(struct wire *wire, const struct question *question)
{
	bool original = question->original;
	size_t tuple, ip, filter;

	tuple = wire_nest(wire, original ? CTA_TUPLE_ORIG : CTA_TUPLE_REPLY);
	ip = wire_nest(wire, CTA_TUPLE_IP);
	wire_put(wire, destination_type(&question->address), question->address.bytes,
		 addr_length_bytes(&question->address));
	wire_nest_end(wire, ip);
	wire_nest_end(wire, tuple);
	filter = wire_nest(wire, CTA_FILTER);
	wire_put_u32(wire, CTA_FILTER_ORIG_FLAGS, original ? FILTER_IP_DST : 0);
	wire_put_u32(wire, CTA_FILTER_REPLY_FLAGS, original ? 0 : FILTER_IP_DST);
	wire_nest_end(wire, filter);
}

/* Entries to delete: for each the attributes that name it, one after the other. */
struct found {
	const struct question *question;
	struct wire entries;
	size_t ends[LIST_MAX];
	uint8_t families[LIST_MAX];
	size_t count;
	bool more;
};

static uint8_t protocol_of(struct span original)
{
	uint8_t protocol = 0;

	attr_u8(attr_find(attr_nest(original, CTA_TUPLE_PROTO), CTA_PROTO_NUM),
		&protocol);
	return protocol;
}

static bool goes_to(struct span tuple, const struct addr *address)
{
	struct span to = attr_nest(attr_nest(tuple, CTA_TUPLE_IP),
				   destination_type(address));

	return to.length == addr_length_bytes(address) &&
	       memcmp(to.bytes, address->bytes, to.length) == 0;
}

/*
 * Whether a rule would have done what was not done. One that gives new sources is no
 * rule for every connection: the others it would not have taken have answers.
 */
static bool lacks_nat(const struct nft_service *service, uint32_t status)
{
	if (!service->source)
		return !(status & IPS_DST_NAT);
	return (status & (IPS_DST_NAT | IPS_SRC_NAT | IPS_SEEN_REPLY)) == IPS_DST_NAT;
}

/* Connections that answer for themselves would break where the router listens. */
static bool answers(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_DCCP;
}

static bool is_served(const struct nft_service *service, struct span tuple)
{
	uint8_t protocol = protocol_of(tuple);
	uint16_t port = 0;

	if ((service->protocol && service->protocol != protocol) ||
	    (service->guessed && answers(protocol)))
		return false;
	attr_be16(attr_find(attr_nest(tuple, CTA_TUPLE_PROTO), CTA_PROTO_DST_PORT),
		  &port);
	return port >= service->port_first && port <= service->port_last &&
	       goes_to(tuple, &service->address);
}

/*
 * An answer of the router's that began a connection, its own having been forgotten: what
 * the peer sends comes back to the router by it. Where a rule takes all ports the
 * router's own questions would look the same.
 */
static bool is_answer(const struct nft_service *service, struct span reply,
		      uint32_t status)
{
	return !service->source && !(status & IPS_NAT_MASK) &&
	       service->port_first > 0 && !answers(protocol_of(reply)) &&
	       is_served(service, reply);
}

static bool is_stale(const struct nft_services *services, struct span attributes)
{
	struct span original = attr_nest(attributes, CTA_TUPLE_ORIG);
	struct span reply = attr_nest(attributes, CTA_TUPLE_REPLY);
	uint32_t status;

	if (!attr_be32(attr_find(attributes, CTA_STATUS), &status))
		return false;
	for (size_t i = 0; i < services->count; i++) {
		const struct nft_service *service = &services->list[i];

		if ((lacks_nat(service, status) && is_served(service, original)) ||
		    is_answer(service, reply, status))
			return true;
	}
	return false;
}

/* The kernel filters IPv4 only, and not before Linux 5.8: every entry is looked at. */
static bool is_meant(const struct question *question, struct span attributes)
{
	struct span original = attr_nest(attributes, CTA_TUPLE_ORIG);
	struct span reply = attr_nest(attributes, CTA_TUPLE_REPLY);

	if (question->services)
		return is_stale(question->services, attributes);
	return (question->original && goes_to(original, &question->address)) ||
	       (question->reply && goes_to(reply, &question->address));
}

static int take_entry(void *context, const struct nlmsghdr *message)
{
	static const uint16_t names[] = { CTA_TUPLE_ORIG, CTA_ID, CTA_ZONE };
	struct found *found = context;
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	struct span attributes = attr_of_message(message, sizeof(*header));

	if (!attr_find(attributes, CTA_TUPLE_ORIG) ||
	    !is_meant(found->question, attributes))
		return 0;
	if (found->count == LIST_MAX) {
		found->more = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct nlattr *attr = attr_find(attributes, names[i]);

		if (attr)
			wire_copy(&found->entries, attr);
	}
	found->families[found->count] = header->nfgen_family;
	found->ends[found->count++] = found->entries.length;
	return found->entries.failed ? -ENOMEM : 0;
}

static int list(struct conntrack *conntrack, struct found *found)
{
	const struct question *question = found->question;
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message;

	message = wire_nf_message(&wire, type_of(IPCTNL_MSG_CT_GET), NLM_F_DUMP,
				  ++conntrack->command.seq, question->family);
	if (filter_works(question))
		put_filter(&wire, question);
	wire_message_end(&wire, message);
	return netlink_ask(&conntrack->command, &wire, take_entry, found);
}

static int take_nothing(void *context, const struct nlmsghdr *message)
{
	(void)context;
	(void)message;
	return 0;
}

/*
 * Deletes the entries [first, last) by one datagram; those that ended meanwhile are no
 * error.
 */
static int delete_some(struct conntrack *conntrack, const struct found *found,
		       size_t first, size_t last)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	int r;

	for (size_t i = first; i < last; i++) {
		size_t begin = i ? found->ends[i - 1] : 0;
		size_t message = wire_nf_message(&wire, type_of(IPCTNL_MSG_CT_DELETE),
						 i + 1 == last ? NLM_F_ACK : 0,
						 ++conntrack->command.seq,
						 found->families[i]);

		wire_add(&wire, found->entries.bytes + begin, found->ends[i] - begin);
		wire_message_end(&wire, message);
	}
	r = netlink_ask(&conntrack->command, &wire, take_nothing, NULL);
	return r == -ENOENT ? 0 : r;
}

static int delete_each(struct conntrack *conntrack, const struct found *found)
{
	for (size_t first = 0; first < found->count; first += PER_DATAGRAM) {
		size_t last = first + PER_DATAGRAM;
		int r;

		r = delete_some(conntrack, found, first,
				last < found->count ? last : found->count);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Since Linux 6.12 or so; before, the tuple is taken for a whole one: EINVAL. */
static int delete_filtered(struct conntrack *conntrack, const struct question *question)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message;

	message = wire_nf_message(&wire, type_of(IPCTNL_MSG_CT_DELETE), NLM_F_ACK,
				  ++conntrack->command.seq, question->family);
	put_filter(&wire, question);
	wire_message_end(&wire, message);
	return netlink_ask(&conntrack->command, &wire, take_nothing, NULL);
}

/* One pass: lists and deletes. `ret_more`: there may be others. */
static int pass(struct conntrack *conntrack, struct found *found, bool *ret_more)
{
	int r = list(conntrack, found);

	if (r == -EINTR)
		r = 0;		/* what was seen is good, the rest comes next */
	else
		*ret_more = found->more;
	if (r < 0 || found->count == 0)
		return r;
	if (found->count > SINGLE_MAX && !found->question->services &&
	    filter_works(found->question) &&
	    delete_filtered(conntrack, found->question) == 0)
		return 0;
	return delete_each(conntrack, found);
}

static int forget(struct conntrack *conntrack, const struct question *question,
		  unsigned *removed, struct err *ret_err)
{
	struct found *found = calloc(1, sizeof(*found));
	bool more = true;
	int r = 0;

	if (!found)
		return err_set_errno(ret_err, -ENOMEM, "conntrack");
	for (int i = 0; i < PASSES_MAX && more && r == 0; i++) {
		found->question = question;
		found->count = 0;
		found->more = false;
		found->entries.length = 0;
		r = pass(conntrack, found, &more);
		if (r == 0)
			*removed += (unsigned)found->count;
	}
	wire_done(&found->entries);
	free(found);
	/* No connection tracking in this kernel, or it is not loaded: no connections. */
	if (r == -EOPNOTSUPP || r == -EINVAL)
		return 0;
	return r < 0 ? err_set_errno(ret_err, r, "removing stale connections") : 0;
}

static int take_entries(void *context, const struct nlmsghdr *message)
{
	attr_be32(attr_find(attr_of_message(message, sizeof(struct nfgenmsg)),
			    CTA_STATS_GLOBAL_ENTRIES),
		  context);
	return 0;
}

/* How many entries this network namespace has; UINT32_MAX: the kernel does not say. */
static uint32_t count_entries(struct conntrack *conntrack)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	uint32_t entries = UINT32_MAX;
	size_t message;

	message = wire_nf_message(&wire, type_of(IPCTNL_MSG_CT_GET_STATS), NLM_F_ACK,
				  ++conntrack->command.seq, AF_UNSPEC);
	wire_message_end(&wire, message);
	if (netlink_ask(&conntrack->command, &wire, take_entries, &entries) < 0)
		return UINT32_MAX;
	return entries;
}

/* Either tuple: by one walk where few are to be looked at, else one for each. */
static int forget_either(struct conntrack *conntrack, struct question *question,
			 uint32_t entries, unsigned *removed, struct err *ret_err)
{
	int r;

	question->original = true;
	question->reply = entries <= FEW || question->address.family != AF_INET;
	r = forget(conntrack, question, removed, ret_err);
	if (r < 0 || question->reply)
		return r;
	question->original = false;
	question->reply = true;
	return forget(conntrack, question, removed, ret_err);
}

int conntrack_forget_old(struct conntrack *conntrack, const struct addr *old,
			 unsigned *ret_removed, struct err *ret_err)
{
	struct question question = { .address = *old, .family = old->family };
	uint32_t entries;
	unsigned removed = 0;
	int r = 0;

	if (addr_is_none(old) || addr_is_unspecified(old))
		return err_set(ret_err, -EINVAL, "no address whose connections could go");
	entries = count_entries(conntrack);
	if (entries > 0)
		r = forget_either(conntrack, &question, entries, &removed, ret_err);
	if (r == 0)
		*ret_removed = removed;
	return r;
}

/* Where all go to one address the kernel may choose. */
static void ask_for(struct question *question, const struct nft_services *services)
{
	question->address = services->list[0].address;
	question->family = question->address.family;
	for (size_t i = 1; i < services->count; i++) {
		const struct addr *address = &services->list[i].address;

		if (!addr_equal(address, &question->address))
			question->address = (struct addr){ 0 };
		if (address->family != question->family)
			question->family = AF_UNSPEC;
	}
}

int conntrack_forget_stale(struct conntrack *conntrack,
			   const struct nft_services *services, unsigned *ret_removed,
			   struct err *ret_err)
{
	struct question question = { .services = services };
	uint32_t entries;
	unsigned removed = 0;
	int r = 0;

	for (size_t i = 0; i < services->count; i++) {
		const struct addr *address = &services->list[i].address;

		if (addr_is_none(address) || addr_is_unspecified(address))
			return err_set(ret_err, -EINVAL,
				       "no address whose connections could go");
	}
	entries = services->count > 0 ? count_entries(conntrack) : 0;
	if (entries > 0) {
		ask_for(&question, services);
		r = forget_either(conntrack, &question, entries, &removed, ret_err);
	}
	if (r == 0)
		*ret_removed = removed;
	return r;
}
