/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where secrets come from, and which files are refused for their rights.
 */
#include "config_room.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char by_file[] = "{ \"providers\": [ {\"type\": \"duckdns\","
	"\"token\": {\"file\": \"secret\"}, \"hostnames\": [\"a.duckdns.org\"]} ] }";
static const char by_env[] = "{ \"providers\": [ {\"type\": \"duckdns\","
	"\"token\": {\"env\": \"HAIRPIN_TEST\"}, \"hostnames\": [\"a.duckdns.org\"]} ] }";
static const char by_credential[] = "{ \"providers\": [ {\"type\": \"duckdns\","
	"\"token\": {\"credential\": \"duck\"}, \"hostnames\": [\"a.duckdns.org\"]} ] }";
static const char literal[] = "{ \"providers\": [ {\"type\": \"duckdns\","
	"\"token\": \"geheim\", \"hostnames\": [\"a.duckdns.org\"]} ] }";

static const char *token(const struct room *room)
{
	return secret_reveal(&config_setting_find(room->config->providers, "token")->value);
}

static void assert_refused(struct room *room, const char *words)
{
	assert_int_equal(room_load(room), -EINVAL);
	assert_says(room, words);
	assert_says_not(room, "geheim");
}

static void one_newline_is_stripped(void **state)
{
	static const struct {
		const char *text, *token;	/* NULL: refused */
	} cases[] = {
		{ "geheim", "geheim" }, { "geheim\n", "geheim" }, { "geheim\r\n",
		  "geheim" },
		{ " ge heim ", " ge heim " }, { "gehe\xc3\xafm", "gehe\xc3\xafm" },
		{ "geheim\n\n", NULL }, { "geheim\nzwei", NULL }, { "", NULL }, { "\n", NULL },
		{ "geheim\r", NULL }, { "geheim\xff", NULL }, { "geheim\x1b[2J", NULL },
	};
	struct room *room = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		room_write(room, "secret", cases[i].text, 0600);
		if (!cases[i].token) {
			assert_int_equal(room_load_text(room, by_file), -EINVAL);
			assert_says_not(room, "geheim");
			continue;
		}
		assert_int_equal(room_load_text(room, by_file), 0);
		assert_string_equal(token(room), cases[i].token);
	}
}

static void sizes_are_bounded(void **state)
{
	struct room *room = *state;
	char text[6000];

	memset(text, 'x', sizeof text);
	text[4096] = '\0';
	room_write(room, "secret", text, 0600);
	assert_int_equal(room_load_text(room, by_file), 0);
	text[4096] = 'x';
	text[4097] = '\0';
	room_write(room, "secret", text, 0600);
	assert_refused(room, "longer than 4096 bytes");
	text[4097] = 'x';
	text[5999] = '\0';
	room_write(room, "secret", text, 0600);
	assert_refused(room, "larger than");
}

static void rights_of_a_secret(void **state)
{
	static const struct {
		mode_t mode;
		const char *error, *warning;
	} cases[] = {
		{ 0600, NULL, NULL }, { 0400, NULL, NULL }, { 0640, NULL, NULL },
		{ 0644, NULL, "others may read" }, { 0604, NULL, "others may read" },
		{ 0660, "may be written by others", NULL },
		{ 0666, "may be written by others", NULL },
		{ 0602, "may be written by others", NULL },
	};
	struct room *room = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		room_write(room, "secret", "geheim", cases[i].mode);
		room->strict = false;
		assert_int_equal(room_load_text(room, by_file),
					 cases[i].error ? -EINVAL : 0);
		assert_int_equal(room->problems.warnings, cases[i].warning ? 1 : 0);
		if (cases[i].error || cases[i].warning)
			assert_says(room, cases[i].error ?: cases[i].warning);
		room->strict = true;
		assert_int_equal(room_load(room),
				 cases[i].error || cases[i].warning ? -EINVAL : 0);
		room_write(room, "secret", "", 0600);
	}
}

