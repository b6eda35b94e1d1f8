/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every system call of the state file and of the channel fails once, in every likely way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>

#include "hairpin/channel.h"
#include "hairpin/statefile.h"

#include "figure.h"
#include "scratch_room.h"
#include "torture/calls.h"

#define OLD "what was there before"
#define NEW "what is to be there from now on, and some bytes longer"

static const int errors[] = { ENOSPC, EIO, EROFS, EINTR, EAGAIN, EMFILE, ENFILE, EDQUOT,
			      ENOMEM, EACCES, EPERM, ENOENT, EINVAL, ECONNRESET, EPIPE,
			      ENOBUFS, ETOOMANYREFS, CALLS_SHORT };

static long tried;

/* A walk: `act` with each call and each error, until no call was left to fail. */
static void walk(void (*act)(void))
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		unsigned number = 0;

		do {
			unsigned open_before = calls_descriptors();

			calls_start(++number, errors[i]);
			act();
			(void)calls_stop();
			if (calls_descriptors() != open_before)
				fail_msg("%s: %s: descriptors %u, before %u", calls.failed,
					 strerror(errors[i]), calls_descriptors(),
					 open_before);
			tried += calls.failed != NULL;
		} while (calls.failed);
	}
}

static unsigned files_in_scratch(void)
{
	unsigned count = 0;
	struct dirent *entry;
	DIR *directory = opendir(scratch.path);

	assert_non_null(directory);
	while ((entry = readdir(directory)))
		count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
	closedir(directory);
	return count;
}

/* --- the state file --- */

static void replace(void)
{
	struct err err = { "" };
	char text[256];
	int result;

	result = statefile_replace(scratch.fd, "s", NEW, strlen(NEW), &err);
	(void)calls_stop();
	scratch_read(&scratch, "s", text, sizeof(text));
	assert_int_equal(files_in_scratch(), 1);
	if (result == 0)
		assert_string_equal(text, NEW);
	else if (strcmp(text, NEW) != 0)
		assert_string_equal(text, OLD);
	assert_int_equal(result < 0, err.text[0] != '\0');
	/* Said to have failed, and yet there: only where the directory was not synced. */
	if (result < 0 && strcmp(text, NEW) == 0)
		assert_non_null(strstr(err.text, "perhaps not for good"));
	scratch_write(&scratch, "s", OLD, 0600);
}

static void replaced_or_as_it_was(void **state)
{
	(void)state;
	scratch_write(&scratch, "s", OLD, 0600);
	tried = 0;
	walk(replace);
	figure_holds("F48", "a save of which one system call fails: old or new file, whole, "
		     "nothing beside it", tried > 90);
}

static void show(void)
{
	struct err err = { "" };
	char text[256];
	int result = statefile_show(scratch.fd, "s", NEW, strlen(NEW), &err);

	(void)calls_stop();
	scratch_read(&scratch, "s", text, sizeof(text));
	assert_string_equal(text, result == 0 ? NEW : OLD);
	assert_int_equal(files_in_scratch(), 1);
	scratch_write(&scratch, "s", OLD, 0600);
}

static void shown_or_as_it_was(void **state)
{
	(void)state;
	scratch_write(&scratch, "s", OLD, 0600);
	walk(show);
}

static void read_it(void)
{
	char *text = (char *)OLD;
	struct err err = { "" };
	size_t length = 7;
	int result = statefile_read(scratch.fd, "s", 1000, &text, &length, &err);

	(void)calls_stop();
	if (result < 0) {
		assert_ptr_equal(text, OLD);	/* untouched */
		assert_int_equal(length, 7);
		assert_true(err.text[0] != '\0');
		return;
	}
	assert_string_equal(text, NEW);
	assert_int_equal(length, strlen(NEW));
	free(text);
}

static void read_whole_or_not(void **state)
{
	(void)state;
	scratch_write(&scratch, "s", NEW, 0600);
	walk(read_it);
}

static void lock(void)
{
	struct err err = { "" };
	int fd = -7;
	int result = statefile_lock(scratch.fd, &fd, &err);

	(void)calls_stop();
	if (result < 0) {
		assert_int_equal(fd, -7);
		assert_true(err.text[0] != '\0');
		return;
	}
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(close(fd), 0);
}

static void locked_or_not(void **state)
{
	(void)state;
	walk(lock);
}

static void set_aside(void)
{
	char text[256];
	int result = statefile_set_aside(scratch.fd, "s");

	(void)calls_stop();
	scratch_read(&scratch, result == 0 ? "s.bad" : "s", text, sizeof(text));
	assert_string_equal(text, OLD);
	scratch_write(&scratch, "s", OLD, 0600);
}

static void set_aside_or_as_it_was(void **state)
{
	(void)state;
	scratch_write(&scratch, "s", OLD, 0600);
	walk(set_aside);
}

/* --- the channel --- */

static void send_and_receive(void)
{
	int ends[2] = { -7, -7 }, fd = -1, sent, got = 0;
	char packet[16] = "";

	sent = channel_pair(ends);
	if (sent < 0) {
		assert_int_equal(ends[0], -7);
		return;
	}
	sent = channel_send(ends[0], "hello", 5, ends[0]);
	if (sent == 0)
		got = (int)channel_receive(ends[1], packet, sizeof(packet), &fd);
	(void)calls_stop();
	if (sent == 0 && got > 0) {
		assert_int_equal(got, 5);
		assert_string_equal(packet, "hello");
		assert_true(fd >= 0);
		close(fd);
	} else if (sent == 0 && got < 0) {
		/* What was not received is there yet. */
		assert_int_equal(channel_receive(ends[1], packet, sizeof(packet), NULL), 5);
	}
	close(ends[0]);
	close(ends[1]);
}

static void packets_are_whole_or_not_there(void **state)
{
	(void)state;
	walk(send_and_receive);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_begin, scratch_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(replaced_or_as_it_was),
		FILE_TEST(shown_or_as_it_was),
		FILE_TEST(read_whole_or_not),
		FILE_TEST(locked_or_not),
		FILE_TEST(set_aside_or_as_it_was),
		cmocka_unit_test(packets_are_whole_or_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
