/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of hairpinctl, and what they share: asking, printing, complaining. Each gives
 * the exit status.
 */
#ifndef HAIRPIN_CTL_RUN_H
#define HAIRPIN_CTL_RUN_H

#include "hairpin/ctl.h"

/* One line to standard error; gives `status`. */
int run_complain(enum ctl_exit status, const char *sentence);

/* To standard output; a full disk or a closed pipe is a failure like any other. */
int run_print(const struct text *out);
int run_print_json(const char *json, size_t length, const struct ctl_view *view);
int run_print_object(const struct json *object, const struct ctl_view *view);

/* Sends the command's request (ctl_request()) to the daemon. */
int run_ask(const struct ctl_options *options, struct ctl_answer *ret_answer,
	    struct err *ret_err) must_check;
/* What the failure of asking means for the exit status. */
int run_exit_of(int rc);


/* The daemon says that it did not do it; for a reload also what is wrong, and where. */
int run_show_refusal(const struct ctl_view *view, const struct json *answer,
		     const char *error);

/*
 * Where the daemon does not answer (`why`, with the sentence `daemon`) and we look ourselves:
 * what to say when that failed, and before what was found is shown.
 */
int run_look_failed(int rc, const struct err *err, int why, const struct err *daemon);
void run_look_said(const struct ctl_options *options, const struct ctl_view *view,
		   const struct err *note, int why, const struct err *daemon);

int run_plan(const struct ctl_options *options, const struct ctl_view *view);
int run_watch(const struct ctl_options *options, const struct ctl_view *view);
/* watch --run-hooks: run_hooks.c */
int run_hooks(const struct ctl_options *options);

struct message_hooks;
/*
 * Whoever answers at the socket says which hooks there are and whose; that is believed only
 * where the configuration says so too (-c, else the default one; where it cannot be read,
 * the default directory). False: run none, `ret_err` says why.
 */
bool hooks_meant(const struct ctl_options *options, const struct message_hooks *how,
		 struct err *ret_err);
int run_doctor(const struct ctl_options *options, const struct ctl_view *view);
int run_tag(const struct ctl_options *options, const struct ctl_view *view);
int run_hook(const struct ctl_options *options, const struct ctl_view *view);
int run_import(const struct ctl_options *options, const struct ctl_view *view);
int run_metrics(const struct ctl_options *options, const struct ctl_view *view);
int run_complete(const struct ctl_options *options, const struct ctl_view *view);

#endif
