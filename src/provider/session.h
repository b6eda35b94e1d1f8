/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session from inside: session.c asks and is answered, run.c knows which step is next
 * and how a run ends, outcome.c keeps what became of the records.
 */
#ifndef PROVIDER_SESSION_H
#define PROVIDER_SESSION_H

#include "divide.h"
#include "fill.h"
#include "pages.h"
#include "recall.h"

struct provider_session {
	struct provider_job job;
	bool walk;			/* steps are named */
	struct division division;
	struct fill fill;
	struct recall recall;
	char *made;			/* the value that a signer made, NULL */
	char made_name[CATALOGUE_NAME_BYTES];

	/* the run under way; where `run` is the number of runs: the last steps */
	size_t run;
	bool begun;
	size_t step;
	bool kept;			/* values of the memo are in force */
	bool wrote;			/* `written` holds what a step said of its names */
	struct provider_verdict written[MESSAGE_RECORDS_MAX];
	unsigned written_status;
	char written_text[MESSAGE_TEXT_BYTES];
	bool judged[MESSAGE_RECORDS_MAX];	/* of each run */
	bool stepped;			/* some step was asked */

	/* the request under way */
	const struct catalogue_step *asking;	/* NULL: none */
	struct pages pages;
	char *url;
	bool shared;			/* others may have its answer, by `question` */
	struct hash question;

	struct provider_outcome outcomes[MESSAGE_RECORDS_MAX];	/* verdict 0: none */
	char texts[MESSAGE_RECORDS_MAX][MESSAGE_TEXT_BYTES];
	char memos[MESSAGE_RECORDS_MAX][MESSAGE_MEMO_BYTES];
};

/* --- outcome --- */

/* `verdicts`: one for each name of the run, which is judged then. */
void outcome_set_run(struct provider_session *session, size_t run,
		     const struct provider_verdict *verdicts, unsigned status,
		     const char *text);
/* Every run that is not judged comes to the same end. */
void outcome_set_rest(struct provider_session *session,
		      const struct provider_verdict *verdict, unsigned status,
		      const char *text);

/* --- run --- */

const struct divide_run *run_current(const struct provider_session *session);
/* All runs are judged: what is asked now changes nothing. */
bool run_is_over(const struct provider_session *session);

/* The step to be asked now, or its next page; NULL: the session is done. */
const struct catalogue_step *run_find_step(struct provider_session *session);
void run_step_done(struct provider_session *session);

/*
 * The run's end, unless it begins once more without what was kept: one verdict for each
 * of its names, or the same for all, with the reason in our words.
 */
void run_conclude(struct provider_session *session,
		  const struct provider_verdict *verdicts, unsigned status,
		  const char *text);
void run_conclude_all(struct provider_session *session, enum message_verdict verdict,
		      unsigned status, const char *why);

#endif
