/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a packet: hook after hook, as the kernel's IP layers have it.
 */
#include "walk_private.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>

/* What becomes of it at a hook. */
enum fate { GOES_ON, ENDED };

/* --- hooks --- */

static const struct walk_hook *hook_of(const struct walk_state *state)
{
	return &state->walk->hooks[state->family == AF_INET6][state->hook];
}

/* From here on the connection is known, by what the packet is now. */
static void track(struct walk_state *state)
{
	bool wanted = state->walk->tracks[state->family == AF_INET6] ||
		      !addr_is_none(&state->question->assumed);

	if (state->tracking != WALK_NOT_YET || !wanted)
		return;
	state->tracking = WALK_TRACKED;
	if (state->first)
		return;
	state->original_source = state->source;
	state->original_destination = state->destination;
	state->original_source_port = state->source_port;
	state->original_destination_port = state->destination_port;
}

/* What the question says that some rule would have done. */
static void assume(struct walk_state *state)
{
	const struct walk_question *question = state->question;
	struct walk_range range = {
		.flags = NF_NAT_RANGE_MAP_IPS,
		.first = question->assumed, .last = question->assumed,
		.port_first = question->assumed_port, .port_last = question->assumed_port,
	};

	if (addr_is_none(&question->assumed) ||
	    (state->result->destination_nat.rule &&
	     addr_equal(&state->destination, &question->assumed)))
		return;
	state->destination = state->original_destination;
	state->destination_port = state->original_destination_port;
	if (question->assumed_port)
		range.flags |= NF_NAT_RANGE_PROTO_SPECIFIED;
	state->rule = NULL;
	(void)walk_nat_apply(state, true, &range);
}

/* The answer gets back what the first packet lost; no rule is asked. */
static void undo_nat(struct walk_state *state)
{
	bool destination = walk_hook_is_destination(state->hook);

	if (destination && state->status & IPS_SRC_NAT) {
		state->destination = state->original_source;
		state->destination_port = state->original_source_port;
	} else if (!destination && state->status & IPS_DST_NAT) {
		state->source = state->original_destination;
		state->source_port = state->original_destination_port;
	}
}

/*
 * The chains of type nat share one turn, and their rules one connection: once one of them
 * has set something, or all were asked, it is settled.
 */
static int run_nat(struct walk_state *state, uint32_t *ret_verdict)
{
	bool destination = walk_hook_is_destination(state->hook);
	uint32_t done = destination ? IPS_DST_NAT_DONE : IPS_SRC_NAT_DONE;
	bool settled = state->status & done;
	const struct walk_hook *hook = hook_of(state);
	int r;

	*ret_verdict = NF_ACCEPT;
	if (state->tracking != WALK_TRACKED)
		return 0;
	if (state->first) {
		undo_nat(state);
		return 0;
	}
	for (size_t i = 0; i < hook->nat_count && !(state->status & done); i++) {
		r = walk_run_chain(state, hook->nat[i], ret_verdict);
		if (r < 0 || *ret_verdict != NF_ACCEPT)
			return r;
	}
	if (destination && !settled)
		assume(state);
	state->status |= done;
	return 0;
}

static int route(struct walk_state *state, struct err *ret_err)
{
	struct router_question question = {
		.destination = state->destination, .source = state->source,
		.in = state->in ? state->in->index : 0, .mark = state->mark,
		.protocol = state->protocol, .source_port = state->source_port,
		.destination_port = state->destination_port,
	};

	walk_note(state, WALK_ROUTED, NULL, NULL, "route");
	return router_route(state->router, &question, &state->result->route, ret_err);
}

/* Packets of our own whose addresses or mark a rule changed are routed again. */
static int route_again(struct walk_state *state, struct err *ret_err)
{
	const struct router_link *in = state->in;
	struct addr source = state->source;
	int r;

	state->in = NULL;
	if (!router_owner(state->router, &source))
		state->source = (struct addr){ 0 };
	r = route(state, ret_err);
	state->in = in;
	state->source = source;
	return r;
}

/* What of a packet its route depends on. */
struct way {
	struct addr source, destination;
	uint32_t mark;
};

static struct way way_of(const struct walk_state *state)
{
	return (struct way){ state->source, state->destination, state->mark };
}

static bool same_way(const struct way *a, const struct way *b)
{
	return addr_equal(&a->source, &b->source) &&
	       addr_equal(&a->destination, &b->destination) && a->mark == b->mark;
}

static int run_turn(struct walk_state *state, const struct walk_chain *chain,
		    uint32_t *ret_verdict, struct err *ret_err)
{
	struct way before = way_of(state), after;
	bool own = state->hook == NF_INET_LOCAL_OUT;
	int r;

	if (!chain || chain->priority >= NF_IP_PRI_CONNTRACK)
		track(state);
	r = chain ? walk_run_chain(state, chain, ret_verdict) : run_nat(state, ret_verdict);
	if (r < 0)
		return err_set(ret_err, r, "the rules lead in circles");
	after = way_of(state);
	if (!own || *ret_verdict != NF_ACCEPT || same_way(&before, &after))
		return 0;
	if (!chain && addr_equal(&before.destination, &after.destination))
		return 0;
	return !chain || strcmp(chain->type, "route") == 0
		? route_again(state, ret_err) : 0;
}

