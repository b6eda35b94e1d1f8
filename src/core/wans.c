/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/text.h"

struct core_wan *wans_new(const struct config *config)
{
	struct core_wan *wans = calloc(config->wan_count + 1, sizeof(*wans));

	if (!wans)
		return NULL;
	for (size_t i = 0; i < config->wan_count; i++) {
		wans[i].config = &config->wans[i];
		wans[i].sides[WAN_IPV4].family = AF_INET;
		wans[i].sides[WAN_IPV6].family = AF_INET6;
		wans[i].prefix.family = AF_INET6;
		source_init(&wans[i].sides[WAN_IPV4].source, AF_INET,
			    config->wans[i].ipv4, config->wans[i].outside4);
		source_init(&wans[i].sides[WAN_IPV6].source, AF_INET6,
			    config->wans[i].ipv6, config->wans[i].outside6);
		memcpy(wans[i].interface, config->wans[i].interface, IFNAMSIZ);
	}
	return wans;
}

static const struct core_wan *wans_find(const struct core_wan *wans, size_t count,
					const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(wans[i].config->name, name) == 0)
			return &wans[i];
	return NULL;
}

/* A prefix of other bits, or of another link, is looked for afresh. */
static void prefix_adopt(struct core_wan *wan, const struct core_wan *old)
{
	const struct config_wan *config = wan->config;

	if (config->keep_bits == old->config->keep_bits &&
	    wan_prefix_bits(config) == wan_prefix_bits(old->config) &&
	    strcmp(config->prefix_from, old->config->prefix_from) == 0)
		return;
	wan->prefix = (struct core_side){ .family = AF_INET6 };
	(void)wan_remember(wan, &wan_followed(old, WAN_IPV6)->now.address);
}

static void wan_adopt(struct core_wan *wan, const struct core_wan *old)
{
	const struct config_wan *config = wan->config;

	*wan = *old;
	wan->config = config;
	prefix_adopt(wan, old);
	source_set(&wan->sides[WAN_IPV4].source, config->ipv4, config->outside4);
	source_set(&wan->sides[WAN_IPV6].source, config->ipv6, config->outside6);
	if (config->interface[0] && strcmp(config->interface, old->interface) != 0) {
		memcpy(wan->interface, config->interface, IFNAMSIZ);
		wan->up = false;
	}
	for (int i = 0; i < WAN_SIDES; i++)
		if (!wan_side_is_on(wan, i)) {
			wan->sides[i] =
				(struct core_side){ .family = old->sides[i].family };
			wan->sides[i].source.family = old->sides[i].family;
		}
}

void wans_adopt(struct core_wan *wans, size_t count, const struct core_wan *old,
		size_t old_count)
{
	for (size_t i = 0; i < count; i++) {
		const struct core_wan *same =
			wans_find(old, old_count, wans[i].config->name);

		if (same)
			wan_adopt(&wans[i], same);
	}
}

int wans_targets(struct core_wan *wans, size_t count, struct nft_target **ret_targets,
		 struct err *ret_err)
{
	struct nft_target *targets = calloc(count + 1, sizeof(*targets));
	int result;

	if (!targets)
		return err_set(ret_err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		result = tag_init(&targets[i].tag, wans[i].config->tag, ret_err);
		if (result < 0) {
			wans_targets_free(targets, i);
			return result;
		}
	}
	wans_fill_targets(wans, count, targets);
	*ret_targets = targets;
	return 0;
}

void wans_targets_free(struct nft_target *targets, size_t count)
{
	if (!targets)
		return;
	for (size_t i = 0; i < count; i++)
		tag_done(&targets[i].tag);
	free(targets);
}

void wans_fill_targets(const struct core_wan *wans, size_t count,
		       struct nft_target *targets)
{
	for (size_t i = 0; i < count; i++) {
		targets[i].ipv4 = wans[i].sides[WAN_IPV4].now.address;
		targets[i].ipv6 = wans[i].sides[WAN_IPV6].now.address;
		targets[i].keep_bits = wans[i].config->keep_bits;
		targets[i].prefix = wans[i].prefix.now.address;
		targets[i].former = wans[i].former;
		targets[i].former_count = wans[i].former_count;
	}
}

unsigned wan_prefix_bits(const struct config_wan *config)
{
	if (config->keep_bits)
		return config->keep_bits;
	return config->has_hosts ? config->prefix_bits : 0;
}

const struct core_side *wan_followed(const struct core_wan *wan, int side)
{
	if (side == WAN_IPV6 && wan->config->keep_bits)
		return &wan->prefix;
	return &wan->sides[side];
}

struct addr wan_shape(const struct core_wan *wan, const struct addr *address)
{
	const struct addr rest = { .family = AF_INET6 };

