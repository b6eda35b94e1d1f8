/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One rule gets the tag into its comment, and nothing else of it changes. */
#include "lab.h"

#include <errno.h>
#include <linux/netfilter.h>

#include "hairpin/nft.h"

static struct nft *nft;
static struct tag tag;

static int open_nft(void **state)
{
	struct err err;

	(void)state;
	return nft_new(&nft, &err) < 0 || tag_init(&tag, "hairpin", &err) < 0 ? -1 : 0;
}

static int close_nft(void **state)
{
	(void)state;
	tag_done(&tag);
	nft_free(nft);
	return 0;
}

/* The handle that the listing names on the line with `mark`. */
static uint64_t handle_of(const char *mark)
{
	char *listing = lab_listing(), *at = strstr(listing, mark);
	uint64_t handle;

	assert_non_null(at);
	at = strstr(at, "# handle ");
	assert_non_null(at);
	handle = strtoull(at + 9, NULL, 10);
	free(listing);
	return handle;
}

static int put(uint64_t handle, const char *word, struct nft_tagged *tagged,
	       struct err *err)
{
	const struct nft_tagging wish = {
		.family = NFPROTO_IPV4, .table = "nat", .chain = "pre",
		.handle = handle, .word = word, .tag = &tag,
	};

	return nft_tag_rule(nft, &wish, tagged, err);
}

static void expect(const char *mark, const char *old, const char *new)
{
	struct nft_tagged tagged;
	struct err err = { "" };
	char *before = lab_listing(), *after, *wanted = lab_expect(before, mark, old, new);

	if (put(handle_of(mark), "hairpin", &tagged, &err) < 0)
		fail_msg("%s", err.text);
	after = lab_listing();
	assert_string_equal(after, wanted);
	free(before);
	free(after);
	free(wanted);
}

/* Sets of the rule's own, counters, position: as they were. */
static void test_only_the_comment(void **state)
{
	(void)state;
	lab_nft("table ip nat {\n"
		"  chain pre { type nat hook prerouting priority -100;\n"
		"    ip saddr { 10.0.0.0/24, 192.168.1.0/24 } tcp dport { 80, 443 } counter "
		"packets 7 bytes 420 dnat to 192.168.1.2 comment \"web\"\n"
		"    ip daddr 81.2.69.7 tcp dport vmap { 22 : accept, 23 : return }\n"
		"    tcp dport 25 dnat to tcp dport map { 25 : 192.168.1.4 }\n"
		"  }\n"
		"}\n");
	expect("dport { 80", "comment \"web\"", "comment \"hairpin web\"");
	expect("dport vmap", " # handle", " comment \"hairpin\" # handle");
	expect("dport map", " # handle", " comment \"hairpin\" # handle");
}

static void test_refusals(void **state)
{
	static const char longest[] =
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"01234567890123456789012345678901234567890123456789";
	struct nft_tagged tagged;
	struct err err;
	char *before, *after;

	(void)state;
	lab_nft("table ip nat {\n"
		"  chain pre { type nat hook prerouting priority -100;\n"
		"    tcp dport 80 dnat to 192.168.1.2 comment \"my hairpin\"\n"
		"  }\n"
		"}\n");
	lab_run("nft add rule ip nat pre tcp dport 81 dnat to 192.168.1.2 comment '\"%s\"'",
		longest);
	before = lab_listing();
	assert_int_equal(put(handle_of("dport 80"), "hairpin", &tagged, &err), -EALREADY);
	assert_string_equal(tagged.old, "my hairpin");
	assert_int_equal(put(handle_of("dport 81"), "hairpin", &tagged, &err), -E2BIG);
	assert_int_equal(put(4711, "hairpin", &tagged, &err), -ENOENT);
	after = lab_listing();
	assert_string_equal(after, before);
	free(before);
	free(after);
}

/* A rule of iptables-nft stays one: iptables still lists and deletes it. */
static void test_iptables(void **state)
{
	static const char base[] = "iptables-nft -w -t nat";
	struct nft_tagged tagged;
	struct err err = { "" };
	char *listing;

	(void)state;
	if (lab_try("%s -A PREROUTING -d 81.2.69.7 -p tcp --dport 80 -j DNAT "
		    "--to-destination 192.168.1.2 2>/dev/null", base))
		skip();
	{
		const struct nft_tagging wish = {
			.family = NFPROTO_IPV4, .table = "nat", .chain = "PREROUTING",
			.handle = handle_of("81.2.69.7"), .word = "hairpin", .tag = &tag,
		};

		if (nft_tag_rule(nft, &wish, &tagged, &err) < 0)
			fail_msg("%s", err.text);
	}
	listing = lab_output("iptables-nft -w -t nat -S PREROUTING");
	assert_non_null(strstr(listing, "--comment hairpin"));
	assert_non_null(strstr(listing, "--to-destination 192.168.1.2"));
	free(listing);
	lab_run("%s -D PREROUTING 1", base);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_only_the_comment, lab_fresh),
		cmocka_unit_test_setup(test_refusals, lab_fresh),
		cmocka_unit_test_setup(test_iptables, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, open_nft, close_nft);
}
