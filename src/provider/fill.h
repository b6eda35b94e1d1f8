/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Templates: the values that those of one request, or of its answer, see.
 */
#ifndef PROVIDER_FILL_H
#define PROVIDER_FILL_H

#include "hairpin/catalogue.h"
#include "hairpin/err.h"
#include "hairpin/text.h"
#include "place.h"

struct fill;

/*
 * The value of {name}: built in, setting, value of the description, or read by an earlier
 * step. NULL: not known. Lives as long as `fill`, until the next request.
 */
const char *fill_find(const struct fill *fill, const char *name);

/*
 * Appends the template with every value written as `place` asks. -EINVAL: a value is
 * missing, or may not stand there; `ret_err` says which.
 */
int fill_template(const struct fill *fill, const char *template, enum place place,
		  struct text *out, struct err *ret_err) must_check;

#endif
