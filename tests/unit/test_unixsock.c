/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "figure.h"
#include "hairpin/notify.h"
#include "hairpin/unixsock.h"
#include "scratch_room.h"

static struct err err;

static void client_is_known(void **state)
{
	int listener = -1, client = -1, server = -1;
	struct unixsock_peer peer;
	struct stat status;
	char path[128];

	(void)state;
	scratch_path(&scratch, "run/control.sock", path);
	assert_int_equal(unixsock_listen(path, getgid(), &listener, &err), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0660);
	assert_int_equal(fstatat(scratch.fd, "run", &status, 0), 0);
	assert_int_equal(status.st_mode & 0777, 0755);
	assert_int_equal(unixsock_accept(listener, &server, &peer), -EAGAIN);
	assert_int_equal(unixsock_connect(path, 1000, &client, &err), 0);
	assert_int_equal(unixsock_accept(listener, &server, &peer), 0);
	assert_int_equal(peer.uid, getuid());
	assert_int_equal(peer.pid, getpid());
	assert_true(unixsock_peer_in_group(&peer, getgid()));
	assert_false(unixsock_peer_in_group(&peer, (gid_t)-1));
	assert_false(unixsock_peer_in_group(&peer, 54321));
	assert_true(fcntl(server, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(server, F_GETFD) & FD_CLOEXEC);
	close(client);
	close(server);
	unixsock_unlink(path, listener);
	assert_int_equal(access(path, F_OK), -1);
	close(listener);
}

static void supplementary_groups_count(void **state)
{
	struct unixsock_peer peer = { .gid = 5, .group_count = 2, .groups = { 7, 9 } };

	(void)state;
	assert_true(unixsock_peer_in_group(&peer, 5));
	assert_true(unixsock_peer_in_group(&peer, 9));
	assert_false(unixsock_peer_in_group(&peer, 8));
}

static void without_group_owner_only(void **state)
{
	int listener = -1;
	struct stat status;
	char path[128];

	(void)state;
	scratch_path(&scratch, "s", path);
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &listener, &err), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	close(listener);
}

static void stale_is_replaced_live_is_not(void **state)
{
	int first = -1, second = -1;
	char path[128];

	(void)state;
	scratch_path(&scratch, "s", path);
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &first, &err), 0);
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &second, &err), -EADDRINUSE);
	assert_int_equal(second, -1);
	assert_int_equal(access(path, F_OK), 0);
	close(first);
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &second, &err), 0);
	close(second);
}

/* Another program's socket, of another kind than ours. */
static int foreign_datagrams(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -1 : fd;
}

static void foreign_things_stay(void **state)
{
	char path[128], text[64];
	int listener = -1;

	(void)state;
	scratch_path(&scratch, "s", path);
	scratch_write(&scratch, "s", "a file", 0600);
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &listener, &err), -EEXIST);
	assert_string_equal(scratch_read(&scratch, "s", text, sizeof(text)), "a file");
	assert_int_equal(unlinkat(scratch.fd, "s", 0), 0);
	assert_int_equal(symlinkat("target", scratch.fd, "s"), 0);
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &listener, &err), -EEXIST);
	assert_int_equal(readlinkat(scratch.fd, "s", text, sizeof(text)), 6);
	assert_int_equal(unlinkat(scratch.fd, "s", 0), 0);
	assert_true(foreign_datagrams(path) >= 0);
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &listener, &err), -EADDRINUSE);
	assert_int_equal(unlinkat(scratch.fd, "s", 0), 0);
	assert_int_equal(mkdirat(scratch.fd, "s", 0700), 0);
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &listener, &err), -EEXIST);
	assert_int_equal(listener, -1);
}

static void bad_paths(void **state)
{
	char path[128], longest[108], name[128];
	int listener = -1;

	(void)state;
	memset(name, 'x', sizeof(name));
	snprintf(longest, sizeof(longest), "%s/%.*s", scratch.path,
		 (int)(sizeof(longest) - 2 - strlen(scratch.path)), name);
	snprintf(path, sizeof(path), "%sx", longest);
	assert_int_equal(strlen(path), 108);
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &listener, &err),
			 -ENAMETOOLONG);
	assert_int_equal(unixsock_listen("relative", (gid_t)-1, &listener, &err),
			 -EINVAL);
	assert_int_equal(unixsock_listen("", (gid_t)-1, &listener, &err), -EINVAL);
	assert_int_equal(unixsock_listen(longest, (gid_t)-1, &listener, &err), 0);
	unixsock_unlink(longest, listener);
	close(listener);
	assert_int_equal(fchmod(scratch.fd, 0777), 0);
	listener = -1;
	scratch_path(&scratch, "s", path);
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &listener, &err), -EPERM);
	assert_int_equal(listener, -1);
}

