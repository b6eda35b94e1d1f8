/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/clock.h"

#include <stdio.h>
#include <time.h>

/* The years 1 and 9999: what RFC 3339 can write in four digits. */
static const int64_t wall_min_s = -62135596800;
static const int64_t wall_max_s = 253402300799;

static int64_t now(clockid_t clock, int64_t units_per_s)
{
	struct timespec time;

	/* Fails only for a clock that the kernel does not know: before 2.6.39. */
	if (clock_gettime(clock, &time) < 0)
		return 0;
	return time.tv_sec * units_per_s + time.tv_nsec / (1000000000 / units_per_s);
}

int64_t clock_now_ms(void)
{
	return now(CLOCK_BOOTTIME, 1000);
}

int64_t clock_now_us(void)
{
	return now(CLOCK_BOOTTIME, 1000000);
}

int64_t clock_wall_s(void)
{
	return now(CLOCK_REALTIME, 1);
}

const char *clock_format(int64_t wall_s, char out[CLOCK_TEXT_BYTES])
{
	struct tm fields;
	time_t time;

	if (wall_s < wall_min_s)
		wall_s = wall_min_s;
	if (wall_s > wall_max_s)
		wall_s = wall_max_s;
	time = (time_t)wall_s;
	out[0] = '\0';
	if (!gmtime_r(&time, &fields))
		return out;
	/* The remainders change nothing: they show the compiler that the text fits. */
	snprintf(out, CLOCK_TEXT_BYTES, "%04u-%02u-%02uT%02u:%02u:%02uZ",
		 (unsigned)(fields.tm_year + 1900) % 10000,
		 (unsigned)(fields.tm_mon + 1) % 100, (unsigned)fields.tm_mday % 100,
		 (unsigned)fields.tm_hour % 100, (unsigned)fields.tm_min % 100,
		 (unsigned)fields.tm_sec % 100);
	return out;
}