static int run_hook(struct walk_state *state, unsigned number, enum fate *ret_fate,
		    struct err *ret_err)
{
	const struct walk_hook *hook;
	uint32_t verdict;
	int r;

	state->hook = number;
	hook = hook_of(state);
	*ret_fate = ENDED;
	for (size_t i = 0; i < hook->count; i++) {
		r = run_turn(state, hook->chains[i], &verdict, ret_err);
		if (r < 0)
			return r;
		if (verdict != NF_ACCEPT &&
		    (!state->question->regardless || !hook->chains[i]))
			return 0;
	}
	track(state);
	*ret_fate = GOES_ON;
	return 0;
}

/* --- ways --- */

static void end(struct walk_state *state, enum walk_end kind)
{
	state->result->end = kind;
	state->result->chain = NULL;
	state->result->at = NULL;
}

static int deliver(struct walk_state *state, struct err *ret_err)
{
	enum fate fate;
	int r;

	state->out = NULL;
	r = run_hook(state, NF_INET_LOCAL_IN, &fate, ret_err);
	if (r == 0 && fate == GOES_ON)
		end(state, WALK_LOCAL);
	return r;
}

static int leave(struct walk_state *state, struct err *ret_err)
{
	enum fate fate;
	int r;

	/* Back to where it came from the bridge itself sends it, and names no link. */
	if (state->in == state->out && state->status & IPS_DST_NAT &&
	    walk_came_by_bridge(state))
		state->in = NULL;
	r = run_hook(state, NF_INET_POST_ROUTING, &fate, ret_err);
	if (r == 0 && fate == GOES_ON)
		end(state, WALK_FORWARDED);
	if (r == 0 && fate == GOES_ON && state->out)
		state->result->out = state->out->index;
	return r;
}

/* IPv4 asks the link it came by, IPv6 all of them. */
static bool forwards(const struct walk_state *state)
{
	if (state->family == AF_INET6)
		return state->router->forwarding6 != ROUTER_OFF;
	return !state->in || state->in->forwarding4 != ROUTER_OFF;
}

static int forward(struct walk_state *state, struct err *ret_err)
{
	enum fate fate;
	int r;

	if (!forwards(state) && !state->question->regardless) {
		end(state, WALK_NO_FORWARDING);
		return 0;
	}
	state->out = router_link_of(state->router, state->result->route.out);
	r = run_hook(state, NF_INET_FORWARD, &fate, ret_err);
	if (r < 0 || fate == ENDED)
		return r;
	return leave(state, ret_err);
}

static bool is_for_us(uint8_t type)
{
	return type == RTN_LOCAL || type == RTN_BROADCAST || type == RTN_ANYCAST ||
	       type == RTN_MULTICAST;
}

/* A router that does not forward IPv4 does not say where the packet would have gone. */
static int route_in(struct walk_state *state, struct err *ret_err)
{
	int r = route(state, ret_err);

	if (r < 0 || state->result->route.error != -EHOSTUNREACH || forwards(state))
		return r;
	if (state->question->regardless)
		return route_again(state, ret_err);
	end(state, WALK_NO_FORWARDING);
	return 0;
}

static int run_in(struct walk_state *state, struct err *ret_err)
{
	const struct router_answer *answer = &state->result->route;
	enum fate fate;
	int r;

	r = run_hook(state, NF_INET_PRE_ROUTING, &fate, ret_err);
	if (r < 0 || fate == ENDED)
		return r;
	end(state, WALK_NO_ROUTE);
	r = route_in(state, ret_err);
	if (r < 0 || answer->error)
		return r;
	if (is_for_us(answer->type))
		return deliver(state, ret_err);
	return answer->type == RTN_UNICAST ? forward(state, ret_err) : 0;
}

/* To itself: it leaves by the loopback link and comes back. */
static int loop(struct walk_state *state, struct err *ret_err)
{
	enum fate fate;
	int r;

	r = run_hook(state, NF_INET_POST_ROUTING, &fate, ret_err);
	if (r < 0 || fate == ENDED)
		return r;
	state->in = state->out;
	state->out = NULL;
	r = run_hook(state, NF_INET_PRE_ROUTING, &fate, ret_err);
	if (r < 0 || fate == ENDED)
		return r;
	return deliver(state, ret_err);
}

static const struct router_link *loopback(const struct router *router)
{
	for (size_t i = 0; i < router->link_count; i++) {
		if (router->links[i].loopback)
			return &router->links[i];
	}
	return NULL;
}

/* Routes to ourselves lead over the loopback link, whatever link has the address. */
static const struct router_link *way_out(const struct walk_state *state)
{
	const struct router_answer *answer = &state->result->route;

	return answer->type == RTN_LOCAL ? loopback(state->router)
					 : router_link_of(state->router, answer->out);
}

