/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service.h"

#include <linux/netfilter/xt_multiport.h>
#include <sys/socket.h>

#include "hairpin/order.h"

struct nft_service service_any(void)
{
	return (struct nft_service){ .port_last = UINT16_MAX };
}

static bool same_kind(const struct nft_service *a, const struct nft_service *b)
{
	return addr_equal(&a->address, &b->address) && a->protocol == b->protocol &&
	       a->guessed == b->guessed && a->source == b->source;
}

static bool touch(const struct nft_service *a, const struct nft_service *b)
{
	return same_kind(a, b) && a->port_first <= b->port_last + 1 &&
	       b->port_first <= a->port_last + 1;
}

static bool take_touching(struct nft_services *services, struct nft_service *whole)
{
	for (size_t i = 0; i < services->count; i++) {
		const struct nft_service *one = &services->list[i];

		if (!touch(one, whole))
			continue;
		whole->port_first = MIN(whole->port_first, one->port_first);
		whole->port_last = MAX(whole->port_last, one->port_last);
		services->list[i] = services->list[--services->count];
		return true;
	}
	return false;
}

static void take_address(struct nft_services *services, struct nft_service *whole)
{
	size_t kept = 0;

	for (size_t i = 0; i < services->count; i++) {
		const struct nft_service *one = &services->list[i];

		if (!addr_equal(&one->address, &whole->address) ||
		    one->source != whole->source)
			services->list[kept++] = *one;
	}
	services->count = kept;
	services->overfull = true;
	whole->protocol = 0;
	whole->port_first = 0;
	whole->port_last = UINT16_MAX;
	whole->guessed = true;
}

/* A guess that took the place of too many, in take_address(): one more changes nothing. */
static bool is_given_up(const struct nft_services *services,
			const struct nft_service *service)
{
	for (size_t i = 0; i < services->count; i++) {
		const struct nft_service *one = &services->list[i];

		if (one->guessed && one->protocol == 0 && one->port_first == 0 &&
		    one->port_last == UINT16_MAX && one->source == service->source &&
		    addr_equal(&one->address, &service->address))
			return true;
	}
	return false;
}

void nft_service_add(struct nft_services *services, const struct nft_service *service)
{
	struct nft_service whole = *service;

	if (services->overfull && is_given_up(services, service))
		return;
	while (take_touching(services, &whole))
		continue;
	if (services->count == NFT_SERVICES_MAX)
		take_address(services, &whole);
	/* So many addresses: the entries of this one have to end by themselves. */
	if (services->count < NFT_SERVICES_MAX)
		services->list[services->count++] = whole;
}

bool service_meet(const struct nft_service *a, const struct nft_service *b,
		  struct nft_service *ret_both)
{
	struct nft_service both = {
		.address = addr_is_none(&a->address) ? b->address : a->address,
		.protocol = a->protocol ? a->protocol : b->protocol,
		.port_first = MAX(a->port_first, b->port_first),
		.port_last = MIN(a->port_last, b->port_last),
		.guessed = a->guessed || b->guessed,
		.source = a->source || b->source,
	};

	if (!addr_is_none(&b->address) && !addr_equal(&both.address, &b->address))
		return false;
	if ((b->protocol && both.protocol != b->protocol) ||
	    both.port_first > both.port_last)
		return false;
	*ret_both = both;
	return true;
}

/* A whole struct of them has 7 KiB: none is cleared or copied for each compare. */
static void meet(struct nft_services *scope, const struct nft_service *list, size_t count)
{
	struct nft_services met;
	struct nft_service both;

	met.count = 0;
	met.overfull = false;
	for (size_t i = 0; i < scope->count; i++) {
		for (size_t j = 0; j < count; j++) {
			if (service_meet(&scope->list[i], &list[j], &both))
				nft_service_add(&met, &both);
		}
	}
	memcpy(scope->list, met.list, met.count * sizeof(met.list[0]));
	scope->count = met.count;
	scope->overfull |= met.overfull;
}

void services_meet(struct nft_services *scope, const struct nft_services *other)
{
	meet(scope, other->list, other->count);
}

void services_guess(struct nft_services *scope)
{
	for (size_t i = 0; i < scope->count; i++)
		scope->list[i].guessed = true;
}

/* struct xt_multiport_v1; ports are in host order, a range is two of them. */
static void compare_multiport(struct nft_services *scope, struct span data)
{
	struct nft_service service = service_any();
	struct nft_services ports = { .count = 0 };
	struct xt_multiport_v1 info;

	if (data.length < sizeof(info)) {
		services_guess(scope);
		return;
	}
	memcpy(&info, data.bytes, sizeof(info));
	if (info.flags == XT_MULTIPORT_SOURCE)
		return;
	if (info.flags != XT_MULTIPORT_DESTINATION || info.invert ||
	    info.count > XT_MULTI_PORTS) {
		services_guess(scope);
		return;
	}
	for (size_t i = 0; i < info.count; i++) {
		service.port_first = info.ports[i];
		if (info.pflags[i] && i + 1 < info.count)
			i++;
		service.port_last = info.ports[i];
		nft_service_add(&ports, &service);
	}
	services_meet(scope, &ports);
}

static void compare_address(struct nft_services *scope, const struct rule_spot *spot,
			    struct span expressions, int side)
{
	const size_t length = side == RULE_IPV4 ? 4 : 16;
	struct nft_service to = service_any();

	if (spot->source == RULE_SNAT || spot->length != length ||
	    spot->bits != length * 8)
		return;
	to.address = addr_from_bytes(side == RULE_IPV4 ? AF_INET : AF_INET6,
				     expressions.bytes + spot->at);
	meet(scope, &to, 1);
}

void services_compare(struct nft_services *scope, const struct rule_view *view,
		      struct span expressions, int side)
{
	struct nft_service own = service_any();

	own.protocol = view->protocol;
	if (view->ports == RULE_PORTS_KNOWN) {
		own.port_first = view->port_first;
		own.port_last = view->port_last;
	}
	own.guessed = view->ports == RULE_PORTS_OPEN;
	meet(scope, &own, 1);
	if (view->multiport.bytes)
		compare_multiport(scope, view->multiport);
	for (size_t i = 0; side >= 0 && i < view->side[side].spot_count; i++)
		compare_address(scope, &view->side[side].spots[i], expressions, side);
}
