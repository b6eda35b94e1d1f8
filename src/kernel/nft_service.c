/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_service.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "service.h"
#include "service_keys.h"

/* Questions to the kernel and rules for one change; beyond them we guess. */
enum { QUESTIONS_MAX = 4096, RULES_MAX = 16384 };

/* Rules to be looked through: all of a chain's, or some of them. */
struct task {
	struct task *next;
	const struct ruleset_table *table;
	const char *chain;
	uint64_t handle;		/* only this one; 0: any */
	const char *set;		/* only those that ask it; NULL: any */
	unsigned hooks;
	struct addr address;		/* where the rules do not say another */
	const struct nft_service *scope;	/* what comes to the chain; NULL: all */
	size_t scope_count;
};

struct kept {
	struct kept *next;
	struct span expressions;
};

struct walk {
	struct nft *nft;
	const struct nft_request *request;
	struct ruleset *ruleset;
	struct nft_services *services;
	struct task *tasks, **tasks_end;
	unsigned questions, rules;
};

static bool gives_sources(unsigned hooks)
{
	return hooks && !(hooks & (1 << NF_INET_PRE_ROUTING | 1 << NF_INET_LOCAL_OUT));
}

static void guess(const struct walk *walk, const struct task *task)
{
	struct nft_service service = service_any();

	service.address = task->address;
	service.guessed = true;
	service.source = gives_sources(task->hooks);
	if (!addr_is_none(&service.address))
		nft_service_add(walk->services, &service);
}

static void add_task(struct walk *walk, const struct task *task)
{
	struct task *copy = arena_copy(&walk->ruleset->arena, task, sizeof(*task));

	if (!copy) {
		guess(walk, task);
		return;
	}
	copy->next = NULL;
	*walk->tasks_end = copy;
	walk->tasks_end = &copy->next;
}

static void scope_of(const struct task *task, struct nft_services *ret_scope)
{
	ret_scope->list[0] = service_any();
	ret_scope->overfull = false;
	ret_scope->count = 1;
	if (!task->scope)
		return;
	memcpy(ret_scope->list, task->scope, task->scope_count * sizeof(*task->scope));
	ret_scope->count = task->scope_count;
}

static void add_found(const struct walk *walk, const struct task *task,
		      const struct nft_services *scope)
{
	for (size_t i = 0; i < scope->count; i++) {
		struct nft_service service = scope->list[i];

		if (addr_is_none(&service.address))
			service.address = task->address;
		if (!addr_is_none(&service.address))
			nft_service_add(walk->services, &service);
	}
}

/* The rules of `chain` are worth a look, for what of `scope` comes to it. */
static void add_jump(struct walk *walk, const struct task *from, struct span chain,
		     const struct nft_services *scope)
{
	struct arena *arena = &walk->ruleset->arena;
	struct task task = {
		.table = from->table, .hooks = from->hooks, .address = from->address,
		.chain = arena_string(arena, (const char *)chain.bytes, chain.length),
		.scope = arena_copy(arena, scope->list, scope->count * sizeof(*scope->list)),
		.scope_count = scope->count,
	};

	if (scope->count == 0)
		return;
	if (task.chain && task.scope)
		add_task(walk, &task);
	else
		guess(walk, from);
}

/* Each chain of a verdict map, with those of `scope` that the map sends there. */
static void add_jumps(struct walk *walk, const struct task *from,
		      const struct nft_services *scope, const struct service_keys *keys)
{
	for (size_t i = 0; i < keys->count;) {
		struct span chain = keys->list[i].chain;
		struct nft_services sent = { .count = 0 }, here = *scope;

		i = service_keys_group(keys, i, &sent);
		services_meet(&here, &sent);
		if (chain.length)
			add_jump(walk, from, chain, &here);
	}
}