static int run_own(struct walk_state *state, struct err *ret_err)
{
	const struct router_answer *answer = &state->result->route;
	enum fate fate;
	int r;

	end(state, WALK_NO_ROUTE);
	r = route(state, ret_err);
	if (r < 0 || answer->error)
		return r;
	if (addr_is_none(&state->source))
		state->source = answer->source;
	state->out = way_out(state);
	r = run_hook(state, NF_INET_LOCAL_OUT, &fate, ret_err);
	if (r < 0 || fate == ENDED)
		return r;
	end(state, WALK_NO_ROUTE);
	if (answer->error)
		return 0;
	state->out = way_out(state);
	if (is_for_us(answer->type))
		return loop(state, ret_err);
	return answer->type == RTN_UNICAST ? leave(state, ret_err) : 0;
}

void walk_begin(struct walk_state *state, const struct walk *walk,
		const struct router *router, const struct walk_question *question,
		struct walk_result *result)
{
	const struct walk_packet *packet = &question->packet;

	*state = (struct walk_state){
		.walk = walk, .router = router, .question = question, .result = result,
		.family = packet->destination.family, .own = packet->in == 0,
		.in = packet->in ? router_link_of(router, packet->in) : NULL,
		.protocol = packet->protocol, .source = packet->source,
		.destination = packet->destination, .source_port = packet->source_port,
		.destination_port = packet->destination_port, .mark = packet->mark,
		.mark_known = true, .ct_mark_known = true,
	};
}

static int check(const struct walk_state *state, struct err *ret_err)
{
	const struct walk_packet *packet = &state->question->packet;

	if (state->family != AF_INET && state->family != AF_INET6)
		return err_set(ret_err, -EINVAL, "a packet needs a destination");
	if (packet->source.family != state->family &&
	    !(state->own && addr_is_none(&packet->source)))
		return err_set(ret_err, -EINVAL, "a packet's addresses are of one family");
	if (!state->own && !state->in)
		return err_set(ret_err, -ENODEV, "there is no such link");
	return 0;
}

static int run(struct walk_state *state, struct err *ret_err)
{
	struct walk_result *result = state->result;
	int r = check(state, ret_err);

	if (r < 0)
		return r;
	memset(result, 0, sizeof(*result));
	r = state->own ? run_own(state, ret_err) : run_in(state, ret_err);
	result->source = state->source;
	result->destination = state->destination;
	result->source_port = state->source_port;
	result->destination_port = state->destination_port;
	result->mark = state->mark;
	result->connection_mark = state->ct_mark;
	result->connection_mark_known = state->ct_mark_known;
	return r;
}

int walk_run(const struct walk *walk, const struct router *router,
	     const struct walk_question *question, struct walk_result *ret_result,
	     struct err *ret_err)
{
	struct walk_state state;

	walk_begin(&state, walk, router, question, ret_result);
	return run(&state, ret_err);
}

/* --- the answer --- */

/* It comes from where the first packet goes by now, or went. */
struct walk_host walk_answering(const struct walk_state *state)
{
	if (state->first)
		return (struct walk_host){ state->first->destination,
					   state->first->destination_port };
	return (struct walk_host){ state->destination, state->destination_port };
}

struct walk_host walk_answered(const struct walk_state *state)
{
	if (state->first)
		return (struct walk_host){ state->first->source,
					   state->first->source_port };
	return (struct walk_host){ state->source, state->source_port };
}

/* It belongs to a connection that both sides have been heard of. */
static void join(struct walk_state *state, const struct walk_packet *packet,
		 const struct walk_result *first)
{
	state->first = first;
	state->ct_mark = first->connection_mark;
	state->ct_mark_known = first->connection_mark_known;
	state->original_source = packet->source;
	state->original_destination = packet->destination;
	state->original_source_port = packet->source_port;
	state->original_destination_port = packet->destination_port;
	state->status = IPS_SEEN_REPLY | IPS_CONFIRMED | IPS_NAT_DONE_MASK;
	if (!addr_equal(&packet->source, &first->source) ||
	    packet->source_port != first->source_port)
		state->status |= IPS_SRC_NAT;
	if (!addr_equal(&packet->destination, &first->destination) ||
	    packet->destination_port != first->destination_port)
		state->status |= IPS_DST_NAT;
}

int walk_back(const struct walk *walk, const struct router *router,
	      const struct walk_packet *packet, const struct walk_result *first,
	      struct walk_result *ret_result, struct err *ret_err)
{
	const struct walk_question answer = { .packet = {
		.protocol = packet->protocol,
		.source = first->destination, .source_port = first->destination_port,
		.destination = first->source, .destination_port = first->source_port,
		.in = first->out,
	} };
	struct walk_state state;

	if (first->end != WALK_FORWARDED)
		return err_set(ret_err, -EINVAL, "only what was forwarded is answered");
	walk_begin(&state, walk, router, &answer, ret_result);
	join(&state, packet, first);
	return run(&state, ret_err);
}
