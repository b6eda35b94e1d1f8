/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The places of a request where a value may stand, and how it is written there.
 */
#ifndef PROVIDER_PLACE_H
#define PROVIDER_PLACE_H

#include <stdbool.h>

#include "hairpin/text.h"

enum place {
	PLACE_PLAIN,		/* header, text body, Basic authentication: as it is */
	/* one component: all but RFC 3986's unreserved is encoded */
	PLACE_URL,
	/* the same for checked names and addresses: ':' ',' '*' stay */
	PLACE_URL_KNOWN,
	/* application/x-www-form-urlencoded; a space is %20 there too */
	PLACE_FORM,
	PLACE_JSON,		/* within the quotes of a string */
	PLACE_JSON_RAW,		/* a number, true or false; nothing else is taken */
	PLACE_XML,		/* text or attribute */
	PLACE_REGEX,		/* a POSIX extended expression that means just this */
	PLACE_DOCUMENT,		/* a signer's: as it is, several lines too */
};

/*
 * False, with nothing added: `value` holds a control character (but in a document), or
 * is no number, true or false where one is asked for.
 */
bool place_add(struct text *out, enum place place, const char *value);

#endif
