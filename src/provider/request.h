/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A step's request, filled.
 */
#ifndef PROVIDER_REQUEST_H
#define PROVIDER_REQUEST_H

#include "fill.h"

/*
 * `fill` knows names and moment. `url` instead of the step's where a list goes on at a
 * URL of its own, NULL else. Not signed yet. -EINVAL: `ret_err` says what cannot be
 * filled; -ENOMEM.
 */
int request_make(struct fill *fill, const struct catalogue_step *step, const char *url,
		 bool insecure_http, struct provider_request *ret_request,
		 struct err *ret_err) must_check;

/*
 * Where `location` leads from `url`: the same scheme and authority, or none, with a path
 * that begins with one '/'. NULL: elsewhere, or no memory. The caller wipes and frees.
 */
char *request_url_beside(const char *url, const char *location);

#endif
