/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tries from inside, by LD_PRELOAD, what the sandbox is to refuse: when the program first
 * waits for events with its filter of system calls on (the supervisor, which has none: in
 * its loop), each act of the list is done by its bare system call, and a line for each goes
 * to standard error:
 *
 *	forbidden NAME ACT refused|DONE errno
 *
 * A few acts that are allowed stand in the list too ("may"), so that a list which refuses
 * everything is seen. HAIRPIND_FORBIDDEN holds the id of another process of the same user
 * and the path of a unix socket that listens.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <unistd.h>

static pid_t victim;
static char foreign[sizeof(((struct sockaddr_un *)0)->sun_path)];

static long try_execve(void)
{
	char *none[] = { NULL };

	return syscall(SYS_execve, "/bin/true", none, none);
}

static long try_execveat(void)
{
	char *none[] = { NULL };

	return syscall(SYS_execveat, AT_FDCWD, "/bin/true", none, none, 0);
}

/* A child that came to be says nothing and goes. */
static long try_clone(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		syscall(SYS_exit_group, 0);
	return pid;
}

static long try_clone3(void)
{
	uint64_t arguments[8] = { [4] = SIGCHLD };
	long pid = syscall(SYS_clone3, arguments, sizeof(arguments));

	if (pid == 0)
		syscall(SYS_exit_group, 0);
	return pid;
}

static long try_thread(void)
{
	long pid = syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		syscall(SYS_exit_group, 0);
	return pid;
}

static long try_ptrace(void) { return syscall(SYS_ptrace, PTRACE_SEIZE, victim, 0, 0); }
static long try_ptrace_me(void) { return syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0); }
static long try_mount(void) { return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, ""); }
static long try_umount(void) { return syscall(SYS_umount2, "/run", 2); }
static long try_open_tree(void) { return syscall(SYS_open_tree, AT_FDCWD, "/", 1); }
static long try_chroot(void) { return syscall(SYS_chroot, "/"); }
static long try_pivot_root(void) { return syscall(SYS_pivot_root, "/", "/"); }
static long try_bpf(void) { return syscall(SYS_bpf, 0, NULL, 0); }
static long try_userfaultfd(void) { return syscall(SYS_userfaultfd, 0); }
static long try_perf(void) { return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0); }
static long try_module(void) { return syscall(SYS_finit_module, 0, "", 0); }
static long try_kexec(void) { return syscall(SYS_kexec_load, 0, 0, NULL, 0); }
static long try_reboot(void) { return syscall(SYS_reboot, 1, 1, 0, NULL); }
static long try_unshare(void) { return syscall(SYS_unshare, CLONE_NEWUSER); }
static long try_unshare_net(void) { return syscall(SYS_unshare, CLONE_NEWNET); }
static long try_setns(void) { return syscall(SYS_setns, 0, 0); }
static long try_setuid(void) { return syscall(SYS_setuid, 0); }
static long try_setresgid(void) { return syscall(SYS_setresgid, 0, 0, 0); }
static long try_setgroups(void) { return syscall(SYS_setgroups, 0, NULL); }
static long try_personality(void) { return syscall(SYS_personality, 0x0400000); }
static long try_kill(void) { return syscall(SYS_kill, victim, 0); }
static long try_tgkill(void) { return syscall(SYS_tgkill, victim, victim, 0); }
static long try_pidfd(void) { return syscall(SYS_pidfd_open, victim, 0); }
static long try_hostname(void) { return syscall(SYS_sethostname, "x", 1); }
static long try_clock(void) { return syscall(SYS_clock_settime, 0, NULL); }
static long try_swapon(void) { return syscall(SYS_swapon, "/x", 0); }
static long try_memfd(void) { return syscall(SYS_memfd_create, "x", 0); }
static long try_handle(void) { return syscall(SYS_open_by_handle_at, 0, NULL, 0); }
static long try_fanotify(void) { return syscall(SYS_fanotify_init, 0, 0); }
static long try_dumpable(void) { return syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }
static long try_ambient(void) { return syscall(SYS_prctl, PR_CAP_AMBIENT, 2, 12, 0, 0); }
static long try_acct(void) { return syscall(SYS_acct, "/x"); }

static long try_io_uring(void)
{
	char parameters[256] = "";

	return syscall(SYS_io_uring_setup, 1, parameters);
}

static long try_keyctl(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
}

static long try_add_key(void)
{
	return syscall(SYS_add_key, "user", "x", "x", 1, KEY_SPEC_PROCESS_KEYRING);
}

static long try_vm_readv(void)
{
	return syscall(SYS_process_vm_readv, victim, NULL, 0, NULL, 0, 0);
}

