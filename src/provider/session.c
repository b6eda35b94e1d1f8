/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a job: its runs one after the other, in each of them the steps that it calls
 * for, and in the end the steps that come last.
 */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/secret.h"
#include "judge.h"
#include "mask.h"
#include "request.h"
#include "sign.h"

/* --- beginning and end --- */

static int check_job(const struct provider_job *job, struct err *ret_err)
{
	if (job->record_count == 0 || job->record_count > MESSAGE_RECORDS_MAX)
		return err_set(ret_err, -EINVAL, "a job has 1 to %d records",
			       MESSAGE_RECORDS_MAX);
	if (job->setting_count > CATALOGUE_SETTINGS_MAX)
		return err_set(ret_err, -EINVAL, "the job has too many settings");
	if (job->catalogue->step_count == 0)
		return err_set(ret_err, -EINVAL, "the description has no request");
	for (size_t i = 0; i < job->record_count; i++)
		if (addr_is_none(&job->records[i].address))
			return err_set(ret_err, -EINVAL, "a record has no address");
	return 0;
}

int provider_session_new(const struct provider_job *job,
			 struct provider_session **ret_session, struct err *ret_err)
{
	struct provider_session *session;
	int r = check_job(job, ret_err);

	if (r < 0)
		return r;
	session = calloc(1, sizeof(*session));
	if (!session)
		return err_set(ret_err, -ENOMEM, "no memory for a session");
	session->job = *job;
	session->walk = divide_is_walk(job->catalogue);
	divide(job, &session->division);
	fill_init(&session->fill, job->catalogue, job->settings, job->setting_count);
	*ret_session = session;
	return 0;
}

void provider_session_free(struct provider_session *session)
{
	if (!session)
		return;
	pages_done(&session->pages, &session->fill);
	recall_done(&session->recall);
	fill_done(&session->fill);
	secret_free(session->url);
	secret_free(session->made);
	secret_wipe(session, sizeof(*session));
	free(session);
}

/* --- asking --- */

static const struct catalogue_sign *signer_of(const struct provider_session *session,
					      const struct catalogue_step *step)
{
	if (step->no_sign)
		return NULL;
	if (step->sign.by[0])
		return &step->sign;
	return session->job.catalogue->sign.by[0] ? &session->job.catalogue->sign : NULL;
}

/* What a signer makes is made once: it holds for the whole session. */
static int make_value(struct provider_session *session, const struct catalogue_sign *sign,
		      const struct provider_moment *moment, struct err *ret_err)
{
	int r;

	if (session->made)
		return 0;
	fill_set_moment(&session->fill, moment);
	r = sign_make_value(sign, &session->fill, moment, &session->made, ret_err);
	if (r < 0 || !session->made)
		return r;
	(void)text_copy(session->made_name, sizeof(session->made_name), sign->by);
	if (!fill_set_read(&session->fill, session->made_name, session->made))
		return err_set(ret_err, -EINVAL, "what is signed is too long");
	return 0;
}

static int make_request(struct provider_session *session,
			const struct catalogue_step *step,
			const struct provider_moment *moment,
			struct provider_request *ret_request, struct err *ret_err)
{
	int r;

	fill_set_moment(&session->fill, moment);
	r = request_make(&session->fill, step, session->pages.url,
			 session->job.insecure_http, ret_request, ret_err);
	if (r < 0)
		return r;
	secret_free(session->url);
	session->url = strdup(ret_request->url);
	if (session->url)
		return 0;
	provider_request_done(ret_request);
	return err_set(ret_err, -ENOMEM, "no memory for a request");
}

/*
 * A look is known by what it would say outside of time, unsigned: so another run's is the
 * same look.
 */
static int make_question(struct provider_session *session,
			 const struct catalogue_step *step, struct err *ret_err)
{
	static const struct provider_moment never = { 0 };
	struct provider_request request;
	int r;

	r = make_request(session, step, &never, &request, ret_err);
	if (r < 0)
		return r;
	session->shared = recall_question(&request, &session->question);
	provider_request_done(&request);
	return 0;
}

static int make_signed(struct provider_session *session,
		       const struct catalogue_step *step,
		       const struct provider_moment *moment,
		       struct provider_request *ret_request, struct err *ret_err)
{
	const struct catalogue_sign *sign = signer_of(session, step);
	struct provider_request request;
	int r = make_request(session, step, moment, &request, ret_err);

