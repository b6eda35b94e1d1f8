/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void moment_unix(const struct provider_moment *moment, char out[24])
{
	snprintf(out, 24, "%" PRId64, moment->wall_s);
}

/* False: no calendar has that time. */
static bool read_clock(const struct provider_moment *moment, struct tm *ret_tm)
{
	time_t wall_s = (time_t)moment->wall_s;

	return gmtime_r(&wall_s, ret_tm) != NULL;
}

void moment_iso(const struct provider_moment *moment, char out[24])
{
	struct tm tm;

	if (!read_clock(moment, &tm) || strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}

void moment_compact(const struct provider_moment *moment, char out[24])
{
	struct tm tm;

	if (!read_clock(moment, &tm) || strftime(out, 24, "%Y%m%dT%H%M%SZ", &tm) == 0)
		out[0] = '\0';
}

/* Nobody calls setlocale(): the days have their English names. */
void moment_http(const struct provider_moment *moment, char out[32])
{
	struct tm tm;

	if (!read_clock(moment, &tm) ||
	    strftime(out, 32, "%a, %d %b %Y %H:%M:%S GMT", &tm) == 0)
		out[0] = '\0';
}

void moment_uuid(const struct provider_moment *moment, char out[37])
{
	uint8_t bytes[16];
	char *at = out;

	memcpy(bytes, moment->chance, sizeof(bytes));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (int i = 0; i < 16; i++)
		at += snprintf(at, 4, "%s%02x",
			       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			       bytes[i]);
}

void moment_nonce(const struct provider_moment *moment, char out[17])
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (int i = 0; i < 16; i++)
		out[i] = letters[moment->chance[i] % (sizeof(letters) - 1)];
	out[16] = '\0';
}
