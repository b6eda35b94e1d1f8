/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The object of `hairpinctl --json plan`: the real decisions, without their deeds. What
 * would change comes first, so that a full answer has it.
 */
#include <errno.h>
#include <inttypes.h>

#include "hairpin/json.h"
#include "hairpin/text.h"

#include "core.h"
#include "status.h"

struct plan {
	struct core *core;
	int64_t now_ms;
	const struct rules_guess *guess;	/* NULL: the addresses there are */
	struct text changed, left, records;
	unsigned pending, in_step;
	bool truncated;
};

static void plan_done(struct plan *plan)
{
	text_done(&plan->changed);
	text_done(&plan->left);
	text_done(&plan->records);
}

static bool plan_is_full(struct plan *plan)
{
	size_t length = plan->changed.length + plan->left.length + plan->records.length;

	plan->truncated = plan->truncated || length > STATUS_TEXT_MAX;
	return length > STATUS_TEXT_MAX;
}

/* --- rules --- */

static void plan_rule(void *context, const struct nft_item *item)
{
	struct plan *plan = context;
	struct text *list = item->result == NFT_CHANGED ? &plan->changed : &plan->left;

	if (item->result == NFT_UNCHANGED) {
		plan->in_step++;
		return;
	}
	plan->pending += item->result == NFT_CHANGED;
	if (plan_is_full(plan))
		return;
	text_add(list, list->length ? "," : "");
	json_print_take(list, status_format_item(plan->core, item));
}

/* --- records --- */

/* The address, or prefix, that the record's would be made of; NULL: it stays. */
static const struct addr *plan_source(const struct plan *plan,
				      const struct schedule_record *of)
{
	const struct rules_guess *guess = plan->guess;

	/* NOLINTNEXTLINE(*UndefinedBinaryOperatorResult): set, or we were stopped */
	if (!guess || of->wan != guess->wan || of->family != guess->address.family)
		return NULL;
	return &guess->address;
}

static struct json *plan_format(const struct plan *plan, const struct schedule_record *of,
				const struct schedule_forecast *forecast)
{
	static const char *const actions[] = {
		[SCHEDULE_NONE] = "none", [SCHEDULE_UPDATE] = "update",
		[SCHEDULE_BLOCKED] = "blocked",
	};
	const struct core *core = plan->core;
	struct json *object = json_new_object();

	json_add_string(object, "hostname", of->hostname);
	json_add_string(object, "family", addr_family_name(of->family));
	json_add_string(object, "provider", core->config->providers[of->provider].name);
	json_add_string(object, "wan", core->wans[of->wan].config->name);
	json_add_string(object, "state", record_state_name(of->record.state));
	status_add_address(object, "published", &of->record.published);
	status_add_address(object, "wanted", &forecast->wanted);
	json_add_string(object, "action", actions[forecast->action]);
	json_add_string(object, "reason",
			forecast->reason[0] ? forecast->reason : NULL);
	return object;
}

/* `differing`: those that do not hold what they should, else the others. */
static void plan_record(struct plan *plan, size_t index, bool differing)
{
	const struct schedule_record *of = schedule_record(plan->core->schedule, index);
	struct schedule_forecast forecast;

	schedule_plan(plan->core->schedule, index, plan_source(plan, of), plan->now_ms,
		      &forecast);
	if ((forecast.action != SCHEDULE_NONE) != differing)
		return;
	if (!status_is_of_interest(plan->core, index) && addr_is_none(&forecast.wanted))
		return;
	plan->pending += forecast.action == SCHEDULE_UPDATE;
	if (plan_is_full(plan))
		return;
	text_add(&plan->records, plan->records.length ? "," : "");
	json_print_take(&plan->records, plan_format(plan, of, &forecast));
}

/* --- the whole --- */

static int plan_run(struct plan *plan, struct err *ret_err)
{
	size_t count = schedule_count(plan->core->schedule);
	int result = 0;

	if (plan->core->config->nat.enabled)
		result = rules_ask(plan->core, plan->guess, plan_rule, plan, ret_err);
	for (size_t i = 0; result == 0 && i < count; i++)
		plan_record(plan, i, true);
	for (size_t i = 0; result == 0 && i < count; i++)
		plan_record(plan, i, false);
	return result;
}

static char *plan_text(struct plan *plan)
{
	TEXT_CLEANUP struct text text = TEXT_INIT;
	char address[ADDR_TEXT_BYTES] = "";

	if (plan->guess)
		addr_format(&plan->guess->address, address);
	text_add(&text, "{\"schema\":1,\"address\":");
	text_addf(&text, plan->guess ? "\"%s\"" : "null", address);
	text_addf(&text, ",\"pending\":%u,\"in_step\":%u,\"rules\":[%s%s%s],", plan->pending,
		  plan->in_step, plan->changed.bytes,
		  plan->changed.length && plan->left.length ? "," : "", plan->left.bytes);
	text_addf(&text, "\"records\":[%s]%s}", plan->records.bytes,
		  plan->truncated ? ",\"truncated\":true" : "");
	if (plan->changed.failed || plan->left.failed || plan->records.failed)
		return NULL;
	return text_take(&text);
}

static int plan_guess(const struct core *core, const struct addr *address,
		      struct rules_guess *ret_guess, struct err *ret_err)
{
	int side = wan_side_of(address->family);

	for (size_t i = 0; i < core->config->wan_count; i++)
		if (wan_side_is_on(&core->wans[i], side)) {
			*ret_guess = (struct rules_guess){ i, *address };
			return 0;
		}
	return err_set(ret_err, -EAFNOSUPPORT, "%s is off for every WAN",
		       wan_side_name(side));
}

int plan_print(struct core *core, const struct addr *address, int64_t now_ms,
	       char **ret_text, struct err *ret_err)
{
	struct plan plan = { .core = core, .now_ms = now_ms, .changed = TEXT_INIT,
			     .left = TEXT_INIT, .records = TEXT_INIT };
	struct rules_guess guess;
	char *text;
	int result = 0;

	if (address) {
		result = plan_guess(core, address, &guess, ret_err);
		plan.guess = &guess;
	}
	if (result == 0)
		result = plan_run(&plan, ret_err);
	text = result == 0 ? plan_text(&plan) : NULL;
	plan_done(&plan);
	if (result == 0 && !text)
		return err_set(ret_err, -ENOMEM, "out of memory");
	if (result == 0)
		*ret_text = text;
	return result;
}
