/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recall.h"

#include <stdlib.h>
#include <string.h>

#include "hairpin/secret.h"

bool recall_question(const struct provider_request *request, struct hash *ret_question)
{
	enum { FIELDS = 5 + sizeof(request->headers) / sizeof(request->headers[0]) };
	const char *const fields[] = { request->method, request->url, request->body,
				       request->user, request->password };
	const char *pieces[2 * FIELDS + 1];
	size_t count = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		pieces[count++] = fields[i] ? fields[i] : "";
		pieces[count++] = "\n";	/* stands in none of them but the body */
	}
	for (size_t i = 0; i < request->header_count; i++) {
		pieces[count++] = request->headers[i];
		pieces[count++] = "\n";
	}
	pieces[count] = NULL;
	return hash_digest("sha256", pieces, ret_question) == 0;
}

const struct provider_answer *recall_find(const struct recall *recall,
					  const struct hash *question)
{
	for (size_t i = 0; i < recall->count; i++)
		if (memcmp(recall->answers[i].question.bytes, question->bytes,
			   question->length) == 0)
			return &recall->answers[i].answer;
	return NULL;
}

static void wipe_free(const void *bytes, size_t length)
{
	void *own = (void *)(uintptr_t)bytes;

	if (own)
		secret_wipe(own, length);
	free(own);
}

static void answer_done(struct provider_answer *answer)
{
	wipe_free(answer->body, answer->length);
	wipe_free(answer->headers, answer->headers ? strlen(answer->headers) : 0);
	wipe_free(answer->retry_after, 0);
}

void recall_add(struct recall *recall, const struct hash *question,
		const struct provider_answer *answer)
{
	struct recalled *new = &recall->answers[recall->count];
	const char *headers = answer->headers ? answer->headers : "";
	size_t bytes = answer->length + strlen(headers);
	char *body;

	if (recall->count == RECALL_ANSWERS_MAX ||
	    bytes > RECALL_BYTES_MAX - recall->bytes)
		return;
	*new = (struct recalled){ .question = *question, .answer = *answer };
	body = malloc(answer->length + 1);
	if (body) {
		memcpy(body, answer->length > 0 ? answer->body : "", answer->length);
		body[answer->length] = '\0';
	}
	new->answer.body = body;
	new->answer.headers = strdup(headers);
	new->answer.retry_after = strdup(answer->retry_after ? answer->retry_after : "");
	if (!body || !new->answer.headers || !new->answer.retry_after) {
		answer_done(&new->answer);
		return;
	}
	recall->count++;
	recall->bytes += bytes;
}

void recall_done(struct recall *recall)
{
	for (size_t i = 0; i < recall->count; i++)
		answer_done(&recall->answers[i].answer);
	memset(recall, 0, sizeof(*recall));
}
