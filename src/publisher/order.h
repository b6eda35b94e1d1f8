/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An update job taken apart: what a session and its requests need to know.
 */
#ifndef PUBLISHER_ORDER_H
#define PUBLISHER_ORDER_H

#include "hairpin/message.h"
#include "hairpin/provider.h"
#include "shelf.h"

struct order {
	const char *user_agent, *ca_pem;	/* NULL: none */
	struct provider_value settings[CATALOGUE_SETTINGS_MAX];
	struct provider_record records[MESSAGE_RECORDS_MAX];
	struct provider_job job;		/* points into this struct */
};

/*
 * `ret_order` must stay where it is. Everything but the catalogue, which is the shelf's
 * until order_done(), is borrowed from `message`. -EINVAL: `ret_err` says what is wrong.
 */
int order_read(const struct message_job *message, struct shelf *shelf,
	       struct order *ret_order, struct err *ret_err) must_check;
void order_done(struct order *order, struct shelf *shelf);

#endif
