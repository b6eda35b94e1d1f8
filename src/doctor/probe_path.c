/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far the first packet of each direction came, by the trace of nftables. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "hairpin/nft.h"

#include "probe_private.h"

static bool is_dropped(const struct trace_event *event)
{
	return event->verdict == NF_DROP && event->kind != TRACE_RETURN;
}

/* Chains of ours, see trace.h: they have nothing but the end of what they stand at. */
static void take_place(struct probe_way *way, const struct trace_event *event)
{
	bool last = strcmp(event->chain, "routed") == 0;

	switch (event->hook) {
	case NF_INET_PRE_ROUTING:
		way->routed |= last;
		break;
	case NF_INET_LOCAL_IN:
		way->input = true;
		way->taken |= strcmp(event->chain, "taken") == 0;
		break;
	case NF_INET_FORWARD:
		way->forward = true;
		way->passed |= strcmp(event->chain, "passed") == 0;
		break;
	case NF_INET_POST_ROUTING:
		way->sent = true;
		break;
	}
	/* The headers come with the first event of a chain only. */
	if (addr_is_none(&event->source))
		return;
	if (event->hook == NF_INET_POST_ROUTING) {
		way->out = event->out;
		way->source = event->source;
	}
	if (last) {
		way->destination = event->destination;
		way->destination_port = event->destination_port;
	}
}

static void take_event(struct probe_way *way, const struct trace_event *event)
{
	if (event->ours)
		take_place(way, event);
	else if (is_dropped(event) && !way->stop)
		way->stop = event;
}

/* A packet begins where our own table marks it, so that is its first event. */
static struct probe_way *way_of(struct probe_path *path, const struct trace_event *event)
{
	struct probe_way *ways[] = { &path->question, &path->answer };

	for (size_t i = 0; i < 2; i++)
		if (ways[i]->seen && ways[i]->packet == event->packet)
			return ways[i];
	return NULL;
}

static void begin_way(struct probe_path *path, const struct trace_event *event)
{
	struct probe_way *way;

	if (!event->ours || event->kind != TRACE_RULE)
		return;
	way = strcmp(event->chain, "marks") == 0 ? &path->question : &path->answer;
	if (way->seen)
		return;
	way->seen = true;
	way->packet = event->packet;
	way->in = event->in;
}

void probe_path_find(const struct probe_try *tried, struct probe_path *ret_path)
{
	struct probe_path path = { 0 };
	struct probe_way *way;

	for (size_t i = 0; i < tried->event_count; i++) {
		begin_way(&path, &tried->events[i]);
		way = way_of(&path, &tried->events[i]);
		if (way)
			take_event(way, &tried->events[i]);
	}
	*ret_path = path;
}

/* --- for people --- */

const struct walk_rule *probe_path_rule(const struct patient *patient,
					const struct trace_event *event)
{
	const struct walk_chain *chain;

	if (!patient->walk || event->kind == TRACE_POLICY || !event->handle)
		return NULL;
	chain = walk_chain_find(patient->walk, event->family, event->table, event->chain);
	return chain ? walk_rule_find(chain, event->handle) : NULL;
}

void probe_path_name(struct text *out, struct patient *patient,
		     const struct trace_event *event)
{
	const struct walk_rule *rule = probe_path_rule(patient, event);

	text_addf(out, "%s%s %s %s", event->kind == TRACE_POLICY ? "the policy of " : "",
		  nft_family_name(event->family), event->table, event->chain);
	if (event->kind == TRACE_POLICY)
		return;
	if (rule) {
		text_add(out, ": ");
		rule_text_add(out, patient, rule);
	} else {
		text_addf(out, " handle %llu", (unsigned long long)event->handle);
	}
}

/* Translating is accepting, for the kernel. */
static void add_verdict(struct text *out, const struct trace_event *event,
			const struct walk_rule *rule)
{
	const char *word = "?";

	switch (event->verdict) {
	case NF_DROP:
		word = "drop";
		break;
	case NF_ACCEPT:
		word = rule && rule->nat_destination ? "dnat"
		     : rule && rule->nat_source	     ? "snat"
						     : "accept";
		break;
	case NF_STOLEN:
		word = "stolen";
		break;
	case NFT_CONTINUE:
		word = "continue";
		break;
	case NFT_RETURN:
		word = "return";
		break;
	case NFT_JUMP:
		word = "jump";
		break;
	case NFT_GOTO:
		word = "goto";
		break;
	default:
		if ((event->verdict & NF_VERDICT_MASK) == NF_QUEUE)
			word = "queue";
	}
	text_addf(out, "%s%s%s%s", event->kind == TRACE_POLICY ? "policy " : "", word,
		  *event->target ? " " : "", event->target);
}

static void add_event(struct json *trace, struct patient *patient,
		      const struct trace_event *event, const char *packet)
{
	TEXT_CLEANUP struct text line = TEXT_INIT, verdict = TEXT_INIT;
	const struct walk_rule *rule = probe_path_rule(patient, event);
	struct json *object = json_add(trace, NULL, json_new_object());

	add_verdict(&verdict, event, rule);
	json_add_string(object, "packet", packet);
	json_add_string(object, "family", nft_family_name(event->family));
	json_add_string(object, "table", event->table);
	json_add_string(object, "chain", event->chain);
	if (event->handle)
		json_add_integer(object, "handle", (int64_t)event->handle);
	else
		json_add_null(object, "handle");
	if (rule)
		rule_text_add(&line, patient, rule);
	json_add_string(object, "rule", rule ? line.bytes : NULL);
	json_add(object, "verdict", verdict.failed || line.failed
					    ? NULL : json_new_string(verdict.bytes));
}

void probe_path_add(struct json *probe, struct patient *patient,
		    const struct probe_try *tried, const struct probe_path *path)
{
	struct json *trace = json_add(probe, "trace", json_new_array());

	for (size_t i = 0; i < tried->event_count; i++) {
		const struct trace_event *event = &tried->events[i];
		const struct probe_way *question = &path->question;
		const struct probe_way *answer = &path->answer;

		if (event->ours || event->kind == TRACE_RETURN)
			continue;
		if (question->seen && event->packet == question->packet)
			add_event(trace, patient, event, "question");
		else if (answer->seen && event->packet == answer->packet)
			add_event(trace, patient, event, "answer");
	}
}
