/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the schedule's job to the packet for the publisher. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/secret.h"
#include "hairpin/text.h"

#include "core.h"

static void pack_records(const struct core *core, const struct schedule_job *job,
			 struct message_job *packet)
{
	packet->record_count = (uint32_t)job->count;
	for (size_t i = 0; i < job->count; i++) {
		const struct schedule_record *of =
			schedule_record(core->schedule, job->records[i].record);
		struct message_record *record = &packet->records[i];

		record->record = job->records[i].record;
		record->family = of->family;
		record->address = job->records[i].address;
		(void)text_copy(record->hostname, sizeof(record->hostname), of->hostname);
	}
}

/* The link to leave by: that of the family asked for, where the WAN has one for each. */
static void pack_interface(const struct core *core, const struct schedule_job *job,
			   struct message_job *packet)
{
	const struct core_wan *wan = &core->wans[job->wan];
	const char *name = wan->interface;
	bool ipv6_only = true;

	if (!wan->config->bind)
		return;
	for (size_t i = 0; i < job->count; i++)
		ipv6_only = ipv6_only && packet->records[i].family == AF_INET6;
	for (size_t i = 0; ipv6_only && i < core->snapshot.link_count; i++)
		if (core->snapshot.links[i].index == wan->sides[WAN_IPV6].link)
			name = core->snapshot.links[i].name;
	wan_copy_link(packet->interface, name);
}

static void pack_servers(const struct config *config, struct message_job *packet)
{
	packet->server_count = (uint8_t)config->dns.server_count;
	packet->trusted_servers = config->dns.server_count > 0;
	for (size_t i = 0; i < config->dns.server_count; i++)
		(void)text_copy(packet->servers[i], sizeof(packet->servers[i]),
				config->dns.servers[i]);
}

/* What the provider needs, secrets included: this packet is the only way they travel. */
static bool pack_settings(const struct config_provider *provider, const char *memo,
			  struct message_job *packet)
{
	bool fits =
		message_job_add_text(packet, provider->description) &&
		message_job_add_text(packet, memo ? memo : "") &&
		message_job_add_text(packet,
				     provider->user_agent ? provider->user_agent : "") &&
		message_job_add_text(packet, provider->ca_pem ? provider->ca_pem : "");

	for (size_t i = 0; fits && i < provider->setting_count; i++)
		fits = message_job_add_text(packet, provider->settings[i].name) &&
		       message_job_add_text(packet,
					    secret_reveal(&provider->settings[i].value));
	return fits;
}

int job_pack(const struct core *core, const struct schedule_job *job,
	     struct message_job **ret_packet)
{
	const struct config_provider *provider = &core->config->providers[job->provider];
	const struct schedule_record *first;
	struct message_job *packet = calloc(1, sizeof(*packet));

	if (!packet)
		return -ENOMEM;
	first = schedule_record(core->schedule, job->records[0].record);
	packet->head = (struct message){ MESSAGE_JOB, job->number };
	packet->kind = job->kind;
	packet->timeout_ms = job->timeout_ms;
	pack_records(core, job, packet);
	pack_interface(core, job, packet);
	if (job->kind != MESSAGE_UPDATE_RECORDS) {
		pack_servers(core->config, packet);
	} else if (!pack_settings(provider, first->record.memo, packet)) {
		job_free(packet);
		return -E2BIG;
	}
	packet->private_server = provider->private_server;
	packet->insecure_http = provider->insecure_http;
	*ret_packet = packet;
	return 0;
}

int job_pack_names(const struct names_job *job, struct message_job **ret_packet)
{
	struct message_job *packet = calloc(1, sizeof(*packet));

	if (!packet)
		return -ENOMEM;
	packet->head = (struct message){ MESSAGE_JOB, job->number };
	packet->kind = MESSAGE_RESOLVE;
	packet->timeout_ms = NAMES_JOB_MS;
	packet->record_count = (uint32_t)job->count;
	for (size_t i = 0; i < job->count; i++) {
		struct message_record *record = &packet->records[i];

		record->record = job->questions[i].id;
		record->family = (uint8_t)job->questions[i].family;
		(void)text_copy(record->hostname, sizeof(record->hostname),
				job->questions[i].name);
	}
	*ret_packet = packet;
	return 0;
}

void job_free(struct message_job *packet)
{
	if (packet)
		secret_wipe(packet, sizeof(*packet));
	free(packet);
}
