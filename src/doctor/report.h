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
	struct json *checks;		/* not yet below `root` */
	unsigned findings, unknown;
};

void report_begin(struct report *report);
void report_done(struct report *report);

/*
 * The whole object, `forwards` in it (taken), with the verdict; the report is empty then.
 * NULL: there was no memory for some of it.
 */
struct json *report_take(struct report *report, struct json *forwards) must_check;

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

/*
 * Is there something of that code about that subject already? One fault is told once.
 * `subject` NULL: about anything.
 */
bool report_has(const struct report *report, const char *code, const char *subject);

/*
 * A word for a command: as it is where the shell takes it so, else in quotes. NULL, and
 * `out` empty: too long, or with a byte that has no place in a command's line.
 */
enum { REPORT_WORD_BYTES = 600 };
const char *report_word(const char *word, char out[REPORT_WORD_BYTES]);

#endif
