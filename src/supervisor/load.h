/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the configuration in a child that lives for that moment only: the supervisor
 * parses no JSON, asks no user database, and keeps no heap of either. The child leaves
 * the effective document in a memfd for the core and the few facts the supervisor needs.
 *
 * A variable that gave a secret is overwritten in the supervisor's own environment too;
 * what it held is kept aside, so that it is there when the configuration is read again.
 */
#ifndef HAIRPIN_SUPERVISOR_LOAD_H
#define HAIRPIN_SUPERVISOR_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hairpin/config.h"
#include "hairpin/err.h"
#include "hairpin/message.h"
#include "hairpin/supervisor.h"

enum {
	LOAD_VARIABLES_MAX = 512,
	LOAD_TIME_MS = 20000,
	LOAD_COMMANDS_MAX = 2 * CONFIG_WANS_MAX,
};

/* The command of an address source. */
struct load_command {
	char wan[CONFIG_LABEL_BYTES];
	uint8_t family;			/* 0: none */
	uint8_t count;			/* of words */
	char words[CONFIG_COMMAND_BYTES];	/* each with its NUL */
};

struct load_user {
	uid_t uid;			/* (uid_t)-1: stay who we are */
	gid_t gid;
};

/* What the child says through its pipe, whole or not at all. */
struct load_facts {
	uint8_t valid;			/* the configuration holds */
	uint8_t has_file;		/* the default file is there; else the built-in one */
	uint8_t log_to_syslog;
	uint8_t control_group_missing;
	uint8_t hooks_user_refused; /* another user only where we are root, and known */
	int32_t log_level;
	uint32_t errors, broken, warnings;	/* as config_problems counts them */
	struct load_user core, publisher, hooks;
	gid_t control_group, admin_group;	/* (gid_t)-1: none */
	uid_t runner;			/* may run hooks outside; (uid_t)-1: nobody */
	int64_t hooks_timeout_ms;
	char hooks_directory[CONFIG_PATH_BYTES];	/* "": none */
	char state_directory[CONFIG_PATH_BYTES];
	char metrics_textfile[CONFIG_PATH_BYTES];	/* "": none */
	char socket[CONFIG_PATH_BYTES];
	char control_group_name[32];
	struct load_command commands[LOAD_COMMANDS_MAX];
	uint8_t variables[LOAD_VARIABLES_MAX];	/* 1: environ[i] held a secret */
	char problems[MESSAGE_PROBLEMS_BYTES];
};

/* What variables held, by their place in environ. */
struct load_vault {
	char *kept[LOAD_VARIABLES_MAX];	/* "NAME=value" or NULL */
};

struct load {
	pid_t pid;			/* 0: none under way */
	bool reaped; /* by the loop already: the number may be another's */
	int status;			/* of the child, as wait() gives it */
	int pipe;
	int document;			/* memfd */
	int64_t deadline_ms;
	size_t got;
	bool late;			/* the deadline came first */
	struct load_facts facts;
};

/* With `to_stderr` the child prints the problems itself, in full. */
int load_start(struct load *load, const struct supervisor_options *options,
	       const struct load_vault *vault, bool to_stderr, int64_t now_ms,
	       struct err *ret_err) must_check;

/* Reads what is there. True: the child is done (or was too slow), call load_finish(). */
bool load_read(struct load *load, int64_t now_ms);

/*
 * Waits for the child, seals the document and hides the variables. -EINVAL: the
 * configuration does not hold, `load->facts.problems` says why; -EIO: the child failed.
 */
int load_finish(struct load *load, struct load_vault *vault, int *ret_document,
		struct err *ret_err) must_check;

/* The loop has waited for the child. */
void load_reaped(struct load *load, int status);
void load_cancel(struct load *load);
void load_vault_done(struct load_vault *vault);

/* The child's half (load_child.c): fills the facts and the document. */
void load_gather(const struct supervisor_options *options, int document, bool to_stderr,
		 struct load_facts *facts);

#endif
