/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_policy.h"

#include <sys/socket.h>

static const struct addr *source(const struct policy *policy, int family)
{
	const struct nft_target *target = policy->target;

	if (family == AF_INET)
		return &target->ipv4;
	return target->keep_bits ? &target->prefix : &target->ipv6;
}

unsigned policy_bits(const struct policy *policy, int family)
{
	if (family == AF_INET)
		return 32;
	return policy->target->keep_bits ? policy->target->keep_bits : 128;
}

bool policy_is_silent(const struct policy *policy, int family)
{
	return addr_is_none(source(policy, family));
}

const char *policy_silence(const struct policy *policy, int family)
{
	if (family == AF_INET)
		return "no IPv4 address is known";
	return policy->target->keep_bits ? "no IPv6 prefix is known"
					 : "no IPv6 address is known";
}

static bool is_among(const struct addr *list, size_t count, const struct addr *value,
		     unsigned bits)
{
	for (size_t i = 0; i < count; i++) {
		if (addr_same_prefix(&list[i], value, bits))
			return true;
	}
	return false;
}

bool policy_is_former(const struct policy *policy, const struct addr *value)
{
	const struct nft_target *target = policy->target;
	unsigned bits = policy_bits(policy, value->family);

	if (addr_is_none(value) || policy_holds(policy, value))
		return false;
	return is_among(target->former, target->former_count, value, bits) ||
	       is_among(policy->learnt, policy->learnt_count, value, bits);
}

static bool has_family(const struct addr *list, size_t count, int family)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].family == family)
			return true;
	}
	return false;
}

bool policy_knows_former(const struct policy *policy, int family)
{
	const struct nft_target *target = policy->target;

	return has_family(target->former, target->former_count, family) ||
	       has_family(policy->learnt, policy->learnt_count, family);
}

struct addr policy_wanted(const struct policy *policy, const struct addr *value)
{
	if (addr_is_none(value) || policy_is_silent(policy, value->family))
		return (struct addr){ 0 };
	return addr_join(source(policy, value->family),
			 policy_bits(policy, value->family), value);
}

bool policy_holds(const struct policy *policy, const struct addr *value)
{
	struct addr wanted = policy_wanted(policy, value);

	return !addr_is_none(value) && addr_equal(&wanted, value);
}
