/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dnsname.h"

#include <ldns/ldns.h>
#include <string.h>

static bool take(ldns_rdf *rdf, struct dnsname *ret_name)
{
	bool fits = rdf && ldns_rdf_size(rdf) > 0 && ldns_rdf_size(rdf) <= DNSNAME_BYTES;

	if (fits) {
		ldns_dname2canonical(rdf);
		memset(ret_name, 0, sizeof(*ret_name));
		memcpy(ret_name->bytes, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
		ret_name->length = (uint8_t)ldns_rdf_size(rdf);
	}
	ldns_rdf_deep_free(rdf);
	return fits;
}

/* ldns_dname_new_frm_str() would end the process where there is no memory. */
bool dnsname_parse(const char *text, struct dnsname *ret_name)
{
	ldns_rdf *rdf = NULL;

	return *text && ldns_str2rdf_dname(&rdf, text) == LDNS_STATUS_OK &&
	       take(rdf, ret_name);
}

bool dnsname_read(const uint8_t *bytes, size_t length, size_t *at,
		  struct dnsname *ret_name)
{
	ldns_rdf *rdf = NULL;

	return ldns_wire2dname(&rdf, bytes, length, at) == LDNS_STATUS_OK &&
	       take(rdf, ret_name);
}

bool dnsname_equal(const struct dnsname *a, const struct dnsname *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

struct dnsname dnsname_parent(const struct dnsname *name)
{
	struct dnsname parent = { 0 };
	size_t label = name->bytes[0] + 1U;

	if (name->length <= 1 || label >= name->length)
		return parent;
	parent.length = (uint8_t)(name->length - label);
	memcpy(parent.bytes, name->bytes + label, parent.length);
	return parent;
}

bool dnsname_is_under(const struct dnsname *name, const struct dnsname *zone)
{
	struct dnsname at = *name;

	while (at.length > zone->length)
		at = dnsname_parent(&at);
	return at.length > 0 && dnsname_equal(&at, zone);
}
