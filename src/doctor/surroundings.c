/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "surroundings.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "hairpin/clock.h"

enum { CLOCK_SLACK_S = 2 * 86400 };

static const int64_t clock_least_s = INT64_C(1704067200);	/* 2024-01-01 */

const struct patient_wan *surroundings_tagged(const struct patient *patient,
					      const char *comment)
{
	size_t i;

	for (i = 0; *comment && i < patient->wan_count; i++) {
		if (tag_match(&patient->wans[i].tag, comment) > 0)
			return &patient->wans[i];
	}
	return NULL;
}

bool surroundings_has_forwards(const struct patient *patient)
{
	size_t i;

	for (i = 0; i < patient->forward_count; i++) {
		if (patient->forwards[i].server.family == AF_INET)
			return true;
	}
	return false;
}

/* No certificate of today is older than the program that asks. */
static int64_t clock_built_s(void)
{
	struct stat status;

	if (stat("/proc/self/exe", &status) < 0 ||
	    status.st_mtime - CLOCK_SLACK_S < clock_least_s)
		return clock_least_s;
	return status.st_mtime - CLOCK_SLACK_S;
}

void surroundings_clock(struct patient *patient)
{
	int64_t now_s = clock_wall_s();
	char text[CLOCK_TEXT_BYTES];
	struct json *check;

	if (now_s >= clock_built_s()) {
		report_add(&patient->report, DOCTOR_OK, "clock", NULL,
			   "The clock is plausible.");
		return;
	}
	check = report_add(&patient->report, DOCTOR_FINDING, "clock", NULL,
			   "The clock is wrong: it says %s.", clock_format(now_s, text));
	report_evidence(check, "No certificate is valid then, so no provider can be "
			       "asked over HTTPS.");
	report_remedy(check, DOCTOR_HERE, "Set it, and let a time service keep it.");
	report_command(check, "timedatectl set-ntp true");
}

void patient_judge_surroundings(struct patient *patient)
{
	surroundings_wans(patient);
	surroundings_kernel(patient);
	surroundings_tables(patient);
	surroundings_files(patient);
	surroundings_daemon(patient);
	surroundings_dns(patient);
	surroundings_hooks(patient);
	surroundings_clock(patient);
}
