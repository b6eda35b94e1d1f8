/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A patient made by hand: links, forwards, rules, what the daemon says and what names
 * resolve to. Doubles of walk, router and the resolver; what is found is compared as
 * "verdict code (subject)", a line each.
 */
#ifndef HAIRPIN_TESTS_DOCTOR_ROOM_H
#define HAIRPIN_TESTS_DOCTOR_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/names_ask.h"
#include "doctor/surroundings.h"

struct room {
	struct patient patient;
	struct doctor_options options;
	struct router router;
	struct router_link links[4];
	struct config config;
	struct config_wan config_wan;
	struct json *status;
	struct patient_forward forwards[2];
};

/* --- doubles --- */

static struct {
	const struct walk_table *tables;
	const struct walk_chain *chains;
	size_t table_count, chain_count;
	uint32_t refused_link;		/* by rp_filter */
	enum name_answer answer;	/* of each name */
	const char *address;
	int64_t ttl_s;
} fake;

const struct walk_table *walk_table(const struct walk *walk, size_t index)
{
	(void)walk;
	return index < fake.table_count ? &fake.tables[index] : NULL;
}

const struct walk_chain *walk_chain(const struct walk *walk, size_t index)
{
	(void)walk;
	return index < fake.chain_count ? &fake.chains[index] : NULL;
}

int router_route(const struct router *router, const struct router_question *question,
		 struct router_answer *ret_answer, struct err *ret_err)
{
	(void)router;
	(void)ret_err;
	*ret_answer = (struct router_answer){ 0 };
	if (question->in == fake.refused_link)
		ret_answer->error = -EXDEV;
	return 0;
}

void names_ask(struct name_question *questions, size_t count, int64_t limit_ms)
{
	size_t i;

	assert_true(limit_ms > 0);
	for (i = 0; i < count; i++) {
		assert_null(strchr(questions[i].name, '*'));
		questions[i].result = fake.answer;
		questions[i].count = fake.address != NULL;
		questions[i].ttl_s = fake.ttl_s;
		if (fake.address)
			assert_true(addr_parse(fake.address, &questions[i].answers[0]));
	}
}

/* --- the patient --- */

static inline struct addr address(const char *text)
{
	struct addr parsed = { 0 };

	if (*text)
		assert_true(addr_parse(text, &parsed));
	return parsed;
}

static inline int room_set_up(void **state)
{
	struct room *room = calloc(1, sizeof(*room));
	struct patient *patient = &room->patient;
	struct err err;

	memset(&fake, 0, sizeof(fake));
	room->links[0] = (struct router_link){ .index = 1, .name = "wan0", .up = true,
					       .forwarding4 = ROUTER_ON };
	room->links[1] = (struct router_link){ .index = 2, .name = "br0", .up = true,
					       .kind = "bridge",
					       .forwarding4 = ROUTER_ON };
	room->links[2] = (struct router_link){ .index = 3, .name = "lan1", .up = true,
					       .master = 2, .forwarding4 = ROUTER_ON };
	room->links[3] = (struct router_link){ .index = 4, .name = "lan2", .up = true,
					       .master = 2, .forwarding4 = ROUTER_ON };
	room->router = (struct router){ .links = room->links, .link_count = 4,
					.forwarding4 = ROUTER_ON,
					.forwarding6 = ROUTER_ON };
	room->config.wans = &room->config_wan;
	room->config.wan_count = 1;
	room->options.root = "/nonexistent";
	patient->options = &room->options;
	patient->router = &room->router;
	patient->wan_count = 1;
	patient->wans[0] = (struct patient_wan){
		.name = "fibre", .link = &room->links[0], .outer_from = "interface",
		.own = address("81.2.69.7"), .outer = address("81.2.69.7"),
	};
	assert_int_equal(tag_init(&patient->wans[0].tag, "hairpin", &err), 0);
	patient->network_count = 1;
	patient->networks[0] = (struct patient_network){
		.link = &room->links[1], .router = address("192.168.1.1"), .bits = 24,
		.client = address("192.168.1.200"), .text = "192.168.1.0/24 on br0",
	};
	room->forwards[0] = (struct patient_forward){
		.protocol = IPPROTO_TCP, .port = 443, .port_last = 443,
		.server = address("192.168.1.2"), .server_port = 443,
		.wan = &patient->wans[0], .subject = "443/tcp to 192.168.1.2",
	};
	patient->forwards = room->forwards;
	report_begin(&patient->report);
	*state = room;
	return 0;
}

static inline int room_tear_down(void **state)
{
	struct room *room = *state;

	tag_done(&room->patient.wans[0].tag);
	rule_texts_done(&room->patient);
	files_done(&room->patient);
	report_done(&room->patient.report);
	json_free(room->status);
	free(room);
	return 0;
}

static inline void room_says(struct room *room, const char *status)
{
	struct json_error error;

	json_free(room->status);
	room->status = json_parse(status, strlen(status), JSON_STRICT, &error);
	if (!room->status)
		fail_msg("%s", error.text);
	room->options.status = room->status;
}

/* What was found since the last time. */
static inline void room_expect(struct room *room, const char *expected)
{
	struct report *report = &room->patient.report;
	TEXT_CLEANUP struct text found = TEXT_INIT;
	const struct json *check = json_child(report->checks);
	const char *subject;

	for (; check; check = json_next(check)) {
		subject = json_string(json_get(check, "subject"));
		text_addf(&found, "%s %s (%s)\n", json_string(json_get(check, "verdict")),
			  json_string(json_get(check, "code")), subject ? subject : "");
		assert_true(strlen(json_string(json_get(check, "text"))) > 5);
	}
	assert_string_equal(found.bytes, expected);
	report_done(report);
	report_begin(report);
}

#define room_test(function) \
	cmocka_unit_test_setup_teardown(function, room_set_up, room_tear_down)

#endif
