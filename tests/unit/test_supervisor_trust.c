/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks: what they are told, what they get, and which files are trusted. */
#include "hooks_room.h"

#include <sys/wait.h>

#include "figure.h"
#include "hairpin/hookfiles.h"
#include "hairpin/spawn.h"

/* Byte by byte what hairpind-hooks(7) says, whatever else our own environment holds. */
static void environment_is_the_list(void **state)
{
	static const char wanted[] =
		"HAIRPIN_EVENT=address\nHAIRPIN_FAMILY=ipv4\nHAIRPIN_GENERATION=4\n"
		"HAIRPIN_HOSTNAME=\nHAIRPIN_INTERFACE=ppp0\nHAIRPIN_IPV4=\nHAIRPIN_IPV6="
		"\n"
		"HAIRPIN_MESSAGE=\nHAIRPIN_NEW=81.2.69.7\nHAIRPIN_OLD=81.2.69.1\n"
		"HAIRPIN_PROVIDER=\nHAIRPIN_REASON=new address\nHAIRPIN_RULES=12\n"
		"HAIRPIN_WAN=fibre\nLANG=C\nPATH=/usr/bin:/bin\nTZ=UTC\n";
	char text[2048], *old_path = strdup(getenv("PATH"));

	(void)state;
	setenv("DYN_PASSWORD", "secret", 1);
	setenv("PATH", "/usr/bin:/bin", 1);
	setenv("LANG", "C", 1);
	setenv("TZ", "UTC", 1);
	hook("env", "tr '\\0' '\\n' < /proc/$$/environ | LC_ALL=C sort > $out/env", 0755);
	push(1);
	run_until(1);
	setenv("PATH", old_path, 1);
	unsetenv("TZ");
	unsetenv("DYN_PASSWORD");
	free(old_path);
	figure_holds("S12", "environment of a hook: the whitelist, byte by byte",
		     strcmp(scratch_read(&scratch, "env", text, sizeof(text)), wanted) == 0);
}

/* An event that rewrites no rules does not claim to have rewritten none. */
static void rules_only_where_they_are_counted(void **state)
{
	struct message_hook pushed = event(1);
	char text[2048];

	(void)state;
	pushed.event = MESSAGE_EVENT_STARTUP;
	hook("rules", "echo \"<$HAIRPIN_RULES>\" > $out/variable; cat > $out/json", 0755);
	assert_int_equal(hooks_push(&hooks, &pushed, now_ms), 0);
	run_until(1);
	assert_string_equal(scratch_read(&scratch, "variable", text, sizeof(text)), "<>\n");
	scratch_read(&scratch, "json", text, sizeof(text));
	assert_non_null(strstr(text, "\"rules\":null"));
}

static void strange_values_are_only_values(void **state)
{
	struct message_hook pushed = event(1);
	struct json_error error;
	char text[4096];
	struct json *root;

	(void)state;
	strcpy(pushed.wan, "$(touch x)`touch y`;\n\x1b[31m\"");
	strcpy(pushed.interface, "-rf\xff%s");
	strcpy(pushed.message, "a\\x0ab\"c");
	hook("values", "cat > $out/json; printf '%s' \"$HAIRPIN_WAN\" > $out/wan; "
	     "printf '%s' \"$HAIRPIN_MESSAGE\" > $out/message", 0755);
	assert_int_equal(hooks_push(&hooks, &pushed, now_ms), 0);
	run_until(1);
	assert_int_equal(replies[0].failed, 0);
	scratch_read(&scratch, "wan", text, sizeof(text));
	assert_string_equal(text, "$(touch x)`touch y`;\\x0a\\x1b[31m\"");
	assert_string_equal(scratch_read(&scratch, "message", text, sizeof(text)), "a\\x0"
										   "ab\""
										   "c");
	scratch_read(&scratch, "json", text, sizeof(text));
	assert_non_null(strchr(text, '\n'));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);	/* one line */
	root = json_parse(text, strlen(text), JSON_STRICT, &error);
	assert_non_null(root);
	assert_string_equal(json_string(json_get(root, "message")), "a\\x0ab\"c");
	assert_string_equal(json_string(json_get(root, "interface")), "-rf\\xff%s");
	assert_string_equal(json_string(json_get(root, "new")), "81.2.69.7");
	json_free(root);
	figure_exactly("S12", "commands that a value of an event could run",
		       (access("/x", F_OK) == 0) + (faccessat(scratch.fd, "x", F_OK, 0) == 0) +
		       (access("/y", F_OK) == 0) + (faccessat(scratch.fd, "y", F_OK, 0) == 0), 0);
}

static void clean_child(void **state)
{
	char text[4096];

	(void)state;
	hook("child",
	     "cat /proc/self/status > $out/status; ps -o sid= -p $$ | tr -d ' ' > "
	     "$out/sid;"
	     " echo $$ > $out/pid; pwd > $out/cwd; ls -l /proc/$$/fd > $out/fds",
	     0755);
	push(1);
	run_until(1);
	scratch_read(&scratch, "status", text, sizeof(text));
	assert_non_null(strstr(text, "CapPrm:\t0000000000000000"));
	assert_non_null(strstr(text, "SigBlk:\t0000000000000000"));
	assert_string_equal(scratch_read(&scratch, "cwd", text, sizeof(text)), "/\n");
	scratch_read(&scratch, "fds", text, sizeof(text));
	assert_null(strstr(text, "socket"));
	assert_null(strstr(text, "memfd"));
}