static long try_write_execute(void)
{
	return syscall(SYS_mmap, NULL, 4096, PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long try_become_execute(void)
{
	return syscall(SYS_mprotect, (uintptr_t)foreign & ~(uintptr_t)4095, 4096,
		       PROT_READ | PROT_EXEC);
}

static long open_for(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

static long try_shadow(void) { return open_for("/etc/shadow", O_RDONLY); }
static long try_configuration(void) { return open_for("/etc/hairpind/password", O_RDONLY); }
static long try_passwd_write(void) { return open_for("/etc/passwd", O_WRONLY); }
static long try_tmp_write(void) { return open_for("/tmp/forbidden", O_WRONLY | O_CREAT); }
static long try_hooks(void) { return open_for("/etc/hairpind/hooks.d/x", O_WRONLY | O_CREAT); }
static long try_core_pattern(void) { return open_for("/proc/sys/kernel/core_pattern", O_WRONLY); }

static long try_memory(void)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)victim);
	return open_for(path, O_RDONLY);
}

static long try_symlink(void)
{
	return syscall(SYS_symlinkat, "/etc/shadow", AT_FDCWD, "/run/lab/state/link");
}

static long try_linkat(void)
{
	return syscall(SYS_linkat, AT_FDCWD, "/etc/passwd", AT_FDCWD, "/run/lab/state/l", 0);
}

static long try_mknod(void)
{
	return syscall(SYS_mknodat, AT_FDCWD, "/run/lab/state/node", 0020600, 0x103);
}

static long a_socket(int family, int type, int protocol)
{
	return syscall(SYS_socket, family, type, protocol);
}

static long try_raw(void) { return a_socket(AF_INET, SOCK_RAW, 1); }
static long try_raw6(void) { return a_socket(AF_INET6, SOCK_RAW, 58); }
static long try_packet(void) { return a_socket(AF_PACKET, SOCK_RAW, 0); }
static long try_inet(void) { return a_socket(AF_INET, SOCK_STREAM, 0); }
static long try_vsock(void) { return a_socket(AF_VSOCK, SOCK_STREAM, 0); }
static long try_alg(void) { return a_socket(AF_ALG, SOCK_SEQPACKET, 0); }
static long try_unix(void) { return a_socket(AF_UNIX, SOCK_STREAM, 0); }

/* By a socket that one may have: the publisher's of the other kind. */
static long try_unix_connect(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	long fd = a_socket(AF_UNIX, SOCK_DGRAM, 0);

	if (fd < 0)
		return fd;
	memcpy(to.sun_path, foreign, sizeof(to.sun_path));
	return syscall(SYS_connect, fd, &to, sizeof(to));
}

/* By one of a pair: who has a datagram socket may write to any address. */
static long try_pair_send(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int ends[2];
	long rc = syscall(SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends);

	if (rc < 0)
		return rc;
	memcpy(to.sun_path, foreign, sizeof(to.sun_path));
	return syscall(SYS_sendto, ends[0], "x", 1, 0, &to, sizeof(to));
}

static long try_pair_tipc(void)
{
	int ends[2];

	return syscall(SYS_socketpair, AF_TIPC, SOCK_STREAM, 0, ends);
}

static long try_netlink_generic(void) { return a_socket(AF_NETLINK, SOCK_RAW, 16); }
static long try_netlink_xfrm(void) { return a_socket(AF_NETLINK, SOCK_RAW, 6); }
static long try_netlink_netfilter(void) { return a_socket(AF_NETLINK, SOCK_RAW, 12); }

/* The kernel would send what is asked for when something can be read. */
static long try_owner(void) { return syscall(SYS_fcntl, 0, F_SETOWN, victim); }
static long try_owner_signal(void) { return syscall(SYS_fcntl, 0, F_SETSIG, SIGKILL); }

static long try_terminal(void) { return syscall(SYS_ioctl, 2, TIOCSTI, "x"); }

/* What only the capabilities that the supervisor gave up would let it do. */

static long try_regain(void)
{
	uint32_t header[2] = { 0x20080522, 0 };		/* version 3 of capset(2), ourselves */
	uint32_t all[6] = { ~0u, ~0u, 0, 0x1ff, 0x1ff, 0 };

	return syscall(SYS_capset, header, all);
}

static long try_namespace(void)
{
	long fd = open_for("/proc/self/ns/net", O_RDONLY);

	return syscall(SYS_setns, fd, CLONE_NEWNET);
}

/* A tick of 0 is none: whoever may set the clock hears that instead. */
static long try_adjust_clock(void)
{
	struct timex change = { .modes = ADJ_TICK };

	return syscall(SYS_adjtimex, &change);
}

static long try_bpf_list(void)
{
	char attributes[128] = "";

	return syscall(SYS_bpf, 11 /* BPF_PROG_GET_NEXT_ID */, attributes, 12);
}

static long try_core_limit(void)
{
	uint64_t limit[2] = { 1, 1 };

	return syscall(SYS_prlimit64, 0, RLIMIT_CORE, limit, NULL);
}

static long may_time(void) { return syscall(SYS_clock_gettime, 0, foreign + 64); }
static long may_pid(void) { return syscall(SYS_getpid); }
static long may_netlink(void) { return a_socket(AF_NETLINK, SOCK_RAW, 0); }
static long may_pair(void)
{
	int ends[2];

	return syscall(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET, 0, ends);
}

