/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signers: what data cannot say. Each is one file, named as in "sign": {"by": ...}.
 */
#ifndef PROVIDER_SIGN_H
#define PROVIDER_SIGN_H

#include "hairpin/provider.h"
#include "fill.h"

/* Is there a signer of that name, with exactly these parts? `ret_err` says what is wrong. */
int sign_check(const struct catalogue_sign *sign, struct err *ret_err) must_check;

/*
 * A value that a signer makes before templates are filled: "jwt" of the signer `jwt`.
 * NULL with 0: this one makes none. The caller wipes and frees.
 */
int sign_make_value(const struct catalogue_sign *sign, const struct fill *fill,
		    const struct provider_moment *moment, char **ret_value,
		    struct err *ret_err) must_check;

/*
 * Signs the filled request: adds headers, or parameters to its URL. -EINVAL: a key is no
 * key; `ret_err` says which setting, never its value.
 */
int sign_request(const struct catalogue_sign *sign, const struct fill *fill,
		 const struct provider_moment *moment, struct provider_request *request,
		 struct err *ret_err) must_check;

#endif
