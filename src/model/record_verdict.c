/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of what kind a verdict is, and how long a failure makes wait. */
#include "hairpin/record.h"

#include "hairpin/order.h"

enum { RETRY_MAX_MS = 86400 * 1000 };

/* --- verdicts --- */

bool record_is_outage(enum message_verdict verdict)
{
	switch (verdict) {
	case MESSAGE_BAD_REQUEST:
	case MESSAGE_RATE_LIMITED:
	case MESSAGE_SERVER_ERROR:
	case MESSAGE_TRANSIENT:
	case MESSAGE_UNREACHABLE:
	case MESSAGE_TLS_REFUSED:
		return true;
	default:
		return false;
	}
}

bool record_is_account_wide(enum message_verdict verdict)
{
	return verdict == MESSAGE_BADAUTH || verdict == MESSAGE_BADAGENT;
}

bool record_takes_verdict(enum record_need need, uint32_t verdict)
{
	switch (need) {
	case RECORD_NEED_LOOK:
	case RECORD_NEED_IDLE_LOOK:
		return verdict >= MESSAGE_ANSWER && verdict <= MESSAGE_NO_ANSWER;
	case RECORD_NEED_VERIFY:
		return verdict >= MESSAGE_ANSWER && verdict <= MESSAGE_NOT_YET;
	case RECORD_NEED_UPDATE:
		return verdict >= MESSAGE_GOOD && verdict <= MESSAGE_TLS_REFUSED;
	case RECORD_NEED_NOTHING:
		break;
	}
	return false;
}

bool record_never_arrived(enum message_verdict verdict)
{
	return verdict == MESSAGE_UNREACHABLE || verdict == MESSAGE_TLS_REFUSED;
}

/* --- waits after failures --- */

static int64_t doubling_ms(unsigned failures)
{
	unsigned doublings = MIN(failures > 0 ? failures - 1 : 0, 10);

	return MIN((int64_t)RECORD_BACKOFF_MS << doublings, RECORD_BACKOFF_MAX_MS);
}

/*
 * Nobody was bothered, so a hiccup of the line or of DNS is over soon; a long one takes
 * no more tries than an outage: 8 in the first hour, 3 in each later one.
 */
static int64_t reconnecting_ms(unsigned failures)
{
	static const int64_t waits_ms[] = { 5000, 10000, 30000, 120000, 480000, 1440000 };
	size_t count = sizeof(waits_ms) / sizeof(*waits_ms);

	return failures <= count ? waits_ms[failures > 0 ? failures - 1 : 0]
				 : RECORD_BACKOFF_MAX_MS;
}

int64_t record_jitter_ms(int64_t wait_ms, uint32_t random)
{
	return wait_ms * 4 / 5 + (int64_t)((uint64_t)(wait_ms * 2 / 5) * random >> 32);
}

/* Never sooner than that: jitter only upwards. */
static int64_t server_error_ms(uint32_t random)
{
	uint64_t fifth_ms = RECORD_SERVER_ERROR_MS / 5;

	return RECORD_SERVER_ERROR_MS + (int64_t)(fifth_ms * random >> 32);
}

int64_t record_backoff_ms(enum message_verdict verdict, unsigned failures,
			  uint32_t retry_after_s, int64_t wall_s, uint32_t random)
{
	int64_t asked_ms = (int64_t)retry_after_s * 1000, wait_ms;

	if (verdict == MESSAGE_TLS_REFUSED && wall_s < RECORD_SANE_WALL_S)
		return RECORD_CLOCK_RETRY_MS;
	if (verdict == MESSAGE_UNREACHABLE)
		wait_ms = record_jitter_ms(reconnecting_ms(failures), random);
	else
		wait_ms = record_jitter_ms(doubling_ms(failures), random);
	if (verdict == MESSAGE_SERVER_ERROR)
		wait_ms = MAX(wait_ms, server_error_ms(random));
	return MIN(MAX(wait_ms, asked_ms), RETRY_MAX_MS);
}
