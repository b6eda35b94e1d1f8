/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service_keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "service.h"

enum { KEYS_MAX = 16384 };

/* Where in the keys what stands; -1: not there, or not of interest. */
struct reading {
	struct service_keys *keys;
	size_t key_bytes;
	int family, address_at, protocol_at, port_at;
	bool verdict;
};

static bool is_of_name(const struct nft_name *name, const struct addr *value)
{
	for (size_t i = 0; i < name->count; i++) {
		if (addr_equal(&name->addresses[i], value))
			return true;
	}
	return false;
}

static bool wanted(const struct nft_request *request, const struct addr *value)
{
	for (size_t i = 0; i < request->name_count; i++) {
		if (is_of_name(&request->names[i], value))
			return true;
	}
	for (size_t i = 0; i < request->target_count; i++) {
		struct policy policy = { .target = &request->targets[i] };

		if (policy_holds(&policy, value))
			return true;
	}
	return false;
}

static struct span value_of(struct span element, uint16_t type)
{
	return attr_nest(attr_nest(element, type), NFTA_DATA_VALUE);
}

static uint16_t port_of(const struct reading *reading, struct span key)
{
	uint16_t port;

	memcpy(&port, key.bytes + reading->port_at, sizeof(port));
	return ntohs(port);
}

/* What one field of an interval spans is one value, or not of interest. */
static bool spans_one(struct span key, struct span last, int at, size_t bytes)
{
	return !last.bytes || memcmp(key.bytes + at, last.bytes + at, bytes) == 0;
}

/* False: no connection that we look for. */
static bool read_key(const struct reading *reading, struct span element, bool end,
		     struct nft_service *service)
{
	struct span key = value_of(element, NFTA_SET_ELEM_KEY);
	struct span last = value_of(element, NFTA_SET_ELEM_KEY_END);
	size_t address_bytes = reading->family == AF_INET ? 4 : 16;

	if (!key.bytes)			/* "*": all the others */
		return true;
	if (key.length != reading->key_bytes ||
	    (last.bytes && last.length != key.length))
		return false;
	if (reading->protocol_at >= 0 && spans_one(key, last, reading->protocol_at, 1))
		service->protocol = key.bytes[reading->protocol_at];
	if (reading->port_at >= 0) {
		service->port_first = port_of(reading, key);
		service->port_last = port_of(reading, last.bytes ? last : key);
	}
	if (reading->address_at < 0 ||
	    !spans_one(key, last, reading->address_at, address_bytes))
		return true;
	service->address = addr_from_bytes(reading->family,
					   key.bytes + reading->address_at);
	return !end && wanted(reading->keys->request, &service->address);
}

static int add_key(const struct reading *reading, struct span element)
{
	struct service_keys *keys = reading->keys;
	struct service_key key = { .service = service_any() };
	struct span data = attr_nest(element, NFTA_SET_ELEM_DATA);
	uint32_t flags = 0;

	attr_be32(attr_find(element, NFTA_SET_ELEM_FLAGS), &flags);
	key.end = flags & NFT_SET_ELEM_INTERVAL_END;
	if (!read_key(reading, element, key.end, &key.service))
		return 0;
	if (reading->verdict &&
	    rule_verdict_chain(attr_nest(data, NFTA_DATA_VERDICT), &key.chain)) {
		key.chain.bytes = arena_copy(keys->arena, key.chain.bytes,
					     key.chain.length);
		if (!key.chain.bytes)
			return -ENOMEM;
	}
	if (keys->count == KEYS_MAX ||
	    ruleset_grow((void **)&keys->list, keys->count, &keys->room,
			 sizeof(*keys->list)) < 0)
		return -ENOMEM;
	keys->list[keys->count++] = key;
	return 0;
}

static int take_keys(void *context, const struct nlmsghdr *message)
{
	const struct nlattr *attr;
	struct span list;

	list = attr_nest(attr_of_message(message, sizeof(struct nfgenmsg)),
			 NFTA_SET_ELEM_LIST_ELEMENTS);
	attr_for_each(attr, list) {
		int r = add_key(context, attr_span(attr));

		if (r < 0)
			return r;
	}
	return 0;
}

