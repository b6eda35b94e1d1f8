/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nat table of the old iptables. It is asked for only where /proc says that it is
 * there: the question alone would load it.
 */
#include "router_legacy.h"

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attr.h"
#include "router_file.h"

/* A table of more is not read: it has rules. */
enum { TABLE_BYTES_MAX = 16 * 1024 * 1024 };

/*
 * The two families have structs of the same shape and of different sizes: where things
 * stand in an entry, and how to ask.
 */
struct legacy {
	int level, info_option, entries_option;
	const char *names;
	size_t entry_bytes, target_at, next_at;
};

static const struct legacy legacy4 = {
	IPPROTO_IP, IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES, "/proc/net/ip_tables_names",
	sizeof(struct ipt_entry), offsetof(struct ipt_entry, target_offset),
	offsetof(struct ipt_entry, next_offset),
};

static const struct legacy legacy6 = {
	IPPROTO_IPV6, IP6T_SO_GET_INFO, IP6T_SO_GET_ENTRIES, "/proc/net/ip6_tables_names",
	sizeof(struct ip6t_entry), offsetof(struct ip6t_entry, target_offset),
	offsetof(struct ip6t_entry, next_offset),
};

_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo) &&
	       sizeof(struct ipt_get_entries) == sizeof(struct ip6t_get_entries),
	       "both families are asked alike");

static bool table_loaded(const struct legacy *legacy)
{
	char names[512], *rest = names;

	if (!router_read_file(legacy->names, names, sizeof(names)))
		return false;
	for (char *name; (name = strsep(&rest, "\n"));) {
		if (strcmp(name, "nat") == 0)
			return true;
	}
	return false;
}

static bool target_translates(const uint8_t *target, size_t bytes)
{
	static const char *const names[] = { "DNAT", "SNAT", "MASQUERADE", "REDIRECT",
					     "NETMAP" };
	char name[XT_EXTENSION_MAXNAMELEN];

	if (bytes < sizeof(struct xt_entry_target))
		return false;
	memcpy(name, target + offsetof(struct xt_entry_target, u.user.name), sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool entries_translate(const struct legacy *legacy, struct span table)
{
	while (table.length >= legacy->entry_bytes) {
		uint16_t target, next;

		memcpy(&target, table.bytes + legacy->target_at, sizeof(target));
		memcpy(&next, table.bytes + legacy->next_at, sizeof(next));
		if (next < legacy->entry_bytes || next > table.length || target > next)
			break;
		if (target_translates(table.bytes + target, (size_t)next - target))
			return true;
		table.bytes += next;
		table.length -= next;
	}
	return false;
}

static int read_table(const struct legacy *legacy, int fd)
{
	struct ipt_getinfo info = { .name = "nat" };
	socklen_t length = sizeof(info);
	int result = LEGACY_EMPTY;
	struct ipt_get_entries *entries;

	if (getsockopt(fd, legacy->level, legacy->info_option, &info, &length) < 0)
		return LEGACY_EMPTY;
	if (info.size > TABLE_BYTES_MAX)
		return LEGACY_RULES;
	length = (socklen_t)(sizeof(*entries) + info.size);
	entries = calloc(1, length);
	if (!entries)
		return LEGACY_EMPTY;
	*entries = (struct ipt_get_entries){ .name = "nat", .size = info.size };
	if (getsockopt(fd, legacy->level, legacy->entries_option, entries, &length) == 0 &&
	    entries_translate(legacy, (struct span){ (const uint8_t *)entries->entrytable,
						     info.size }))
		result = LEGACY_RULES;
	free(entries);
	return result;
}

int router_read_legacy(int family)
{
	const struct legacy *legacy = family == AF_INET ? &legacy4 : &legacy6;
	int result;
	int fd;

	if (!table_loaded(legacy))
		return LEGACY_NONE;
	fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		return LEGACY_EMPTY;
	result = read_table(legacy, fd);
	close(fd);
	return result;
}
