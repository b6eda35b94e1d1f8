/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domain names in wire form, uncompressed and lower case (RFC 4034, 6.2), as TSIG signs
 * them and as they are compared. By ldns.
 */
#ifndef PROVIDER_DNSNAME_H
#define PROVIDER_DNSNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNSNAME_BYTES = 255 };

struct dnsname {
	uint8_t bytes[DNSNAME_BYTES];
	uint8_t length;			/* 0: none; the root has 1 */
};

/* With or without the final dot. False: no name, or empty. */
bool dnsname_parse(const char *text, struct dnsname *ret_name);

/* Within a message, from `*at`, which moves behind it. */
bool dnsname_read(const uint8_t *bytes, size_t length, size_t *at,
		  struct dnsname *ret_name);

bool dnsname_equal(const struct dnsname *a, const struct dnsname *b);

/* The same name, or one beneath. */
bool dnsname_is_under(const struct dnsname *name, const struct dnsname *zone);

/* The name without its first label; the root's is none. */
struct dnsname dnsname_parent(const struct dnsname *name);

#endif
