/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report that grows: one check after the other, each with what it saw and the line that
 * mends it. Failed allocations are remembered; doctor_run() asks at the end.
 */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include "hairpin/doctor.h"

struct report {
	struct json *root;
	struct json *checks;
	unsigned findings, unknown;
};

/* `subject` NULL: the router as a whole. The check is the report's. */
struct json *report_add(struct report *report, enum doctor_verdict verdict,
			const char *code, const char *subject, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void report_evidence(struct json *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* What mends it, in words; then its commands, in the order in which they are given. */
void report_remedy(struct json *check, enum doctor_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void report_command(struct json *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds something of that code already found that subject? One fault is told once. */
bool report_has(const struct report *report, const char *code, const char *subject);

#endif
