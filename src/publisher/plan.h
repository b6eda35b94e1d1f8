/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an update job asks for, taken apart: its texts, and which requests it takes.
 */
#ifndef PUBLISHER_PLAN_H
#define PUBLISHER_PLAN_H

#include "hairpin/catalogue.h"
#include "hairpin/message.h"
#include "hairpin/provider.h"

enum { PLAN_REQUESTS_MAX = 2 };		/* both at once, or one for each family */

/* One request: a step for the names of some records. */
struct plan_request {
	const struct catalogue_step *step;	/* NULL: the provider has none for it */
	struct addr ipv4, ipv6;
	const char *hostnames[MESSAGE_RECORDS_MAX];
	size_t hostname_count;
};

struct plan {
	const char *user_agent, *ca_pem;	/* within the job; NULL: none */
	const char *memos[MESSAGE_RECORDS_MAX];	/* likewise; "": none */
	struct catalogue *catalogue;
	struct provider_value values[CATALOGUE_SETTINGS_MAX];
	size_t value_count;
	struct plan_request requests[PLAN_REQUESTS_MAX];
	size_t request_count;
};

/*
 * Everything but the catalogue is borrowed from `job`. -EINVAL: `ret_err` says what is
 * wrong.
 */
int plan_make(const struct message_job *job, struct plan *ret_plan,
	      struct err *ret_err) must_check;
void plan_done(struct plan *plan);

/* Is the record one of this request's? Then the index of its name there. */
bool plan_find(const struct plan_request *request, const struct message_record *record,
	       size_t *ret_index);

#endif
