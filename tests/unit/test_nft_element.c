/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements of sets and what becomes of them: tables of sets before and after, and the
 * markers in which intervals travel.
 */
#include "element_room.h"

/* --- for a WAN --- */

struct wan_case {
	unsigned flags;
	const char *before, *after;
	enum nft_result result;
	const char *reason;		/* part of it */
};

static void decide(struct room *room, const struct wan_case *c, struct element_claim *claim)
{
	struct addr former[] = { address(OLD), address("203.0.113.2") };
	struct nft_target target = { .ipv4 = address(NEW), .former = former,
				     .former_count = c->flags & FORGETFUL ? 0 : 2 };
	struct policy policy = { .target = &target };
	struct element_ask ask = { .policy = &policy, .keys = room->set.image.keys,
				   .data = room->set.image.data, .lone = c->flags & LONE,
				   .claim = claim };

	assert_int_equal(element_decide(&room->set.image, &ask), 0);
}

static const struct wan_case wan_cases[] = {
	{ PLAIN, OLD " 10.0.0.1", NEW " 10.0.0.1", NFT_CHANGED, 0 },
	{ PLAIN, OLD " " NEW, NEW, NFT_CHANGED, 0 },
	{ PLAIN, "203.0.113.2 " OLD, NEW, NFT_CHANGED, 0 },
	{ PLAIN, NEW " 10.0.0.1", NEW " 10.0.0.1", NFT_UNCHANGED, 0 },
	{ PLAIN, "10.0.0.1 10.0.0.2", "10.0.0.1 10.0.0.2", NFT_SKIPPED, "ever was" },
	{ FORGETFUL, OLD " 10.0.0.2", OLD " 10.0.0.2", NFT_SKIPPED, "no former" },
	{ LONE, "10.0.0.1", NEW, NFT_CHANGED, 0 },
	{ LONE, "10.0.0.1 10.0.0.2", "10.0.0.1 10.0.0.2", NFT_SKIPPED, "ever was" },
	{ PLAIN, "", "", NFT_SKIPPED, "is empty" },
	{ PAIRS, OLD ":80 " OLD ":81 10.0.0.1:80", NEW ":80 " NEW ":81 10.0.0.1:80",
	  NFT_CHANGED, 0 },
	{ PAIRS, OLD ":80 203.0.113.2:80 " OLD ":81", NEW ":80 " NEW ":81", NFT_CHANGED, 0 },
	{ PAIRS, OLD ":80 " NEW ":80 " NEW ":81", NEW ":80 " NEW ":81", NFT_CHANGED, 0 },
	{ MAP, OLD "=10.0.0.1 " NEW "=10.0.0.1", NEW "=10.0.0.1", NFT_CHANGED, 0 },
	{ MAP, OLD "=10.0.0.1 " NEW "=10.0.0.2", OLD "=10.0.0.1 " NEW "=10.0.0.2",
	  NFT_SKIPPED, "other data" },
	{ MAP, "10.0.0.1=" OLD " 10.0.0.2=10.0.0.3", "10.0.0.1=" NEW " 10.0.0.2=10.0.0.3",
	  NFT_CHANGED, 0 },
	{ MAP, OLD "=203.0.113.2", NEW "=" NEW, NFT_CHANGED, 0 },
	{ MAP, NEW "=" OLD, NEW "=" NEW, NFT_CHANGED, 0 },
	/* An only element of a map: which address is meant? */
	{ MAP | LONE, "203.0.113.77=10.0.0.1", NEW "=10.0.0.1", NFT_CHANGED, 0 },
	{ MAP | LONE, "10.0.0.1=" OLD, "10.0.0.1=" NEW, NFT_CHANGED, 0 },
	{ MAP | LONE, "10.0.0.1=" NEW, "10.0.0.1=" NEW, NFT_UNCHANGED, 0 },
	{ MAP | LONE, "10.0.0.1=81.2.69.1", "10.0.0.1=81.2.69.1", NFT_SKIPPED, "ever was" },
	/* Behind another NAT the WAN's own address is not global either. */
	{ MAP | LONE, "10.0.0.1=100.64.0.9", "10.0.0.1=100.64.0.9", NFT_SKIPPED, "ever was" },
	{ MAP | LONE, "10.0.0.1=10.0.0.2", NEW "=10.0.0.2", NFT_CHANGED, 0 },
	/* Intervals: adjacent ones, wide ones, such as hold the new address already. */
	{ INTERVAL, OLD " 203.0.113.3", NEW " 203.0.113.3", NFT_CHANGED, 0 },
	{ INTERVAL, "203.0.113.0 " OLD " 203.0.113.3", "203.0.113.0 " NEW " 203.0.113.3",
	  NFT_CHANGED, 0 },
	{ INTERVAL, OLD "-203.0.113.9", OLD "-203.0.113.9", NFT_SKIPPED, "range" },
	{ INTERVAL | LONE, OLD "-203.0.113.9", OLD "-203.0.113.9", NFT_SKIPPED, "range" },
	{ INTERVAL, "198.51.100.0-198.51.100.255 " OLD, "198.51.100.0-198.51.100.255",
	  NFT_CHANGED, 0 },
	{ INTERVAL | MAP, "198.51.100.0-198.51.100.255=10.0.0.1 " OLD "=10.0.0.2",
	  "198.51.100.0-198.51.100.255=10.0.0.1 " OLD "=10.0.0.2", NFT_SKIPPED, "other data" },
	{ INTERVAL, "0.0.0.0-0.255.255.255 " OLD " 255.255.255.254-255.255.255.255",
	  "0.0.0.0-0.255.255.255 " NEW " 255.255.255.254-255.255.255.255", NFT_CHANGED, 0 },
	{ INTERVAL | MAP | ANONYMOUS, OLD "=10.0.0.1 203.0.113.2-203.0.113.9=10.0.0.2",
	  NEW "=10.0.0.1 203.0.113.2-203.0.113.9=10.0.0.2", NFT_CHANGED, 0 },
	{ INTERVAL | MAP | ANONYMOUS, "203.0.113.0=10.0.0.1 " OLD "=10.0.0.2 "
	  "203.0.113.2=10.0.0.3", "203.0.113.0=10.0.0.1 " NEW "=10.0.0.2 "
	  "203.0.113.2=10.0.0.3", NFT_CHANGED, 0 },
	{ RANGED, OLD ":80-90 10.0.0.0-10.0.0.255:1", NEW ":80-90 10.0.0.0-10.0.0.255:1",
	  NFT_CHANGED, 0 },
	{ RANGED, OLD ":80-90 " NEW ":70-100", NEW ":70-100", NFT_CHANGED, 0 },
	{ RANGED, OLD ":80-90 " NEW ":85-95", OLD ":80-90 " NEW ":85-95", NFT_SKIPPED,
	  "overlap" },
	{ RANGED, OLD ":80 198.51.0.0-198.51.255.255:1-79",
	  NEW ":80 198.51.0.0-198.51.255.255:1-79", NFT_CHANGED, 0 },
};

