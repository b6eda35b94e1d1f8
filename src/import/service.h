/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of our providers another program's name means, and what it calls its settings.
 */
#ifndef IMPORT_SERVICE_H
#define IMPORT_SERVICE_H

#include <stddef.h>

#include "draft.h"
#include "options.h"

enum { SERVICE_SETTINGS_MAX = 8 };

struct service {
	const char *theirs;		/* protocol, or name of a service */
	const char *type;		/* ours; NULL: there is none, and `advice` says why */
	/* their name and ours, in pairs; ours begins with '#' where it is in seconds */
	const char *settings[2 * SERVICE_SETTINGS_MAX];
	const char *suffix;		/* their hostnames leave this away; NULL */
	/* Their hostname is a number of ours, and the name has to be added by hand. */
	const char *number;
	const char *domain;		/* our setting "domain" is made from the name: why */
	const char *advice;		/* a sentence for who uses it; NULL */
};

/* NULL: not known. */
const struct service *service_of_ddclient(const char *protocol);
/* By any part of the name that only one has, as inadyn does; "default@" may be missing. */
const struct service *service_of_inadyn(const char *name);
/* The type whose dyndns2 server that host is; NULL: none of ours. */
const struct service *service_of_server(const char *host);

/* For tests: all of them. */
const struct service *service_all(size_t table, size_t *ret_count);

/* Adds the settings that it knows of; what is missing is lost, with its name. */
void service_add(struct draft *draft, const struct service *service,
		 struct json *entry, const struct options *options, unsigned line);

/*
 * Adds names, a comma or space between them, in the form in which they are ours. Gives how
 * many there were.
 */
size_t service_add_names(struct draft *draft, const struct service *service,
			 struct json *entry, const char *names, unsigned line);

#endif
