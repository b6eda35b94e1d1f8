/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel read without a daemon: a dry run with the configuration's tags. */
#include "hairpin/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/config.h"
#include "hairpin/nft.h"
#include "hairpin/rtnl.h"
#include "hairpin/wan.h"

struct look {
	const struct config *config;	/* NULL: could not be read */
	struct nft_target targets[NFT_TARGETS_MAX];
	const char *names[NFT_TARGETS_MAX];
	size_t target_count;
	struct nft_table *tables;
	size_t table_count;
	struct rtnl *rtnl;		/* while addresses are looked for */
	const struct addr *guess;	/* NULL: the addresses there are */
	struct addr former;		/* what it takes the place of; none */
	struct json *items;
};

static void look_done(struct look *look)
{
	size_t i;

	for (i = 0; i < look->target_count; i++)
		tag_done(&look->targets[i].tag);
	free(look->tables);
}

/* A route shows the prefix where no address does. */
static int look_route(struct look *look, uint32_t link, unsigned bits,
		      const struct wan_candidate *mine, size_t count,
		      struct addr *ret_prefix)
{
	const struct rtnl_watch watch = { .links = { link }, .count = 1, .bits = bits };
	struct rtnl_routes routes = { 0 };
	const struct addr none = { 0 };
	int rc = rtnl_routes(look->rtnl, &watch, &routes, NULL);

	if (rc == 0)
		*ret_prefix = wan_choose_route(bits, routes.list, routes.count, link,
					       mine, count, &none);
	rtnl_routes_done(&routes);
	return rc;
}

/*
 * As the daemon chooses, but with no memory of the address it had until now. `bits` not
 * 0: so long a prefix.
 */
static int look_address(struct look *look, const struct rtnl_snapshot *snapshot,
			const char *interface, int family, unsigned bits,
			struct addr *ret_address)
{
	uint32_t link = rtnl_uplink(snapshot, interface, family);
	const struct addr none = { 0 };
	struct wan_candidate *mine;
	size_t count;
	int rc = 0;

	*ret_address = none;
	if (!link)
		return 0;
	mine = rtnl_addresses_of(snapshot, link, &count);
	if (!mine)
		return -ENOMEM;
	*ret_address = bits ? wan_choose_prefix(bits, mine, count, &none)
			    : wan_choose(family, mine, count, &none);
	if (bits && addr_is_none(ret_address))
		rc = look_route(look, link, bits, mine, count, ret_address);
	free(mine);
	return rc;
}

/* What is found from outside only the daemon knows; the inner address is not for rules. */
static void look_drop_inner(enum config_source source, struct addr *address)
{
	if (config_is_outside(source) && !addr_is_global(address))
		*address = (struct addr){ 0 };
}

/* The supposed address goes to the first WAN that takes such ones. */
static void look_suppose(struct look *look, const struct config_wan *wan,
			 struct nft_target *target)
{
	const struct addr rest = { .family = AF_INET6 };
	const struct addr *guess = look->guess;
	struct addr *place = &target->ipv4;

	if (!guess || (guess->family == AF_INET ? wan->ipv4 : wan->ipv6) == CONFIG_OFF)
		return;
	look->guess = NULL;
	if (guess->family == AF_INET6)
		place = wan->keep_bits ? &target->prefix : &target->ipv6;
	look->former = *place;
	target->former = &look->former;
	target->former_count = !addr_is_none(place) && !addr_equal(place, guess);
	*place = *guess;
	if (place == &target->prefix)
		*place = addr_join(guess, wan->keep_bits, &rest);
}

static int look_add_target(struct look *look, const struct config_wan *wan,
			   const struct rtnl_snapshot *snapshot, struct err *ret_err)
{
	struct nft_target *target = &look->targets[look->target_count];
	const char *prefix_from = *wan->prefix_from ? wan->prefix_from : wan->interface;
	int rc = 0;

	target->keep_bits = wan->keep_bits;
	if (wan->ipv4 != CONFIG_OFF)
		rc = look_address(look, snapshot, wan->interface, AF_INET, 0,
				  &target->ipv4);
	if (rc == 0 && wan->ipv6 != CONFIG_OFF)
		rc = look_address(look, snapshot, wan->interface, AF_INET6, 0,
				  &target->ipv6);
	look_drop_inner(wan->ipv4, &target->ipv4);
	look_drop_inner(wan->ipv6, &target->ipv6);
	if (rc == 0 && wan->keep_bits)
		rc = look_address(look, snapshot, prefix_from, AF_INET6,
				  wan->keep_bits, &target->prefix);
	if (rc < 0)
		return err_set_errno(ret_err, rc, "cannot choose an address");
	look_suppose(look, wan, target);
	rc = tag_init(&target->tag, wan->tag, ret_err);
	if (rc < 0)
		return rc;
	look->names[look->target_count++] = wan->name;
	return 0;
}