	if (r < 0)
		return r;
	if (sign)
		r = sign_request(sign, &session->fill, moment, &request, ret_err);
	if (r < 0) {
		provider_request_done(&request);
		return r;
	}
	*ret_request = request;
	return 0;
}

static enum message_verdict verdict_of_error(int error)
{
	switch (error) {
	case -ENOMEM: return MESSAGE_TRANSIENT;
	case -ENODATA: return MESSAGE_NOHOST;	/* a look went well, and showed no such zone */
	default: return MESSAGE_BAD_REQUEST;
	}
}

/* What cannot be asked: a last step is left out, a run has failed. */
static void give_up(struct provider_session *session, int error, const char *why)
{
	if (run_is_over(session))
		run_step_done(session);
	else
		run_conclude_all(session, verdict_of_error(error), 0, why);
}

static void take_answer(struct provider_session *session,
			const struct provider_answer *answer);

/* The answer to the same look of before; NULL: there was none. */
static const struct provider_answer *find_known(const struct provider_session *session)
{
	if (!session->shared)
		return NULL;
	return recall_find(&session->recall, &session->question);
}

/* False: nothing is to be asked, for it cannot be, or the answer is known. */
static bool ask(struct provider_session *session, const struct catalogue_step *step,
		const struct provider_moment *moment, struct provider_request *ret_request)
{
	const struct catalogue_sign *sign = signer_of(session, step);
	const struct provider_answer *known;
	struct err err = { 0 };
	int r = 0;

	session->shared = false;
	if (session->pages.count == 0)
		pages_begin(&session->pages, step, &session->fill);
	if (sign)
		r = make_value(session, sign, moment, &err);
	if (r == 0 && step->does == CATALOGUE_LOOK)
		r = make_question(session, step, &err);
	known = r == 0 ? find_known(session) : NULL;
	if (r == 0 && !known)
		r = make_signed(session, step, moment, ret_request, &err);
	if (r < 0) {
		give_up(session, r, err.text);
		return false;
	}
	session->asking = step;
	if (known)
		take_answer(session, known);
	return !known;
}

bool provider_session_next(struct provider_session *session,
			   const struct provider_moment *moment,
			   struct provider_request *ret_request)
{
	const struct catalogue_step *step;

	while ((step = run_find_step(session))) {
		if (ask(session, step, moment, ret_request)) {
			session->stepped = true;
			return true;
		}
	}
	return false;
}

/* --- what was answered --- */

static void read_values(struct provider_session *session,
			const struct catalogue_step *step, struct view *view)
{
	for (size_t i = 0; i < step->read_count; i++) {
		const struct catalogue_read *read = &step->reads[i];
		char *value;

		if (session->pages.count > 1 && fill_knows(&session->fill, read->name))
			continue;	/* from an earlier page */
		if (!view_find(view, &read->spot, &session->fill, &value)) {
			fill_set_read(&session->fill, read->name, NULL);
			continue;
		}
		(void)fill_set_read(&session->fill, read->name, value);
		secret_free(value);
	}
}

static void forget_values(struct provider_session *session,
			  const struct catalogue_step *step)
{
	for (size_t i = 0; i < step->read_count; i++)
		fill_set_read(&session->fill, step->reads[i].name, NULL);
}

static bool found_all(const struct provider_session *session,
		      const struct catalogue_step *step)
{
	for (size_t i = 0; i < step->read_count; i++)
		if (!fill_knows(&session->fill, step->reads[i].name))
			return false;
	return true;
}

/* A list that goes on for ever, or elsewhere, says nothing of what is missing in it. */
static void turn_page(struct provider_session *session, const struct catalogue_step *step,
		      struct view *view)
{
	if (found_all(session, step)) {
		run_step_done(session);
		return;
	}
	switch (pages_turn(&session->pages, step, view, session->url, &session->fill)) {
	case PAGES_MORE:
		return;
	case PAGES_END:
		run_step_done(session);
		return;
	case PAGES_REFUSED:
		break;
	}
	give_up(session, -EINVAL,
		"the list has too many pages, or goes on at another server");
}

static bool is_good(enum message_verdict verdict)
{
	return verdict == MESSAGE_GOOD || verdict == MESSAGE_UNCHANGED;
}