static int port_order(const void *a, const void *b)
{
	const struct service_key *left = a, *right = b;

	if (left->service.port_first != right->service.port_first)
		return left->service.port_first < right->service.port_first ? -1 : 1;
	return right->end - left->end;
}

/* An interval goes from its element to the next one, whatever that is. */
static void pair_ports(struct service_keys *keys)
{
	size_t kept = 0;

	if (keys->count)
		qsort(keys->list, keys->count, sizeof(*keys->list), port_order);
	for (size_t i = 0; i < keys->count; i++) {
		struct service_key key = keys->list[i];

		if (key.end)
			continue;
		key.service.port_last = UINT16_MAX;
		if (i + 1 < keys->count)
			key.service.port_last =
				(uint16_t)(keys->list[i + 1].service.port_first - 1);
		keys->list[kept++] = key;
	}
	keys->count = kept;
}

static int chain_order(const void *a, const void *b)
{
	struct span left = ((const struct service_key *)a)->chain;
	struct span right = ((const struct service_key *)b)->chain;

	if (left.length != right.length)
		return left.length < right.length ? -1 : 1;
	return left.length ? memcmp(left.bytes, right.bytes, left.length) : 0;
}

/* What stands behind the key is not in it. */
static int within(const struct set_header *header, int at, size_t bytes)
{
	return at >= 0 && (size_t)at + bytes <= header->key_bytes ? at : -1;
}

static bool keeps_rest(const struct nft_request *request)
{
	for (size_t i = 0; i < request->target_count; i++) {
		if (request->targets[i].keep_bits)
			return true;
	}
	return false;
}

int service_keys_read(struct nft *nft, const struct ruleset_table *table,
		      const struct rule_lookup *lookup, int side,
		      struct service_keys *keys)
{
	struct reading reading = { .keys = keys, .address_at = -1,
				   .family = side == RULE_IPV4 ? AF_INET : AF_INET6,
				   .verdict = lookup->verdict };
	struct set_header header;
	const char *name;
	int r;

	r = set_read_header(nft, keys->arena, table, lookup->set, &header);
	if (r < 0)
		return r;
	reading.key_bytes = header.key_bytes;
	reading.port_at = within(&header, lookup->port_at, 2);
	reading.protocol_at = within(&header, lookup->protocol_at, 1);
	if (side >= 0 && !lookup->masked)
		reading.address_at = within(&header, lookup->key_at[side],
					    side == RULE_IPV4 ? 4 : 16);
	if (reading.port_at < 0 && reading.protocol_at < 0 && !lookup->verdict &&
	    (lookup->inverted || reading.address_at < 0 || !keeps_rest(keys->request)))
		return 1;
	if (lookup->inverted)
		return -EOPNOTSUPP;
	name = arena_string(keys->arena, (const char *)lookup->set.bytes,
			    lookup->set.length);
	if (!name)
		return -ENOMEM;
	r = ruleset_dump(nft, NFT_MSG_GETSETELEM, table, NFTA_SET_ELEM_LIST_TABLE,
			 NFTA_SET_ELEM_LIST_SET, name, take_keys, &reading);
	if (r == 0 && header.flags & NFT_SET_INTERVAL && header.key_bytes == 2)
		pair_ports(keys);
	if (r == 0 && keys->count)
		qsort(keys->list, keys->count, sizeof(*keys->list), chain_order);
	return r;
}

size_t service_keys_group(const struct service_keys *keys, size_t index,
			  struct nft_services *services)
{
	size_t i = index;

	do
		nft_service_add(services, &keys->list[i].service);
	while (++i < keys->count &&
	       chain_order(&keys->list[index], &keys->list[i]) == 0);
	return i;
}

void service_keys_done(struct service_keys *keys)
{
	free(keys->list);
	keys->list = NULL;
}
