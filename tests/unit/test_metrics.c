/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for Prometheus: what is counted, how it is written, and where. */
#include "core_room.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "scratch.h"

static struct room room;
static struct scratch scratch;

static int begin(void **state)
{
	(void)state;
	room_begin(&room);
	room.core.config->metrics_addresses = true;
	return scratch_new(&scratch);
}

static int end(void **state)
{
	(void)state;
	room_end(&room);
	scratch_done(&scratch);
	return 0;
}

/* --- the format --- */

static void format(void **state)
{
	struct text out = TEXT_INIT;
	struct prom prom = { .out = &out };

	(void)state;
	prom_family(&prom, "nothing", PROM_GAUGE, "Nowhere.");
	prom_family(&prom, "a_total", PROM_COUNTER, "All.");
	prom_value(&prom, 7);
	prom_family(&prom, "b", PROM_GAUGE, "Some.");
	prom_label(&prom, "x", "plain");
	prom_label(&prom, "y", "a\"b\\c\nd\x1b\x7f\xc3\xa9");
	prom_value(&prom, UINT64_MAX);
	prom_label(&prom, "x", "");
	prom_value(&prom, 0);
	assert_string_equal(out.bytes,
			    "# HELP a_total All.\n# TYPE a_total counter\na_total 7\n"
			    "# HELP b Some.\n# TYPE b gauge\n"
			    "b{x=\"plain\",y=\"a\\\"b\\\\c?d??\xc3\xa9\"} "
			    "18446744073709551615\nb{x=\"\"} 0\n");
	text_done(&out);
}

static void durations(void **state)
{
	struct histogram histogram = { .sum_us = 0 };
	struct text out = TEXT_INIT;
	struct prom prom = { .out = &out };

	(void)state;
	histogram_add(&histogram, -5);
	histogram_add(&histogram, 100);
	histogram_add(&histogram, 101);
	histogram_add(&histogram, 1000000);
	histogram_add(&histogram, 2500000);
	prom_family(&prom, "t_seconds", PROM_HISTOGRAM, "Time.");
	prom_histogram(&prom, &histogram);
	assert_non_null(strstr(out.bytes, "t_seconds_bucket{le=\"0.0001\"} 2\n"));
	assert_non_null(strstr(out.bytes, "t_seconds_bucket{le=\"0.00025\"} 3\n"));
	assert_non_null(strstr(out.bytes, "t_seconds_bucket{le=\"0.5\"} 3\n"));
	assert_non_null(strstr(out.bytes, "t_seconds_bucket{le=\"1\"} 4\n"));
	assert_non_null(strstr(out.bytes, "t_seconds_bucket{le=\"+Inf\"} 5\n"));
	assert_non_null(strstr(out.bytes, "t_seconds_sum 3.500201\nt_seconds_count 5\n"));
	text_done(&out);
}

/* --- what is counted --- */

static char *text_now(void)
{
	struct text out = TEXT_INIT;

	metrics_text(&room.core, METRICS_FILE_MAX, kernel.now_ms, &out);
	assert_false(out.failed);
	return text_take(&out);
}

static void assert_line(const char *line)
{
	char *text = text_now(), wanted[300];

	snprintf(wanted, sizeof(wanted), "\n%s\n", line);
	if (!strstr(text, wanted))
		fail_msg("no line \"%s\" in\n%s", line, text);
	free(text);
}

static void assert_nowhere(const char *word)
{
	char *text = text_now();

	assert_null(strstr(text, word));
	free(text);
}

static void a_run(void **state)
{
	(void)state;
	fake_rule("hairpin a", "81.2.69.1");
	fake_rule("hairpin b", "81.2.69.1");
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	room_ppp("81.2.69.8");
	room_look(&room);
	assert_line("hairpind_wan_up{wan=\"fibre\",family=\"ipv4\"} 1");
	assert_line("hairpind_wan_up{wan=\"fibre\",family=\"ipv6\"} 0");
	assert_line("hairpind_wan_address_info{wan=\"fibre\",family=\"ipv4\","
		    "address=\"81.2.69.8\"} 1");
	assert_line("hairpind_wan_address_changes_total{wan=\"fibre\","
		    "family=\"ipv4\"} 2");
	assert_line("hairpind_rules{wan=\"fibre\",tag=\"hairpin\",state=\"current\"} 2");
	assert_line("hairpind_rules{wan=\"fibre\",tag=\"hairpin\",state=\"stale\"} 0");
	assert_line("hairpind_rule_updates_total{wan=\"fibre\",tag=\"hairpin\"} 4");
	assert_line("hairpind_rule_follow_seconds_count 2");
	assert_line("hairpind_paused 0");
	pause_begin(&room.core, 600, kernel.now_ms);
	assert_line("hairpind_paused 1");
	(void)pause_end(&room.core);
	assert_line("hairpind_rule_sync_failures_total 0");
	assert_line("hairpind_record_current{name=\"home.example.org\",type=\"A\","
		    "provider=\"dyn\"} 0");
	/* The kernel refuses: what was in step is not known to be any more. */
	kernel.sync_fails = -EPERM;
	room_ppp("81.2.69.9");
	room_look(&room);
	assert_line("hairpind_rules{wan=\"fibre\",tag=\"hairpin\",state=\"current\"} 0");
	assert_line("hairpind_rules{wan=\"fibre\",tag=\"hairpin\",state=\"stale\"} 2");
	assert_line("hairpind_rule_sync_failures_total 1");
	room.core.config->metrics_addresses = false;
	assert_nowhere("address_info");
}

