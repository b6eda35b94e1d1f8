/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "memo.h"
#include "session.h"

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text <= 0x20 || *text >= 0x7f)
			return false;
	return true;
}

/* What was kept stays kept where the record's run did not come to begin. */
static void set_memo(struct provider_session *session, size_t record)
{
	const char *memo = session->job.records[record].memo;
	size_t run = session->division.run_of[record];

	if (session->begun && run == session->run)
		memo_write(&session->fill, session->memos[record]);
	else if (memo && is_printable(memo))
		(void)text_copy(session->memos[record], MESSAGE_MEMO_BYTES, memo);
}

static void set_outcome(struct provider_session *session, size_t record,
			const struct provider_verdict *verdict, unsigned status,
			const char *text)
{
	char *own = session->texts[record];

	if (verdict->note)
		snprintf(own, MESSAGE_TEXT_BYTES, "%.200s (%.48s)", text, verdict->note);
	else
		(void)text_copy(own, MESSAGE_TEXT_BYTES, text);
	set_memo(session, record);
	session->outcomes[record] = (struct provider_outcome){
		.verdict = *verdict, .http_status = status, .text = own,
		.memo = session->memos[record] };
}

void outcome_set_run(struct provider_session *session, size_t run,
		     const struct provider_verdict *verdicts, unsigned status,
		     const char *text)
{
	const struct division *division = &session->division;

	for (size_t i = 0; i < session->job.record_count; i++)
		if (division->run_of[i] == run)
			set_outcome(session, i,
				    &verdicts[division->name_of[i] -
					      division->runs[run].first],
				    status, text);
	session->judged[run] = true;
}

void outcome_set_rest(struct provider_session *session,
		      const struct provider_verdict *verdict, unsigned status,
		      const char *text)
{
	struct provider_verdict verdicts[MESSAGE_RECORDS_MAX];

	for (size_t i = 0; i < MESSAGE_RECORDS_MAX; i++) {
		verdicts[i] = *verdict;
		verdicts[i].address_count = 0;
	}
	for (size_t i = 0; i < session->division.run_count; i++)
		if (!session->judged[i])
			outcome_set_run(session, i, verdicts, status, text);
}
