/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The WAN's address: which of several, and when it counts as changed or lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "hairpin/wan.h"

#define A "81.2.69.1"
#define B "81.2.69.2"
#define C "81.2.70.3"
#define A6 "2a00:1450::a"
#define B6 "2a00:1450::b"

/* One address as the kernel dumps it. */
struct dumped {
	const char *address;
	uint32_t flags;
	uint8_t scope;
};

struct choice {
	const char *what;
	const char *current;		/* NULL: none */
	struct dumped dump[4];
	const char *chosen;		/* NULL: none */
};

static struct addr address(const char *text)
{
	struct addr addr = { 0 };

	if (text)
		assert_true(addr_parse(text, &addr));
	return addr;
}

static const struct choice choices_ipv4[] = {
	{ "nothing there", A, { { 0 } }, NULL },
	{ "the only one", NULL, { { A, IFA_F_PERMANENT, 0 } }, A },
	{ "primary before secondary",
	  NULL,
	  { { A, IFA_F_SECONDARY, 0 }, { B, 0, 0 } },
	  B },
	{ "only a secondary is left", NULL, { { A, IFA_F_SECONDARY, 0 } }, A },
	{ "two primaries: dump order", NULL, { { C, 0, 0 }, { A, 0, 0 } }, C },
	{ "the current one stays", A, { { C, 0, 0 }, { A, 0, 0 } }, A },
	{ "make before break", A, { { A, 0, 0 }, { B, 0, 0 } }, A },
	{ "and broken", A, { { B, 0, 0 } }, B },
	{ "current became secondary: stays",
	  A,
	  { { B, 0, 0 }, { A, IFA_F_SECONDARY, 0 } },
	  A },
	{ "promoted secondary", A, { { B, 0, 0 } }, B },
	{ "alias added for a moment", A, { { A, 0, 0 }, { C, IFA_F_SECONDARY, 0 } }, A },
	{ "replaced prefix length: twice the same", A, { { A, 0, 0 }, { A, 0, 0 } }, A },
	{ "deprecated is left", A, { { A, IFA_F_DEPRECATED, 0 }, { B, 0, 0 } }, B },
	{ "deprecated entry, but usable in another",
	  A,
	  { { B, 0, 0 }, { A, IFA_F_DEPRECATED, 0 }, { A, 0, 0 } },
	  A },
	{ "tentative", NULL, { { A, IFA_F_TENTATIVE, 0 } }, NULL },
	{ "link scope", NULL, { { "169.254.1.1", 0, RT_SCOPE_LINK } }, NULL },
	{ "host scope", NULL, { { "127.0.0.1", 0, RT_SCOPE_HOST } }, NULL },
	{ "private is usable, not to be published",
	  NULL,
	  { { "192.168.1.2", 0, 0 } },
	  "192.168.1.2" },
	{ "other family", NULL, { { A6, 0, 0 } }, NULL },
};

static const struct choice choices_ipv6[] = {
	{ "the only one", NULL, { { A6, 0, 0 } }, A6 },
	{ "temporary is passed over",
	  NULL,
	  { { B6, IFA_F_TEMPORARY, 0 }, { A6, 0, 0 } },
	  A6 },
	{ "only temporary", NULL, { { B6, IFA_F_TEMPORARY, 0 } }, NULL },
	{ "base of temporaries", NULL, { { A6, IFA_F_MANAGETEMPADDR, 0 } }, A6 },
	{ "tentative", NULL, { { A6, IFA_F_TENTATIVE, 0 } }, NULL },
	{ "duplicate", NULL, { { A6, IFA_F_TENTATIVE | IFA_F_DADFAILED, 0 } }, NULL },
	{ "failed alone", NULL, { { A6, IFA_F_DADFAILED, 0 } }, NULL },
	{ "unique-local", NULL, { { "fd00::1", 0, 0 }, { A6, 0, 0 } }, A6 },
	{ "link-local", NULL, { { "fe80::1", 0, RT_SCOPE_LINK } }, NULL },
	{ "link-local of wrong scope", NULL, { { "fe80::1", 0, 0 } }, NULL },
	{ "new prefix, old one deprecated",
	  A6,
	  { { B6, 0, 0 }, { A6, IFA_F_DEPRECATED, 0 } },
	  B6 },
};