/* Reads the elements that a twin's messages bring. */
static void expect_twin(const struct room *room, const struct element_image *image)
{
	static const struct ruleset_table table = { .family = NFPROTO_IPV4, .name = "t" };
	struct wire wire WIRE_CLEANUP = { 0 };
	char decided[2048], made[2048];
	struct element_piece *first = NULL, **end = &first;
	struct arena arena = { 0 };
	struct element_image twin;
	uint32_t seq = 0;
	int left;

	assert_int_equal(set_write_twin(NULL, &wire, &table, "s", &room->set.header,
					&room->set, 1, &seq), 0);
	left = (int)wire.length;
	for (const struct nlmsghdr *message = (const void *)wire.bytes;
	     mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if ((message->nlmsg_type & 0xff) != NFT_MSG_NEWSETELEM)
			continue;
		*end = arena_alloc(&arena, sizeof(**end));
		(*end)->list = attr_nest(attr_of_message(message, sizeof(struct nfgenmsg)),
					 NFTA_SET_ELEM_LIST_ELEMENTS);
		end = &(*end)->next;
	}
	element_image_init(&twin, &arena, room->set.header.attributes);
	assert_int_equal(element_image_fill(&twin, first), 0);
	assert_false(twin.broken);
	strcpy(made, write_image(&twin));
	strcpy(decided, write_image(image));
	/* Twins are in order: one that moved stands elsewhere. */
	assert_int_equal(strlen(made), strlen(decided));
	for (char *word = strtok(decided, " "); word; word = strtok(NULL, " "))
		assert_non_null(strstr(made, word));
	arena_done(&arena);
}

