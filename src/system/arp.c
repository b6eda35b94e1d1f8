/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/clock.h"
#include "hairpin/overhear.h"

static int arp_send(int fd, uint32_t link, const struct ether_arp *request)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)link,
				  .sll_protocol = htons(ETHERTYPE_ARP),
				  .sll_halen = ETH_ALEN };

	memset(to.sll_addr, 0xff, ETH_ALEN);
	if (sendto(fd, request, sizeof(*request), 0, (struct sockaddr *)&to,
		   sizeof(to)) < 0)
		return -errno;
	return 0;
}

/*
 * Somebody sends from that address, or asks for it with no address of his own: then he is
 * about to take it, RFC 5227, section 2.1.1.
 */
static bool arp_says_so(const struct ether_arp *heard, const struct ether_arp *asked)
{
	static const uint8_t none[4];

	if (memcmp(heard->arp_sha, asked->arp_sha, ETH_ALEN) == 0)
		return false;
	return memcmp(heard->arp_spa, asked->arp_tpa, 4) == 0 ||
	       (memcmp(heard->arp_spa, none, 4) == 0 &&
		memcmp(heard->arp_tpa, asked->arp_tpa, 4) == 0);
}

static int arp_wait(int fd, const struct ether_arp *asked, int64_t limit_ms)
{
	int64_t end_ms = clock_now_ms() + limit_ms, left_ms;
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct ether_arp heard;
	ssize_t got;

	while ((left_ms = end_ms - clock_now_ms()) > 0) {
		if (poll(&ready, 1, (int)left_ms) < 0 && errno != EINTR)
			return -errno;
		got = recv(fd, &heard, sizeof(heard), 0);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (got == sizeof(heard) && heard.ea_hdr.ar_pro == htons(ETHERTYPE_IP) &&
		    heard.ea_hdr.ar_hln == ETH_ALEN && arp_says_so(&heard, asked))
			return 1;
	}
	return 0;
}

int arp_ask(int fd, uint32_t link, const uint8_t mac[6], const struct addr *source,
	    const struct addr *target, int64_t limit_ms)
{
	struct ether_arp request = {
		.ea_hdr = { .ar_hrd = htons(ARPHRD_ETHER), .ar_pro = htons(ETHERTYPE_IP),
			    .ar_hln = ETH_ALEN, .ar_pln = 4, .ar_op = htons(ARPOP_REQUEST) },
	};
	int r;

	if (target->family != AF_INET)
		return -EAFNOSUPPORT;
	memcpy(request.arp_sha, mac, ETH_ALEN);
	memcpy(request.arp_spa, source->bytes, 4);	/* 0.0.0.0 for none */
	memcpy(request.arp_tpa, target->bytes, 4);
	r = arp_send(fd, link, &request);
	return r < 0 ? r : arp_wait(fd, &request, limit_ms);
}
