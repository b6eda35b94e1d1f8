/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hairpind --rewrite as scripts see it: text, JSON, exit status.
 */
#include "hairpin/core.h"
#include "hairpin/json.h"
#include "rules.h"

#define ERRORS "/tmp/hairpin-rewrite-errors"

static char output[1 << 16];

/* Runs it in a child whose standard output and error are kept; the exit status. */
static int rewrite(const struct core_rewrite *options)
{
	int pipes[2], status;
	size_t length = 0;
	ssize_t got;
	pid_t child;

	fflush(NULL);
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		if (!freopen(ERRORS, "w", stderr))
			_exit(99);
		status = core_rewrite_run(options);
		fflush(NULL);
		_exit(status);
	}
	close(pipes[1]);
	while ((got = read(pipes[0], output + length, sizeof(output) - 1 - length)) > 0)
		length += (size_t)got;
	close(pipes[0]);
	output[length] = '\0';
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void load(void)
{
	lab_nft("table ip nat {\n chain pre { type nat hook prerouting priority -100;\n"
		"ip daddr " OLD " tcp dport 80 dnat to 10.0.0.2 comment \"hairpin web\"\n"
		"ip daddr " NEW " tcp dport 81 dnat to 10.0.0.2 comment \"hairpin "
		"there\"\n"
		"tcp dport 82 dnat to 10.0.0.2 comment \"hairpin none\"\n"
		"ip daddr " OLD " tcp dport 83 dnat to 10.0.0.2 comment \"wan2\"\n"
		"}\n chain post { type nat hook postrouting priority 100;\n"
		"ip daddr 203.0.113.50 masquerade comment \"hairpin former\"\n"
		"}\n}\n");
}

static void prints_a_line_for_each(void **state)
{
	const struct core_rewrite dry = { .address = NEW, .dry_run = true };
	const struct core_rewrite wet = { .address = NEW };

	(void)state;
	load();
	assert_int_equal(rewrite(&dry), 0);
	assert_non_null(strstr(output, "rule ip nat pre "));
	assert_non_null(strstr(output, "\"hairpin web\": " OLD " -> " NEW " (dry "
		"run)\n"));
	assert_non_null(strstr(output, "4 tagged: 1 changed, 1 unchanged, 2 left "
		"alone\n"));
	assert_int_equal(rewrite(&wet), 0);
	assert_non_null(strstr(output, "\"hairpin web\": " OLD " -> " NEW "\n"));
	assert_non_null(strstr(output, "\"hairpin there\": " NEW " already\n"));
	assert_non_null(strstr(output, "\"hairpin none\": left alone: has no "
		"destination"));
	assert_non_null(strstr(output, "\"hairpin former\": 203.0.113.50 left alone: "));
	assert_non_null(strstr(output, "; committed in "));
	assert_null(strstr(output, "wan2"));
	assert_int_equal(rewrite(&wet), 0);
	assert_non_null(strstr(output, "4 tagged: 0 changed, 2 unchanged, 2 left "
		"alone\n"));
}

static const struct json *member(const struct json *object, const char *key)
{
	const struct json *value = json_get(object, key);

	if (!value)
		fail_msg("no \"%s\"", key);
	return value;
}

static int64_t number(const struct json *object, const char *key)
{
	int64_t value = -1;

	assert_true(json_integer(member(object, key), 0, INT64_MAX, &value));
	return value;
}

static void json_is_as_promised(void **state)
{
	static const char *const item_keys[] = { "kind", "family", "table", "chain", "handle",
		"comment", "result", "old", "new", "reason", "name" };
	const char *const former[] = { "203.0.113.50", NULL };
	const struct core_rewrite options = { .address = NEW, .former = former, .json = true };
	struct json_error error;
	const struct json *item;
	struct json *root;

	(void)state;
	load();
	assert_int_equal(rewrite(&options), 0);
	root = json_parse(output, strlen(output), JSON_STRICT, &error);
	assert_non_null(root);
	assert_string_equal(json_string(member(root, "address")), NEW);
	assert_int_equal(number(root, "tagged"), 4);
	assert_int_equal(number(root, "changed"), 2);
	assert_int_equal(number(root, "unchanged"), 1);
	assert_int_equal(number(root, "skipped"), 1);
	assert_true(number(root, "commit_us") > 0);
	assert_int_equal(json_count(root), 7);
	assert_int_equal(json_count(member(root, "items")), 4);
	for (item = json_child(member(root, "items")); item; item = json_next(item)) {
		assert_int_equal(json_count(item), 11);
		for (size_t i = 0; i < 11; i++)
			member(item, item_keys[i]);
	}
	item = json_child(member(root, "items"));
	assert_string_equal(json_string(member(item, "kind")), "rule");
	assert_string_equal(json_string(member(item, "comment")), "hairpin web");
	assert_string_equal(json_string(member(item, "old")), OLD);
	assert_string_equal(json_string(member(item, "new")), NEW);
	assert_int_equal(json_kind(member(item, "reason")), JSON_NULL);
	json_free(root);
}

