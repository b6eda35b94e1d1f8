/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real packets through the router of walks.h, and where they come out. Each carries a
 * number as its payload, by which it is known again whatever NAT made of it.
 */
#ifndef TESTS_KERNEL_FRAMES_H
#define TESTS_KERNEL_FRAMES_H

#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include "walks.h"

enum { FRAMES_LINKS = 3, FRAMES_MAX = 64, FRAMES_FENCE = 0x88b5 };

/* Where one came out. */
struct frames_seen {
	bool seen, local;
	int link;			/* index into frames_links */
	struct addr source, destination;
	uint16_t source_port, destination_port;
};

struct frames {
	int far[FRAMES_LINKS];		/* AF_PACKET, at the other ends */
	int near;			/* AF_PACKET, on the first link: fences */
	int raw[2][2];			/* [IPv4, IPv6][TCP, UDP]: what reaches the router */
	int own;			/* sends as the router */
	struct frames_seen seen[FRAMES_MAX];
};

static const char *const frames_links[FRAMES_LINKS] = { "wan0", "br0", "ppp9" };

struct frames_payload {
	char magic[6];
	uint16_t number;
};

static LAB_UNUSED uint32_t frames_sum(const void *bytes, size_t length, uint32_t sum)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? byte[i] : (uint32_t)byte[i] << 8;
	return sum;
}

static LAB_UNUSED uint16_t frames_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* TCP SYN or UDP with the number. */
static LAB_UNUSED size_t frames_transport(const struct walk_packet *packet,
					  uint16_t number, uint8_t *out)
{
	struct frames_payload payload = { "walks", number };
	bool tcp = packet->protocol == IPPROTO_TCP;
	size_t header = tcp ? sizeof(struct tcphdr) : sizeof(struct udphdr);
	size_t length = header + sizeof(payload);
	struct tcphdr syn = {
		.source = htons(packet->source_port),
		.dest = htons(packet->destination_port),
		.seq = 1, .doff = 5, .syn = 1, .window = htons(1024) };
	struct udphdr udp = {
		.source = syn.source, .dest = syn.dest, .len = htons((uint16_t)length) };
	uint32_t sum = frames_sum(packet->source.bytes,
				  addr_length_bytes(&packet->source), 0);
	uint16_t check;

	memcpy(out, tcp ? (void *)&syn : (void *)&udp, header);
	memcpy(out + header, &payload, sizeof(payload));
	sum = frames_sum(packet->destination.bytes,
			 addr_length_bytes(&packet->destination), sum);
	sum = frames_sum(out, length, sum + packet->protocol + (uint32_t)length);
	check = frames_fold(sum);
	memcpy(out + (tcp ? offsetof(struct tcphdr, check)
			  : offsetof(struct udphdr, check)), &check, 2);
	return length;
}

static LAB_UNUSED size_t frames_packet(const struct walk_packet *packet, uint16_t number,
				       uint8_t *out)
{
	bool ipv4 = packet->destination.family == AF_INET;
	size_t header = ipv4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
	size_t length = frames_transport(packet, number, out + header);
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = packet->protocol,
		.tot_len = htons((uint16_t)(header + length)) };
	struct ip6_hdr ip6 = { .ip6_plen = htons((uint16_t)length),
			       .ip6_nxt = packet->protocol, .ip6_hlim = 64 };

	if (ipv4) {
		memcpy(&ip.saddr, packet->source.bytes, 4);
		memcpy(&ip.daddr, packet->destination.bytes, 4);
		ip.check = frames_fold(frames_sum(&ip, sizeof(ip), 0));
	} else {
		ip6.ip6_vfc = 0x60;
		memcpy(&ip6.ip6_src, packet->source.bytes, 16);
		memcpy(&ip6.ip6_dst, packet->destination.bytes, 16);
	}
	memcpy(out, ipv4 ? (void *)&ip : (void *)&ip6, header);
	return header + length;
}

static LAB_UNUSED int frames_open_link(const char *link)
{
	struct sockaddr_ll here = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(ETH_P_ALL),
				    .sll_ifindex = (int)if_nametoindex(link) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&here, sizeof(here)), 0);
	return fd;
}

