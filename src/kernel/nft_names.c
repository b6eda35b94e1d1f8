/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/netfilter.h>
#include <string.h>

#include "hairpin/nft.h"
#include "hairpin/text.h"

static const struct { int family; const char *name; } families[] = {
	{ NFPROTO_IPV4, "ip" },
	{ NFPROTO_IPV6, "ip6" },
	{ NFPROTO_INET, "inet" },
};

int nft_family_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (strcmp(families[i].name, name) == 0)
			return families[i].family;
	}
	return -1;
}

const char *nft_family_name(int family)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (families[i].family == family)
			return families[i].name;
	}
	return "unknown";
}

bool nft_table_parse(const char *text, struct nft_table *ret_table)
{
	const char *colon = strchr(text, ':');
	struct nft_table table;
	char family[8];
	size_t length;

	if (!colon || !colon[1])
		return false;
	length = (size_t)(colon - text);
	if (length >= sizeof(family))
		return false;
	memcpy(family, text, length);
	family[length] = '\0';
	table.family = nft_family_parse(family);
	if (table.family < 0 || !text_copy(table.name, sizeof(table.name), colon + 1))
		return false;
	*ret_table = table;
	return true;
}

const char *nft_kind_name(enum nft_kind kind)
{
	switch (kind) {
	case NFT_RULE: return "rule";
	case NFT_SET: return "set";
	case NFT_MAP: return "map";
	case NFT_ELEMENT: return "element";
	}
	return "unknown";
}

const char *nft_result_name(enum nft_result result)
{
	switch (result) {
	case NFT_CHANGED: return "changed";
	case NFT_UNCHANGED: return "unchanged";
	case NFT_SKIPPED: return "skipped";
	}
	return "unknown";
}