static void rights_of_the_configuration(void **state)
{
	struct room *room = *state;

	room_write(room, "hairpind.json", literal, 0644);
	assert_int_equal(room_load(room), 0);
	assert_int_equal(room->problems.warnings, 1);
	assert_says(room, "others may read");
	assert_says_not(room, "geheim");
	room->strict = true;
	assert_refused(room, "others may read");
	room->strict = false;
	room_write(room, "hairpind.json", literal, 0640);
	assert_int_equal(room_load(room), 0);
	assert_int_equal(room->problems.warnings, 0);
	room_write(room, "hairpind.json", literal, 0660);
	assert_refused(room, "may be written by others");
	room_write(room, "hairpind.json", "{}", 0646);
	assert_refused(room, "may be written by others");
	room_write(room, "hairpind.json", "{}", 0644);
	room->strict = true;
	assert_int_equal(room_load(room), 0);	/* nothing secret in it */
}

static void drop_ins_have_rights_too(void **state)
{
	struct room *room = *state;

	assert_int_equal(mkdir(room_path(room, "conf.d"), 0700), 0);
	room_write(room, "conf.d/a.json", "{}", 0666);
	assert_int_equal(room_load_text(room, "{}"), -EINVAL);
	assert_says(room, "conf.d/a.json may be written by others");
}

static void only_regular_files(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct room *room = *state;
	int fd;

	room_write(room, "hairpind.json", by_file, 0600);
	assert_int_equal(mkfifo(room_path(room, "secret"), 0600), 0);
	assert_refused(room, "is no regular file");
	unlink(room_path(room, "secret"));

	assert_int_equal(mkdir(room_path(room, "secret"), 0700), 0);
	assert_refused(room, "is no regular file");
	rmdir(room_path(room, "secret"));

	strcpy(address.sun_path, room_path(room, "secret"));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_refused(room, "cannot open");
	close(fd);
	unlink(address.sun_path);

	room_write(room, "other", "geheim", 0600);
	assert_int_equal(symlink("other", room_path(room, "secret")), 0);
	assert_refused(room, "is a symbolic link");
	unlink(room_path(room, "secret"));
	assert_refused(room, "cannot open");

	assert_int_equal(room_load_text(room, "{ \"providers\": [ {\"type\": \"duckdns\","
		"\"token\": {\"file\": \"/dev/zero\"}, \"hostnames\": [\"a.b\"]} ] "
		"}"), -EINVAL);
	assert_says(room, "is no regular file");
}

/* The configuration itself may be swapped for a FIFO: the check must not hang. */
static void the_configuration_is_no_fifo(void **state)
{
	struct room *room = *state;

	assert_int_equal(mkfifo(room_path(room, "hairpind.json"), 0600), 0);
	assert_refused(room, "is no regular file");
	unlink(room_path(room, "hairpind.json"));
	room_write(room, "real.json", "{}", 0600);
	assert_int_equal(symlink("real.json", room_path(room, "hairpind.json")), 0);
	assert_refused(room, "is a symbolic link");
}

static void directories_above(void **state)
{
	struct room *room = *state;

	room_write(room, "secret", "geheim", 0600);
	assert_int_equal(room_load_text(room, by_file), 0);
	assert_int_equal(chmod(room->directory, 0777), 0);
	assert_refused(room, "which others may change");
	assert_int_equal(chmod(room->directory, 01777), 0);	/* as /tmp */
	assert_int_equal(room_load(room), 0);
	assert_int_equal(chmod(room->directory, 0755), 0);
	assert_int_equal(room_load(room), 0);

	assert_int_equal(mkdir(room_path(room, "below"), 0700), 0);
	room_write(room, "below/hairpind.json", "{}", 0600);
	assert_int_equal(chmod(room->directory, 0777), 0);
	strcat(room->directory, "/below");
	assert_refused(room, "which others may change");
	*strrchr(room->directory, '/') = '\0';
	assert_int_equal(chmod(room->directory, 0700), 0);
}

static void second_names_in_open_directories(void **state)
{
	struct room *room = *state;

	room_write(room, "hairpind.json", by_file, 0600);
	room_write(room, "other", "geheim", 0600);
	assert_int_equal(link(room_path(room, "other"), room_path(room, "secret")), 0);
	assert_int_equal(room_load(room), 0);
	assert_int_equal(chmod(room->directory, 01777), 0);
	assert_refused(room, "has another hard link");
}