/* Hosts beyond the links have MAC addresses that are nobody's, so only we hear them. */
static LAB_UNUSED void frames_open(struct frames *frames)
{
	static const char *const ends[FRAMES_LINKS] = { "far0", "far1", "far2" };
	static const int protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	int on = 1;
	cpu_set_t one;

	/* One processor has one queue, so what was sent earlier is heard earlier. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	(void)!sched_setaffinity(0, sizeof(one), &one);
	lab_run("for i in 203.0.113.1 203.0.113.77; do ip neigh replace $i lladdr "
		"02:00:00:00:00:01 dev wan0 nud permanent; done; "
		"for i in 192.168.1.2 192.168.1.3 192.168.1.5 192.168.1.6 192.168.1.9 "
		"192.168.1.10 192.168.1.77 192.168.2.5 fd00:1::2; do "
		"ip neigh replace $i lladdr 02:00:00:00:00:02 "
		"dev br0 nud permanent; done; "
		"ip neigh replace 10.9.0.2 lladdr 02:00:00:00:00:03 dev ppp9 nud permanent; "
		"ip neigh replace 2001:db8:1::1 lladdr 02:00:00:00:00:01 dev wan0 nud "
		"permanent; sysctl -qw net.ipv4.conf.all.rp_filter=0; for i in wan0 br0 ppp9; "
		"do sysctl -qw net.ipv4.conf.$i.rp_filter=0; done");
	for (int i = 0; i < FRAMES_LINKS; i++)
		frames->far[i] = frames_open_link(ends[i]);
	frames->near = frames_open_link("wan0");
	for (int i = 0; i < 2; i++) {
		frames->raw[0][i] = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, protocols[i]);
		frames->raw[1][i] = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK, protocols[i]);
		assert_true(frames->raw[0][i] >= 0 && frames->raw[1][i] >= 0);
		assert_int_equal(setsockopt(frames->raw[1][i], IPPROTO_IPV6,
					    IPV6_RECVPKTINFO, &on, sizeof(on)), 0);
	}
	frames->own = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	assert_true(frames->own >= 0);
}

static LAB_UNUSED void frames_close(struct frames *frames)
{
	for (int i = 0; i < FRAMES_LINKS; i++)
		close(frames->far[i]);
	for (int i = 0; i < 2; i++) {
		close(frames->raw[0][i]);
		close(frames->raw[1][i]);
	}
	close(frames->near);
	close(frames->own);
}

static LAB_UNUSED void frames_send(const struct frames *frames, struct walks *walks,
				   const struct walk_packet *packet, uint16_t number)
{
	uint8_t bytes[256] = { 0 };
	struct ether_header *frame = (void *)bytes;
	size_t length = frames_packet(packet, number, bytes + sizeof(*frame));
	struct sockaddr_in to = { .sin_family = AF_INET };

	if (!packet->in) {
		memcpy(&to.sin_addr, packet->destination.bytes, 4);
		(void)!sendto(frames->own, bytes + sizeof(*frame), length, 0, (void *)&to,
			      sizeof(to));	/* a rule may refuse it */
		return;
	}
	for (int i = 0; i < FRAMES_LINKS; i++) {
		const struct router_link *link = router_link_find(walks->router,
								  frames_links[i]);

		if (link->index != packet->in)
			continue;
		memcpy(frame->ether_dhost, link->mac, 6);
		memcpy(frame->ether_shost, "\2\0\0\0\0\11", 6);
		frame->ether_type = htons(packet->destination.family == AF_INET
					  ? ETHERTYPE_IP : ETHERTYPE_IPV6);
		assert_true(send(frames->far[i], bytes, sizeof(*frame) + length, 0) > 0);
	}
}

/* One of ours, from the transport header on: its number; -1: something else. */
static LAB_UNUSED int frames_number(uint8_t protocol, const uint8_t *bytes, size_t length)
{
	size_t header = protocol == IPPROTO_TCP ? sizeof(struct tcphdr)
						: sizeof(struct udphdr);
	struct frames_payload payload;

	if ((protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) ||
	    length < header + sizeof(payload))
		return -1;
	memcpy(&payload, bytes + header, sizeof(payload));
	if (memcmp(payload.magic, "walks", 6) != 0 || payload.number >= FRAMES_MAX)
		return -1;
	return payload.number;
}

