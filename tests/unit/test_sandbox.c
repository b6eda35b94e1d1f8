/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A confined child tries what must not be possible, one act a child, and what must.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "hairpin/log.h"
#include "hairpin/sandbox.h"
#include "hairpin/statefile.h"
#include "scratch_room.h"

enum { REFUSED = 0, ALLOWED = 1, OTHERWISE = 2, NO_SANDBOX = 3 };

static int refused(long rc, int expected)
{
	if (rc >= 0)
		return ALLOWED;
	return errno == expected ? REFUSED : OTHERWISE;
}

/* --- acts --- */

static int act_exec(void)
{
	char *argv[] = { (char *)"true", NULL };

	return refused(execve("/bin/true", argv, environ), EPERM);
}
static int act_execveat(void)
{
	return refused(syscall(SYS_execveat, -1, "/bin/true", NULL, NULL, 0), EPERM);
}
static int act_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return refused(pid, EPERM);
}
static int act_clone3(void) { return refused(syscall(SYS_clone3, NULL, 0), ENOSYS); }
static int act_ptrace(void)
{
	return refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM);
}
static int act_read_others(void)
{
	char byte;
	struct iovec to = { &byte, 1 }, from = { &byte, 1 };

	return refused(process_vm_readv(getppid(), &to, 1, &from, 1, 0), EPERM);
}
static int act_mount(void)
{
	return refused(mount("none", "/tmp", "tmpfs", 0, NULL), EPERM);
}
static int act_unshare(void) { return refused(unshare(CLONE_NEWUSER), EPERM); }
static int act_bpf(void) { return refused(syscall(SYS_bpf, 0, NULL, 0), EPERM); }
static int act_io_uring(void)
{
	return refused(syscall(SYS_io_uring_setup, 1, NULL), EPERM);
}
static int act_userfaultfd(void) { return refused(syscall(SYS_userfaultfd, 0), EPERM); }
static int act_open_by_handle(void)
{
	return refused(syscall(SYS_open_by_handle_at, -1, NULL, 0), EPERM);
}
static int act_keyctl(void) { return refused(syscall(SYS_keyctl, 0, 0), EPERM); }
static int act_memfd(void) { return refused(syscall(SYS_memfd_create, "x", 0), EPERM); }
static int act_chmod(void) { return refused(chmod(scratch.path, 0777), EPERM); }
static int act_setuid(void) { return refused(setresuid(0, 0, 0), EPERM); }
static int act_shadow(void) { return refused(open("/etc/shadow", O_RDONLY), EACCES); }
static int act_passwd(void) { return refused(open("/etc/passwd", O_RDONLY), EACCES); }
static int act_proc(void) { return refused(open("/proc/self/mem", O_RDONLY), EACCES); }
static int act_list(void) { return refused(open("/", O_RDONLY | O_DIRECTORY), EACCES); }
static int act_write_tmp(void)
{
	return refused(open("/tmp/hairpin-escape", O_WRONLY | O_CREAT, 0600), EACCES);
}
static int act_climb(void)
{
	return refused(openat(scratch.fd, "../../etc/passwd", O_RDONLY), EACCES);
}
static int act_kill_parent(void) { return refused(kill(getppid(), 0), EPERM); }
static int act_kill_all(void) { return refused(kill(-1, 0), EPERM); }
static int act_packet(void) { return refused(socket(AF_PACKET, SOCK_RAW, 0), EPERM); }
static int act_raw(void)
{
	return refused(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
}
static int act_inet(void) { return refused(socket(AF_INET, SOCK_STREAM, 0), EPERM); }
static int act_inet6(void) { return refused(socket(AF_INET6, SOCK_DGRAM, 0), EPERM); }
static int act_vsock(void) { return refused(socket(AF_VSOCK, SOCK_STREAM, 0), EPERM); }
static int act_alg(void) { return refused(socket(AF_ALG, SOCK_SEQPACKET, 0), EPERM); }
static int act_listen(void)
{
	return refused(listen(socket(AF_INET, SOCK_STREAM, 0), 1), EPERM);
}
static int act_type_into_terminal(void) { return refused(ioctl(0, TIOCSTI, "x"), EPERM); }
static int act_dumpable(void) { return refused(prctl(PR_SET_DUMPABLE, 1), EPERM); }
static int act_limit_others(void)
{
	struct rlimit limit;

	return refused(prlimit(getppid(), RLIMIT_CORE, NULL, &limit), EPERM);
}
static int act_code_page(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return refused(page == MAP_FAILED ? -1 : 0, EPERM);
}
static int act_code_later(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	return refused(mprotect(page, 4096, PROT_READ | PROT_EXEC), EPERM);
}
#ifdef __x86_64__
static int act_x32(void) { return refused(syscall(0x40000000 | SYS_getpid), EPERM); }
#endif

struct act {
	const char *name;
	int (*act)(void);
	unsigned roles;
	bool landlock;			/* only where the kernel has it */
};

enum { CORE = 1 << SANDBOX_CORE, PUBLISHER = 1 << SANDBOX_PUBLISHER, BOTH = 3 };

static const struct act acts[] = {
	{ "execve", act_exec, BOTH, false },
	{ "execveat", act_execveat, BOTH, false },
	{ "fork", act_fork, BOTH, false },
	{ "clone3", act_clone3, BOTH, false },
	{ "ptrace", act_ptrace, BOTH, false },
	{ "process_vm_readv", act_read_others, BOTH, false },
	{ "mount", act_mount, BOTH, false },
	{ "unshare", act_unshare, BOTH, false },
	{ "bpf", act_bpf, BOTH, false },
	{ "io_uring_setup", act_io_uring, BOTH, false },
	{ "userfaultfd", act_userfaultfd, BOTH, false },
	{ "open_by_handle_at", act_open_by_handle, BOTH, false },
	{ "keyctl", act_keyctl, BOTH, false },
	{ "memfd_create", act_memfd, BOTH, false },
	{ "chmod", act_chmod, BOTH, false },
	{ "setresuid", act_setuid, BOTH, false },
	{ "/etc/shadow", act_shadow, BOTH, true },
	{ "/etc/passwd", act_passwd, BOTH, true },
	{ "/proc/self/mem", act_proc, BOTH, true },
	{ "list /", act_list, BOTH, true },
	{ "write to /tmp", act_write_tmp, BOTH, true },
	{ "climb out", act_climb, BOTH, true },
	{ "signal to the parent", act_kill_parent, BOTH, false },
	{ "signal to all", act_kill_all, BOTH, false },
	{ "packet socket", act_packet, BOTH, false },
	{ "raw socket", act_raw, BOTH, false },
	{ "inet socket", act_inet, CORE, false },
	{ "inet6 socket", act_inet6, CORE, false },
	{ "vsock", act_vsock, BOTH, false },
	{ "alg socket", act_alg, BOTH, false },
	{ "listen", act_listen, PUBLISHER, false },
	{ "TIOCSTI", act_type_into_terminal, BOTH, false },
	{ "PR_SET_DUMPABLE", act_dumpable, BOTH, false },
	{ "prlimit of others", act_limit_others, BOTH, false },
	{ "writable code", act_code_page, BOTH, false },
	{ "data to code", act_code_later, BOTH, false },
#ifdef __x86_64__
	{ "x32", act_x32, BOTH, false },
#endif
};

struct trial {
	int (*act)(void);
	enum sandbox_role role;
	bool paths;
};

static bool confine(const struct trial *trial)
{
	struct sandbox_path paths[] = { { scratch.path, true }, { "/no/such", false } };
	enum sandbox_caps caps = trial->role == SANDBOX_CORE ? SANDBOX_NET_ADMIN
							     : SANDBOX_NO_CAPS;
	struct err err = { "" };

	if (sandbox_begin(&err) < 0 ||
	    sandbox_drop((uid_t)-1, (gid_t)-1, caps, &err) < 0 ||
	    (trial->paths && sandbox_paths(paths, 2, &err) < 0) ||
	    sandbox_syscalls(trial->role, &err) < 0) {
		fprintf(stderr, "# %s\n", err.text);
		return false;
	}
	return true;
}

static int try_act(void *argument)
{
	const struct trial *trial = argument;

	signal(SIGSYS, SIG_DFL);	/* cmocka handles it */
	return confine(trial) ? trial->act() : NO_SANDBOX;
}

static int paths_only(void *argument)
{
	struct err err;

	(void)argument;
	return -sandbox_paths(NULL, 0, &err);
}

static bool landlock_is_there(void)
{
	int status = scratch_fork(paths_only, NULL);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void forbidden_acts(void **state)
{
	bool landlock = landlock_is_there();
	size_t i;
	int role;

	(void)state;
	if (!landlock)
		print_message("# no Landlock here: only the system calls are tried\n");
	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		for (role = SANDBOX_CORE; role <= SANDBOX_PUBLISHER; role++) {
			struct trial trial = { acts[i].act, (enum sandbox_role)role,
					       landlock };
			int status;

			if (!(acts[i].roles & (1u << role)) ||
			    (acts[i].landlock && !landlock))
				continue;
			status = scratch_fork(try_act, &trial);
			if (!WIFEXITED(status) || WEXITSTATUS(status) != REFUSED)
				fail_msg("%s, role %d: wait status 0x%x", acts[i].name,
					 role, status);
		}
	}
}

/* --- and what must go on --- */

static int needs_of_both(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd, pair[2], loop = epoll_create1(0);
	void *memory;

	fd = socket(AF_NETLINK, SOCK_RAW, 0);
	if (fd < 0 || loop < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return 10;
	if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) < 0 ||
	    epoll_wait(loop, &event, 1, 0) != 0)
		return 11;
	memory = malloc(32 << 20);
	if (!memory)
		return 12;
	memset(memory, 1, 32 << 20);
	free(memory);
	if (raise(SIGCONT) || getpid() <= 0 || usleep(1000))
		return 13;
	log_write(LOG_ERR, "%s", "a line from the sandbox");
	return 0;
}

