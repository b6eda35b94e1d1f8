/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "hairpin/secret.h"
#include "mask.h"
#include "memo.h"
#include "session.h"

const struct divide_run *run_current(const struct provider_session *session)
{
	return &session->division.runs[session->run];
}

bool run_is_over(const struct provider_session *session)
{
	return session->run == session->division.run_count;
}

static void forget_request(struct provider_session *session)
{
	pages_done(&session->pages, &session->fill);
	secret_free(session->url);
	session->url = NULL;
	session->asking = NULL;
}

/* What a signer made holds for all runs. */
static void begin_again(struct provider_session *session)
{
	forget_request(session);
	fill_forget_reads(&session->fill);
	if (session->made)
		fill_set_read(&session->fill, session->made_name, session->made);
	session->step = 0;
	session->kept = false;
	session->wrote = false;
}

/* Only what all of the run's records kept alike. */
static const char *memo_of_run(const struct provider_session *session)
{
	const char *memo = NULL;

	for (size_t i = 0; i < session->job.record_count; i++) {
		const char *own = session->job.records[i].memo;

		if (session->division.run_of[i] != session->run)
			continue;
		if (!own || (memo && strcmp(memo, own) != 0))
			return "";
		memo = own;
	}
	return memo ? memo : "";
}

static void begin_run(struct provider_session *session)
{
	const struct divide_run *run = run_current(session);

	session->begun = true;
	begin_again(session);
	fill_set_names(&session->fill, &session->division.names[run->first], run->count);
	session->kept = memo_read(memo_of_run(session), &session->fill);
}

static void next_run(struct provider_session *session)
{
	session->run++;
	session->begun = false;
	session->step = 0;
}

/* Could what was kept be the reason? */
static bool may_be_outdated(const struct provider_verdict *verdict, unsigned status)
{
	switch (verdict->verdict) {
	case MESSAGE_NOHOST:
	case MESSAGE_BAD_REQUEST:
	case MESSAGE_FORBIDDEN:
		return true;
	case MESSAGE_TRANSIENT:
		/* also a refusal in words that no rule knows */
		return (status >= 200 && status <= 299) || status == 404;
	default:
		return false;
	}
}

static bool concerns_all(const struct provider_verdict *verdict)
{
	switch (verdict->verdict) {
	case MESSAGE_BADAUTH:
	case MESSAGE_BADAGENT:
	case MESSAGE_RATE_LIMITED:
	case MESSAGE_SERVER_ERROR:
		return true;
	default:
		return false;
	}
}

void run_conclude(struct provider_session *session,
		  const struct provider_verdict *verdicts, unsigned status,
		  const char *text)
{
	size_t count = run_current(session)->count;

	if (session->kept && !session->wrote && may_be_outdated(&verdicts[0], status)) {
		begin_again(session);
		return;
	}
	outcome_set_run(session, session->run, verdicts, status, text);
	for (size_t i = 0; i < count; i++)
		if (concerns_all(&verdicts[i]))
			outcome_set_rest(session, &verdicts[i], status, text);
	forget_request(session);
}

void run_conclude_all(struct provider_session *session, enum message_verdict verdict,
		      unsigned status, const char *why)
{
	struct provider_verdict verdicts[MESSAGE_RECORDS_MAX];
	char text[MESSAGE_TEXT_BYTES];

	for (size_t i = 0; i < MESSAGE_RECORDS_MAX; i++)
		verdicts[i] = (struct provider_verdict){ .verdict = verdict };
	mask_bytes(&session->fill, why, strlen(why), text);
	run_conclude(session, verdicts, status, text);
}

static bool has_writer(const struct provider_session *session)
{
	const struct catalogue *catalogue = session->job.catalogue;

	if (!session->walk)
		return run_current(session)->request != NULL;
	for (size_t i = 0; i < catalogue->step_count; i++)
		if (catalogue->steps[i].does == CATALOGUE_WRITE &&
		    divide_fits(run_current(session), &catalogue->steps[i]))
			return true;
	return false;
}

static bool saw_wanted(const struct fill *fill)
{
	for (size_t i = 0; i < fill->read_count; i++)
		if (condition_is_wanted(fill, fill->reads[i].value))
			return true;
	return false;
}

/* No step is left. */
static void end_run(struct provider_session *session)
{
	if (!has_writer(session))
		run_conclude_all(session, MESSAGE_BAD_REQUEST, 0,
			     "this provider has no request for this family");
	else if (session->wrote)
		run_conclude(session, session->written, session->written_status,
			 session->written_text);
	else if (saw_wanted(&session->fill))
		run_conclude_all(session, MESSAGE_UNCHANGED, 0, "it is there already");
	else
		run_conclude_all(session, MESSAGE_NOHOST, 0, "there is no such record");
}

/* --- which step --- */

static const struct catalogue_step *step_of_run(struct provider_session *session)
{
	const struct catalogue *catalogue = session->job.catalogue;

	if (!session->walk)
		return session->step == 0 ? run_current(session)->request : NULL;
	for (; session->step < catalogue->step_count; session->step++) {
		const struct catalogue_step *step = &catalogue->steps[session->step];

		if (session->pages.count > 0)
			return step;
		if (!step->when.last && divide_fits(run_current(session), step) &&
		    condition_holds(&session->fill, &step->when) &&
		    !condition_is_known(&session->fill, step))
			return step;
	}
	return NULL;
}

static const struct catalogue_step *last_step(struct provider_session *session)
{
	const struct catalogue *catalogue = session->job.catalogue;

	if (!session->walk || !session->stepped)
		return NULL;
	for (; session->step < catalogue->step_count; session->step++) {
		const struct catalogue_step *step = &catalogue->steps[session->step];

		if (step->when.last && condition_holds(&session->fill, &step->when))
			return step;
	}
	return NULL;
}

const struct catalogue_step *run_find_step(struct provider_session *session)
{
	while (!run_is_over(session)) {
		const struct catalogue_step *step;

		if (session->judged[session->run]) {
			next_run(session);
			continue;
		}
		if (!session->begun)
			begin_run(session);
		step = step_of_run(session);
		if (step)
			return step;
		end_run(session);
	}
	return last_step(session);
}

void run_step_done(struct provider_session *session)
{
	forget_request(session);
	session->step++;
}
