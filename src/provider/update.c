/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request for the same addresses of all names, without a session.
 */
#include <errno.h>
#include <stdlib.h>

#include "request.h"

const struct catalogue_step *provider_step(const struct catalogue *catalogue,
					   bool ipv4, bool ipv6)
{
	enum catalogue_family wanted = ipv4 && ipv6 ? CATALOGUE_DUAL :
				       ipv4 ? CATALOGUE_IPV4 : CATALOGUE_IPV6;
	const struct catalogue_step *any = NULL;

	if (!ipv4 && !ipv6)
		return NULL;
	for (size_t i = 0; i < catalogue->step_count; i++) {
		const struct catalogue_step *step = &catalogue->steps[i];

		if (step->family == wanted)
			return step;
		if (step->family == CATALOGUE_ANY && wanted != CATALOGUE_DUAL && !any)
			any = step;
	}
	return any;
}

int provider_request_make(const struct catalogue *catalogue,
			  const struct catalogue_step *step,
			  const struct provider_update *update,
			  struct provider_request *ret_request, struct err *ret_err)
{
	struct fill_name *names = calloc(update->hostname_count, sizeof(*names));
	struct fill fill;
	int r;

	if (!names)
		return err_set(ret_err, -ENOMEM, "no memory for a request");
	for (size_t i = 0; i < update->hostname_count; i++)
		names[i] = (struct fill_name){ update->hostnames[i], update->ipv4,
					       update->ipv6 };
	fill_init(&fill, catalogue, update->settings, update->setting_count);
	fill_set_names(&fill, names, update->hostname_count);
	r = request_make(&fill, step, NULL, update->insecure_http, ret_request, ret_err);
	fill_done(&fill);
	free(names);
	return r;
}
