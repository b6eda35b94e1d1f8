/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "said.h"

#include <string.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/text.h"

static const char *plural(unsigned long count)
{
	return count == 1 ? "" : "s";
}

static const char *shown(const char *interface, char *out, size_t out_bytes)
{
	return text_escape(out, out_bytes, interface, strlen(interface));
}

/*
 * How many records the change left to be published. Those with a suffix follow the
 * `prefix`.
 */
static unsigned to_update(const struct core *core, const struct look_change *change,
			  bool prefix)
{
	int family = core->wans[change->wan].sides[change->side].family;
	unsigned count = 0;

	for (size_t i = 0; i < schedule_count(core->schedule); i++) {
		const struct schedule_record *of = schedule_record(core->schedule, i);

		if (of->wan == change->wan && of->family == family &&
		    addr_is_none(&of->suffix) != prefix &&
		    of->record.state == RECORD_STALE)
			count++;
	}
	return count;
}

/* What the last run found is said with its time. */
static void add_found(struct text *line, const struct source *source)
{
	char when[CLOCK_TEXT_BYTES];

	text_addf(line, ", found by %s", config_source_name(source->kind));
	if (source->recalled)
		text_addf(line, " at %s, not asked again yet",
			  clock_format(clock_wall_s() -
				       (clock_now_ms() - source->found_ms) / 1000, when));
}

static void add_fact(struct text *line, const struct core *core,
		     const struct look_change *change)
{
	const struct core_wan *wan = &core->wans[change->wan];
	const struct core_side *side = &wan->sides[change->side];
	char now[ADDR_TEXT_BYTES], former[ADDR_TEXT_BYTES], link[4 * IFNAMSIZ];

	addr_format(&side->now.address, now);
	addr_format(&change->former, former);
	text_addf(line, "wan %s: ", wan->config->name);
	if (change->event == WAN_LOST)
		text_addf(line, "%s %s lost, no other", wan_side_name(change->side),
			  former);
	else if (addr_is_none(&change->former) && discover_is_used(side)) {
		text_addf(line, "%s %s", wan_side_name(change->side), now);
		add_found(line, &side->source);
	} else if (addr_is_none(&change->former))
		text_addf(line, "%s %s on %s", wan_side_name(change->side), now,
			  shown(wan->interface, link, sizeof(link)));
	else
		text_addf(line, "%s %s replaces %s", wan_side_name(change->side), now,
			  former);
}

static void add_rules(struct text *line, const struct core *core,
		      const struct look_change *change, const struct nft_report *report)
{
	double ms = (double)core->sync.took_us / 1000;
	unsigned changed;

	if (!core->config->nat.enabled)
		return;
	if (change->event == WAN_LOST)
		text_add(line, "; rules keep it");
	else if (pause_is_on(core))
		text_add(line, "; rules stay while it is paused");
	else if (!report)
		text_addf(line, "; rules not in step: %s", core->sync.error);
	else if ((changed = report->of[change->wan].changed) > 0)
		text_addf(line, "; %u rule%s %s in %.1f ms", changed, plural(changed),
			  core->dry_run ? "would be rewritten" : "rewritten", ms);
	else if (report->of[change->wan].tagged > 0)
		text_addf(line, "; %u tagged, in step in %.1f ms",
			  report->of[change->wan].tagged, ms);
	else
		text_add(line, "; no rule is tagged for it");
}

/* Once per WAN and family: why the internet cannot reach this address, and what to do. */
static void hint(struct core *core, const struct look_change *change)
{
	struct core_side *side = &core->wans[change->wan].sides[change->side];
	const char *name = core->wans[change->wan].config->name;
	enum addr_class class = addr_classify(&side->now.address);
	char text[ADDR_TEXT_BYTES];

	if (side->hinted || class == ADDR_NONE || class == ADDR_GLOBAL)
		return;
	side->hinted = true;
	addr_format(&side->now.address, text);
	if (class == ADDR_CGNAT)
		log_notice("wan %s: %s is shared by the provider among customers "
			   "(CGNAT): nothing from outside arrives, so it is not "
			   "published. Ask for an address of your own, or use IPv6",
			   name, text);
	else if (class == ADDR_PRIVATE)
		log_notice("wan %s: %s is private: another router in front holds the "
			   "public address, so it is not published. Make that router a "
			   "bridge, or forward its ports to here and let the address be "
			   "found from outside (\"ipv4\": {\"source\": \"http\"})",
			   name, text);
	else
		log_notice("wan %s: %s (%s) cannot be reached from outside, so it is "
			   "not published", name, text, addr_class_name(class));
}

