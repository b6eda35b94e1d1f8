/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "order.h"

#include <errno.h>
#include <string.h>

static const char *not_empty(const char *text)
{
	return *text ? text : NULL;
}

static void read_records(const struct message_job *message, const char **last,
			 struct order *order)
{
	for (size_t i = 0; i < message->record_count; i++) {
		*last = message_job_next_text(message, *last);
		order->records[i] = (struct provider_record){
			.hostname = message->records[i].hostname,
			.address = message->records[i].address, .memo = *last };
	}
}

static int read_settings(const struct message_job *message, const char *last,
			 struct order *order, struct err *ret_err)
{
	size_t count = 0;

	while ((last = message_job_next_text(message, last))) {
		const char *value = message_job_next_text(message, last);

		if (count == CATALOGUE_SETTINGS_MAX)
			return err_set(ret_err, -EINVAL, "the job has too many settings");
		order->settings[count++] = (struct provider_value){ last, value };
		last = value;
	}
	order->job.setting_count = count;
	return 0;
}

/* Description, user agent, CA, memos, then pairs; message_job_ok() counted them. */
int order_read(const struct message_job *message, struct shelf *shelf,
	       struct order *ret_order, struct err *ret_err)
{
	const char *description = message_job_next_text(message, NULL);
	const char *agent = message_job_next_text(message, description);
	const char *last = message_job_next_text(message, agent);
	struct order *order = ret_order;
	int r;

	*order = (struct order){
		.user_agent = not_empty(agent), .ca_pem = not_empty(last),
		.job = { .settings = order->settings, .records = order->records,
			 .record_count = message->record_count,
			 .insecure_http = message->insecure_http },
	};
	read_records(message, &last, order);
	r = read_settings(message, last, order, ret_err);
	if (r < 0)
		return r;
	return shelf_get(shelf, description, &order->job.catalogue, ret_err);
}

void order_done(struct order *order, struct shelf *shelf)
{
	if (order->job.catalogue)
		shelf_put(shelf, order->job.catalogue);
	order->job.catalogue = NULL;
}