/* Somebody moved his own socket over ours: it is not ours to remove. */
static int listen_elsewhere(void *argument)
{
	int listener;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return unixsock_listen(argument, (gid_t)-1, &listener, &err) == 0 ? (pause(), 0)
									  : 1;
}

static void only_own_is_unlinked(void **state)
{
	int listener = -1, probe = -1;
	char path[128];
	pid_t other;

	(void)state;
	scratch_path(&scratch, "s", path);
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &listener, &err), 0);
	assert_int_equal(unlink(path), 0);
	other = fork();
	if (other == 0)
		_exit(listen_elsewhere(path));
	scratch_wait_for(unixsock_connect(path, 100, &probe, &err) == 0);
	close(probe);
	unixsock_unlink(path, listener);
	assert_int_equal(access(path, F_OK), 0);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	close(listener);
}

/* A full queue of clients that wait does not keep our own socket from being removed. */
static void unlinked_though_queue_is_full(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = -1, clients[64], i;
	char path[128];

	(void)state;
	scratch_path(&scratch, "s", path);
	memcpy(address.sun_path, path, strlen(path));
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &listener, &err), 0);
	for (i = 0; i < 64; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(clients[i], (struct sockaddr *)&address, sizeof(address));
	}
	unixsock_unlink(path, listener);
	assert_int_equal(access(path, F_OK), -1);
	for (i = 0; i < 64; i++)
		close(clients[i]);
	close(listener);
}

static void client_waits_no_longer_than_told(void **state)
{
	int listener = -1, client = -1;
	char path[128], byte;

	(void)state;
	scratch_path(&scratch, "s", path);
	assert_int_equal(unixsock_connect(path, 100, &client, &err), -ENOENT);
	assert_int_equal(unixsock_listen(path, (gid_t)-1, &listener, &err), 0);
	assert_int_equal(unixsock_connect(path, 100, &client, &err), 0);
	assert_int_equal(read(client, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	close(client);
	close(listener);
	client = -1;
	assert_int_equal(unixsock_connect(path, 100, &client, &err), -ECONNREFUSED);
	assert_int_equal(client, -1);
}

static int notify_listen(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	size_t length = strlen(name);

	memcpy(address.sun_path, name, length);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
		0);
	return fd;
}

static void service_manager_hears(void **state)
{
	char path[128], names[2][128], got[64];
	int i;

	(void)state;
	snprintf(names[0], sizeof(names[0]), "%s", scratch_path(&scratch, "n", path));
	snprintf(names[1], sizeof(names[1]), "@hairpin-test-%d", (int)getpid());
	for (i = 0; i < 2; i++) {
		int fd = notify_listen(names[i]);

		setenv("NOTIFY_SOCKET", names[i], 1);
		notify_send("READY=1");
		assert_int_equal(recv(fd, got, sizeof(got), 0), 7);
		assert_memory_equal(got, "READY=1", 7);
		/* Nobody reads: the sender is not held up. */
		for (int n = 0; n < 10000; n++)
			notify_send("WATCHDOG=1");
		close(fd);
		notify_send("READY=1");
	}
	figure_holds("S42", "10,000 notices to a manager that reads none, and none there: "
		     "not held up", true);
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	notify_send("READY=1");
	unsetenv("NOTIFY_SOCKET");
	notify_send("READY=1");
}

static void watchdog_is_for_us(void **state)
{
	char pid[16];

	(void)state;
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "120000000", 1);
	assert_int_equal(notify_watchdog_ms(), 60000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ms(), 60000);
	setenv("WATCHDOG_USEC", "-5", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "1", 1);
	assert_int_equal(notify_watchdog_ms(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(client_is_known, scratch_begin, scratch_end),
		cmocka_unit_test(supplementary_groups_count),
		cmocka_unit_test_setup_teardown(without_group_owner_only, scratch_begin,
						scratch_end),
		cmocka_unit_test_setup_teardown(stale_is_replaced_live_is_not, scratch_begin,
						scratch_end),
		cmocka_unit_test_setup_teardown(foreign_things_stay, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(bad_paths, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(only_own_is_unlinked, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(unlinked_though_queue_is_full, scratch_begin,
						scratch_end),
		cmocka_unit_test_setup_teardown(client_waits_no_longer_than_told, scratch_begin,
						scratch_end),
		cmocka_unit_test_setup_teardown(service_manager_hears, scratch_begin, scratch_end),
		cmocka_unit_test(watchdog_is_for_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
