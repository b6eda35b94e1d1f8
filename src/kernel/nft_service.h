/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which connections a port forward takes: protocol and destination ports, from its
 * compares and its own sets.
 */
#ifndef KERNEL_NFT_SERVICE_H
#define KERNEL_NFT_SERVICE_H

#include "nft_set.h"

/* One rule while it is looked through. */
struct service_scan {
	struct nft_report *report;
	const struct rule_view *view;
	int family;
	int port_at;			/* in the keys of the set being read; -1: none */
	size_t listed;			/* ports found in sets */
	bool open;			/* some ports cannot be known */
	struct nft_service found[NFT_SERVICES_MAX];
};

void service_scan_begin(struct service_scan *scan, struct nft_report *report,
			const struct rule_view *view, int family);
void service_scan_set(struct service_scan *scan, const struct rule_lookup *lookup,
		      const struct set_header *header);
void service_scan_element(void *scan, struct span element);	/* a set_element_fn */
/* Adds what was found to the report. */
void service_scan_end(struct service_scan *scan);

#endif
