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

/*
 * The links to leave by, where the WAN has one for each family: which it is depends on the
 * address of who is asked, not on what he is told.
 */
static void pack_interface(const struct core *core, const struct core_wan *wan,
			   struct message_job *packet)
{
	uint32_t link = wan->sides[WAN_IPV6].link;

	if (!wan->config->bind)
		return;
	wan_copy_link(packet->interface, wan->interface);
	if (!wan_side_is_on(wan, WAN_IPV6) || link == wan->sides[WAN_IPV4].link)
		return;
	for (size_t i = 0; i < core->snapshot.link_count; i++)
		if (core->snapshot.links[i].index == link)
			wan_copy_link(packet->interface6, core->snapshot.links[i].name);
}

/* What a connection depends on: the WAN, its links and the addresses it had. */
static uint64_t epoch_of(const struct core_wan *wan)
{
	static const uint8_t key[16];
	uint64_t changes = wan->sides[WAN_IPV4].now.generation +
			   wan->sides[WAN_IPV6].now.generation;

	return secret_fingerprint(key, wan->config->name, strlen(wan->config->name)) ^
	       changes ^ (uint64_t)wan->sides[WAN_IPV4].link << 32 ^
	       (uint64_t)wan->sides[WAN_IPV6].link << 48;
}

static void pack_servers(const struct config *config, struct message_job *packet)
{
	packet->server_count = (uint8_t)config->dns.server_count;
	packet->trusted_servers = config->dns.server_count > 0;
	for (size_t i = 0; i < config->dns.server_count; i++)
		(void)text_copy(packet->servers[i], sizeof(packet->servers[i]),
				config->dns.servers[i]);
}

/* --- texts --- */

enum {
	TEXTS_MAX = 3 + MESSAGE_RECORDS_MAX + 2 * CATALOGUE_SETTINGS_MAX,
};

struct texts {
	const char *list[TEXTS_MAX];
	size_t count, bytes;
};

static void add_text(struct texts *texts, const char *string)
{
	if (texts->count == TEXTS_MAX)
		return;			/* no configuration has so many settings */
	texts->list[texts->count] = string ? string : "";
	texts->bytes += strlen(texts->list[texts->count++]) + 1;
}

/* What the provider needs, secrets included: this packet is the only way they travel. */
static void gather_texts(const struct core *core, const struct schedule_job *job,
			 struct texts *texts)
{
	const struct config_provider *provider = &core->config->providers[job->provider];

	add_text(texts, provider->description);
	add_text(texts, config_user_agent(core->config, provider));
	add_text(texts, provider->ca_pem);
	for (size_t i = 0; i < job->count; i++)
		add_text(texts, schedule_record(core->schedule, job->records[i].record)
					->record.memo);
	for (size_t i = 0; i < provider->setting_count; i++) {
		add_text(texts, provider->settings[i].name);
		add_text(texts, secret_reveal(&provider->settings[i].value));
	}
}

/* --- packets, no longer than what travels --- */

int job_pack(const struct core *core, const struct schedule_job *job,
	     struct message_job **ret_packet)
{
	const struct config_provider *provider = &core->config->providers[job->provider];
	struct texts texts = { .count = 0 };
	struct message_job *packet;

	if (job->kind == MESSAGE_UPDATE_RECORDS)
		gather_texts(core, job, &texts);
	if (texts.bytes > MESSAGE_JOB_TEXT_BYTES)
		return -E2BIG;
	packet = calloc(1, offsetof(struct message_job, text) + texts.bytes);
	if (!packet)
		return -ENOMEM;
	packet->head = (struct message){ MESSAGE_JOB, job->number };
	packet->kind = job->kind;
	packet->timeout_ms = job->timeout_ms;
	packet->request_ms = job->request_ms;
	packet->epoch = epoch_of(&core->wans[job->wan]);
	pack_records(core, job, packet);
	pack_interface(core, &core->wans[job->wan], packet);
	if (job->kind != MESSAGE_UPDATE_RECORDS)
		pack_servers(core->config, packet);
	for (size_t i = 0; i < texts.count; i++)
		(void)message_job_add_text(packet, texts.list[i]);
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

/* The router in front: the gateway of the WAN's default route; "" for none. */
static const char *gateway(const struct core *core, const struct core_side *side,
			   char out[ADDR_TEXT_BYTES])
{
	const struct rtnl_snapshot *snapshot = &core->snapshot;
	const struct rtnl_default *best = NULL;
	const struct addr none = { 0 };

	for (size_t i = 0; i < snapshot->default_count; i++) {
		const struct rtnl_default *route = &snapshot->defaults[i];

		if (route->family == side->family && route->link == side->link &&
		    (!best || route->priority < best->priority))
			best = route;
	}
	return addr_format(best ? &best->gateway : &none, out);
}

static void gather_source(const struct core *core, const struct core_side *side,
			  size_t place, char gateway_room[ADDR_TEXT_BYTES],
			  struct texts *texts)
{
	const struct source *source = &side->source;
	const struct config_place *of = &source->outside->places[place];

	add_text(texts, config_source_name(source->kind));
	if (source->kind == CONFIG_HTTP || source->kind == CONFIG_DNS)
		add_text(texts, of->where);
	else
		add_text(texts, gateway(core, side, gateway_room));
	if (source->kind != CONFIG_DNS)
		return;
	add_text(texts, of->name);
	add_text(texts, of->type);
	add_text(texts, of->class);
}

static void pack_side_interface(const struct core *core, const struct core_wan *wan,
				const struct core_side *side, struct message_job *packet)
{
	const char *name = wan->interface;

	if (!wan->config->bind)
		return;
	for (size_t i = 0; i < core->snapshot.link_count; i++)
		if (core->snapshot.links[i].index == side->link)
			name = core->snapshot.links[i].name;
	wan_copy_link(packet->interface, name);
}

/* By the WAN's link: another one would tell another address. */
int job_pack_discover(const struct core *core, const struct discover_job *job,
		      struct message_job **ret_packet)
{
	const struct core_wan *wan = &core->wans[job->wan];
	const struct core_side *side = &wan->sides[job->side];
	struct texts texts = { .count = 0 };
	char gateway_room[ADDR_TEXT_BYTES];
	struct message_job *packet;

	gather_source(core, side, job->place, gateway_room, &texts);
	packet = calloc(1, offsetof(struct message_job, text) + texts.bytes);
	if (!packet)
		return -ENOMEM;
	packet->head = (struct message){ MESSAGE_JOB, job->number };
	packet->kind = MESSAGE_DISCOVER;
	packet->timeout_ms = source_policy(side->source.kind)->job_ms;
	packet->record_count = 1;
	packet->records[0].record = (uint32_t)(job->wan * WAN_SIDES) + (uint32_t)job->side;
	packet->records[0].family = (uint8_t)side->family;
	packet->epoch = epoch_of(wan);
	pack_side_interface(core, wan, side, packet);
	for (size_t i = 0; i < texts.count; i++)
		(void)message_job_add_text(packet, texts.list[i]);
	*ret_packet = packet;
	return 0;
}

void job_free(struct message_job *packet)
{
	if (packet)
		secret_wipe(packet, message_job_bytes(packet));
	free(packet);
}
