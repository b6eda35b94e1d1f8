/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: ctl */
/*
 * The user's hand: asks the daemon, and shows what it says to people or to programs.
 *
 * What the daemon sends is as foreign here as anything else: it is checked as JSON, and
 * every string is escaped before a terminal sees it. Only `tag` and `doctor --probe` change
 * anything in the kernel: one comment, and a client that goes again.
 */
#ifndef HAIRPIN_CTL_H
#define HAIRPIN_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"
#include "hairpin/json.h"
#include "hairpin/text.h"

/* hairpinctl's exit status, part of the contract with users. */
enum ctl_exit {
	CTL_DONE = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_PENDING = 3,	/* plan: something would change */
	CTL_NO_DAEMON = 4,
};

/* For whom text is laid out. */
struct ctl_view {
	unsigned columns;	/* lines are wrapped to this, at least 20 */
	bool colour;
	bool relative;		/* "3 h ago" instead of RFC 3339; needs `now_s` */
	bool terminal;		/* JSON too is made harmless for one */
	int64_t now_s;		/* seconds since 1970 */
};

/* The view that suits standard output: terminal or not, its width, NO_COLOR, the time. */
struct ctl_view ctl_view_of_stdout(void);

/* --- the client: client.c --- */

struct ctl_answer {
	char *text;		/* as it came, without the final newline */
	size_t length;
	struct json *root;	/* `text` parsed: always an object */
};
void ctl_answer_done(struct ctl_answer *answer);

/*
 * Sends one request (a line without its newline) and reads the answer until the end of
 * the stream, all of it within `limit_ms`. An answer with "error" is a success here.
 *
 * -ENOENT: nobody listens there. -EACCES: we may not connect. -ETIMEDOUT: no (whole)
 * answer in time. -EPROTO: what came is no answer: cut off, no JSON, no object.
 * -EMSGSIZE: longer than JSON_MAX_BYTES. -EINVAL: the path or the request cannot be. Each
 * with a sentence that also says what to do.
 */
int ctl_ask(const char *socket_path, const char *request, int64_t limit_ms,
	    struct ctl_answer *ret_answer, struct err *ret_err) must_check;

/*
 * The same on a connected stream socket, which stays the caller's; `who` is its name in
 * sentences.
 */
int ctl_ask_on(int fd, const char *who, const char *request, int64_t limit_ms,
	       struct ctl_answer *ret_answer, struct err *ret_err) must_check;

/* Only the connection, with the same failures; the descriptor is the caller's. */
int ctl_connect(const char *socket_path, int64_t limit_ms, int *ret_fd,
		struct err *ret_err) must_check;

/* --- text for people; members that are absent or of the wrong kind show as "?" --- */

void ctl_status_show(const struct json *status, const struct ctl_view *view,
		     struct text *out);
void ctl_rules_show(const struct json *rules, const struct ctl_view *view,
		    struct text *out);
void ctl_plan_show(const struct json *plan, const struct ctl_view *view,
		   struct text *out);
/* One line of the command "watch", with its time of day. */
void ctl_event_show(const struct json *event, const struct ctl_view *view,
		    struct text *out);
void ctl_sync_show(const struct json *answer, const struct ctl_view *view,
		   struct text *out);
void ctl_update_show(const struct json *answer, const struct ctl_view *view,
		     struct text *out);
void ctl_pause_show(const struct json *answer, const struct ctl_view *view,
		    struct text *out);
void ctl_resume_show(const struct json *answer, const struct ctl_view *view,
		     struct text *out);
void ctl_log_show(const struct json *answer, const struct ctl_view *view,
		  struct text *out);
void ctl_reload_show(const struct json *answer, const struct ctl_view *view,
		     struct text *out);
/* The object of `hook list --json`, which is made here; the answer of a hook's test. */
void ctl_hooks_show(const struct json *list, const struct ctl_view *view,
		    struct text *out);
void ctl_hook_test_show(const struct json *answer, const struct ctl_view *view,
			struct text *out);

/*
 * JSON text that does nothing to a terminal: control characters inside strings and all
 * that is not ASCII become \uXXXX, which changes nothing of its meaning.
 */
void ctl_json_show(const char *json, size_t length, struct text *out);

/* --- without a daemon: look.c --- */

