/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job's records, divided into runs.
 *
 * A description without named steps has one request for a run: with `each`, as many names
 * as a batch holds, whatever their addresses; with {hostnames}, those of them that are to
 * have the same address or addresses; else one name. With named steps a run is one record,
 * or, where the description has a step for it, both records of a name, or a batch of
 * records.
 */
#ifndef PROVIDER_DIVIDE_H
#define PROVIDER_DIVIDE_H

#include "fill.h"
#include "hairpin/message.h"

struct divide_run {
	enum catalogue_family kind;	/* ANY: of one family; DUAL, EACH */
	int family;			/* where kind is ANY */
	/* the one request; NULL where steps are named, or the description has none */
	const struct catalogue_step *request;
	size_t first, count;		/* of `names` */
};

struct division {
	struct divide_run runs[MESSAGE_RECORDS_MAX];
	size_t run_count;
	struct fill_name names[MESSAGE_RECORDS_MAX];	/* borrowed strings */
	size_t name_count;
	/* of each record of the job */
	size_t run_of[MESSAGE_RECORDS_MAX], name_of[MESSAGE_RECORDS_MAX];
};

/* The job has at most MESSAGE_RECORDS_MAX records. */
void divide(const struct provider_job *job, struct division *ret_division);

bool divide_is_walk(const struct catalogue *catalogue);	/* has named steps */
/* Is the step part of such a run? */
bool divide_fits(const struct divide_run *run, const struct catalogue_step *step);

#endif