static void providers(void **state)
{
	struct metrics *metrics = &room.core.metrics;
	struct config other = { .provider_count = 0 };

	(void)state;
	metrics_update(metrics, "dyn", MESSAGE_GOOD, kernel.now_ms);
	metrics_update(metrics, "dyn", MESSAGE_GOOD, kernel.now_ms);
	metrics_update(metrics, "dyn", MESSAGE_BADAUTH, kernel.now_ms + 5000);
	metrics_update(metrics, "dyn", MESSAGE_ANSWER, kernel.now_ms);	/* a look */
	metrics_update(metrics, "d\"2", MESSAGE_TLS_REFUSED, kernel.now_ms);
	assert_line("hairpind_provider_updates_total{provider=\"dyn\",result=\"good\"} 2");
	assert_line("hairpind_provider_updates_total{provider=\"dyn\","
		    "result=\"badauth\"} 1");
	/* What never came is told too; who is not configured is not. */
	assert_line("hairpind_provider_updates_total{provider=\"dyn\",result=\"abuse\"} 0");
	assert_nowhere("provider=\"d\\\"2\"");
	metrics_keep(metrics, room.core.config);
	assert_int_equal(metrics->provider_count, 1);
	metrics_keep(metrics, &other);
	assert_int_equal(metrics->provider_count, 0);
}

/* A series is there once, or the whole file is refused. */
static void entries_of_one_name(void **state)
{
	struct config *config = room_config(2);
	struct err err = { "" };
	const char *at;
	char *text;

	(void)state;
	config->provider_count = 2;
	config->providers = reallocarray(config->providers, 2, sizeof(*config->providers));
	config->providers[1] = room_provider("dyn", 3);
	assert_int_equal(core_configure(&room.core, config, &err), 0);
	assert_int_equal(schedule_count(room.core.schedule), 5);
	text = text_now();
	at = strstr(text, "hairpind_record_current{name=\"home.example.org\"");
	assert_non_null(at);
	assert_null(strstr(at + 1, "hairpind_record_current{name=\"home.example.org\""));
	assert_non_null(strstr(text, "hairpind_record_current{name=\"n2.example.org\""));
	free(text);
}

/* The times of records do not tremble with the second in which they are told. */
static void steady(void **state)
{
	char *first, *second;

	(void)state;
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	metrics_update(&room.core.metrics, "dyn", MESSAGE_GOOD, kernel.now_ms);
	first = text_now();
	kernel.now_ms += 1000;		/* the wall clock not yet */
	second = text_now();
	assert_string_equal(first, second);
	free(second);
	kernel.wall_s++;
	second = text_now();
	assert_string_equal(first, second);
	free(second);
	/* A clock that is set moves them. */
	kernel.wall_s += 3600;
	second = text_now();
	assert_string_not_equal(first, second);
	free(second);
	free(first);
}

static void bounded(void **state)
{
	struct text out = TEXT_INIT;
	struct err err = { "" };
	const char *at;
	char *end;

	(void)state;
	assert_int_equal(core_configure(&room.core, room_config_greatest(), &err), 0);
	metrics_text(&room.core, 100000, kernel.now_ms, &out);
	assert_true(out.length < 100000 && out.length > 20000);
	at = strstr(out.bytes, "\nhairpind_records_left_out ");
	assert_non_null(at);
	assert_true(strtol(at + 27, &end, 10) > 1800);
	assert_string_equal(end, "\n");
	text_done(&out);
}

/* --- the file --- */

static void open_file(void)
{
	room.options.metrics_directory = scratch.fd;
	room.options.metrics_path = "/x/hairpind.prom";
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
}

static ino_t inode(void)
{
	struct stat status = { .st_ino = 0 };

	(void)fstatat(scratch.fd, "hairpind.prom", &status, AT_SYMLINK_NOFOLLOW);
	return status.st_ino;
}

