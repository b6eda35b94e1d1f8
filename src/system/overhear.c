/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/overhear.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PACKET_BYTES = 512,	/* headers are what matters, also those that ICMP quotes */
	PORTS_BYTES = 4,
	TCP_FLAGS_AT = 13,
	ICMP_BYTES = 8,		/* before what it quotes */
	OTHERS_MAX = 1000,	/* packets that are passed over at one time */
};

static int packet_open(uint32_t link, uint16_t protocol, struct err *ret_err)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = (int)link,
				  .sll_protocol = htons(protocol) };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	err_set_errno(ret_err, -errno, "a packet socket");
	if (fd < 0)
		return -errno;
	close(fd);
	return -EIO;
}

int overhear_open(uint32_t link, int family, struct err *ret_err)
{
	return packet_open(link, family == AF_INET ? ETH_P_IP : ETH_P_IPV6, ret_err);
}

int arp_open(uint32_t link, struct err *ret_err)
{
	return packet_open(link, ETH_P_ARP, ret_err);
}

/* --- packets --- */

struct rest {
	const uint8_t *bytes;
	size_t length;
};

/* The IP header; `rest` is then what follows. */
static bool parse_ip4(struct rest *rest, struct overheard *heard)
{
	struct iphdr ip;
	size_t length;

	if (rest->length < sizeof(ip))
		return false;
	memcpy(&ip, rest->bytes, sizeof(ip));
	length = (size_t)ip.ihl * 4;
	if (ip.version != 4 || length < sizeof(ip) || length > rest->length ||
	    ntohs(ip.frag_off) & IP_OFFMASK)
		return false;
	heard->source = addr_from_bytes(AF_INET, &ip.saddr);
	heard->destination = addr_from_bytes(AF_INET, &ip.daddr);
	heard->protocol = ip.protocol;
	*rest = (struct rest){ rest->bytes + length, rest->length - length };
	return true;
}

/* What has extension headers is none of ours: nobody puts them into such answers. */
static bool parse_ip6(struct rest *rest, struct overheard *heard)
{
	struct ip6_hdr ip;

	if (rest->length < sizeof(ip))
		return false;
	memcpy(&ip, rest->bytes, sizeof(ip));
	if (ip.ip6_vfc >> 4 != 6)
		return false;
	heard->source = addr_from_bytes(AF_INET6, &ip.ip6_src);
	heard->destination = addr_from_bytes(AF_INET6, &ip.ip6_dst);
	heard->protocol = ip.ip6_nxt;
	*rest = (struct rest){ rest->bytes + sizeof(ip), rest->length - sizeof(ip) };
	return true;
}

static bool parse_ip(int family, struct rest *rest, struct overheard *heard)
{
	return family == AF_INET ? parse_ip4(rest, heard) : parse_ip6(rest, heard);
}

static bool parse_ports(struct rest rest, struct overheard *heard)
{
	uint16_t ports[2];

	if ((heard->protocol != IPPROTO_TCP && heard->protocol != IPPROTO_UDP) ||
	    rest.length < PORTS_BYTES)
		return false;
	memcpy(ports, rest.bytes, sizeof(ports));
	heard->source_port = ntohs(ports[0]);
	heard->destination_port = ntohs(ports[1]);
	if (heard->protocol == IPPROTO_TCP && rest.length > TCP_FLAGS_AT)
		heard->tcp_flags = rest.bytes[TCP_FLAGS_AT];
	return true;
}

static bool is_error(const struct overheard *heard, const uint8_t *icmp)
{
	if (heard->protocol == IPPROTO_ICMP)
		return icmp[0] == ICMP_DEST_UNREACH || icmp[0] == ICMP_TIME_EXCEEDED;
	return icmp[0] == ICMP6_DST_UNREACH || icmp[0] == ICMP6_TIME_EXCEEDED;
}

bool overhear_parse(int family, const uint8_t *bytes, size_t length,
		    struct overheard *ret_heard)
{
	struct overheard heard = { 0 }, quoted = { .error = true };
	struct rest rest = { bytes, length };

	if (!parse_ip(family, &rest, &heard))
		return false;
	if (heard.protocol != IPPROTO_ICMP && heard.protocol != IPPROTO_ICMPV6) {
		if (!parse_ports(rest, &heard))
			return false;
		*ret_heard = heard;
		return true;
	}
	if (rest.length < ICMP_BYTES || !is_error(&heard, rest.bytes))
		return false;
	quoted.teller = heard.source;
	quoted.icmp_type = rest.bytes[0];
	quoted.icmp_code = rest.bytes[1];
	rest = (struct rest){ rest.bytes + ICMP_BYTES, rest.length - ICMP_BYTES };
	if (!parse_ip(family, &rest, &quoted) || !parse_ports(rest, &quoted))
		return false;
	*ret_heard = quoted;
	return true;
}

static int family_of(const struct sockaddr_ll *from)
{
	return from->sll_protocol == htons(ETH_P_IPV6) ? AF_INET6 : AF_INET;
}

int overhear_next(int fd, struct overheard *ret_heard)
{
	uint8_t packet[PACKET_BYTES];
	struct sockaddr_ll from = { 0 };
	socklen_t length;
	ssize_t got;

	for (int i = 0; i < OTHERS_MAX; i++) {
		length = sizeof(from);
		got = recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&from,
			       &length);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got >= 0 && from.sll_pkttype == PACKET_HOST &&
		    overhear_parse(family_of(&from), packet, (size_t)got, ret_heard))
			return 0;
	}
	return -EAGAIN;		/* a flood is no reason to forget the time */
}