static int look_add_targets(struct look *look, const struct rtnl_snapshot *snapshot,
			    struct err *ret_err)
{
	const struct config *config = look->config;
	size_t i;
	int rc = 0;

	if (!config)
		return look_add_target(look, &config_assumed_wan, snapshot, ret_err);
	for (i = 0; rc == 0 && i < config->wan_count && i < NFT_TARGETS_MAX; i++)
		rc = look_add_target(look, &config->wans[i], snapshot, ret_err);
	return rc;
}

static int look_add_tables(struct look *look, struct err *ret_err)
{
	const struct config *config = look->config;
	size_t i;

	if (!config || !config->nat.table_count)
		return 0;
	look->tables = calloc(config->nat.table_count, sizeof(*look->tables));
	if (!look->tables)
		return err_set(ret_err, -ENOMEM, "out of memory");
	for (i = 0; i < config->nat.table_count; i++) {
		if (!nft_table_parse(config->nat.tables[i].text, &look->tables[i]))
			return err_set(ret_err, -EINVAL, "\"%s\" names no table",
				       config->nat.tables[i].text);
	}
	look->table_count = config->nat.table_count;
	return 0;
}

static void look_add_value(struct json *item, const char *key, const struct addr *value,
			   unsigned bits)
{
	char text[ADDR_PREFIX_TEXT_BYTES];

	addr_format_prefix(value, bits, text);
	json_add_string(item, key, text[0] ? text : NULL);
}

/* Names and comments may hold any bytes, JSON only UTF-8. */
static void look_add_bytes(struct json *item, const char *key, const char *bytes)
{
	char shown[4 * NFT_COMMENT_BYTES];

	json_add_string(item, key,
			bytes ? text_escape(shown, sizeof(shown), bytes, strlen(bytes))
			      : NULL);
}

/* The names of comments are resolved by the daemon alone. */
static const char *look_reason(const struct nft_item *found)
{
	if (found->target == NFT_OF_NAME && found->result == NFT_SKIPPED &&
	    found->name && found->name_family)
		return "its name is not resolved here: only a running hairpind does that";
	return found->reason;
}

static void look_add_item(void *context, const struct nft_item *found)
{
	struct look *look = context;
	struct json *item = json_add(look->items, NULL, json_new_object());
	bool owned = found->target >= 0 && (size_t)found->target < look->target_count;

	json_add_string(item, "kind", nft_kind_name(found->kind));
	json_add_string(item, "family", nft_family_name(found->family));
	look_add_bytes(item, "table", found->table);
	look_add_bytes(item, "chain", found->chain);
	json_add_integer(item, "handle", (int64_t)found->handle);
	look_add_bytes(item, "comment", found->comment);
	json_add_string(item, "result", nft_result_name(found->result));
	look_add_value(item, "old", &found->old, found->bits);
	look_add_value(item, "new", &found->new, found->bits);
	json_add_string(item, "reason", look_reason(found));
	look_add_bytes(item, "name", found->name);
	json_add_string(item, "wan", owned ? look->names[found->target] : NULL);
	json_add_bool(item, "in_step", found->in_step);
}

static int look_ask_nft(struct look *look, struct err *ret_err)
{
	struct nft_request request = {
		.targets = look->targets,
		.target_count = look->target_count,
		.name_prefix = "dns:",
		.tables = look->tables,
		.table_count = look->table_count,
		.dry_run = true,
		.item = look_add_item,
		.context = look,
	};
	struct nft_report *report;
	struct nft *nft;
	int rc;

	if (look->config) {
		request.name_prefix = look->config->nat.names;
		request.filter = look->config->nat.filter;
		request.add_missing = look->config->nat.add_missing;
		request.max = (size_t)look->config->nat.max;
	}
	report = calloc(1, sizeof(*report));
	if (!report)
		return err_set(ret_err, -ENOMEM, "out of memory");
	rc = nft_new(&nft, ret_err);
	if (rc == 0) {
		rc = nft_sync(nft, &request, report, ret_err);
		nft_free(nft);
	}
	free(report);
	return rc;
}

static int look_ask_kernel(struct look *look, struct err *ret_err)
{
	struct rtnl_snapshot snapshot = { 0 };
	int rc = rtnl_new(&look->rtnl, ret_err);

	if (rc < 0)
		return rc;
	rc = rtnl_snapshot(look->rtnl, &snapshot, ret_err);
	if (rc == 0)
		rc = look_add_targets(look, &snapshot, ret_err);
	rtnl_snapshot_done(&snapshot);
	rtnl_free(look->rtnl);
	if (rc == 0 && look->guess)
		return err_set(ret_err, -EAFNOSUPPORT, "%s is off for every WAN",
			       look->guess->family == AF_INET ? "IPv4" : "IPv6");
	if (rc == 0)
		rc = look_add_tables(look, ret_err);
	if (rc == 0)
		rc = look_ask_nft(look, ret_err);
	return rc;
}

