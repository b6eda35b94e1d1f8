/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket's clients: who they are, what they ask, their answers. Every
 * client is bounded in what it sends, in how long it takes and, by who it is, in what
 * it may do. When all places are taken, one of the user who takes most of them goes, the
 * one that made no progress for the longest time, so that who holds connections open keeps
 * nobody out. Commands are run in turns, a few in each turn of the loop, after the rules.
 */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/control.h"
#include "hairpin/text.h"
#include "hairpin/unixsock.h"

struct core;
struct json;
struct message_reply;
struct message_hook_result;

enum {
	CONTROL_ACCEPTS = 8,		/* new clients in one turn of the loop */
	CONTROL_TURN_MS = 5,		/* of commands, in one turn of the loop */
	CONTROL_PAUSE_MS = 1000,	/* no descriptors left: not asked again before */
	CONTROL_WORDS_BYTES = 2 * CONTROL_REQUEST_BYTES,	/* all that a client says */
	CONTROL_RELOAD_MS = 30 * 1000,	/* the supervisor's answer comes within */
};

enum client_state {
	CLIENT_READING,		/* its line is not whole yet. To QUEUED or WRITING */
	CLIENT_QUEUED,		/* until its turn. To WAITING, WRITING or WATCHING */
	/* for the configuration to be read, or a hook's test. To WRITING */
	CLIENT_WAITING,
	CLIENT_WRITING,		/* takes its answer; then it goes */
	CLIENT_WATCHING,	/* takes lines as they come, until it goes */
};

struct client {
	struct control *control;
	int fd;
	ev_io io;
	enum client_state state;
	uid_t uid;
	pid_t pid;
	bool may_change, may_run_hooks;
	int64_t progress_ms;	/* accepted, or last took a piece of its answer */
	uint32_t reload;	/* number of the reload it waits for; 0: for a test */
	char in[CONTROL_REQUEST_BYTES];
	size_t in_length;
	struct text out;
	size_t sent;
	int pass;		/* a descriptor beside the answer; -1: none */
	bool blocked;		/* it watches, and takes no more just now */
	uint64_t lost;		/* lines that found no room since */
};

struct control {
	struct core *core;
	int listener;		/* the supervisor's; not closed here. -1 in tests */
	ev_io io;
	int64_t pause_ms;	/* INT64_MIN: accepting */
	struct client *clients[CONTROL_CLIENTS_MAX];
	size_t count;
	uint32_t reload;	/* number of the last reload asked for */
	uid_t served;		/* whose command was run last */
	int64_t again_ms;	/* more is to be done; INT64_MAX */
};

int control_new(struct core *core, struct control **ret_control)
	__attribute__((warn_unused_result));
void control_free(struct control *control);

/* A connected client; the descriptor becomes ours, also on failure. */
void control_adopt(struct control *control, int fd, const struct unixsock_peer *peer,
		   int64_t now_ms);

/* Runs commands; cuts off who was silent too long; accepts again after a pause. */
void control_turn(struct control *control, int64_t now_ms);
int64_t control_due_ms(const struct control *control);

/*
 * The supervisor's MESSAGE_CONFIG and what came of it: `failed` is a sentence, or NULL.
 */
void control_reloaded(struct control *control, const struct message_reply *reply,
		      const char *failed);

/* Whose command is to be run next; NULL: nobody's. */
struct client *control_next(const struct control *control);

/*
 * What came of the hook that one client wanted to be run; NULL: it was not, `why` is a
 * sentence.
 */
void control_tested(struct control *control, const struct message_hook_result *result,
		    const char *why);

/* How many watch; does anybody? NULL: nobody. */
size_t control_watchers(const struct control *control);
bool control_is_watched(const struct control *control);

/* One line, its newline included, for all who watch. NULL: no memory, it is lost. */
void control_tell(struct control *control, const char *line, size_t length);

/* Another one watches from now on. False: there are too many. */
bool control_watch(struct client *client);

/* It is heard from now on; it goes. */
void client_begin(struct client *client);
void client_free(struct client *client);

/* The answer is there: everything but its newline. False: the client is gone. */
bool client_answer(struct client *client, int64_t now_ms);

/* --- commands.c --- */

/* Does what the line says; the answer goes into client->out, or the client waits. */
void command_run(struct client *client, const char *line, size_t length, int64_t now_ms);
void command_fail(struct client *client, const char *sentence);

/* --- command_steer.c --- */

void command_pause(struct client *client, const struct json *request, int64_t now_ms);
void command_resume(struct client *client, const struct json *request, int64_t now_ms);
void command_log(struct client *client, const struct json *request, int64_t now_ms);
/* It is paused, and the client was answered that. */
bool command_rests(struct client *client);

/* --- command_hooks.c --- */

void command_hooks(struct client *client, const struct json *request, int64_t now_ms);
void command_hook(struct client *client, const struct json *request, int64_t now_ms);
void command_run_hooks(struct client *client, const struct json *request, int64_t now_ms);
/* Its answer. */
void command_hook_tested(struct client *client, const struct message_hook_result *result);

#endif