static void former_addresses_in_sets_follow(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wan_cases) / sizeof(wan_cases[0]); i++) {
		const struct wan_case *c = &wan_cases[i];
		struct element_claim claim = { 0 };
		struct room room;

		room_open(&room, c->flags, c->before);
		decide(&room, c, &claim);
		if (strcmp(write_image(&room.set.image), c->after) != 0)
			fail_msg("\"%s\" becomes \"%s\", not \"%s\" (%s)", c->before,
				 write_image(&room.set.image), c->after,
				 claim.change.reason ? claim.change.reason : "");
		assert_int_equal(claim.change.result, c->result);
		if (c->reason && !strstr(claim.change.reason, c->reason))
			fail_msg("\"%s\": %s", c->before, claim.change.reason);
		expect_twin(&room, &room.set.image);
		element_undo(&room.set.image, &claim);
		assert_null(room.set.image.edits);
		room_close(&room);
	}
}

/* --- elements with comments of their own --- */

static void each_tagged_element_has_its_own_verdict(void **state)
{
	struct element_claim claims[3] = { { .target = 0 }, { .target = 0 }, { .target = 1 } };
	struct nft_target target = { .ipv4 = address(NEW) };
	struct policy policy = { .target = &target };
	struct room room;

	(void)state;
	room_open(&room, PLAIN, "10.0.0.1#a 10.0.0.2#b " OLD "#c 10.0.0.4");
	for (size_t i = 0; i < 3; i++)
		room.set.image.members[i].claim = &claims[i];
	struct element_ask ask = { .policy = &policy, .keys = room.set.image.keys };
	assert_int_equal(element_decide(&room.set.image, &ask), 0);
	assert_string_equal(write_image(&room.set.image), NEW " 10.0.0.2 " OLD " 10.0.0.4");
	assert_int_equal(claims[0].change.result, NFT_CHANGED);
	/* Two cannot become one, and with the second its tag would go. */
	assert_int_equal(claims[1].change.result, NFT_SKIPPED);
	assert_non_null(strstr(claims[1].change.reason, "another element"));

	/* Those of the other WAN count on what has been decided. */
	target.ipv4 = address("10.0.0.1");
	ask.target = 1;
	assert_int_equal(element_decide(&room.set.image, &ask), 0);
	assert_string_equal(write_image(&room.set.image), NEW " 10.0.0.2 10.0.0.1 10.0.0.4");
	element_undo(&room.set.image, &claims[0]);
	assert_string_equal(write_image(&room.set.image),
			    "10.0.0.1 10.0.0.2 10.0.0.1 10.0.0.4");
	element_undo(&room.set.image, NULL);
	assert_string_equal(write_image(&room.set.image), "10.0.0.1 10.0.0.2 " OLD
							  " 10.0.0.4");
	room_close(&room);
}

/* --- for a DNS name --- */

#define A "81.2.69.1"
#define B "81.2.69.2"

struct name_case {
	unsigned flags;
	const char *before, *addresses, *after;
	enum nft_result result;
	const char *reason;
};

static const struct name_case name_cases[] = {
	{ PLAIN, "", A " " B, B " " A, NFT_CHANGED, 0 },
	{ PLAIN, "10.0.0.1 " B, A " " B " " A, B " " A, NFT_CHANGED, 0 },
	{ PLAIN, A " " B, B " " A, A " " B, NFT_UNCHANGED, 0 },
	{ PLAIN, A " " B, B, B, NFT_CHANGED, 0 },
	{ PLAIN, A " " B, "", A " " B, NFT_SKIPPED, "no IPv4 address" },
	{ PLAIN, A " " B, "2001:db8::1", A " " B, NFT_SKIPPED, "no IPv4 address" },
	{ INTERVAL, A "-" B " 10.0.0.1", A " " B, B " " A, NFT_CHANGED, 0 },
	{ INTERVAL, A " 81.2.69.3", A " " B " 81.2.69.3", A " 81.2.69.3 " B, NFT_CHANGED, 0 },
	{ PAIRS, "10.0.0.1:80 10.0.0.2:443", A " " B, B ":443 " A ":443 " B ":80 " A ":80",
	  NFT_CHANGED, 0 },
	{ PAIRS, "", A, "", NFT_SKIPPED, "is empty" },
	{ RANGED, "10.0.0.1:80-90 10.0.0.0-10.0.0.9:443", A, A ":443 " A ":80-90",
	  NFT_CHANGED, 0 },
	{ MAP, "10.0.0.1=1.1.1.1", A, A, NFT_CHANGED, 0 },
	{ MAP, "10.0.0.1=1.1.1.1 " A "=1.1.1.2", A, "10.0.0.1=1.1.1.1 " A "=1.1.1.2",
	  NFT_SKIPPED, "differ" },
	{ MAP, "", A, "", NFT_SKIPPED, "is empty" },
};