struct config *ctl_configuration(const struct ctl_look *look, struct err *ret_note)
{
	struct config_load load = { .path = look->config_path,
				    .catalogue = look->catalogue };
	struct config_problems problems = { .text = TEXT_INIT };
	struct config *config = NULL;
	const char *first;

	ret_note->text[0] = '\0';
	if (config_load(&load, &config, &problems) < 0) {
		first = problems.text.bytes;
		err_set(ret_note, -EINVAL, "%.*s", (int)strcspn(first, "\n"), first);
		config = NULL;
	}
	config_problems_done(&problems);
	return config;
}

/* `config` is ours to read, the items go into `rules`. */
static int look_run(const struct ctl_look *options, const struct config *config,
		    const struct addr *guess, struct json *rules,
		    const struct err *note, struct err *ret_err)
{
	struct look look = { .config = config, .guess = guess };
	int rc = 0;

	look.items = json_add(rules, "items", json_new_array());
	if (!config && options->config_path)	/* then no other one is meant */
		rc = err_set(ret_err, -EBADMSG, "%s", note->text);
	else if (!config || config->nat.enabled)
		rc = look_ask_kernel(&look, ret_err);
	look_done(&look);
	return rc;
}

int ctl_look(const struct ctl_look *options, struct json **ret_rules,
	     struct err *ret_note, struct err *ret_err)
{
	struct config *config = ctl_configuration(options, ret_note);
	struct json *rules = json_new_object();
	int rc = look_run(options, config, NULL, rules, ret_note, ret_err);

	config_free(config);
	if (rc < 0) {
		json_free(rules);
		return rc;
	}
	*ret_rules = rules;
	return 0;
}

/* --- plan --- */

static void look_plan_rules(struct json *plan, const struct json *items)
{
	struct json *rules = json_add(plan, "rules", json_new_array());
	int64_t changed = 0, in_step = 0;
	const struct json *item;
	const char *result;

	for (item = json_child(items); item; item = json_next(item)) {
		result = json_string(json_get(item, "result"));
		if (result && strcmp(result, "unchanged") == 0) {
			in_step++;
			continue;
		}
		changed += result && strcmp(result, "changed") == 0;
		json_add(rules, NULL, json_copy(item));
	}
	json_add_integer(plan, "pending", changed);
	json_add_integer(plan, "in_step", in_step);
}

static void look_plan_record(struct json *records, const struct config_provider *provider,
			     const char *hostname, const char *wan, int family)
{
	struct json *record = json_add(records, NULL, json_new_object());

	json_add_string(record, "hostname", hostname);
	json_add_string(record, "family", addr_family_name(family));
	json_add_string(record, "provider", provider->name);
	json_add_string(record, "wan", wan);
	json_add_null(record, "state");
	json_add_null(record, "published");
	json_add_null(record, "wanted");
	json_add_string(record, "action", "unknown");
	json_add_string(record, "reason",
			"what is published only the daemon and DNS know");
}

/* Both families of a name, as far as entry, provider and WAN know them. */
static void look_plan_name(struct json *records, const struct config_provider *provider,
			   const char *hostname, const struct config_wan *wan)
{
	unsigned families = provider->families ? provider->families
					       : provider->facts.families;

	if ((families & CONFIG_IPV4) && wan->ipv4 != CONFIG_OFF)
		look_plan_record(records, provider, hostname, wan->name, AF_INET);
	if ((families & CONFIG_IPV6) && wan->ipv6 != CONFIG_OFF)
		look_plan_record(records, provider, hostname, wan->name, AF_INET6);
}

static void look_plan_records(struct json *plan, const struct config *config)
{
	struct json *records = json_add(plan, "records", json_new_array());
	const struct config_provider *provider;
	size_t i, j;

	for (i = 0; config && i < config->provider_count; i++) {
		provider = &config->providers[i];
		for (j = 0; j < provider->hostname_count; j++)
			look_plan_name(records, provider, provider->hostnames[j].name,
				       &config->wans[provider->wan]);
	}
}

int ctl_look_plan(const struct ctl_look *options, const struct addr *address,
		  struct json **ret_plan, struct err *ret_note, struct err *ret_err)
{
	struct config *config = ctl_configuration(options, ret_note);
	struct json *rules = json_new_object(), *plan = NULL;
	int rc = look_run(options, config, address, rules, ret_note, ret_err);
	char text[ADDR_TEXT_BYTES];

	if (rc == 0) {
		plan = json_new_object();
		json_add_integer(plan, "schema", 1);
		json_add_string(plan, "address",
				address ? addr_format(address, text) : NULL);
		look_plan_rules(plan, json_get(rules, "items"));
		look_plan_records(plan, config);
		*ret_plan = plan;
	}
	json_free(rules);
	config_free(config);
	return rc;
}