/* The first bits of what is chosen, the current ones first. */
static const struct prefix_choice {
	const char *what;
	unsigned bits;
	const char *current;
	struct dumped dump[4];
	const char *chosen;
} choices_prefix[] = {
	{ "of the only one", 64, NULL, { { "2a00:1:2:3::a", 0, 0 } }, "2a00:1:2:3::" },
	{ "not on a byte", 60, NULL, { { "2a00:1:2:3f::a", 0, 0 } }, "2a00:1:2:30::" },
	{ "one bit", 1, NULL, { { "2a00::1", 0, 0 } }, "::" },
	{ "all bits", 128, NULL, { { "2a00::1", 0, 0 } }, "2a00::1" },
	{ "none usable", 64, "2a00:1:2:3::",
	  { { "2a00:1:2:3::a", IFA_F_DEPRECATED, 0 } }, NULL },
	{ "unique-local is no delegated one", 64, NULL,
	  { { "fd00::1", 0, 0 }, { "fe80::1", 0, RT_SCOPE_LINK } }, NULL },
	{ "make before break", 64, "2a00:1:2:3::",
	  { { "2a00:9::a", 0, 0 }, { "2a00:1:2:3::b", 0, 0 } }, "2a00:1:2:3::" },
	{ "and broken", 64, "2a00:1:2:3::",
	  { { "2a00:9::a", 0, 0 }, { "2a00:1:2:3::b", IFA_F_DEPRECATED, 0 } },
	  "2a00:9::" },
	{ "another address of the same", 64, "2a00:1:2:3::",
	  { { "2a00:1:2:3::c", 0, 0 } }, "2a00:1:2:3::" },
};

static void prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(choices_prefix) / sizeof(choices_prefix[0]); i++) {
		const struct prefix_choice *c = &choices_prefix[i];
		struct wan_candidate candidates[4] = { 0 };
		struct addr current = address(c->current), wanted = address(c->chosen),
			    chosen;
		size_t n = 0;

		for (; n < 4 && c->dump[n].address; n++) {
			candidates[n].address = address(c->dump[n].address);
			candidates[n].flags = c->dump[n].flags;
			candidates[n].scope = c->dump[n].scope;
		}
		chosen = wan_choose_prefix(c->bits, candidates, n, &current);
		if (!addr_equal(&chosen, &wanted))
			fail_msg("%s", c->what);
	}
}

static void check_choices(int family, const struct choice *choices, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct choice *c = &choices[i];
		struct wan_candidate candidates[4] = { 0 };
		struct addr current = address(c->current), wanted = address(c->chosen),
			    chosen;
		size_t n = 0;

		for (; n < 4 && c->dump[n].address; n++) {
			candidates[n].address = address(c->dump[n].address);
			candidates[n].flags = c->dump[n].flags;
			candidates[n].scope = c->dump[n].scope;
		}
		chosen = wan_choose(family, candidates, n, &current);
		if (!addr_equal(&chosen, &wanted))
			fail_msg("%s", c->what);
	}
}

static void test_choose(void **state)
{
	(void)state;
	check_choices(AF_INET, choices_ipv4,
		      sizeof(choices_ipv4) / sizeof(*choices_ipv4));
	check_choices(AF_INET6, choices_ipv6,
		      sizeof(choices_ipv6) / sizeof(*choices_ipv6));
}

enum { GRACE_MS = 2000 };

static enum wan_event see(struct wan_side *side, const char *text, int64_t now_ms)
{
	struct addr seen = address(text), former;

	return wan_observe(side, &seen, GRACE_MS, now_ms, 1000 + now_ms / 1000, &former);
}

enum { LINK = 3, OTHER_LINK = 4 };

