/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people may see of an answer, in log and status. Every occurrence of a secret (as
 * it is, percent-encoded, in base64 at any offset, as JSON or XML has it; or its first 8
 * bytes) reads "(hidden)", the rest is escaped; what cannot be masked for want of memory
 * is not shown at all.
 *
 * Secret are: settings that say so; of a secret URL each longer piece; what a step reads
 * that stands in a header, in Basic authentication or in what is signed, or that is called
 * a token, session, key, ... ; values made of any of these. What was read or made is
 * hidden from 8 bytes on: shorter things are found everywhere.
 */
#ifndef PROVIDER_MASK_H
#define PROVIDER_MASK_H

#include "fill.h"
#include "view.h"

/* Foreign bytes, masked and escaped, at most 200 bytes. Returns `out`. */
const char *mask_bytes(const struct fill *fill, const void *bytes, size_t length,
		       char out[MESSAGE_TEXT_BYTES]);

/*
 * An answer in short: the first sentence that stands where the description `says`, else
 * the body; behind its status unless that is 200. Returns `out`.
 */
const char *mask_answer(const struct fill *fill, struct view *view,
			char out[MESSAGE_TEXT_BYTES]);

#endif
