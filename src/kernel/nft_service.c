/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_service.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>

void service_scan_begin(struct service_scan *scan, struct nft_report *report,
			const struct rule_view *view, int family)
{
	scan->report = report;
	scan->view = view;
	scan->family = family;
	scan->port_at = -1;
	scan->listed = 0;
	/* The ports stand in the chain it jumps to, or could not be read. */
	scan->open = view->jump || view->ports == RULE_PORTS_OPEN;
}

void service_scan_set(struct service_scan *scan, const struct rule_lookup *lookup,
		      const struct set_header *header)
{
	scan->port_at = -1;
	if (lookup->port_at < 0 || (size_t)lookup->port_at + 2 > header->key_bytes)
		return;
	if (lookup->inverted || !(header->flags & NFT_SET_ANONYMOUS) ||
	    header->flags & NFT_SET_INTERVAL)
		scan->open = true;
	else
		scan->port_at = lookup->port_at;
}

void service_scan_element(void *context, struct span element)
{
	struct service_scan *scan = context;
	struct span key = attr_nest(attr_nest(element, NFTA_SET_ELEM_KEY),
				    NFTA_DATA_VALUE);
	uint16_t port;

	if (scan->port_at < 0)
		return;
	if (key.length < (size_t)scan->port_at + sizeof(port) ||
	    scan->listed == NFT_SERVICES_MAX) {
		scan->open = true;
		return;
	}
	memcpy(&port, key.bytes + scan->port_at, sizeof(port));
	port = ntohs(port);
	scan->found[scan->listed++] = (struct nft_service){
		scan->family, scan->view->protocol, port, port };
}

static bool same(const struct nft_service *a, const struct nft_service *b)
{
	return a->family == b->family && a->protocol == b->protocol &&
	       a->port_first == b->port_first && a->port_last == b->port_last;
}

static void add(struct nft_report *report, struct nft_service service)
{
	for (size_t i = 0; i < report->service_count; i++) {
		if (same(&report->services[i], &service))
			return;
	}
	if (report->service_count == NFT_SERVICES_MAX)
		report->services_open = true;
	else
		report->services[report->service_count++] = service;
}

void service_scan_end(struct service_scan *scan)
{
	const struct rule_view *view = scan->view;
	struct nft_service whole = { scan->family, view->protocol, 0, UINT16_MAX };

	if (scan->open) {
		scan->report->services_open = true;
		return;
	}
	for (size_t i = 0; i < scan->listed; i++)
		add(scan->report, scan->found[i]);
	if (scan->listed)
		return;
	if (view->ports == RULE_PORTS_KNOWN) {
		whole.port_first = view->port_first;
		whole.port_last = view->port_last;
	}
	add(scan->report, whole);
}