static size_t read_addresses(const char *text, struct addr *ret_list)
{
	char copy[256], *left = copy;
	size_t count = 0;

	strcpy(copy, text);
	for (char *word; (word = strsep(&left, " "));) {
		if (*word)
			ret_list[count++] = address(word);
	}
	return count;
}

static void sets_hold_what_names_resolve_to(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(name_cases) / sizeof(name_cases[0]); i++) {
		const struct name_case *c = &name_cases[i];
		struct element_claim claim = { 0 };
		struct addr list[8];
		struct element_hold hold = { .addresses = list, .claim = &claim };
		struct room room;

		hold.count = read_addresses(c->addresses, list);
		room_open(&room, c->flags, c->before);
		assert_int_equal(element_decide_hold(&room.set.image, &hold), 0);
		if (strcmp(write_image(&room.set.image), c->after) != 0)
			fail_msg("\"%s\" becomes \"%s\", not \"%s\" (%s)", c->before,
				 write_image(&room.set.image), c->after,
				 claim.change.reason ? claim.change.reason : "");
		assert_int_equal(claim.change.result, c->result);
		if (c->reason && !strstr(claim.change.reason, c->reason))
			fail_msg("\"%s\": %s", c->before, claim.change.reason);
		room_close(&room);
	}
}

/* What others hold is theirs, and the last element of a name keeps its comment. */
static void names_of_elements_leave_others_alone(void **state)
{
	struct addr list[] = { address(A), address(B) };
	struct element_claim claim = { 0 };
	struct element_hold hold = { list, 2, true, &claim };
	struct room room;

	(void)state;
	room_open(&room, PLAIN, "10.0.0.1#x " A " 10.0.0.3");
	room.set.image.members[0].claim = &claim;
	assert_int_equal(element_decide_hold(&room.set.image, &hold), 0);
	assert_string_equal(write_image(&room.set.image), A " 10.0.0.3 " B);
	element_undo(&room.set.image, NULL);
	hold.count = 1;
	assert_int_equal(element_decide_hold(&room.set.image, &hold), 0);
	assert_string_equal(write_image(&room.set.image), "10.0.0.1 " A " 10.0.0.3");
	assert_int_equal(claim.change.result, NFT_SKIPPED);
	room_close(&room);
}

/* Of two names with one address the second keeps its element, and so its comment. */
static void names_may_share_an_address(void **state)
{
	struct addr list[] = { address(A), address(B) };
	struct element_claim claims[2] = { 0 };
	struct element_hold hold = { list, 2, true, &claims[0] };
	struct room room;

	(void)state;
	room_open(&room, PLAIN, "10.0.0.1#x 10.0.0.2#y");
	for (size_t i = 0; i < 2; i++)
		room.set.image.members[i].claim = &claims[i];
	assert_int_equal(element_decide_hold(&room.set.image, &hold), 0);
	hold.claim = &claims[1];
	hold.count = 1;
	assert_int_equal(element_decide_hold(&room.set.image, &hold), 0);
	assert_string_equal(write_image(&room.set.image), "10.0.0.2 " B " " A);
	assert_int_equal(claims[0].change.result, NFT_CHANGED);
	assert_int_equal(claims[1].change.result, NFT_SKIPPED);
	assert_non_null(strstr(claims[1].change.reason, "other elements"));

	/* The same where there is an address left for the second. */
	element_undo(&room.set.image, NULL);
	hold.claim = &claims[0];
	assert_int_equal(element_decide_hold(&room.set.image, &hold), 0);
	hold.claim = &claims[1];
	hold.count = 2;
	assert_int_equal(element_decide_hold(&room.set.image, &hold), 0);
	assert_string_equal(write_image(&room.set.image), B " " A);
	room_close(&room);
}