static void tags_and_tables_narrow(void **state)
{
	const char *const tables[] = { "ip:nat", NULL }, *const others[] = { "inet:nat", NULL };
	const struct core_rewrite tag = { .address = NEW, .tag = "^wan[0-9]$", .tables = tables };
	const struct core_rewrite none = { .address = NEW, .tables = others };

	(void)state;
	load();
	assert_int_equal(rewrite(&none), 0);
	assert_string_equal(output, "0 tagged: 0 changed, 0 unchanged, 0 left alone\n");
	assert_int_equal(rewrite(&tag), 0);
	assert_non_null(strstr(output, "1 tagged: 1 changed, 0 unchanged, 0 left "
		"alone; "));
}

static void mistakes_are_usage(void **state)
{
	const char *const bad[] = { "300.1.1.1", NULL };
	const char *const table[] = { "bridge:x", NULL };
	const struct core_rewrite cases[] = {
		{ .address = "nonsense" }, { .address = "0.0.0.0" }, { .address = NULL },
		{ .address = NEW, .former = bad }, { .address = NEW, .tables = table },
		{ .address = NEW, .tag = "(" },
	};

	(void)state;
	load();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(rewrite(&cases[i]), 2);
		assert_string_equal(output, "");
		lab_run("grep -q ^hairpind: " ERRORS);
	}
}

static void a_refusal_is_a_failure(void **state)
{
	const struct core_rewrite options = { .address = NEW };
	FILE *owner = rules_of_another_program();

	(void)state;
	load();
	assert_int_equal(rewrite(&options), 1);
	assert_non_null(strstr(output, "\"hairpin web\": " OLD " -> " NEW "\n"));
	assert_non_null(strstr(output, "\"hairpin own\": " OLD " left alone: the "
		"kernel refused"));
	lab_run("grep -q 'hairpin own.*refused' " ERRORS);
	pclose(owner);
}

static void connections_of_former_addresses_go(void **state)
{
	const char *const former[] = { "192.0.2.3", "127.0.0.1", NULL };
	const struct core_rewrite keep = { .address = NEW, .former = former };
	const struct core_rewrite drop = { .address = NEW, .former = former, .conntrack = true };

	(void)state;
	if (lab_try("conntrack -I -t 600 -p udp -s 9.9.9.9 -d " OLD " --sport 1 "
		"--dport 80 >/dev/null 2>&1") != 0) {
		print_message("# conntrack does not work here\n");
		skip();
	}
	lab_run("conntrack -I -t 600 -p udp -s 9.9.9.9 -d 192.0.2.3 --sport 1 --dport "
		"80 >/dev/null 2>&1");
	lab_run("conntrack -I -t 600 -p udp -s 9.9.9.9 -d 127.0.0.1 --sport 1 --dport "
		"80 >/dev/null 2>&1");
	lab_run("conntrack -I -t 600 -p tcp --state ESTABLISHED -s 9.9.9.9 -d " NEW " "
		"--sport 1 --dport 80 >/dev/null 2>&1");
	lab_run("conntrack -I -t 600 -p tcp --state ESTABLISHED -s 9.9.9.9 -d " NEW " "
		"--sport 1 --dport 22 >/dev/null 2>&1");
	load();
	assert_int_equal(rewrite(&keep), 0);
	lab_run("test $(conntrack -L 2>/dev/null | wc -l) = 5");
	lab_flush();
	load();
	assert_int_equal(rewrite(&drop), 0);
	/* What lo still has stays, and what no rule serves. */
	lab_run("test $(conntrack -L 2>/dev/null | wc -l) = 2");
	lab_run("conntrack -L 2>/dev/null | grep -q 'dst=127.0.0.1'");
	lab_run("conntrack -L 2>/dev/null | grep -q 'dport=22'");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(prints_a_line_for_each, lab_fresh),
		cmocka_unit_test_setup(json_is_as_promised, lab_fresh),
		cmocka_unit_test_setup(tags_and_tables_narrow, lab_fresh),
		cmocka_unit_test_setup(mistakes_are_usage, lab_fresh),
		cmocka_unit_test_setup(a_refusal_is_a_failure, lab_fresh),
		cmocka_unit_test_setup(connections_of_former_addresses_go, lab_fresh),
	};
	int failed;

	(void)argc;
	lab_enter(argv);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(ERRORS);
	return failed;
}
