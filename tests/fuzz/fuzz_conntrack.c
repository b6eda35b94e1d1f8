/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections as a kernel (or nobody sane) could list them: whatever it lists, what is
 * removed are entries that were listed, of the address in question, or all of that address;
 * never a message that would empty the table. Input: fuzz/netlink_input.h; the first option
 * byte chooses what is asked.
 */
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "fake/netlink.h"
#include "hairpin/conntrack.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned deleted;
static bool exact;		/* one address is all that is asked about */
static struct addr wanted;

static void fake_batch(const uint8_t *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	abort();
}

static bool names(struct span attributes, uint16_t tuple, const struct addr *address)
{
	struct span ip = attr_nest(attr_nest(attributes, tuple), CTA_TUPLE_IP);
	struct span to = attr_nest(ip, address->family == AF_INET ? CTA_IP_V4_DST
								  : CTA_IP_V6_DST);

	return to.length == addr_length_bytes(address) &&
	       memcmp(to.bytes, address->bytes, to.length) == 0;
}

static void check_delete(const struct nlmsghdr *message)
{
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg));

	require(attr_well_formed(attributes));
	deleted++;
	if (attr_find(attributes, CTA_FILTER))
		require(names(attributes, CTA_TUPLE_ORIG, &wanted) !=
			names(attributes, CTA_TUPLE_REPLY, &wanted));
	else
		require(attr_find(attributes, CTA_TUPLE_ORIG) != NULL);
}

static void fake_question(const struct wire *request)
{
	const struct nlmsghdr *message = (const void *)request->bytes;
	int left = (int)request->length;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		uint8_t kind = (uint8_t)message->nlmsg_type;

		require(message->nlmsg_type >> 8 == NFNL_SUBSYS_CTNETLINK);
		if (kind == IPCTNL_MSG_CT_DELETE)
			check_delete(message);
		else
			require(kind == IPCTNL_MSG_CT_GET ||
				kind == IPCTNL_MSG_CT_GET_STATS);
	}
	require(left == 0);
}

static void forget_old(struct conntrack *conntrack)
{
	unsigned removed = 0;

	exact = true;
	if (conntrack_forget_old(conntrack, &wanted, &removed, NULL) < 0)
		return;
	/* A filtered one stands for many. */
	require(removed == deleted || deleted > 0);
}

static void forget_stale(struct conntrack *conntrack, uint8_t shape)
{
	struct nft_services *services = calloc(1, sizeof(*services));
	unsigned removed = 0;

	require(services != NULL);
	services->count = 1 + shape % 2;
	services->list[0] = (struct nft_service){
		.address = wanted, .protocol = shape & 2 ? IPPROTO_UDP : 0,
		.port_first = shape & 4 ? 53 : 0, .port_last = shape & 4 ? 90 : 65535,
		.guessed = shape & 8, .source = shape & 16 };
	services->list[1] = services->list[0];
	if (shape & 32)
		services->list[1].address = input_addr("2001:db8::1");
	(void)!conntrack_forget_stale(conntrack, services, &removed, NULL);
	free(services);
}

static void find(void)
{
	struct conntrack_flow flow = {
		.protocol = IPPROTO_UDP, .source = input_addr("10.0.0.9"),
		.destination = input_addr("203.0.113.1"), .source_port = 4000,
		.destination_port = 53 };
	struct conntrack_entry entry;

	if (wanted.family == AF_INET6) {
		flow.source = input_addr("2001:db8::9");
		flow.destination = wanted;
	}
	if (conntrack_find(&flow, &entry, NULL) == 0)
		require(entry.answer.source.family == wanted.family &&
			entry.answer.destination.family == wanted.family);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conntrack *conntrack;

	if (size < INPUT_OPTIONS)
		return 0;
	memset(&fake, 0, sizeof(fake));
	fake.bytes = data + INPUT_OPTIONS;
	fake.length = size - INPUT_OPTIONS;
	deleted = 0;
	exact = false;
	wanted = input_addr(data[1] & 1 ? "2001:db8::1" : "203.0.113.1");
	require(conntrack_new(&conntrack, NULL) == 0);
	switch (data[0] >> 6) {
	case 0:
		find();
		require(deleted == 0);
		break;
	case 1:
		forget_old(conntrack);
		break;
	default:
		forget_stale(conntrack, data[0] & 63);
	}
	conntrack_free(conntrack);
	return 0;
}