enum { CORE = 1, PUBLISHER = 2, BOTH = 3, SUPERVISOR = 4, ALL = 7 };

#define ACT(who, name) { who, #name, try_##name }

static const struct {
	unsigned who;
	const char *name;
	long (*act)(void);
} acts[] = {
	ACT(BOTH, execve), ACT(BOTH, execveat), ACT(BOTH, clone), ACT(BOTH, clone3),
	ACT(BOTH, thread), ACT(ALL, ptrace), ACT(BOTH, ptrace_me), ACT(ALL, mount),
	ACT(ALL, umount), ACT(ALL, open_tree), ACT(ALL, chroot), ACT(ALL, pivot_root),
	ACT(BOTH, bpf), ACT(BOTH, userfaultfd), ACT(BOTH, io_uring), ACT(BOTH, perf),
	ACT(ALL, module), ACT(ALL, kexec), ACT(ALL, reboot), ACT(BOTH, unshare),
	ACT(ALL, unshare_net), ACT(BOTH, setns), ACT(BOTH, setuid), ACT(BOTH, setresgid),
	ACT(BOTH, setgroups), ACT(BOTH, personality), ACT(BOTH, kill), ACT(BOTH, tgkill),
	ACT(BOTH, pidfd), ACT(ALL, hostname), ACT(BOTH, clock), ACT(ALL, swapon),
	ACT(BOTH, memfd), ACT(BOTH, handle), ACT(ALL, fanotify), ACT(BOTH, dumpable),
	ACT(BOTH, ambient), ACT(ALL, acct), ACT(BOTH, keyctl), ACT(BOTH, add_key),
	ACT(BOTH, vm_readv), ACT(BOTH, write_execute), ACT(BOTH, become_execute),
	ACT(BOTH, shadow), ACT(BOTH, configuration), ACT(BOTH, passwd_write),
	ACT(BOTH, tmp_write), ACT(BOTH, hooks), ACT(BOTH, core_pattern), ACT(ALL, memory),
	ACT(BOTH, symlink), ACT(BOTH, linkat), ACT(ALL, mknod), ACT(ALL, raw),
	ACT(ALL, raw6), ACT(ALL, packet), ACT(CORE, inet), ACT(BOTH, vsock),
	ACT(BOTH, alg), ACT(BOTH, unix), ACT(BOTH, unix_connect), ACT(BOTH, terminal),
	ACT(BOTH, pair_send), ACT(BOTH, pair_tipc), ACT(BOTH, owner), ACT(BOTH, owner_signal),
	ACT(BOTH, netlink_generic), ACT(BOTH, netlink_xfrm),
	ACT(PUBLISHER, netlink_netfilter),
	ACT(SUPERVISOR, regain), ACT(SUPERVISOR, namespace), ACT(SUPERVISOR, adjust_clock),
	ACT(SUPERVISOR, bpf_list), ACT(ALL, core_limit),
	{ ALL, "may_time", may_time }, { ALL, "may_pid", may_pid },
	{ ALL, "may_netlink", may_netlink }, { ALL, "may_pair", may_pair },
};

static void try_all(const char *name, unsigned who)
{
	char line[128];
	int length;
	size_t i;

	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		long got;

		if (!(acts[i].who & who))
			continue;
		errno = 0;
		got = acts[i].act();
		length = snprintf(line, sizeof(line), "forbidden %s %s %s %d\n", name,
				  acts[i].name, got < 0 ? "refused" : "DONE",
				  got < 0 ? errno : 0);
		syscall(SYS_write, 2, line, (size_t)length);
	}
}

/* The filter answers this question too: who has one may not ask. */
static void try_once(void)
{
	static bool done;

	if (done || !victim || prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0)
		return;
	done = true;
	if (strstr(program_invocation_short_name, "publish"))
		try_all("publisher", PUBLISHER);
	else
		try_all("core", CORE);
}

/* The wishes stand in the environment, which the publisher empties before it serves. */
static void remember(void) __attribute__((constructor));
static void remember(void)
{
	const char *how = getenv("HAIRPIND_FORBIDDEN");

	if (how)
		(void)sscanf(how, "%d %100s", &victim, foreign);
}

/* The core has another name by then, and the log's own waiting is for one descriptor. */
int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	static bool done;
	char name[16] = "";
	struct timespec time = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };

	(void)syscall(SYS_prctl, PR_GET_NAME, name, 0, 0, 0);
	if (!done && victim && count > 3 && strcmp(name, "hairpind") == 0) {
		done = true;
		try_all("supervisor", SUPERVISOR);
	}
	return (int)syscall(SYS_ppoll, fds, count, timeout_ms < 0 ? NULL : &time, NULL, 8);
}

int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout_ms)
{
	try_once();
	return (int)syscall(SYS_epoll_pwait, epoll, events, room, timeout_ms, NULL, 8);
}
