/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void plan_done(struct plan *plan)
{
	catalogue_free(plan->catalogue);
	memset(plan, 0, sizeof(*plan));
}

static const char *not_empty(const char *text)
{
	return text && *text ? text : NULL;
}

/* Description, user agent, CA, memos, then pairs; message_job_ok() counted them. */
static int read_texts(const struct message_job *job, struct plan *plan,
		      struct err *ret_err)
{
	const char *description = message_job_next_text(job, NULL);
	const char *agent = message_job_next_text(job, description);
	const char *pem = message_job_next_text(job, agent), *name = pem;

	for (size_t i = 0; i < job->record_count; i++)
		plan->memos[i] = name = message_job_next_text(job, name);
	plan->user_agent = not_empty(agent);
	plan->ca_pem = not_empty(pem);
	while ((name = message_job_next_text(job, name))) {
		const char *value = message_job_next_text(job, name);

		if (plan->value_count == CATALOGUE_SETTINGS_MAX)
			return err_set(ret_err, -EINVAL, "the job has too many settings");
		plan->values[plan->value_count++] = (struct provider_value){ name,
									     value };
		name = value;
	}
	return catalogue_parse(description, strlen(description), &plan->catalogue,
			       ret_err);
}

static void add_hostname(struct plan_request *request, const char *hostname)
{
	for (size_t i = 0; i < request->hostname_count; i++)
		if (strcmp(request->hostnames[i], hostname) == 0)
			return;
	request->hostnames[request->hostname_count++] = hostname;
}

/* The names of one family and their common address. */
static int gather(const struct message_job *job, int family, struct plan_request *request,
		  struct err *ret_err)
{
	struct addr *address = family == AF_INET6 ? &request->ipv6 : &request->ipv4;

	for (size_t i = 0; i < job->record_count; i++) {
		const struct message_record *record = &job->records[i];

		if (record->family != family)
			continue;
		if (!addr_is_none(address) && !addr_equal(address, &record->address))
			return err_set(ret_err, -EINVAL, "one request has one address");
		*address = record->address;
		add_hostname(request, record->hostname);
	}
	return 0;
}

static bool same_hostnames(const struct plan_request *a, const struct plan_request *b)
{
	if (a->hostname_count != b->hostname_count)
		return false;
	for (size_t i = 0; i < a->hostname_count; i++)
		if (strcmp(a->hostnames[i], b->hostnames[i]) != 0)
			return false;
	return true;
}

static void add_request(struct plan *plan, const struct plan_request *request)
{
	if (request->hostname_count > 0)
		plan->requests[plan->request_count++] = *request;
}

static int choose_requests(const struct message_job *job, struct plan *plan,
			   struct err *ret_err)
{
	struct plan_request v4 = { 0 }, v6 = { 0 };
	int r = gather(job, AF_INET, &v4, ret_err);

	if (r == 0)
		r = gather(job, AF_INET6, &v6, ret_err);
	if (r < 0)
		return r;
	if (v4.hostname_count > 0 && same_hostnames(&v4, &v6)) {
		v4.step = provider_step(plan->catalogue, true, true);
		if (v4.step) {
			v4.ipv6 = v6.ipv6;
			add_request(plan, &v4);
			return 0;
		}
	}
	v4.step = provider_step(plan->catalogue, true, false);
	v6.step = provider_step(plan->catalogue, false, true);
	add_request(plan, &v4);
	add_request(plan, &v6);
	return 0;
}

int plan_make(const struct message_job *job, struct plan *ret_plan, struct err *ret_err)
{
	struct plan plan = { 0 };
	int r = read_texts(job, &plan, ret_err);

	if (r == 0 && plan.catalogue->protocol != CATALOGUE_RFC2136)
		r = choose_requests(job, &plan, ret_err);
	if (r < 0) {
		plan_done(&plan);
		return r;
	}
	*ret_plan = plan;
	return 0;
}

bool plan_find(const struct plan_request *request, const struct message_record *record,
	       size_t *ret_index)
{
	const struct addr *address = record->family == AF_INET6 ? &request->ipv6 :
								  &request->ipv4;

	if (addr_is_none(address))
		return false;
	for (size_t i = 0; i < request->hostname_count; i++) {
		if (strcmp(request->hostnames[i], record->hostname) != 0)
			continue;
		*ret_index = i;
		return true;
	}
	return false;
}
