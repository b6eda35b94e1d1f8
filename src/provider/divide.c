/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "divide.h"

#include <string.h>
#include <sys/socket.h>

enum { NOT_YET = SIZE_MAX };

bool divide_is_walk(const struct catalogue *catalogue)
{
	return catalogue->step_count > 0 && catalogue->steps[0].name[0];
}

static const struct catalogue_step *find_family(const struct catalogue *catalogue,
						enum catalogue_family family)
{
	for (size_t i = 0; i < catalogue->step_count; i++)
		if (catalogue->steps[i].family == family)
			return &catalogue->steps[i];
	return NULL;
}

bool divide_fits(const struct divide_run *run, const struct catalogue_step *step)
{
	switch (step->family) {
	case CATALOGUE_EVERY:
		return true;
	case CATALOGUE_IPV4:
		return run->kind == CATALOGUE_ANY && run->family == AF_INET;
	case CATALOGUE_IPV6:
		return run->kind == CATALOGUE_ANY && run->family == AF_INET6;
	case CATALOGUE_ANY:
	case CATALOGUE_DUAL:
	case CATALOGUE_EACH:
		break;
	}
	return run->kind == step->family;
}

/* Of alternatives the one for this kind of run; the family's own goes before "any". */
static const struct catalogue_step *find_request(const struct catalogue *catalogue,
						 enum catalogue_family kind, int family)
{
	const struct catalogue_step *step;

	if (kind != CATALOGUE_ANY)
		return find_family(catalogue, kind);
	step = find_family(catalogue, family == AF_INET6 ? CATALOGUE_IPV6 :
							   CATALOGUE_IPV4);
	return step ? step : find_family(catalogue, CATALOGUE_ANY);
}

static bool uses_hostnames(const struct catalogue_step *step)
{
	static const char placeholder[] = "{hostnames}";

	for (size_t i = 0; i < step->header_count; i++)
		if (strstr(step->headers[i].value, placeholder))
			return true;
	return strstr(step->url, placeholder) ||
	       (step->body && strstr(step->body, placeholder));
}

/* --- one run after the other --- */

struct dividing {
	const struct provider_job *job;
	struct division *division;
	bool walk;
};

static bool is_open(const struct dividing *d, size_t record)
{
	return d->division->run_of[record] == NOT_YET;
}

static struct addr *address_in(struct fill_name *name, int family)
{
	return family == AF_INET6 ? &name->ipv6 : &name->ipv4;
}

/* The record of the same name and the other family; NOT_YET: none is left. */
static size_t find_other(const struct dividing *d, size_t record)
{
	const struct provider_record *records = d->job->records;

	for (size_t i = record + 1; i < d->job->record_count; i++)
		if (is_open(d, i) &&
		    records[i].address.family != records[record].address.family &&
		    strcmp(records[i].hostname, records[record].hostname) == 0)
			return i;
	return NOT_YET;
}

static void add_record(struct dividing *d, size_t record, size_t name)
{
	const struct provider_record *r = &d->job->records[record];
	struct division *division = d->division;

	division->names[name].hostname = r->hostname;
	*address_in(&division->names[name], r->address.family) = r->address;
	division->run_of[record] = division->run_count;
	division->name_of[record] = name;
}

/* The record, and with it that of the other family where the run takes both. */
static void add_name(struct dividing *d, struct divide_run *run, size_t record)
{
	size_t other = find_other(d, record), name = d->division->name_count++;

	add_record(d, record, name);
	if (run->kind != CATALOGUE_ANY && other != NOT_YET)
		add_record(d, other, name);
	run->count++;
}

static struct divide_run begin_run(const struct dividing *d, size_t record)
{
	const struct catalogue *catalogue = d->job->catalogue;
	struct divide_run run = { .kind = CATALOGUE_ANY,
				  .family = d->job->records[record].address.family,
				  .first = d->division->name_count };

	if (find_family(catalogue, CATALOGUE_EACH))
		run.kind = CATALOGUE_EACH;
	else if (find_family(catalogue, CATALOGUE_DUAL) && find_other(d, record) != NOT_YET)
		run.kind = CATALOGUE_DUAL;
	if (!d->walk)
		run.request = find_request(catalogue, run.kind, run.family);
	return run;
}

static size_t names_of_run(const struct dividing *d, const struct divide_run *run)
{
	unsigned batch = d->job->catalogue->batch;
	bool many = run->kind == CATALOGUE_EACH ||
		    (run->request && uses_hostnames(run->request));

	return many && batch > 1 ? batch : 1;
}

/* May this record's name, with the other family's record or not, join the run? */
static bool joins(const struct dividing *d, const struct divide_run *run, size_t record)
{
	const struct provider_record *r = &d->job->records[record];
	const struct fill_name *model = &d->division->names[run->first];
	struct fill_name name = { .hostname = r->hostname };
	size_t other = find_other(d, record);

	if (run->kind == CATALOGUE_EACH)
		return true;
	*address_in(&name, r->address.family) = r->address;
	if (run->kind == CATALOGUE_DUAL) {
		if (other == NOT_YET)
			return false;
		*address_in(&name, d->job->records[other].address.family) =
			d->job->records[other].address;
	} else if (other != NOT_YET && find_family(d->job->catalogue, CATALOGUE_DUAL)) {
		return false;		/* these two go together */
	}
	return addr_equal(&name.ipv4, &model->ipv4) &&
	       addr_equal(&name.ipv6, &model->ipv6);
}

void divide(const struct provider_job *job, struct division *ret_division)
{
	struct dividing d = { .job = job, .division = ret_division,
			      .walk = divide_is_walk(job->catalogue) };

	memset(ret_division, 0, sizeof(*ret_division));
	for (size_t i = 0; i < job->record_count; i++)
		ret_division->run_of[i] = NOT_YET;
	for (size_t i = 0; i < job->record_count; i++) {
		struct divide_run run;
		size_t most;

		if (!is_open(&d, i))
			continue;
		run = begin_run(&d, i);
		most = names_of_run(&d, &run);
		add_name(&d, &run, i);
		for (size_t k = i + 1; k < job->record_count && run.count < most; k++)
			if (is_open(&d, k) && joins(&d, &run, k))
				add_name(&d, &run, k);
		ret_division->runs[ret_division->run_count++] = run;
	}
}
