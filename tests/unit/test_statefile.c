/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "hairpin/statefile.h"
#include "figure.h"
#include "scratch_room.h"

static int read_back(const char *name, size_t max, char out[256])
{
	struct err err = { "" };
	size_t length = 0;
	char *text = NULL;
	int rc = statefile_read(scratch.fd, name, max, &text, &length, &err);

	if (rc < 0) {
		assert_null(text);
		assert_true(err.text[0] != '\0');
		return rc;
	}
	assert_int_equal(text[length], '\0');
	snprintf(out, 256, "%s", text);
	free(text);
	return (int)length;
}

static void replaced_is_read(void **state)
{
	struct err err;
	struct stat status;
	char text[256];

	(void)state;
	assert_int_equal(read_back("s", 100, text), -ENOENT);
	assert_int_equal(statefile_replace(scratch.fd, "s", "one", 3, &err), 0);
	assert_int_equal(statefile_replace(scratch.fd, "s", "second", 6, &err), 0);
	assert_int_equal(read_back("s", 100, text), 6);
	assert_string_equal(text, "second");
	assert_int_equal(fstatat(scratch.fd, "s", &status, 0), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(faccessat(scratch.fd, ".s.new", F_OK, 0), -1);
}

static void strange_files_are_refused(void **state)
{
	char text[256], path[128];

	(void)state;
	scratch_write(&scratch, "empty", "", 0600);
	scratch_write(&scratch, "large", "0123456789", 0600);
	assert_int_equal(mkdirat(scratch.fd, "dir", 0700), 0);
	assert_int_equal(mkfifo(scratch_path(&scratch, "fifo", path), 0600), 0);
	assert_int_equal(symlinkat("/etc/passwd", scratch.fd, "link"), 0);
	assert_int_equal(read_back("empty", 10, text), -EINVAL);
	assert_int_equal(read_back("large", 9, text), -EINVAL);
	assert_int_equal(read_back("large", 10, text), 10);
	assert_int_equal(read_back("dir", 10, text), -EINVAL);
	assert_int_equal(read_back("fifo", 10, text), -EINVAL);	/* and did not block */
	assert_int_equal(read_back("link", 10000, text), -EINVAL);
}

/* Links planted where the daemon writes: the target keeps its content. */
static void planted_links_are_not_followed(void **state)
{
	char text[256];
	struct err err;

	(void)state;
	scratch_write(&scratch, "victim", "precious", 0600);
	assert_int_equal(symlinkat("victim", scratch.fd, "s"), 0);
	assert_int_equal(symlinkat("victim", scratch.fd, ".s.new"), 0);
	assert_int_equal(statefile_replace(scratch.fd, "s", "new", 3, &err), 0);
	assert_string_equal(scratch_read(&scratch, "victim", text, sizeof(text)), "precio"
										  "us");
	assert_int_equal(read_back("s", 10, text), 3);

	assert_int_equal(unlinkat(scratch.fd, "s", 0), 0);
	assert_int_equal(linkat(scratch.fd, "victim", scratch.fd, "s", 0), 0);
	assert_int_equal(linkat(scratch.fd, "victim", scratch.fd, ".s.new", 0), 0);
	assert_int_equal(statefile_replace(scratch.fd, "s", "new", 3, &err), 0);
	assert_string_equal(scratch_read(&scratch, "victim", text, sizeof(text)), "precio"
										  "us");
}

static void failure_leaves_the_old_one(void **state)
{
	char text[256];
	struct err err;

	(void)state;
	assert_int_equal(mkdirat(scratch.fd, "s", 0700), 0);
	assert_int_equal(statefile_replace(scratch.fd, "s", "new", 3, &err), -EISDIR);
	assert_int_equal(faccessat(scratch.fd, ".s.new", F_OK, 0), -1);
	memset(text, 'n', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(statefile_replace(scratch.fd, text, "x", 1, &err),
			 -ENAMETOOLONG);
}

/* In a mount namespace of its own: a medium of 8 KiB that is full. */
static int full_disk(void *argument)
{
	static char large[64 * 1024];
	struct err err;
	char text[256];
	int fd;

	(void)argument;
	if (mount("none", scratch.path, "tmpfs", 0, "size=8k") < 0)
		return 77;
	fd = open(scratch.path, O_RDONLY | O_DIRECTORY);
	scratch.fd = fd;
	if (statefile_replace(fd, "s", "old", 3, &err) != 0)
		return 2;
	if (statefile_replace(fd, "s", large, sizeof(large), &err) != -ENOSPC)
		return 3;
	if (faccessat(fd, ".s.new", F_OK, 0) == 0 || read_back("s", 10, text) != 3)
		return 4;
	if (mount("none", scratch.path, NULL, MS_REMOUNT | MS_RDONLY, "size=8k") < 0)
		return 77;
	if (statefile_replace(fd, "s", "new", 3, &err) != -EROFS ||
	    read_back("s", 10, text) != 3)
		return 5;
	if (statefile_lock(fd, &fd, &err) != 0)
		return 6;
	return 0;
}

static int in_own_mounts(void *argument)
{
	extern int unshare(int flags);

	if (unshare(0x00020000 /* CLONE_NEWNS */) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	return full_disk(argument);
}

static void full_and_read_only_medium(void **state)
{
	int status = scratch_fork(in_own_mounts, NULL);

	(void)state;
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("this kernel or user may not mount a tmpfs\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void damaged_is_set_aside(void **state)
{
	char text[256];

	(void)state;
	assert_int_equal(statefile_set_aside(scratch.fd, "s"), -ENOENT);
	scratch_write(&scratch, "s", "bad", 0600);
	scratch_write(&scratch, "s.bad", "older", 0600);
	assert_int_equal(statefile_set_aside(scratch.fd, "s"), 0);
	assert_string_equal(scratch_read(&scratch, "s.bad", text, sizeof(text)), "bad");
	assert_int_equal(faccessat(scratch.fd, "s", F_OK, 0), -1);
	assert_int_equal(mkdirat(scratch.fd, "s", 0700), 0);
	assert_int_equal(statefile_set_aside(scratch.fd, "s"),
			 0); /* directory over file */
	scratch_write(&scratch, "s", "bad", 0600);
	assert_int_equal(statefile_set_aside(scratch.fd, "s"),
			 0); /* file over directory */
	assert_string_equal(scratch_read(&scratch, "s.bad", text, sizeof(text)), "bad");
}

static void second_lock_is_refused(void **state)
{
	int first = -1, second = -1;
	struct err err;

	(void)state;
	assert_int_equal(statefile_lock(scratch.fd, &first, &err), 0);
	assert_true(fcntl(first, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(statefile_lock(scratch.fd, &second, &err), -EWOULDBLOCK);
	assert_int_equal(second, -1);
	close(first);
	assert_int_equal(statefile_lock(scratch.fd, &second, &err), 0);
	close(second);
}

static void lock_is_no_link_and_no_fifo(void **state)
{
	struct err err;
	char path[128], text[256];
	int fd = -1;

	(void)state;
	scratch_write(&scratch, "victim", "precious", 0600);
	assert_int_equal(symlinkat("victim", scratch.fd, "lock"), 0);
	assert_true(statefile_lock(scratch.fd, &fd, &err) < 0);
	assert_int_equal(unlinkat(scratch.fd, "lock", 0), 0);
	assert_int_equal(mkfifo(scratch_path(&scratch, "lock", path), 0600), 0);
	assert_int_equal(statefile_lock(scratch.fd, &fd, &err), -EINVAL);
	assert_string_equal(scratch_read(&scratch, "victim", text, sizeof(text)), "precio"
										  "us");
}

/* The core's user owns the directory: what he put there instead is not made his. */
static void lock_of_two_names_is_not_given_away(void **state)
{
	struct stat before, after;
	char path[128];
	struct err err;
	int fd = -1;

	(void)state;
	scratch_write(&scratch, "victim", "precious", 0600);
	assert_int_equal(stat(scratch_path(&scratch, "victim", path), &before), 0);
	assert_int_equal(linkat(scratch.fd, "victim", scratch.fd, "lock", 0), 0);
	assert_int_equal(statefile_lock(scratch.fd, &fd, &err), 0);
	assert_int_equal(statefile_give_lock(scratch.fd, fd, getuid(), getgid()), -EPERM);
	assert_int_equal(unlinkat(scratch.fd, "lock", 0), 0);
	assert_int_equal(statefile_give_lock(scratch.fd, fd, getuid(), getgid()),
			 -ENOENT);
	close(fd);
	assert_int_equal(stat(path, &after), 0);
	figure_exactly("S11", "owners changed of what a planted lock leads to",
		       before.st_uid != after.st_uid, 0);
	assert_int_equal(statefile_lock(scratch.fd, &fd, &err), 0);
	assert_int_equal(statefile_give_lock(scratch.fd, fd, getuid(), getgid()), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lock_of_two_names_is_not_given_away,
						scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(replaced_is_read, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(strange_files_are_refused, scratch_begin,
						scratch_end),
		cmocka_unit_test_setup_teardown(planted_links_are_not_followed, scratch_begin,
						scratch_end),
		cmocka_unit_test_setup_teardown(failure_leaves_the_old_one, scratch_begin,
						scratch_end),
		cmocka_unit_test_setup_teardown(full_and_read_only_medium, scratch_begin,
						scratch_end),
		cmocka_unit_test_setup_teardown(damaged_is_set_aside, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(second_lock_is_refused, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(lock_is_no_link_and_no_fifo, scratch_begin,
						scratch_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