static void other_owners(void **state)
{
	struct room *room = *state;

	room_write(room, "hairpind.json", by_file, 0600);
	room_write(room, "secret", "geheim", 0600);
	if (chown(room_path(room, "secret"), 1, (gid_t)-1) < 0) {
		print_message("# only root gives files away\n");
		skip();
	}
	assert_refused(room, "belongs to user 1");
	assert_int_equal(chown(room_path(room, "secret"), 0, (gid_t)-1), 0);
	assert_int_equal(chown(room->directory, 1, (gid_t)-1), 0);
	assert_refused(room, "which others may change");
}

static void variables_are_read_once(void **state)
{
	struct room *room = *state;
	char *environment;

	assert_int_equal(setenv("HAIRPIN_TEST", "geheim", 1), 0);
	environment = getenv("HAIRPIN_TEST");
	assert_int_equal(room_load_text(room, by_env), 0);
	assert_string_equal(token(room), "geheim");
	assert_null(getenv("HAIRPIN_TEST"));
	assert_memory_equal(environment, "\0\0\0\0\0\0", 6);
	assert_refused(room, "the variable HAIRPIN_TEST is not set");
}

/* A run that fails, as `hairpind -n`, leaves the variable to the next one. */
static void failures_leave_variables(void **state)
{
	struct room *room = *state;

	assert_int_equal(setenv("HAIRPIN_TEST", "geheim", 1), 0);
	assert_int_equal(room_load_text(room, "{ \"log\": 1, \"providers\": [ {\"type\":"
		"\"duckdns\", \"token\": {\"env\": \"HAIRPIN_TEST\"},"
		"\"hostnames\": [\"a.duckdns.org\"]} ] }"), -EINVAL);
	assert_string_equal(getenv("HAIRPIN_TEST"), "geheim");
	unsetenv("HAIRPIN_TEST");
}

static void credentials(void **state)
{
	struct room *room = *state;

	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(room_load_text(room, by_credential), -EINVAL);
	assert_says(room, "$CREDENTIALS_DIRECTORY is not set");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", room->directory, 1), 0);
	assert_refused(room, "cannot open");
	room_write(room, "duck", "geheim\n", 0400);
	assert_int_equal(room_load(room), 0);
	assert_string_equal(token(room), "geheim");
	assert_int_equal(room_load_text(room, "{ \"providers\": [ {\"type\": \"duckdns\","
		"\"token\": {\"credential\": \"../x\"}, \"hostnames\": [\"a.b\"]} ] "
		"}"), -EINVAL);
	assert_says(room, "is no name of a credential");
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void authorities_come_from_files(void **state)
{
	static const char text[] = "{ \"providers\": [ {\"type\": \"duckdns\", \"token\": \"x\","
		"\"hostnames\": [\"a.duckdns.org\"], \"ca_file\": \"ca.pem\"} ] }";
	static const char pem[] = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
	struct room *room = *state;

	room_write(room, "ca.pem", pem, 0644);
	assert_int_equal(room_load_text(room, text), 0);
	assert_int_equal(room->problems.warnings, 0);
	assert_string_equal(room->config->providers[0].ca_pem, pem);
	assert_string_equal(room->config->providers[0].ca_file, room_path(room,
				 "ca.pem"));
	room_write(room, "ca.pem", "nothing", 0644);
	assert_refused(room, "holds no certificate");
	room_write(room, "ca.pem", pem, 0666);
	assert_refused(room, "may be written by others");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, room_open, room_close)
	const struct CMUnitTest tests[] = {
		TEST(one_newline_is_stripped),
		TEST(sizes_are_bounded),
		TEST(rights_of_a_secret),
		TEST(rights_of_the_configuration),
		TEST(drop_ins_have_rights_too),
		TEST(only_regular_files),
		TEST(the_configuration_is_no_fifo),
		TEST(directories_above),
		TEST(second_names_in_open_directories),
		TEST(other_owners),
		TEST(variables_are_read_once),
		TEST(failures_leave_variables),
		TEST(credentials),
		TEST(authorities_come_from_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
