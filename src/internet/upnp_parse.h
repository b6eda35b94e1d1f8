/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What UPnP's answers say, read by the parsers of miniupnpc: its requests block, so those
 * are made by http.h.
 */
#ifndef INTERNET_UPNP_PARSE_H
#define INTERNET_UPNP_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "hairpin/addr.h"

enum { UPNP_URL_BYTES = 256, UPNP_TYPE_BYTES = 128, UPNP_SERVICES_MAX = 2 };

/* A service that knows the external address. */
struct upnp_service {
	char type[UPNP_TYPE_BYTES];	/* one of those known to us */
	char url[UPNP_URL_BYTES];	/* absolute, on the same host as the description */
};

/*
 * LOCATION of an answer to M-SEARCH, if it is plain HTTP on `host`, the address that gave
 * the answer: nobody points us elsewhere.
 */
bool upnp_read_location(const void *bytes, size_t length, const char *host,
			char ret_url[UPNP_URL_BYTES]);

/* The device's description, which lay at `location`; how many services were found. */
size_t upnp_read_services(const void *bytes, size_t length, const char *location,
			  struct upnp_service services[UPNP_SERVICES_MAX]);

/* The answer to GetExternalIPAddress. */
bool upnp_read_address(const void *bytes, size_t length, struct addr *ret_address);

#endif