static const struct route_choice {
	const char *what;
	unsigned bits;
	const char *current;
	struct {
		const char *to;
		uint8_t prefix_length;
		uint32_t priority, link;
	} routes[3];
	struct dumped own;		/* what the link has itself */
	const char *chosen;		/* NULL: none */
} choices_route[] = {
	{ "none", 64, NULL, { { 0 } }, { 0 }, NULL },
	{ "the only one", 64, NULL, { { "2a00:1::", 56, 1024, LINK } }, { 0 }, "2a00:1::" },
	{ "of another link", 64, NULL, { { "2a00:1::", 56, 1024, OTHER_LINK } }, { 0 },
	  NULL },
	{ "the longest", 64, NULL,
	  { { "2a00:1::", 56, 1, LINK }, { "2a00:2:0:5::", 64, 1024, LINK },
	    { "2a00:3::", 48, 1, LINK } }, { 0 }, "2a00:2:0:5::" },
	{ "but not longer than asked for", 60, NULL,
	  { { "2a00:1::", 56, 1, LINK }, { "2a00:2:0:5::", 64, 1024, LINK } }, { 0 },
	  "2a00:1::" },
	{ "a part of the internet", 64, NULL,
	  { { "2000::", 3, 1, LINK }, { "2002::", 16, 1, LINK }, { "2a00::", 31, 1, LINK } },
	  { 0 }, NULL },
	{ "as much as anybody gets", 64, NULL, { { "2a00:1::", 32, 1, LINK } }, { 0 },
	  "2a00:1::" },
	{ "of equals the lower metric", 64, "2a00:1::",
	  { { "2a00:1::", 64, 1024, LINK }, { "2a00:2::", 64, 256, LINK } }, { 0 },
	  "2a00:2::" },
	{ "then the current one", 64, "2a00:2::",
	  { { "2a00:1::", 64, 9, LINK }, { "2a00:2::", 64, 9, LINK },
	    { "2a00:3::", 64, 9, LINK } }, { 0 }, "2a00:2::" },
	{ "then the first", 64, "2a00:9::",
	  { { "2a00:1::", 64, 9, LINK }, { "2a00:2::", 64, 9, LINK } }, { 0 }, "2a00:1::" },
	{ "unique-local, link-local, documentation", 64, NULL,
	  { { "fd00:1::", 64, 9, LINK }, { "fe80::", 64, 9, LINK },
	    { "2001:db8::", 64, 9, LINK } }, { 0 }, NULL },
	{ "where the link's address is deprecated", 64, NULL,
	  { { "2a00:1::", 64, 9, LINK }, { "2a00:2::", 56, 9, LINK } },
	  { "2a00:1::1", IFA_F_DEPRECATED, 0 }, "2a00:2::" },
};

static void routes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(choices_route) / sizeof(choices_route[0]); i++) {
		const struct route_choice *c = &choices_route[i];
		struct wan_candidate own = { .address = address(c->own.address),
					     .flags = c->own.flags };
		struct addr current = address(c->current), want = address(c->chosen);
		struct wan_route dumped[3];
		struct addr chosen;
		size_t n = 0;

		for (; n < 3 && c->routes[n].to; n++)
			dumped[n] = (struct wan_route){
				address(c->routes[n].to), c->routes[n].prefix_length,
				c->routes[n].link, c->routes[n].priority };
		chosen = wan_choose_route(c->bits, dumped, n, LINK, &own,
					  c->own.address != NULL, &current);
		if (!addr_equal(&chosen, &want))
			fail_msg("%s: another one", c->what);
	}
}

static void test_first_and_change(void **state)
{
	struct wan_side side = { 0 };
	struct addr a = address(A), b = address(B), former = { 0 };

	(void)state;
	assert_int_equal(wan_observe(&side, &a, GRACE_MS, 0, 5, &former), WAN_CHANGED);
	assert_true(addr_is_none(&former));
	assert_int_equal(side.since_wall_s, 5);
	assert_int_equal(side.generation, 1);
	assert_int_equal(wan_due_ms(&side, GRACE_MS), INT64_MAX);
	assert_int_equal(wan_observe(&side, &a, GRACE_MS, 9, 9, &former), WAN_SAME);
	assert_int_equal(side.since_wall_s, 5);
	assert_int_equal(wan_observe(&side, &b, GRACE_MS, 10, 9, &former), WAN_CHANGED);
	assert_true(addr_equal(&former, &a));
	assert_true(addr_equal(&side.address, &b));
	assert_int_equal(side.generation, 2);
}