static LAB_UNUSED void frames_note(struct frames *frames, const uint8_t *bytes,
				   size_t length, int link)
{
	struct frames_seen *seen;
	bool ipv4 = length > 0 && bytes[0] >> 4 == 4;
	size_t header = ipv4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
	uint16_t ports[2];
	int number;

	if (length < header + sizeof(ports))
		return;
	number = frames_number(bytes[ipv4 ? 9 : 6], bytes + header, length - header);
	if (number < 0)
		return;
	seen = &frames->seen[number];
	assert_false(seen->seen);
	memcpy(ports, bytes + header, sizeof(ports));
	*seen = (struct frames_seen){
		.seen = true, .local = link < 0, .link = link,
		.source = addr_from_bytes(ipv4 ? AF_INET : AF_INET6, bytes + (ipv4 ? 12 : 8)),
		.destination = addr_from_bytes(ipv4 ? AF_INET : AF_INET6,
					       bytes + (ipv4 ? 16 : 24)),
		.source_port = ntohs(ports[0]), .destination_port = ntohs(ports[1]),
	};
}

/* Reads what came; whether one was a fence. */
static LAB_UNUSED bool frames_read_link(struct frames *frames, int link)
{
	struct sockaddr_ll from;
	socklen_t bytes = sizeof(from);
	uint8_t frame[2048];
	bool fence = false;
	ssize_t got;

	while ((got = recvfrom(frames->far[link], frame, sizeof(frame), 0, (void *)&from,
			       &bytes)) > 0) {
		if (from.sll_pkttype == PACKET_OUTGOING ||
		    got < (ssize_t)sizeof(struct ether_header))
			continue;
		fence |= frame[12] == FRAMES_FENCE >> 8 && frame[13] == (FRAMES_FENCE & 0xff);
		frames_note(frames, frame + sizeof(struct ether_header),
			    (size_t)got - sizeof(struct ether_header), link);
	}
	return fence;
}

static LAB_UNUSED void frames_fence(struct frames *frames)
{
	uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 5, FRAMES_FENCE >> 8,
			      FRAMES_FENCE & 0xff };
	struct pollfd heard = { .fd = frames->far[0], .events = POLLIN };

	assert_true(send(frames->near, frame, sizeof(frame), 0) > 0);
	do
		assert_int_equal(poll(&heard, 1, LAB_PATIENCE_MS), 1);
	while (!frames_read_link(frames, 0));
}

static LAB_UNUSED void frames_read_local(struct frames *frames, int fd, bool ipv4,
					 uint8_t protocol)
{
	union {
		struct cmsghdr first;
		uint8_t bytes[256];
	} control;
	uint8_t bytes[2048] = { 0 };
	struct sockaddr_in6 from;
	struct iovec piece = { bytes + (ipv4 ? 0 : 40), sizeof(bytes) - 40 };
	ssize_t got;

	for (;;) {
		struct msghdr message = {
			.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &piece,
			.msg_iovlen = 1, .msg_control = &control,
			.msg_controllen = sizeof(control) };
		struct cmsghdr *info;

		got = recvmsg(fd, &message, 0);
		if (got <= 0)
			return;
		info = CMSG_FIRSTHDR(&message);
		if (!ipv4) {
			struct in6_pktinfo to;

			assert_non_null(info);
			memcpy(&to, CMSG_DATA(info), sizeof(to));
			bytes[0] = 0x60;
			bytes[6] = protocol;
			memcpy(bytes + 8, &from.sin6_addr, 16);
			memcpy(bytes + 24, &to.ipi6_addr, 16);
			got += 40;
		}
		frames_note(frames, bytes, (size_t)got, -1);
	}
}

/* What was sent has come out by now, wherever it went: a hop for each fence. */
static LAB_UNUSED void frames_collect(struct frames *frames)
{
	for (int i = 0; i < 4; i++)
		frames_fence(frames);
	for (int i = 0; i < FRAMES_LINKS; i++)
		frames_read_link(frames, i);
	for (int i = 0; i < 2; i++) {
		uint8_t protocol = i ? IPPROTO_UDP : IPPROTO_TCP;

		frames_read_local(frames, frames->raw[0][i], true, protocol);
		frames_read_local(frames, frames->raw[1][i], false, protocol);
	}
}

/* As walks_tell() says it; "gone" for what did not come out. */
static LAB_UNUSED const char *frames_tell(const struct frames_seen *seen, char *text,
					  size_t room)
{
	char source[ADDR_TEXT_BYTES], destination[ADDR_TEXT_BYTES];

	if (!seen->seen)
		snprintf(text, room, "gone");
	else
		snprintf(text, room, "%s%s %s#%u > %s#%u",
			 seen->local ? "local" : "forwarded ",
			 seen->local ? "" : frames_links[seen->link],
			 addr_format(&seen->source, source), seen->source_port,
			 addr_format(&seen->destination, destination),
			 seen->destination_port);
	return text;
}

#endif
