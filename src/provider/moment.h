/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The moment of a request as requests write it: its time, and what is new each time.
 */
#ifndef PROVIDER_MOMENT_H
#define PROVIDER_MOMENT_H

#include "hairpin/provider.h"

void moment_unix(const struct provider_moment *moment, char out[24]);
void moment_iso(const struct provider_moment *moment, char out[24]);	/* UTC */
/* 20261121T140000Z */
void moment_compact(const struct provider_moment *moment, char out[24]);
void moment_http(const struct provider_moment *moment, char out[32]);	/* RFC 9110, 5.6.7 */
void moment_uuid(const struct provider_moment *moment, char out[37]);	/* RFC 9562, 5.4 */
void moment_nonce(const struct provider_moment *moment, char out[17]);

#endif
