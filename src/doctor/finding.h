/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings about forwards while they are collected: one fault that hits many forwards and
 * many networks is told once, with all of them as its subjects, each line of evidence and
 * each command once.
 */
#ifndef DOCTOR_FINDING_H
#define DOCTOR_FINDING_H

#include "report.h"

#include "hairpin/addr.h"

enum { FINDINGS_MAX = 256, FINDING_SUBJECTS_SHOWN = 6, FINDING_EVIDENCE_MAX = 8 };

/* What makes two findings one. */
struct finding_key {
	enum doctor_verdict verdict;
	const char *code;		/* static */
	const void *cause;		/* a rule, a chain, a WAN, a link; NULL */
	struct addr address;		/* a stale one, a server's; none */
};

struct finding {
	struct finding_key key;
	char *text, *remedy;
	enum doctor_place place;
	struct json *subjects, *networks, *evidence, *commands, *last;
};

struct findings {
	struct finding list[FINDINGS_MAX];
	size_t count;
	bool failed;			/* no memory: the report is told so */
};

/*
 * The finding of that key; made where there is none, with this sentence. Never NULL: where
 * there are too many, what is more is said to the last one.
 */
struct finding *finding_of(struct findings *findings, const struct finding_key *key,
			   const char *format, ...) __attribute__((format(printf, 3, 4)));
void finding_subject(struct finding *finding, const char *subject);
void finding_network(struct finding *finding, const char *network);
void finding_evidence(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The first sentence counts. */
void finding_remedy(struct finding *finding, enum doctor_place place, const char *format,
		    ...) __attribute__((format(printf, 3, 4)));
void finding_command(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Behind all of those. */
void finding_last_command(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Into the report, what must be mended first; then it is empty again. */
void findings_tell(struct findings *findings, struct report *report);
void findings_done(struct findings *findings);

#endif
