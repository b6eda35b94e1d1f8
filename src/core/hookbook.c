/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hookbook.h"

#include <stdlib.h>
#include <string.h>

#include "hairpin/clock.h"

void hookbook_done(struct hookbook *book)
{
	free(book->list);
	*book = (struct hookbook){ 0 };
}

/* What is said of one thing in one line. */
static void copy_line(char out[MESSAGE_TEXT_BYTES], const char *text)
{
	size_t length = strcspn(text, "\n");

	if (length >= MESSAGE_TEXT_BYTES)
		length = 0;
	memcpy(out, text, length);
	out[length] = '\0';
}

/* The note of that name, or a new one in its place. NULL: no memory, or too many. */
static struct hook_note *note_of(struct hookbook *book, const char *name)
{
	struct hook_note *list;
	size_t at = 0;

	while (at < book->count && strcmp(book->list[at].name, name) < 0)
		at++;
	if (at < book->count && strcmp(book->list[at].name, name) == 0)
		return &book->list[at];
	if (book->count == HOOKBOOK_MAX)
		return NULL;
	list = reallocarray(book->list, book->count + 1, sizeof(*list));
	if (!list)
		return NULL;
	book->list = list;
	memmove(&list[at + 1], &list[at], (book->count - at) * sizeof(*list));
	book->count++;
	list[at] = (struct hook_note){ 0 };
	(void)text_copy(list[at].name, sizeof(list[at].name), name);
	return &list[at];
}

void hookbook_note(struct hookbook *book, const struct message_hook_result *result,
		   int64_t wall_s)
{
	struct hook_note *note;

	if (result->outcome == MESSAGE_HOOK_IGNORED)
		return;
	note = note_of(book, result->name);
	if (!note)
		return;
	note->last_run_wall_s = wall_s;
	note->event = result->event;
	note->outcome = result->outcome;
	note->code = result->code;
	copy_line(note->reason,
		  result->outcome == MESSAGE_HOOK_REFUSED ? result->text : "");
	note->number = result->head.number;
	note->runs[result->outcome]++;
}

void hookbook_settle(struct hookbook *book, const struct message_reply *reply)
{
	size_t kept = 0;

	copy_line(book->reason, reply->status < 0 ? reply->text : "");
	for (size_t i = 0; i < book->count; i++)
		if (book->list[i].number == reply->head.number)
			book->list[kept++] = book->list[i];
	book->count = kept;
}

void hookbook_result(enum message_outcome outcome, unsigned code, struct text *out)
{
	switch (outcome) {
	case MESSAGE_HOOK_OK: text_add(out, "ok"); return;
	case MESSAGE_HOOK_EXIT: text_addf(out, "exit %u", code); return;
	case MESSAGE_HOOK_SIGNAL: text_addf(out, "signal %u", code); return;
	case MESSAGE_HOOK_TIMED_OUT: text_add(out, "timed out"); return;
	case MESSAGE_HOOK_REFUSED: text_add(out, "refused"); return;
	case MESSAGE_HOOK_IGNORED: text_add(out, "ignored"); return;
	}
	text_add(out, "unknown");
}

uint64_t hook_note_runs(const struct hook_note *note)
{
	uint64_t runs = 0;

	for (size_t i = 0; i < HOOKBOOK_OUTCOMES; i++)
		runs += note->runs[i];
	return runs;
}

static void format_note(struct json *object, const struct hook_note *note)
{
	TEXT_CLEANUP struct text result = TEXT_INIT;
	char when[CLOCK_TEXT_BYTES];
	uint64_t runs = hook_note_runs(note);

	hookbook_result(note->outcome, note->code, &result);
	json_add_string(object, "name", note->name);
	json_add_string(object, "last_run", clock_format(note->last_run_wall_s, when));
	json_add_string(object, "event", message_event_name(note->event));
	json_add_string(object, "result", result.bytes);
	json_add_string(object, "reason", note->reason[0] ? note->reason : NULL);
	json_add_integer(object, "runs", (int64_t)runs);
	json_add_integer(object, "failures", (int64_t)(runs - note->runs[MESSAGE_HOOK_OK]));
}

struct json *hookbook_format(const struct hookbook *book)
{
	struct json *array = json_new_array();

	for (size_t i = 0; i < book->count; i++)
		format_note(json_add(array, NULL, json_new_object()), &book->list[i]);
	return array;
}