static void add_records(struct text *line, const struct core *core,
			const struct look_change *change, bool prefix, bool more)
{
	unsigned records = to_update(core, change, prefix);

	if (records && change->event == WAN_CHANGED)
		text_addf(line, "%s%u record%s to update", more ? ", " : "; ", records,
			  plural(records));
}

static void said_address(struct core *core, const struct look_change *change,
			 const struct nft_report *report)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	add_fact(&line, core, change);
	add_rules(&line, core, change, report);
	add_records(&line, core, change, false, report);
	log_notice("%s", line.bytes);
	hint(core, change);
}

void said_addresses(struct core *core, const struct look *look,
		    const struct nft_report *report)
{
	for (size_t i = 0; i < look->count; i++)
		said_address(core, &look->changes[i], report);
}

static void said_prefix(const struct core *core, const struct look_change *change,
			const struct nft_report *report)
{
	const struct core_wan *wan = &core->wans[change->wan];
	bool keep = wan->config->keep_bits > 0;
	unsigned bits = wan_prefix_bits(wan->config);
	char now[ADDR_PREFIX_TEXT_BYTES], former[ADDR_PREFIX_TEXT_BYTES];
	TEXT_CLEANUP struct text line = TEXT_INIT;

	addr_format_prefix(&wan->prefix.now.address, bits, now);
	addr_format_prefix(&change->former, bits, former);
	text_addf(&line, "wan %s: IPv6 prefix ", wan->config->name);
	if (change->event == WAN_LOST)
		text_addf(&line, "%s lost, no other", former);
	else if (addr_is_none(&change->former))
		text_add(&line, now);
	else
		text_addf(&line, "%s replaces %s", now, former);
	if (keep)
		add_rules(&line, core, change, report);
	add_records(&line, core, change, true, keep && report);
	log_notice("%s", line.bytes);
}

void said_prefixes(const struct core *core, const struct look *look,
		   const struct nft_report *report)
{
	for (size_t i = 0; i < look->prefix_count; i++)
		said_prefix(core, &look->prefixes[i], report);
}

void said_rules(const struct core *core, size_t wan, unsigned changed,
		const struct nft_report *report, enum sync_cause cause)
{
	const char *why = "not in step";

	if (cause == SYNC_FOREIGN)
		why = "set to another address by somebody else";
	log_notice("wan %s: %u rule%s %s %s; %s in %.1f ms",
		   core->wans[wan].config->name, changed, plural(changed),
		   changed == 1 ? "was" : "were", why,
		   core->dry_run ? "would be rewritten" : "rewritten again",
		   (double)report->total_us / 1000);
}

void said_names(const struct core *core, const struct nft_report *report)
{
	unsigned changed = report->of_names.changed;

	log_notice("names: %u thing%s of the ruleset %s not in step; %s in %.1f ms", changed,
		   plural(changed), changed == 1 ? "was" : "were",
		   core->dry_run ? "would be rewritten" : "rewritten",
		   (double)report->total_us / 1000);
}

/* Of a WAN without an address: does the interface have one, behind another router? */
static bool said_asking(const struct core_wan *wan)
{
	char text[ADDR_TEXT_BYTES];
	bool any = false;

	for (int i = 0; i < WAN_SIDES; i++) {
		const struct core_side *side = &wan->sides[i];

		if (!side->source.sight.able)
			continue;
		any = true;
		log_notice("wan %s: the interface's address is %s (%s); the public %s "
			   "address is asked for by %s", wan->config->name,
			   addr_format(&side->inner, text),
			   addr_class_name(addr_classify(&side->inner)),
			   wan_side_name(i), config_source_name(side->source.kind));
	}
	return any;
}

void said_waiting(const struct core *core)
{
	for (size_t i = 0; i < core->config->wan_count; i++) {
		const struct core_wan *wan = &core->wans[i];
		bool is_there = wan->sides[WAN_IPV4].link || wan->sides[WAN_IPV6].link;
		char link[4 * IFNAMSIZ];

		if (wan_has_address(wan) || said_asking(wan))
			continue;
		text_escape(link, sizeof(link), wan->config->interface,
			    strlen(wan->config->interface));
		if (!link[0])
			log_notice("wan %s: waiting for a default route with an address",
				   wan->config->name);
		else
			log_notice("wan %s: %s %s; waiting", wan->config->name, link,
				   is_there ? "has no address yet" : "does not exist yet");
	}
}