static int needs_of_core(void)
{
	struct err err;
	char *text = NULL;
	size_t length;
	int rc, pair[2];

	if (statefile_replace(scratch.fd, "state", "12", 2, &err) < 0 ||
	    statefile_read(scratch.fd, "state", 10, &text, &length, &err) < 0)
		return 20;
	free(text);
	if (statefile_set_aside(scratch.fd, "state") < 0 ||
	    statefile_set_aside(scratch.fd, "folder") < 0 ||
	    statefile_set_aside(scratch.fd, "fifo") < 0)
		return 21;
	if (mkdirat(scratch.fd, "another", 0700) == 0 || errno != EPERM)
		return 23;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return 24;
	rc = accept4(pair[0], NULL, NULL, 0);
	if (rc >= 0 || errno != EINVAL)	/* not EPERM: it only does not listen */
		return 22;
	return needs_of_both();
}

static int needs_of_publisher(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET6, SOCK_DGRAM, 0);

	if (tcp < 0 || (udp < 0 && errno != EAFNOSUPPORT))
		return 30;
	if (udp >= 0 && bind(udp, (struct sockaddr *)&any, sizeof(any)) < 0 &&
	    errno == EPERM)
		return 31;
	return needs_of_both();
}

static void needed_acts(void **state)
{
	struct trial trials[] = { { needs_of_core, SANDBOX_CORE, landlock_is_there() },
				  { needs_of_publisher, SANDBOX_PUBLISHER, false } };
	size_t i;

	(void)state;
	assert_int_equal(mkdirat(scratch.fd, "folder", 0755), 0);
	assert_int_equal(mkfifoat(scratch.fd, "fifo", 0644), 0);
	for (i = 0; i < 2; i++) {
		int status = scratch_fork(try_act, &trials[i]);

		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void filter_can_trap(void **state)
{
	struct trial trial = { act_bpf, SANDBOX_CORE, false };
	int status;

	(void)state;
	setenv("HAIRPIND_SECCOMP", "trap", 1);
	status = scratch_fork(try_act, &trial);
	unsetenv("HAIRPIND_SECCOMP");
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* --- rights as the kernel shows them --- */

static uint64_t status_field(const char *name)
{
	static char text[8192];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t got = read(fd, text, sizeof(text) - 1);
	char *at;

	close(fd);
	text[got > 0 ? got : 0] = '\0';
	at = strstr(text, name);
	return at ? strtoull(at + strlen(name), NULL, 16) : ~UINT64_C(0);
}

static int dropped(uid_t uid, enum sandbox_caps caps)
{
	uint64_t had = status_field("CapPrm:"), setpcap = had & (1 << 8);
	uint64_t want = caps == SANDBOX_NET_ADMIN ? had & (1 << 12) : 0;
	struct err err = { "" };
	int signal_number = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sandbox_begin(&err) < 0)
		return 1;
	switch (sandbox_drop(uid, uid, caps, &err)) {
	case 0: break;
	case -EPERM: return 77;
	default: return 2;
	}
	if (status_field("CapPrm:") != want || status_field("CapEff:") != want ||
	    status_field("CapInh:") || status_field("CapAmb:"))
		return 3;
	if (setpcap && status_field("CapBnd:") & ~want)
		return 4;
	if (status_field("NoNewPrivs:") != 1 || prctl(PR_GET_DUMPABLE) != 0)
		return 5;
	if (prctl(PR_GET_PDEATHSIG, &signal_number) < 0 || signal_number != SIGKILL)
		return 6;
	if (uid != (uid_t)-1 &&
	    (getuid() != uid || geteuid() != uid || getgroups(0, NULL) != 0))
		return 7;
	return 0;
}

static int drop_caps(void *caps)
{
	return dropped((uid_t)-1, *(enum sandbox_caps *)caps);
}

static int drop_user(void *caps)
{
	return dropped(65534, *(enum sandbox_caps *)caps);
}

static void rights_shrink(void **state)
{
	enum sandbox_caps caps;

	(void)state;
	for (caps = SANDBOX_NO_CAPS; caps <= SANDBOX_NET_ADMIN; caps++) {
		int status = scratch_fork(drop_caps, &caps);

		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void user_changes(void **state)
{
	enum sandbox_caps caps;

	(void)state;
	for (caps = SANDBOX_NO_CAPS; caps <= SANDBOX_NET_ADMIN; caps++) {
		int status = scratch_fork(drop_user, &caps);

		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 77) {
			print_message("# users cannot be changed here\n");
			skip();
		}
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static int crash(void *argument)
{
	struct err err;
	struct rlimit limit;

	(void)argument;
	if (sandbox_begin(&err) < 0 || getrlimit(RLIMIT_CORE, &limit) < 0)
		return 1;
	return limit.rlim_cur != 0 || limit.rlim_max != 0 ||
	       prctl(PR_GET_DUMPABLE) != 0 || umask(0) != 0077 ||
	       signal(SIGPIPE, SIG_DFL) != SIG_IGN;
}

static void beginning(void **state)
{
	int status = scratch_fork(crash, NULL);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(beginning, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(rights_shrink, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(user_changes, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(forbidden_acts, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(needed_acts, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(filter_can_trap, scratch_begin, scratch_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