/* Leaves of `scope` what the set holds; a verdict map sends it on. */
static void ask_set(struct walk *walk, const struct task *task, int side,
		    const struct rule_lookup *lookup, struct nft_services *scope)
{
	struct service_keys keys = { .request = walk->request,
				     .arena = &walk->ruleset->arena };
	struct nft_services held = { .count = 0 };
	size_t i = 0;
	int r = -EAGAIN;

	if (walk->questions < QUESTIONS_MAX) {
		walk->questions += 2;
		r = service_keys_read(walk->nft, task->table, lookup, side, &keys);
	}
	if (r < 0) {
		services_guess(scope);
		if (lookup->verdict)
			add_found(walk, task, scope);
	} else if (lookup->verdict) {
		add_jumps(walk, task, scope, &keys);
	} else if (r == 0) {
		while (i < keys.count)
			i = service_keys_group(&keys, i, &held);
		services_meet(scope, &held);
	}
	service_keys_done(&keys);
}

/* A rule that gives new sources sees ports that were given new ones before. */
static void look_for_source(struct walk *walk, const struct task *task,
			    const struct rule_view *view, int side)
{
	struct nft_service service = service_any();
	bool original = false;

	for (size_t i = 0; side >= 0 && i < view->side[side].spot_count; i++)
		original |= view->side[side].spots[i].source == RULE_ORIGINAL;
	for (size_t i = 0; side >= 0 && i < view->lookup_count; i++)
		original |= view->lookups[i].key_at[side] >= 0 &&
			    view->lookups[i].source == RULE_ORIGINAL;
	if (!original || addr_is_none(&task->address))
		return;
	service.address = task->address;
	service.protocol = view->protocol;
	service.source = true;
	nft_service_add(walk->services, &service);
}

static void look_at_rule(struct walk *walk, const struct task *task,
			 struct span expressions)
{
	struct nft_services scope;
	struct rule_view view;
	int side;

	rule_read(expressions, task->table->family, &view);
	side = rewrite_side(&view, task->table->family);
	if (gives_sources(task->hooks)) {
		look_for_source(walk, task, &view, side);
		return;
	}
	if (!rewrite_is_dnat(&view, task->hooks))
		return;
	scope_of(task, &scope);
	services_compare(&scope, &view, expressions, side);
	for (size_t i = 0; i < view.lookup_count; i++) {
		if (!view.lookups[i].dynamic && scope.count)
			ask_set(walk, task, side, &view.lookups[i], &scope);
	}
	if (view.jump_to.length)
		add_jump(walk, task, view.jump_to, &scope);
	if (view.dnat || view.netmap)
		add_found(walk, task, &scope);
}

/* --- rules from the kernel --- */

struct taking {
	struct walk *walk;
	const struct task *task;
	struct kept *first, **end;
	bool lost;
};

static bool asks(const struct rule_view *view, const char *set)
{
	for (size_t i = 0; i < view->lookup_count; i++) {
		if (attr_is(view->lookups[i].set, set))
			return true;
	}
	return false;
}

/* While a dump goes on nothing else may be asked: what is of interest is kept. */
static int take_rule(void *context, const struct nlmsghdr *message)
{
	struct taking *taking = context;
	const struct task *task = taking->task;
	struct arena *arena = &taking->walk->ruleset->arena;
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg));
	struct span expressions = attr_nest(attributes, NFTA_RULE_EXPRESSIONS);
	struct rule_view view;
	struct kept *kept;

	rule_read(expressions, task->table->family, &view);
	if (view.broken || (task->set && !asks(&view, task->set)) ||
	    (!gives_sources(task->hooks) && !rewrite_is_dnat(&view, task->hooks)))
		return 0;
	kept = arena_alloc(arena, sizeof(*kept));
	if (!kept || ++taking->walk->rules > RULES_MAX) {
		taking->lost = true;
		return 0;
	}
	kept->expressions.bytes = arena_copy(arena, expressions.bytes, expressions.length);
	kept->expressions.length = expressions.length;
	if (!kept->expressions.bytes)
		return -ENOMEM;
	*taking->end = kept;
	taking->end = &kept->next;
	return 0;
}