/* --- types --- */

static void types_of_keys_tell_where_addresses_stand(void **state)
{
	static const struct {
		uint32_t type, bytes;
		bool known;
		size_t count;
		uint8_t first, second;
	} cases[] = {
		{ 7, 4, true, 1, 0, 0 },
		{ 8, 16, true, 1, 0, 0 },
		{ 8, 4, false, 0, 0, 0 },
		{ 13, 2, true, 0, 0, 0 },
		{ 7 << 6 | 13, 8, true, 1, 0, 0 },
		{ 13 << 6 | 7, 8, true, 1, 4, 0 },
		{ 7 << 12 | 13 << 6 | 7, 12, true, 2, 0, 8 },
		{ 41 << 12 | 8 << 6 | 12, 36, true, 1, 16, 0 },
		{ 7 << 6 | 13, 12, false, 0, 0, 0 },
		/* A field of no fixed length has what the others leave. */
		{ 4 << 6 | 7, 12, true, 1, 8, 0 },
		{ 7 << 6 | 4, 12, true, 1, 0, 0 },
		{ 4 << 12 | 4 << 6 | 7, 12, false, 0, 0, 0 },
		{ 63 << 6 | 7, 8, true, 1, 4, 0 },
		{ 7, 5, false, 0, 0, 0 },
		{ 0, 4, false, 0, 0, 0 },
		{ UINT32_MAX, 64, false, 0, 0, 0 },
		{ 7 << 6 | 7, 128, false, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct element_fields fields = { .count = 0 };
		bool known = element_fields_read(cases[i].type, cases[i].bytes, &fields);

		if (known != cases[i].known || fields.count != cases[i].count)
			fail_msg("type %#x of %u bytes", cases[i].type, cases[i].bytes);
		if (fields.count > 0)
			assert_int_equal(fields.list[0].at, cases[i].first);
		if (fields.count > 1)
			assert_int_equal(fields.list[1].at, cases[i].second);
	}
}

/* Markers that make no intervals, keys of wrong lengths: nothing is decided. */
static void what_cannot_be_is_left_alone(void **state)
{
	static const uint8_t one[4] = { 10, 0, 0, 1 }, two[4] = { 10, 0, 0, 2 };
	static const uint8_t zero[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct element_claim claim = { 0 };
		struct wan_case any = { .flags = LONE };
		struct room room;

		room_open(&room, i == 3 ? PLAIN : INTERVAL, "");
		room.elements.length = 0;
		if (i == 0) {
			put_marker(&room.elements, one, NULL);
			put_marker(&room.elements, two, NULL);
		} else if (i == 1) {
			put_marker(&room.elements, one, &(struct token){ 0 });
			put_marker(&room.elements, one, &(struct token){ 0 });
		} else if (i == 2) {
			put_marker(&room.elements, zero, NULL);
			put_marker(&room.elements, zero, NULL);
		} else {
			size_t nest = wire_nest(&room.elements, NFTA_LIST_ELEM);

			put_value(&room.elements, NFTA_SET_ELEM_KEY, one, 3);
			wire_nest_end(&room.elements, nest);
		}
		room.piece.list = (struct span){ room.elements.bytes, room.elements.length };
		assert_int_equal(element_image_fill(&room.set.image, &room.piece), 0);
		assert_true(room.set.image.broken);
		decide(&room, &any, &claim);
		assert_null(room.set.image.edits);
		assert_int_equal(claim.change.result, NFT_SKIPPED);
		room_close(&room);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(former_addresses_in_sets_follow),
		cmocka_unit_test(each_tagged_element_has_its_own_verdict),
		cmocka_unit_test(sets_hold_what_names_resolve_to),
		cmocka_unit_test(names_of_elements_leave_others_alone),
		cmocka_unit_test(names_may_share_an_address),
		cmocka_unit_test(types_of_keys_tell_where_addresses_stand),
		cmocka_unit_test(what_cannot_be_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
