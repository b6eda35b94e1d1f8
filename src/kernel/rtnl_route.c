/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes to whole prefixes, of the links somebody asks for: read, and as events. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rtnl_private.h"

/* --- events --- */

#define LOAD(field) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, \
			     NLMSG_HDRLEN + offsetof(struct rtmsg, field))
#define PASS BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define DROP BPF_STMT(BPF_RET | BPF_K, 0)
/* Goes on where it is so. */
#define DEMAND(compare, value) \
	BPF_JUMP(BPF_JMP | (compare) | BPF_K, value, 1, 0), DROP
#define REFUSE(compare, value) \
	BPF_JUMP(BPF_JMP | (compare) | BPF_K, value, 0, 1), DROP
#define PASS_IF(compare, value) \
	BPF_JUMP(BPF_JMP | (compare) | BPF_K, value, 0, 1), PASS

/*
 * What is loaded counts as of the network's byte order, which the kernel's messages do
 * not have. SKF_AD_NLATTR: the place of the attribute X, searched from A on, 0 for none.
 */
size_t rtnl_filter(const struct rtnl_watch *watch, struct sock_filter *code)
{
	const struct sock_filter common[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 1, 0), PASS,
		LOAD(rtm_dst_len), PASS_IF(BPF_JEQ, 0),
		REFUSE(BPF_JGT, watch->bits), DEMAND(BPF_JGE, WAN_ROUTE_BITS_MIN),
		LOAD(rtm_family), DEMAND(BPF_JEQ, AF_INET6),
		LOAD(rtm_table), DEMAND(BPF_JEQ, RT_TABLE_MAIN),
		LOAD(rtm_type), DEMAND(BPF_JEQ, RTN_UNICAST),
		LOAD(rtm_protocol), REFUSE(BPF_JEQ, RTPROT_KERNEL),
		BPF_STMT(BPF_LDX | BPF_IMM, RTA_OIF),
		BPF_STMT(BPF_LD | BPF_IMM, NLMSG_LENGTH(sizeof(struct rtmsg))),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR)),
		REFUSE(BPF_JEQ, 0), BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, RTA_LENGTH(0)),
	};
	size_t length = sizeof(common) / sizeof(common[0]);

	_Static_assert(sizeof(common) / sizeof(common[0]) + 2 * RTNL_WATCH_MAX + 1 <=
		       RTNL_FILTER_MAX, "room for all links");
	memcpy(code, common, sizeof(common));
	for (size_t i = 0; i < watch->count; i++) {
		const struct sock_filter mine[] = {
			PASS_IF(BPF_JEQ, htonl(watch->links[i])) };

		memcpy(code + length, mine, sizeof(mine));
		length += sizeof(mine) / sizeof(mine[0]);
	}
	code[length++] = (struct sock_filter)DROP;
	return length;
}

static bool is_watched_so(const struct rtnl *rtnl, const struct rtnl_watch *watch)
{
	return rtnl->watch.count == watch->count && rtnl->watch.bits == watch->bits &&
	       memcmp(rtnl->watch.links, watch->links,
		      watch->count * sizeof(watch->links[0])) == 0;
}

static int watch_links(struct rtnl *rtnl, const struct rtnl_watch *watch,
		       struct err *ret_err)
{
	struct sock_filter code[RTNL_FILTER_MAX];
	struct sock_fprog filter = { (unsigned short)rtnl_filter(watch, code), code };

	if (is_watched_so(rtnl, watch))
		return 0;
	if (setsockopt(rtnl->events.fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		       sizeof(filter)) < 0)
		return err_set_errno(ret_err, -errno, "netlink filter");
	rtnl->watch = *watch;
	return 0;
}

/* --- reading --- */

struct reading {
	struct rtnl_routes *routes;
	uint32_t link;
	unsigned bits;
};

/*
 * Before Linux 4.20 the routes of all links and tables come. One that the kernel made for
 * an address may outlive it by hours.
 */
static bool is_asked_for(const struct reading *reading, const struct rtmsg *header,
			 struct span attributes)
{
	uint32_t table = header->rtm_table, link = 0;

	attr_u32(attr_find(attributes, RTA_TABLE), &table);
	attr_u32(attr_find(attributes, RTA_OIF), &link);
	return header->rtm_family == AF_INET6 && header->rtm_type == RTN_UNICAST &&
	       header->rtm_protocol != RTPROT_KERNEL &&
	       !(header->rtm_flags & (RTNH_F_DEAD | RTM_F_CLONED)) &&
	       header->rtm_dst_len >= WAN_ROUTE_BITS_MIN &&
	       header->rtm_dst_len <= reading->bits &&
	       table == RT_TABLE_MAIN && link == reading->link;
}

static int take_route(void *context, const struct nlmsghdr *message)
{
	const struct reading *reading = context;
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct wan_route *route;
	struct span attributes, to;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return 0;
	attributes = attr_of_message(message, sizeof(*header));
	to = attr_nest(attributes, RTA_DST);
	if (!is_asked_for(reading, header, attributes) || to.length != 16)
		return 0;
	route = rtnl_grow((void **)&reading->routes->list, &reading->routes->count,
			  &reading->routes->room, sizeof(*route));
	if (!route)
		return -ENOMEM;
	*route = (struct wan_route){
		.to = addr_from_bytes(AF_INET6, to.bytes), .ifindex = reading->link,
		.prefix_length = header->rtm_dst_len,
	};
	attr_u32(attr_find(attributes, RTA_PRIORITY), &route->priority);
	return 0;
}

static int read_link(struct rtnl *rtnl, uint32_t link, unsigned bits,
		     struct rtnl_routes *routes)
{
	struct rtmsg header = { .rtm_family = AF_INET6, .rtm_table = RT_TABLE_MAIN,
				.rtm_type = RTN_UNICAST };
	struct reading reading = { routes, link, bits };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place;
	int r;

	place = wire_message(&wire, RTM_GETROUTE, NLM_F_DUMP, ++rtnl->command.seq,
			     &header, sizeof(header));
	wire_put_u32(&wire, RTA_OIF, link);
	wire_message_end(&wire, place);
	r = netlink_ask(&rtnl->command, &wire, take_route, &reading);
	/* The link may have gone, and a kernel may lack IPv6. */
	return r == -ENODEV || r == -ENOENT || r == -EOPNOTSUPP || r == -EAFNOSUPPORT
		       ? 0 : r;
}

static int read_all(struct rtnl *rtnl, const struct rtnl_watch *watch,
		    struct rtnl_routes *routes)
{
	int r = 0;

	routes->count = 0;
	for (size_t i = 0; i < watch->count && r == 0; i++)
		r = read_link(rtnl, watch->links[i], watch->bits, routes);
	return r;
}

int rtnl_routes(struct rtnl *rtnl, const struct rtnl_watch *watch,
		struct rtnl_routes *routes, struct err *ret_err)
{
	int r = watch_links(rtnl, watch, ret_err);

	if (r < 0)
		return r;
	r = -EINTR;
	for (int i = 0; i < RTNL_TRIES_MAX && r == -EINTR; i++)
		r = read_all(rtnl, watch, routes);
	if (r == -EINTR)
		return err_set(ret_err, -EAGAIN, "routes would not stand still while "
			       "they were read");
	return r < 0 ? err_set_errno(ret_err, r, "reading routes") : 0;
}

void rtnl_routes_done(struct rtnl_routes *routes)
{
	free(routes->list);
	*routes = (struct rtnl_routes){ 0 };
}
