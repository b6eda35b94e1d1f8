/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hairpinctl rules without a daemon: what a look at the kernel says, and that it is
 * only a look.
 */
#include "lab.h"

#include <errno.h>

#include "hairpin/ctl.h"

static char config_path[] = "/tmp/test_ctl_look.XXXXXX";

static const char *const catalogue[] = { "conf/providers", NULL };

static const char rules[] =
	"table ip nat {\n"
	"  chain prerouting { type nat hook prerouting priority -100;\n"
	"    ip daddr 0.0.0.0 tcp dport { 80, 443 } dnat to 192.168.1.2 comment "
	"\"hairpin web\"\n"
	"    ip daddr 81.2.69.7 tcp dport 22 dnat to 192.168.1.2 comment \"hairpin "
	"ssh\"\n"
	"    ip daddr 81.2.69.7 tcp dport 25 dnat to 192.168.1.2 comment \"other mail\"\n"
	"    tcp dport 23 dnat to 192.168.1.2 comment \"a hairpin \\ without\"\n"
	"  }\n"
	"}\n";

static void write_config(const char *text)
{
	FILE *file = fopen(config_path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int enter_lab(void **state)
{
	int fd = mkstemp(config_path);

	(void)state;
	if (fd < 0 || close(fd) < 0)
		return -1;
	return lab_try("ip link add wan0 type veth peer name isp0 && "
		       "ip link set wan0 up && ip link set isp0 up && "
		       "ip addr add 81.2.69.7/24 dev wan0 && "
		       "ip addr add 10.0.0.1/24 dev isp0 && "
		       "ip route add default via 81.2.69.254");
}

static int leave_lab(void **state)
{
	(void)state;
	unlink(config_path);
	return 0;
}

static struct json *look(const char *path)
{
	struct ctl_look options = { .config_path = path, .catalogue = catalogue };
	struct err note, err = { "" };
	struct json *found = NULL;
	int rc = ctl_look(&options, &found, &note, &err);

	if (rc < 0)
		fail_msg("%s", err.text);
	assert_string_equal(note.text, "");
	return found;
}

static const struct json *item_of(const struct json *found, const char *comment)
{
	const struct json *item = json_child(json_get(found, "items"));

	for (; item; item = json_next(item)) {
		if (strcmp(json_string(json_get(item, "comment")), comment) == 0)
			return item;
	}
	fail_msg("no item \"%s\"", comment);
	return NULL;
}

static void check_item(const struct json *found, const char *comment, const char *result,
		       const char *old, const char *new, bool in_step)
{
	const struct json *item = item_of(found, comment);
	bool is_in_step;

	assert_string_equal(json_string(json_get(item, "kind")), "rule");
	assert_string_equal(json_string(json_get(item, "family")), "ip");
	assert_string_equal(json_string(json_get(item, "table")), "nat");
	assert_string_equal(json_string(json_get(item, "chain")), "prerouting");
	assert_string_equal(json_string(json_get(item, "result")), result);
	assert_true(json_bool(json_get(item, "in_step"), &is_in_step));
	assert_int_equal(is_in_step, in_step);
	if (old)
		assert_string_equal(json_string(json_get(item, "old")), old);
	else
		assert_int_equal(json_kind(json_get(item, "old")), JSON_NULL);
	if (new)
		assert_string_equal(json_string(json_get(item, "new")), new);
	else
		assert_non_null(json_string(json_get(item, "reason")));
}

static void test_look(void **state)
{
	char *before, *after;
	struct json *found;

	(void)state;
	lab_nft(rules);
	write_config("{}");
	before = lab_listing();
	found = look(config_path);
	assert_int_equal(json_count(json_get(found, "items")), 3);
	check_item(found, "hairpin web", "changed", "0.0.0.0", "81.2.69.7", false);
	check_item(found, "hairpin ssh", "unchanged", "81.2.69.7", "81.2.69.7", true);
	check_item(found, "a hairpin \\\\ without", "skipped", NULL, NULL, false);
	json_free(found);
	after = lab_listing();
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* Two WANs by name: each its own tag and address; a family that is off has none. */
static void test_wans(void **state)
{
	const struct json *item;
	struct json *found;

	(void)state;
	lab_nft(rules);
	write_config("{\"wans\": [{\"interface\": \"isp0\", \"tag\": \"web\"},"
		     " {\"name\": \"two\", \"interface\": \"wan0\", \"tag\": \"other\","
		     " \"ipv4\": \"off\"}]}");
	found = look(config_path);
	assert_int_equal(json_count(json_get(found, "items")), 2);
	check_item(found, "hairpin web", "changed", "0.0.0.0", "10.0.0.1", false);
	check_item(found, "other mail", "skipped", "81.2.69.7", NULL, false);
	item = item_of(found, "other mail");
	assert_string_equal(json_string(json_get(item, "wan")), "two");
	json_free(found);
}

/* A prefix that no address of the link shows, but a route by it. */
static void test_prefix_of_a_route(void **state)
{
	struct json *found;

	(void)state;
	if (lab_try("ip -6 route add 2a00:1:2:300::/56 dev isp0") != 0) {
		print_message("# this kernel has no IPv6\n");
		skip();
	}
	lab_nft("table ip6 nat { chain prerouting { type nat hook prerouting priority -100;"
		" ip6 daddr 2a00:9:9:9::10 tcp dport 80 redirect to :8080 comment "
		"\"hairpin six\"; }; }");
	write_config("{\"wans\": [{\"interface\": \"wan0\", \"ipv6\": {\"source\": "
		     "\"interface\", \"keep\": \"suffix\", \"prefix_from\": \"isp0\"}}]}");
	found = look(config_path);
	assert_string_equal(json_string(json_get(item_of(found, "hairpin six"), "new")),
			    "2a00:1:2:300::10");
	json_free(found);
	lab_run("ip -6 route del 2a00:1:2:300::/56 dev isp0");
}

static void test_tables_and_nat_off(void **state)
{
	struct json *found;

	(void)state;
	lab_nft(rules);
	write_config("{\"nat\": {\"tables\": [\"ip6:nat\", \"inet:fw4\"]}}");
	found = look(config_path);
	assert_int_equal(json_count(json_get(found, "items")), 0);
	json_free(found);
	write_config("{\"nat\": {\"enabled\": false}}");
	found = look(config_path);
	assert_int_equal(json_count(json_get(found, "items")), 0);
	json_free(found);
}

static void test_bad_configuration(void **state)
{
	struct ctl_look options = { .config_path = config_path, .catalogue = catalogue };
	struct json *found = NULL;
	struct err note, err = { "" };

	(void)state;
	write_config("{\"wan\": []}");
	assert_int_equal(ctl_look(&options, &found, &note, &err), -EBADMSG);
	assert_null(found);
	assert_non_null(strstr(err.text, "wans"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_look, lab_fresh),
		cmocka_unit_test_setup(test_wans, lab_fresh),
		cmocka_unit_test_setup(test_prefix_of_a_route, lab_fresh),
		cmocka_unit_test_setup(test_tables_and_nat_off, lab_fresh),
		cmocka_unit_test_setup(test_bad_configuration, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, enter_lab, leave_lab);
}