struct ctl_look {
	const char *config_path;	/* NULL: the default */
	const char *const *catalogue;	/* directories of provider descriptions */
};

/*
 * The configuration, read by ourselves: the caller's. NULL where it cannot be: `ret_note`
 * is its first mistake then (else empty), and who was not given a `config_path` goes on
 * with what "hairpind" alone would do.
 */
struct config;
struct config *ctl_configuration(const struct ctl_look *look, struct err *ret_note);

/*
 * The object of the command "rules", read from the kernel by ourselves: what a sync
 * would find now. Former addresses are the daemon's knowledge and missing here. Where the
 * default configuration cannot be read, one WAN with the tag "hairpin" is assumed and
 * `ret_note` (else empty) says why; where `config_path` names one: -EBADMSG.
 */
int ctl_look(const struct ctl_look *look, struct json **ret_rules, struct err *ret_note,
	     struct err *ret_err) must_check;

/*
 * Likewise the object of the command "plan"; `address` (NULL: none) is supposed for the
 * first WAN of its family, whose present one is then a former one. What is published only
 * DNS and the daemon know: the records' actions are "unknown". -EAFNOSUPPORT: no WAN has that
 * family.
 */
int ctl_look_plan(const struct ctl_look *look, const struct addr *address,
		  struct json **ret_plan, struct err *ret_note,
		  struct err *ret_err) must_check;

/* --- the catalogue: providers.c, providers_show.c --- */

/*
 * {"providers": [...]}: all of them, or the one of that id (else NULL). A description with a
 * mistake is there with the status "broken" and its "error". -ENOENT: no such id, and
 * `ret_err` names the nearest.
 */
int ctl_providers(const char *const *directories, const char *id,
		  struct json **ret_providers, struct err *ret_err) must_check;
/* `one`: everything of the first; else a table. */
void ctl_providers_show(const struct json *providers, bool one,
			const struct ctl_view *view, struct text *out);

/* --- the commands: run.c --- */

enum ctl_command {
	CTL_STATUS,
	CTL_PLAN,
	CTL_SYNC,
	CTL_UPDATE,
	CTL_WATCH,
	CTL_DOCTOR,
	CTL_RULES,
	CTL_TAG,
	CTL_HOOK,
	CTL_PROVIDERS,
	CTL_RELOAD,
	CTL_PAUSE,
	CTL_RESUME,
	CTL_LOG,
	CTL_IMPORT,
	CTL_METRICS,
	CTL_VERSION,
	CTL_COMPLETE,		/* for the shells' completion: words, a line each */
	CTL_COMMANDS,
};

/* Options that not every command takes. */
enum {
	CTL_TAKES_FORCE = 1 << 0,
	CTL_TAKES_CONFIG = 1 << 1,
	CTL_TAKES_ADDRESS = 1 << 2,
	CTL_TAKES_PROBE = 1 << 3,	/* --probe, --interface, --passive */
	CTL_TAKES_HOOKS = 1 << 4,	/* --run-hooks */
};

/* How a command is called, by its number: words.c. */
struct ctl_word {
	const char *name;
	unsigned least, most;		/* words after it */
	unsigned takes;
	const char *wants;		/* those words, for who gives too few */
};

extern const struct ctl_word ctl_words[CTL_COMMANDS];

struct ctl_options {
	enum ctl_command command;
	const char *socket_path;
	struct ctl_look look;		/* its config_path: -c */
	bool json;
	bool force;			/* update --force */
	bool passive;			/* doctor --passive */
	bool run_hooks;			/* watch --run-hooks */
	const char *address;		/* plan --address, doctor --probe --address */
	const char *interface;		/* doctor --probe --interface */
	const char *probe;		/* doctor --probe PORT[/udp] */
	const char *const *words;	/* after the command; ends with NULL */
};

/*
 * Does the command, prints to standard output and its complaints to standard error; gives
 * the exit status.
 */
int ctl_run(const struct ctl_options *options, const struct ctl_view *view);

/*
 * The request's line, hostnames in lower case and without a final dot. -EINVAL: a
 * hostname is none; -E2BIG: more names than one request takes.
 */
int ctl_request(const struct ctl_options *options, char **ret_request,
		struct err *ret_err) must_check;

#endif