static bool any_is_good(const struct provider_verdict *verdicts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_good(verdicts[i].verdict))
			return true;
	return false;
}

/*
 * What is said now goes before what was said of an earlier write of the run; but a name
 * that was refused stays so, and what changed did change.
 */
static void note_written(struct provider_session *session,
			 const struct provider_verdict *verdicts)
{
	size_t count = run_current(session)->count;

	for (size_t i = 0; i < count; i++) {
		enum message_verdict before = session->written[i].verdict;

		if (session->wrote && (!is_good(before) ||
				       (before == MESSAGE_GOOD &&
					verdicts[i].verdict == MESSAGE_UNCHANGED)))
			continue;
		session->written[i] = verdicts[i];
	}
}

/* Which step it was that had this answer, where there are several. */
static void describe(const struct provider_session *session,
		     const struct catalogue_step *step, struct view *view,
		     char out[MESSAGE_TEXT_BYTES])
{
	char said[MESSAGE_TEXT_BYTES];

	mask_answer(&session->fill, view, said);
	snprintf(out, MESSAGE_TEXT_BYTES, "%s%s%.220s", step->name,
		 step->name[0] ? ": " : "", said);
}

static void take_verdicts(struct provider_session *session,
			  const struct catalogue_step *step, struct view *view,
			  const struct provider_verdict *verdicts)
{
	unsigned status = view->answer->http_status;
	char text[MESSAGE_TEXT_BYTES];

	describe(session, step, view, text);
	if (step->does != CATALOGUE_WRITE ||
	    !any_is_good(verdicts, run_current(session)->count)) {
		if (session->wrote)
			note_written(session, verdicts);
		run_conclude(session, session->wrote ? session->written : verdicts,
			     status, text);
		return;
	}
	note_written(session, verdicts);
	session->wrote = true;
	session->written_status = status;
	(void)text_copy(session->written_text, sizeof(session->written_text), text);
	read_values(session, step, view);
	run_step_done(session);
}

/* Of a last step nothing but values for those behind it. */
static void take_last(struct provider_session *session, const struct catalogue_step *step,
		      struct view *view)
{
	read_values(session, step, view);
	run_step_done(session);
}

/*
 * What could not be read for want of memory looks like what is not there, and a record that
 * is not there would be made anew: every allocation that fails leaves ENOMEM.
 */
static void take_answer(struct provider_session *session,
			const struct provider_answer *answer)
{
	const struct catalogue_step *step = session->asking;
	struct provider_verdict verdicts[MESSAGE_RECORDS_MAX];
	enum judge_way way;
	struct view view;

	session->asking = NULL;
	view_init(&view, answer);
	if (run_is_over(session)) {
		take_last(session, step, &view);
		view_done(&view);
		return;
	}
	errno = 0;
	way = judge_answer(session->job.catalogue, step, &view, &session->fill,
			   session->fill.names, session->fill.name_count, verdicts);
	if (way == JUDGE_NEXT)
		read_values(session, step, &view);
	if (errno == ENOMEM) {
		give_up(session, -ENOMEM, "no memory to read the answer");
	} else if (way == JUDGE_VERDICT) {
		take_verdicts(session, step, &view, verdicts);
	} else if (way == JUDGE_NO_RECORD) {
		forget_values(session, step);
		run_step_done(session);
	} else {
		turn_page(session, step, &view);
	}
	view_done(&view);
}

void provider_session_answer(struct provider_session *session,
			     const struct provider_answer *answer)
{
	if (!session->asking)
		return;
	if (session->shared)
		recall_add(&session->recall, &session->question, answer);
	take_answer(session, answer);
}

void provider_session_fail(struct provider_session *session,
			   enum message_verdict verdict, const char *why)
{
	const struct provider_verdict all = { .verdict = verdict };
	char text[MESSAGE_TEXT_BYTES];

	if (!session->asking)
		return;
	mask_bytes(&session->fill, why, strlen(why), text);
	outcome_set_rest(session, &all, 0, text);
	session->run = session->division.run_count;
	session->step = session->job.catalogue->step_count;	/* no last steps either */
	session->asking = NULL;
}

const struct provider_outcome *
provider_session_outcome(const struct provider_session *session, size_t record)
{
	return session->outcomes[record].verdict.verdict ? &session->outcomes[record] :
							   NULL;
}