static void written_when_it_differs(void **state)
{
	struct stat status;
	ino_t first;

	(void)state;
	open_file();
	(void)umask(0077);
	metrics_turn(&room.core, kernel.now_ms);
	assert_int_equal(fstatat(scratch.fd, "hairpind.prom", &status, 0), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	first = inode();
	assert_true(metrics_due_ms(&room.core) == INT64_MAX);

	/* A change soon after waits, and is due; nothing else wakes anybody. */
	room_wait(1000);
	room_ppp("81.2.69.8");
	room_look(&room);
	metrics_turn(&room.core, kernel.now_ms);
	assert_int_equal(inode(), first);
	assert_true(metrics_due_ms(&room.core) == kernel.now_ms + 14000);
	room_wait(14000);
	metrics_turn(&room.core, kernel.now_ms);
	assert_int_not_equal(inode(), first);
	assert_true(metrics_due_ms(&room.core) == INT64_MAX);

	first = inode();
	room_wait(60000);
	metrics_turn(&room.core, kernel.now_ms);
	assert_int_equal(inode(), first);
	assert_true(metrics_due_ms(&room.core) == INT64_MAX);

	/* Each look at everything shows, also where rules are not hairpind's business. */
	room.core.config->nat.enabled = false;
	room_wait(CORE_SAFETY_MS);
	sync_turn(&room.core, kernel.now_ms);
	metrics_turn(&room.core, kernel.now_ms);
	assert_int_not_equal(inode(), first);
	first = inode();
	room_wait(CORE_SAFETY_MS);
	sync_turn(&room.core, kernel.now_ms);
	metrics_turn(&room.core, kernel.now_ms);
	assert_int_not_equal(inode(), first);
	assert_int_equal(faccessat(scratch.fd, ".hairpind.prom.new", F_OK, 0), -1);
}

/* Links under every name that is written: what they point to stays as it was. */
static void no_link_is_followed(void **state)
{
	char text[64], path[160];
	struct stat status;

	(void)state;
	scratch_write(&scratch, "victim", "untouched\n", 0600);
	assert_int_equal(symlinkat(scratch_path(&scratch, "victim", path), scratch.fd,
				   "hairpind.prom"), 0);
	assert_int_equal(symlinkat(path, scratch.fd, ".hairpind.prom.new"), 0);
	open_file();
	metrics_turn(&room.core, kernel.now_ms);
	assert_string_equal(scratch_read(&scratch, "victim", text, sizeof(text)),
			    "untouched\n");
	assert_int_equal(fstatat(scratch.fd, "victim", &status, 0), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(fstatat(scratch.fd, "hairpind.prom", &status,
				 AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(status.st_mode));
	/* Likewise a hard link. */
	assert_int_equal(unlinkat(scratch.fd, "hairpind.prom", 0), 0);
	assert_int_equal(linkat(scratch.fd, "victim", scratch.fd, ".hairpind.prom.new", 0),
			 0);
	room_wait(20000);
	room_ppp("81.2.69.8");
	room_look(&room);
	metrics_turn(&room.core, kernel.now_ms);
	assert_string_equal(scratch_read(&scratch, "victim", text, sizeof(text)),
			    "untouched\n");
	assert_true(inode() != 0);
}

/* What stands in the way is said, and tried again when there is a turn. */
static void in_the_way(void **state)
{
	char text[4096];
	struct room_log log;

	(void)state;
	assert_int_equal(mkdirat(scratch.fd, "hairpind.prom", 0755), 0);
	open_file();
	log = room_log_begin(LOG_WARNING);
	metrics_turn(&room.core, kernel.now_ms);
	assert_true(metrics_due_ms(&room.core) == INT64_MAX);
	room_wait(20000);
	metrics_turn(&room.core, kernel.now_ms);
	room_log_end(&log, text, sizeof(text));
	assert_non_null(strstr(text, "metrics: cannot save hairpind.prom: "));
	/* That the user lacks rights is told only where it is so. */
	assert_null(strstr(text, "must be allowed"));
	assert_int_equal(unlinkat(scratch.fd, "hairpind.prom", AT_REMOVEDIR), 0);
	room_wait(20000);
	metrics_turn(&room.core, kernel.now_ms);
	assert_true(inode() != 0);
}

#define METRICS_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format),
		cmocka_unit_test(durations),
		METRICS_TEST(a_run),
		METRICS_TEST(providers),
		METRICS_TEST(entries_of_one_name),
		METRICS_TEST(steady),
		METRICS_TEST(bounded),
		METRICS_TEST(written_when_it_differs),
		METRICS_TEST(no_link_is_followed),
		METRICS_TEST(in_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