static void test_former_untouched(void **state)
{
	struct wan_side side = { 0 };
	struct addr none = { 0 }, former = address(C), a = address(A);

	(void)state;
	assert_int_equal(wan_observe(&side, &none, GRACE_MS, 0, 0, &former), WAN_SAME);
	see(&side, A, 1);
	assert_int_equal(wan_observe(&side, &a, GRACE_MS, 2, 0, &former), WAN_SAME);
	assert_int_equal(wan_observe(&side, &none, GRACE_MS, 3, 0, &former), WAN_MISSING);
	a = address(C);
	assert_true(addr_equal(&former, &a));
}

static void test_grace(void **state)
{
	struct wan_side side = { 0 };
	struct addr a = address(A);

	(void)state;
	see(&side, A, 0);
	assert_int_equal(see(&side, NULL, 100), WAN_MISSING);
	assert_true(addr_equal(&side.address, &a));
	assert_int_equal(wan_due_ms(&side, GRACE_MS), 2100);
	assert_int_equal(see(&side, NULL, 2099), WAN_SAME);
	/* back in time: nothing happened */
	assert_int_equal(see(&side, A, 2099), WAN_SAME);
	assert_int_equal(side.generation, 1);
	assert_int_equal(wan_due_ms(&side, GRACE_MS), INT64_MAX);

	/* the grace starts anew */
	assert_int_equal(see(&side, NULL, 3000), WAN_MISSING);
	assert_int_equal(see(&side, NULL, 4999), WAN_SAME);
	assert_int_equal(see(&side, NULL, 5000), WAN_LOST);
	assert_true(addr_is_none(&side.address));
	assert_int_equal(side.generation, 2);
	for (int i = 0; i < 10; i++)
		/* lost once */
		assert_int_equal(see(&side, NULL, 6000 + i * 60000), WAN_SAME);
	assert_int_equal(side.generation, 2);
	assert_int_equal(see(&side, A, 900000), WAN_CHANGED);
}

static void test_another_within_grace(void **state)
{
	struct wan_side side = { 0 };

	(void)state;
	see(&side, A, 0);
	/* dhclient: gone, 15 ms later another */
	assert_int_equal(see(&side, NULL, 10), WAN_MISSING);
	assert_int_equal(see(&side, B, 25), WAN_CHANGED);
	assert_int_equal(wan_due_ms(&side, GRACE_MS), INT64_MAX);
	assert_int_equal(see(&side, B, 5000), WAN_SAME);
}

static void test_no_grace(void **state)
{
	struct wan_side side = { 0 };
	struct addr seen = address(A), former;

	(void)state;
	wan_observe(&side, &seen, 0, 0, 0, &former);
	seen = address(NULL);
	assert_int_equal(wan_observe(&side, &seen, 0, 1, 0, &former), WAN_LOST);
}

static void test_flapping(void **state)
{
	struct wan_side side = { 0 };

	(void)state;
	see(&side, A, 0);
	/* the same one: 1 ms to just under the grace */
	for (int64_t i = 0; i < 1000; i++) {
		int64_t gone = 10000 * (i + 1),
			back = gone + 1 + i * (GRACE_MS - 2) / 999;

		assert_int_equal(see(&side, NULL, gone), WAN_MISSING);
		assert_int_equal(see(&side, A, back), WAN_SAME);
	}
	assert_int_equal(side.generation, 1);
	for (int i = 0; i < 1000; i++)		/* two in turn: every switch counts */
		assert_int_equal(see(&side, i % 2 ? A : B, 20000000 + i * 60),
				 WAN_CHANGED);
	assert_int_equal(side.generation, 1001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choose),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(routes),
		cmocka_unit_test(test_first_and_change),
		cmocka_unit_test(test_former_untouched),
		cmocka_unit_test(test_grace),
		cmocka_unit_test(test_another_within_grace),
		cmocka_unit_test(test_no_grace),
		cmocka_unit_test(test_flapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