static int ask_for_one(struct walk *walk, const struct task *task, struct taking *taking)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message;

	message = wire_nf_message(&wire, nft_type(NFT_MSG_GETRULE), NLM_F_ACK,
				  ++walk->nft->command.seq, (uint8_t)task->table->family);
	wire_put_string(&wire, NFTA_RULE_TABLE, task->table->name);
	wire_put_string(&wire, NFTA_RULE_CHAIN, task->chain);
	wire_put_be64(&wire, NFTA_RULE_HANDLE, task->handle);
	wire_message_end(&wire, message);
	return netlink_ask(&walk->nft->command, &wire, take_rule, taking);
}

static void run_task(struct walk *walk, const struct task *task)
{
	struct taking taking = { .walk = walk, .task = task, .end = &taking.first };
	int r = -EAGAIN;

	if (walk->questions++ < QUESTIONS_MAX)
		r = task->handle ? ask_for_one(walk, task, &taking)
				 : ruleset_dump(walk->nft, NFT_MSG_GETRULE, task->table,
						NFTA_RULE_TABLE, NFTA_RULE_CHAIN,
						task->chain, take_rule, &taking);
	if (r < 0 || taking.lost)
		guess(walk, task);
	for (const struct kept *kept = taking.first; kept; kept = kept->next)
		look_at_rule(walk, task, kept->expressions);
}

/* --- what changed --- */

/* Its anonymous sets have new names since the commit. */
static bool asks_sets(const struct rule_view *view)
{
	for (size_t i = 0; i < view->lookup_count; i++) {
		if (!view->lookups[i].dynamic)
			return true;
	}
	return false;
}

static void collect_rule(struct walk *walk, const struct ruleset_thing *thing,
			 const struct addr *address)
{
	struct span expressions = { thing->expressions, thing->expressions_bytes };
	struct task task = {
		.table = thing->table, .chain = thing->place, .handle = thing->handle,
		.hooks = thing->chain->hooks, .address = *address,
	};
	struct rule_view view;

	rule_read(expressions, task.table->family, &view);
	if (!gives_sources(task.hooks) && asks_sets(&view))
		add_task(walk, &task);
	else
		look_at_rule(walk, &task, expressions);
}

/* The rules that ask it have nothing of their own to change. */
static void collect_set(struct walk *walk, const struct ruleset_thing *thing)
{
	const struct ruleset_set *set = ruleset_set_find(thing->table, (struct span){
		(const uint8_t *)thing->place, strlen(thing->place) });

	for (const struct ruleset_use *use = set ? set->uses : NULL; use; use = use->next) {
		struct task task = {
			.table = thing->table, .chain = use->chain->name,
			.set = set->name, .hooks = use->chain->hooks,
			.address = thing->verdict.new,
		};

		add_task(walk, &task);
	}
}

/* The elements of one set come one after the other. */
static bool same_set(const struct ruleset_thing *a, const struct ruleset_thing *b)
{
	return a && a->table == b->table && strcmp(a->place, b->place) == 0 &&
	       addr_equal(&a->verdict.new, &b->verdict.new);
}

void service_collect(struct nft *nft, const struct nft_request *request,
		     struct ruleset *ruleset, struct nft_services *services)
{
	struct walk walk = { .nft = nft, .request = request, .ruleset = ruleset,
			     .services = services, .tasks_end = &walk.tasks };
	const struct ruleset_thing *last_set = NULL;

	for (size_t i = 0; i < ruleset->thing_count; i++) {
		const struct ruleset_thing *thing = ruleset->things[i];

		if (thing->verdict.result != NFT_CHANGED)
			continue;
		if (thing->kind == NFT_RULE || thing->rule) {
			collect_rule(&walk, thing->rule ? thing->rule : thing,
				     &thing->verdict.new);
		} else if (!same_set(last_set, thing)) {
			collect_set(&walk, thing);
			last_set = thing;
		}
	}
	for (const struct task *task = walk.tasks; task; task = task->next)
		run_task(&walk, task);
}
