/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that was to read the configuration and tells nothing: who dies, leaves or
 * takes too long is told apart, whoever waited for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/load.h"

static struct load load;

/* Not SIGKILL, which would be our own. */
static void dies(void) { (void)raise(SIGTERM); }
static void leaves(void) { _exit(3); }
static void hangs(void) { (void)pause(); }

static void start(void (*child)(void))
{
	int ends[2];

	memset(&load, 0, sizeof(load));
	load.document = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(load.document >= 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	load.pid = fork();
	if (load.pid == 0) {
		child();
		_exit(0);
	}
	assert_true(load.pid > 0);
	close(ends[1]);
	load.pipe = ends[0];
	load.deadline_ms = 100;
}

static void expect(const char *words)
{
	struct load_vault vault = { { NULL } };
	struct err err = { "" };
	int document = -1;

	assert_int_equal(load_finish(&load, &vault, &document, &err), -EIO);
	assert_int_equal(document, -1);
	assert_int_equal(load.pid, 0);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" is not in: %s", words, err.text);
}

static void its_death_is_told(void **state)
{
	(void)state;
	start(dies);
	assert_true(load_read(&load, 0));
	expect("ended by signal 15");
	start(leaves);
	assert_true(load_read(&load, 0));
	expect("left with status 3");
}

static void whoever_waited(void **state)
{
	int status;

	(void)state;
	start(dies);
	assert_int_equal(waitpid(load.pid, &status, 0), load.pid);
	load_reaped(&load, status);
	assert_true(load_read(&load, 0));
	expect("ended by signal 15");
}

static void slowness_is_no_death(void **state)
{
	(void)state;
	start(hangs);
	assert_int_equal(fcntl(load.pipe, F_SETFL, O_NONBLOCK), 0);
	assert_false(load_read(&load, 99));
	assert_true(load_read(&load, 100));
	expect("could not be read in time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_death_is_told),
		cmocka_unit_test(whoever_waited),
		cmocka_unit_test(slowness_is_no_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