	if (address->family != AF_INET6 || !wan->config->keep_bits)
		return *address;
	return addr_join(address, wan->config->keep_bits, &rest);
}

void wan_forget(struct core_wan *wan, const struct addr *address)
{
	struct addr shape = wan_shape(wan, address);

	for (size_t i = 0; i < wan->former_count; i++) {
		if (!addr_equal(&wan->former[i], &shape))
			continue;
		wan->former_count--;
		memmove(&wan->former[i], &wan->former[i + 1],
			(wan->former_count - i) * sizeof(wan->former[0]));
		return;
	}
}

/* Former addresses of a family, and the place of the oldest of them. */
static size_t wan_count_former(const struct core_wan *wan, int family, size_t *ret_oldest)
{
	size_t count = 0;

	for (size_t i = 0; i < wan->former_count; i++) {
		if (wan->former[i].family != family)
			continue;
		count++;
		*ret_oldest = i;
	}
	return count;
}

/* Makes room for one more of this family: its oldest goes where there are enough. */
static void wan_drop_oldest(struct core_wan *wan, int family)
{
	size_t oldest = 0;

	if (wan_count_former(wan, family, &oldest) >= WAN_FORMER_PER_FAMILY) {
		struct addr address = wan->former[oldest];

		wan_forget(wan, &address);
	}
}

static bool wan_may_have_had(const struct core_wan *wan, const struct addr *address)
{
	int side = wan_side_of(address->family);

	return !addr_is_none(address) && !addr_is_unspecified(address) &&
	       !addr_equal(address, &wan_followed(wan, side)->now.address);
}

static bool is_among(const struct addr *list, size_t count, const struct addr *address)
{
	for (size_t i = 0; i < count; i++)
		if (addr_equal(&list[i], address))
			return true;
	return false;
}

bool wan_recall(struct core_wan *wan, const struct addr *address)
{
	struct addr kept = wan_shape(wan, address);
	size_t oldest = 0;

	if (!wan_may_have_had(wan, &kept) ||
	    wan_count_former(wan, kept.family, &oldest) >= WAN_FORMER_PER_FAMILY)
		return false;
	if (is_among(wan->former, wan->former_count, &kept))
		return false;
	wan->former[wan->former_count++] = kept;
	return true;
}

bool wan_remember(struct core_wan *wan, const struct addr *address)
{
	struct addr kept = wan_shape(wan, address);
	size_t before = wan->former_count;
	bool known;

	if (!wan_may_have_had(wan, &kept))
		return false;
	wan_forget(wan, &kept);
	known = wan->former_count < before;
	wan_drop_oldest(wan, kept.family);
	memmove(&wan->former[1], &wan->former[0],
		wan->former_count * sizeof(wan->former[0]));
	wan->former[0] = kept;
	wan->former_count++;
	return !known;
}

bool wan_had(const struct core_wan *wan, const struct addr *address)
{
	if (address->family == AF_INET6 && wan->config->keep_bits)
		return false;
	return is_among(wan->former, wan->former_count, address);
}

bool wan_side_is_leaving(const struct core_side *side, const struct addr *address)
{
	return is_among(side->leaving, side->leaving_count, address);
}

void wan_side_left(struct core_side *side, const struct addr *address)
{
	size_t kept = 0;

	for (size_t i = 0; i < side->leaving_count; i++)
		if (!addr_equal(&side->leaving[i], address))
			side->leaving[kept++] = side->leaving[i];
	side->leaving_count = kept;
}

void wan_side_leaves(struct core_side *side, const struct addr *address)
{
	struct addr oldest = side->leaving[0];

	if (addr_is_none(address))
		return;
	wan_side_left(side, address);
	if (side->leaving_count == WAN_LEAVING_MAX)
		wan_side_left(side, &oldest);
	side->leaving[side->leaving_count++] = *address;
}

bool wan_has_address(const struct core_wan *wan)
{
	return !addr_is_none(&wan->sides[WAN_IPV4].now.address) ||
	       !addr_is_none(&wan->sides[WAN_IPV6].now.address);
}

bool wan_side_is_on(const struct core_wan *wan, int side)
{
	return (side == WAN_IPV4 ? wan->config->ipv4 : wan->config->ipv6) != CONFIG_OFF;
}

int wan_side_of(int family)
{
	return family == AF_INET ? WAN_IPV4 : WAN_IPV6;
}

void wan_copy_link(char out[IFNAMSIZ], const char *name)
{
	out[0] = '\0';
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return;
	(void)text_copy(out, IFNAMSIZ, name);
}

const char *wan_side_name(int side)
{
	return side == WAN_IPV4 ? "IPv4" : "IPv6";
}