static void untrusted_files_are_refused(void **state)
{
	char path[128];

	(void)state;
	hook("10-group", "touch $out/ran", 0775);
	hook("20-others", "touch $out/ran", 0757);
	hook("target", "touch $out/ran", 0644);
	assert_int_equal(symlinkat("target", scratch.fd, "hooks/30-link"), 0);
	assert_int_equal(mkfifo(scratch_path(&scratch, "hooks/40-fifo", path), 0755), 0);
	push(1);
	run_until(1);
	assert_int_equal(replies[0].ran, 3);
	assert_int_equal(replies[0].failed, 3);
	assert_true(message_to_core_ok(&replies[0], sizeof(replies[0])));
	assert_int_equal(log_count("others may write it"), 2);
	assert_int_equal(log_count("symbolic link"), 1);
	figure_exactly("S30", "hooks run that others may write, or that are links",
		       faccessat(scratch.fd, "ran", F_OK, 0) == 0, 0);
	if (geteuid() != 0)
		return;
	hook("10-group", "touch $out/ran", 0755);
	assert_int_equal(fchownat(scratch.fd, "hooks/10-group", 12345, -1, 0) == 0 ||
			 errno == EINVAL, 1);
	push(2);
	run_until(2);
	if (log_count("belongs to user 12345") == 0)
		print_message("# no other user in this namespace\n");
}

/* The directory, or one on the way to it: the file alone may be as good as it likes. */
static void untrusted_directories_are_refused(void **state)
{
	mode_t modes[] = { 0777, 0775 };
	size_t i;

	(void)state;
	hook("10-fine", "touch $out/ran", 0755);
	for (i = 0; i < 2; i++) {
		reply_count = 0;
		assert_int_equal(fchmodat(scratch.fd, "hooks", modes[i], 0), 0);
		push(1);
		run_until(1);
		assert_int_equal(replies[0].status, -EPERM);
		assert_true(message_to_core_ok(&replies[0], sizeof(replies[0])));
		assert_int_equal(fchmodat(scratch.fd, "hooks", 0755, 0), 0);
		assert_int_equal(fchmod(scratch.fd, modes[i]), 0);
		push(2);
		run_until(2);
		assert_int_equal(replies[1].status, -EPERM);
		assert_true(message_to_core_ok(&replies[1], sizeof(replies[1])));
		assert_int_equal(fchmod(scratch.fd, 0755), 0);
	}
	figure_exactly("S30", "hooks run from a directory that others may write",
		       faccessat(scratch.fd, "ran", F_OK, 0) == 0, 0);
	push(3);
	run_until(3);
	assert_int_equal(replies[2].ran, 1);
}

/* Where the directory itself is a link, what counts is where it leads. */
static void link_into_an_open_directory(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(scratch.fd, "open", 0777), 0);
	assert_int_equal(fchmodat(scratch.fd, "open", 0777, 0), 0);
	scratch_write(&scratch, "open/10-fine", "#!/bin/sh\ntouch $out/ran\n", 0755);
	assert_int_equal(unlinkat(scratch.fd, "hooks", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("open", scratch.fd, "hooks"), 0);
	push(1);
	run_until(1);
	assert_int_equal(replies[0].status, -EPERM);
	assert_int_equal(unlinkat(scratch.fd, "hooks", 0), 0);
	assert_int_equal(mkdirat(scratch.fd, "hooks", 0755), 0);
	figure_exactly("S30", "hooks run through a link into a directory of everybody's",
		       (int)replies[0].ran, 0);
	(void)unlinkat(scratch.fd, "open/10-fine", 0);
	(void)unlinkat(scratch.fd, "open", AT_REMOVEDIR);
}

/* Checked, then swapped: what was checked is run, for it is run by its descriptor. */
static void swapped_between_check_and_run(void **state)
{
	char *argv[] = { (char *)"hook", NULL }, *environment[] = { NULL };
	struct spawn spawn = { .argv = argv, .environment = environment, .in = -1, .out = -1,
			       .err = -1, .channel = -1, .uid = (uid_t)-1,
			       .gid = (gid_t)-1, .session = true };
	int swapped = 0, good = 0, fd;
	struct err err = { "" };
	char path[128];
	pid_t pid;

	(void)state;
	for (int i = 0; i < 20; i++) {
		hook("10-hook", "touch $out/good", 0755);
		hook("20-other", "touch $out/swapped", 0755);
		assert_int_equal(hookfiles_open("hook", scratch_path(&scratch, "hooks", path),
						"10-hook", geteuid(), &fd, &err), 0);
		assert_int_equal(renameat(scratch.fd, "hooks/20-other", scratch.fd,
					  "hooks/10-hook"), 0);
		spawn.executable = fd;
		assert_int_equal(spawn_start(&spawn, &pid, &err), 0);
		close(fd);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		good += unlinkat(scratch.fd, "good", 0) == 0;
		swapped += unlinkat(scratch.fd, "swapped", 0) == 0;
	}
	assert_int_equal(good, 20);
	figure_exactly("S30", "files run that were swapped in after the check", swapped, 0);
}

static void no_descriptor_is_lost(void **state)
{
	int before = dup(0), after;

	(void)state;
	close(before);
	hook("10", "echo x", 0755);
	scratch_write(&scratch, "hooks/20-bad", "text", 0755);
	for (uint32_t i = 1; i <= 20; i++) {
		push(i);
		run_until(i);
	}
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(environment_is_the_list),
		TEST(rules_only_where_they_are_counted),
		TEST(strange_values_are_only_values),
		TEST(clean_child),
		TEST(untrusted_files_are_refused),
		TEST(untrusted_directories_are_refused),
		TEST(link_into_an_open_directory),
		TEST(swapped_between_check_and_run),
		TEST(no_descriptor_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
