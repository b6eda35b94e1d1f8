/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which system calls the two confined roles need with glibc and musl, on old and new
 * kernels, 32 and 64 bits. Not every architecture knows each of them. Nothing here makes
 * a process, runs a program, changes rights, or reaches into another process.
 */
#include "sandbox_syscalls.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "hairpin/sandbox.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41	/* Linux 5.17: names for the heap's pages */
#endif

enum {
	CORE = 1 << SANDBOX_CORE,
	PUBLISHER = 1 << SANDBOX_PUBLISHER,
	BOTH = CORE | PUBLISHER,
};

#define ALLOW(name, role) { .number = __NR_##name, .roles = (role) }

static const struct syscall_rule rules[] = {
	/* memory */
	ALLOW(brk, BOTH),
	ALLOW(mremap, BOTH),
	ALLOW(munmap, BOTH),
	ALLOW(madvise, BOTH),
	ALLOW(mincore, BOTH),
	/* descriptors and files, reading */
	ALLOW(read, BOTH),
	ALLOW(readv, BOTH),
	ALLOW(pread64, BOTH),
	ALLOW(preadv, BOTH),
	ALLOW(write, BOTH),
	ALLOW(writev, BOTH),
	ALLOW(pwrite64, BOTH),
	ALLOW(pwritev, BOTH),
	ALLOW(close, BOTH),
	ALLOW(dup, BOTH),
	ALLOW(dup3, BOTH),
	ALLOW(pipe2, BOTH),
	ALLOW(openat, BOTH),
	ALLOW(faccessat, BOTH),
	ALLOW(readlinkat, BOTH),
	ALLOW(getdents64, BOTH),
	ALLOW(getcwd, BOTH),
	/* the state file and the text file of metrics */
	ALLOW(unlinkat, CORE),
	ALLOW(fsync, CORE),
	ALLOW(fdatasync, CORE),
	ALLOW(fchmod, CORE),
	ALLOW(fallocate, CORE),
	ALLOW(flock, CORE),
	/* waiting */
	ALLOW(epoll_create1, BOTH),
	ALLOW(epoll_ctl, BOTH),
	ALLOW(epoll_pwait, BOTH),
	ALLOW(eventfd2, BOTH),
	ALLOW(signalfd4, BOTH),
	ALLOW(timerfd_create, BOTH),
	/* resolv.conf */
	ALLOW(inotify_init1, PUBLISHER),
	ALLOW(inotify_add_watch, PUBLISHER),
	ALLOW(inotify_rm_watch, PUBLISHER),
	/* sockets */
	ALLOW(connect, PUBLISHER),
	ALLOW(bind, BOTH),
	ALLOW(getsockname, BOTH),
	ALLOW(getpeername, BOTH),
	ALLOW(getsockopt, BOTH),
	ALLOW(setsockopt, BOTH),
	ALLOW(sendto, BOTH),
	ALLOW(sendmsg, BOTH),
	ALLOW(sendmmsg, BOTH),
	ALLOW(recvfrom, BOTH),
	ALLOW(recvmsg, BOTH),
	ALLOW(shutdown, BOTH),
	/* the control socket */
	ALLOW(accept4, CORE),
	/* signals */
	ALLOW(rt_sigaction, BOTH),
	ALLOW(setitimer, BOTH),
	ALLOW(rt_sigprocmask, BOTH),
	ALLOW(rt_sigreturn, BOTH),
	ALLOW(rt_sigpending, BOTH),
	ALLOW(sigaltstack, BOTH),
	ALLOW(restart_syscall, BOTH),
	/* oneself */
	ALLOW(exit, BOTH),
	ALLOW(exit_group, BOTH),
	ALLOW(getpid, BOTH),
	ALLOW(getppid, BOTH),
	ALLOW(gettid, BOTH),
	ALLOW(getuid, BOTH),
	ALLOW(geteuid, BOTH),
	ALLOW(getgid, BOTH),
	ALLOW(getegid, BOTH),
	ALLOW(getresuid, BOTH),
	ALLOW(getresgid, BOTH),
	ALLOW(getgroups, BOTH),
	ALLOW(capget, BOTH),
	ALLOW(getrusage, BOTH),
	ALLOW(times, BOTH),
	ALLOW(uname, BOTH),
	ALLOW(sysinfo, BOTH),
	ALLOW(umask, BOTH),
	ALLOW(getrandom, BOTH),
	/* the C library's locks */
	ALLOW(set_robust_list, BOTH),
	ALLOW(get_robust_list, BOTH),
	ALLOW(set_tid_address, BOTH),
	ALLOW(sched_yield, BOTH),
	ALLOW(sched_getaffinity, BOTH),
	ALLOW(getcpu, BOTH),

	/* Not known to every architecture or every age of the kernel's headers. */
#ifdef __NR_membarrier
	ALLOW(membarrier, BOTH),
#endif
#ifdef __NR_llseek
	ALLOW(llseek, BOTH),
#endif
#ifdef __NR_lseek
	ALLOW(lseek, BOTH),
#endif
#ifdef __NR__llseek
	ALLOW(_llseek, BOTH),
#endif
#ifdef __NR_close_range
	ALLOW(close_range, BOTH),
#endif
#ifdef __NR_dup2
	ALLOW(dup2, BOTH),
#endif
#ifdef __NR_pipe
	ALLOW(pipe, BOTH),
#endif
#ifdef __NR_open
	ALLOW(open, BOTH),
#endif
#ifdef __NR_openat2
	ALLOW(openat2, BOTH),
#endif
#ifdef __NR_stat
	ALLOW(stat, BOTH),
#endif
#ifdef __NR_stat64
	ALLOW(stat64, BOTH),
#endif
#ifdef __NR_lstat
	ALLOW(lstat, BOTH),
#endif
#ifdef __NR_lstat64
	ALLOW(lstat64, BOTH),
#endif
#ifdef __NR_fstat
	ALLOW(fstat, BOTH),
#endif
#ifdef __NR_fstat64
	ALLOW(fstat64, BOTH),
#endif
#ifdef __NR_fstatat64
	ALLOW(fstatat64, BOTH),
#endif
#ifdef __NR_newfstatat
	ALLOW(newfstatat, BOTH),
#endif
#ifdef __NR_statx
	ALLOW(statx, BOTH),
#endif
#ifdef __NR_access
	ALLOW(access, BOTH),
#endif
#ifdef __NR_faccessat2
	ALLOW(faccessat2, BOTH),
#endif
#ifdef __NR_readlink
	ALLOW(readlink, BOTH),
#endif
#ifdef __NR_getdents
	ALLOW(getdents, BOTH),
#endif
#ifdef __NR_unlink
	ALLOW(unlink, CORE),
#endif
#ifdef __NR_rename
	ALLOW(rename, CORE),
#endif
#ifdef __NR_renameat
	ALLOW(renameat, CORE),
#endif
#ifdef __NR_renameat2
	ALLOW(renameat2, CORE),
#endif
#ifdef __NR_ftruncate
	ALLOW(ftruncate, CORE),
#endif
#ifdef __NR_ftruncate64
	ALLOW(ftruncate64, CORE),
#endif
#ifdef __NR_poll
	ALLOW(poll, BOTH),
#endif
#ifdef __NR_ppoll
	ALLOW(ppoll, BOTH),
#endif
#ifdef __NR_ppoll_time64
	ALLOW(ppoll_time64, BOTH),
#endif
#ifdef __NR_select
	ALLOW(select, BOTH),
#endif
#ifdef __NR__newselect
	ALLOW(_newselect, BOTH),
#endif
#ifdef __NR_pselect6
	ALLOW(pselect6, BOTH),
#endif
#ifdef __NR_pselect6_time64
	ALLOW(pselect6_time64, BOTH),
#endif
#ifdef __NR_epoll_create
	ALLOW(epoll_create, BOTH),
#endif
#ifdef __NR_epoll_wait
	ALLOW(epoll_wait, BOTH),
#endif
#ifdef __NR_epoll_pwait2
	ALLOW(epoll_pwait2, BOTH),
#endif
#ifdef __NR_eventfd
	ALLOW(eventfd, BOTH),
#endif
#ifdef __NR_timerfd_settime
	ALLOW(timerfd_settime, BOTH),
#endif
#ifdef __NR_timerfd_settime64
	ALLOW(timerfd_settime64, BOTH),
#endif
#ifdef __NR_timerfd_gettime
	ALLOW(timerfd_gettime, BOTH),
#endif
#ifdef __NR_timerfd_gettime64
	ALLOW(timerfd_gettime64, BOTH),
#endif
#ifdef __NR_inotify_init
	ALLOW(inotify_init, PUBLISHER),
#endif
#ifdef __NR_send
	ALLOW(send, BOTH),
#endif
#ifdef __NR_recv
	ALLOW(recv, BOTH),
#endif
#ifdef __NR_recvmmsg
	ALLOW(recvmmsg, BOTH),
#endif
#ifdef __NR_recvmmsg_time64
	ALLOW(recvmmsg_time64, BOTH),
#endif
#ifdef __NR_socketcall
	ALLOW(socketcall, BOTH),
#endif
#ifdef __NR_accept
	ALLOW(accept, CORE),
#endif
#ifdef __NR_clock_gettime
	ALLOW(clock_gettime, BOTH),
#endif
#ifdef __NR_clock_gettime64
	ALLOW(clock_gettime64, BOTH),
#endif
#ifdef __NR_clock_getres
	ALLOW(clock_getres, BOTH),
#endif
#ifdef __NR_clock_getres_time64
	ALLOW(clock_getres_time64, BOTH),
#endif
#ifdef __NR_gettimeofday
	ALLOW(gettimeofday, BOTH),
#endif
#ifdef __NR_time
	ALLOW(time, BOTH),
#endif
#ifdef __NR_nanosleep
	ALLOW(nanosleep, BOTH),
#endif
#ifdef __NR_clock_nanosleep
	ALLOW(clock_nanosleep, BOTH),
#endif
#ifdef __NR_clock_nanosleep_time64
	ALLOW(clock_nanosleep_time64, BOTH),
#endif
#ifdef __NR_rt_sigtimedwait
	ALLOW(rt_sigtimedwait, BOTH),
#endif
#ifdef __NR_rt_sigtimedwait_time64
	ALLOW(rt_sigtimedwait_time64, BOTH),
#endif
#ifdef __NR_sigaction
	ALLOW(sigaction, BOTH),
#endif
#ifdef __NR_sigprocmask
	ALLOW(sigprocmask, BOTH),
#endif
#ifdef __NR_sigreturn
	ALLOW(sigreturn, BOTH),
#endif
#ifdef __NR_pause
	ALLOW(pause, BOTH),
#endif
#ifdef __NR_getpgrp
	ALLOW(getpgrp, BOTH),
#endif
#ifdef __NR_getuid32
	ALLOW(getuid32, BOTH),
#endif
#ifdef __NR_geteuid32
	ALLOW(geteuid32, BOTH),
#endif
#ifdef __NR_getgid32
	ALLOW(getgid32, BOTH),
#endif
#ifdef __NR_getegid32
	ALLOW(getegid32, BOTH),
#endif
#ifdef __NR_getresuid32
	ALLOW(getresuid32, BOTH),
#endif
#ifdef __NR_getresgid32
	ALLOW(getresgid32, BOTH),
#endif
#ifdef __NR_getgroups32
	ALLOW(getgroups32, BOTH),
#endif
#ifdef __NR_getrlimit
	ALLOW(getrlimit, BOTH),
#endif
#ifdef __NR_ugetrlimit
	ALLOW(ugetrlimit, BOTH),
#endif
#ifdef __NR_futex
	ALLOW(futex, BOTH),
#endif
#ifdef __NR_futex_time64
	ALLOW(futex_time64, BOTH),
#endif
#ifdef __NR_rseq
	ALLOW(rseq, BOTH),
#endif
};

const struct syscall_rule *syscall_rules(size_t *ret_count)
{
	*ret_count = sizeof(rules) / sizeof(rules[0]);
	return rules;
}

/* A filter does not see the address, but those of other families are longer. */
static const uint32_t bytes_netlink[] = { sizeof(struct sockaddr_nl) };
static const uint32_t families_publisher[] = { AF_INET, AF_INET6 };
/* Never TIOCSTI and its kind, which type into the terminal of whoever started us. */
static const uint32_t ioctls[] = {
	FIONBIO, FIONREAD, TCGETS, TIOCGWINSZ, SIOCGIFNAME, SIOCGIFINDEX, SIOCGIFFLAGS,
};
/* Never F_SETOWN and its kind, by which the kernel sends others any signal for us. */
static const uint32_t fcntls[] = {
	F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
};
static const uint32_t prctls[] = { PR_SET_NAME, PR_SET_VMA, PR_GET_DUMPABLE };
static const uint32_t zero[] = { 0 };

#define VALUES(array) .values = (array), .count = sizeof(array) / sizeof((array)[0])

static const struct syscall_argument arguments[] = {
	{ .number = __NR_ioctl, .roles = BOTH, .argument = 1, VALUES(ioctls) },
#ifdef __NR_fcntl
	{ .number = __NR_fcntl, .roles = BOTH, .argument = 1, VALUES(fcntls) },
#endif
#ifdef __NR_fcntl64
	{ .number = __NR_fcntl64, .roles = BOTH, .argument = 1, VALUES(fcntls) },
#endif
	{ .number = __NR_prctl, .roles = BOTH, .argument = 0, VALUES(prctls) },
	/*
	 * getrlimit() of today's libraries; of oneself only. Hard limits can but shrink.
	 */
	{ .number = __NR_prlimit64, .roles = BOTH, .argument = 0, VALUES(zero) },
/* No memory that is writable and executable, and none that becomes executable. */
#ifdef __NR_mmap
	{ .number = __NR_mmap,
	  .roles = BOTH,
	  .argument = 2,
	  .forbidden = PROT_WRITE | PROT_EXEC },
#endif
#ifdef __NR_mmap2
	{ .number = __NR_mmap2,
	  .roles = BOTH,
	  .argument = 2,
	  .forbidden = PROT_WRITE | PROT_EXEC },
#endif
	{ .number = __NR_mprotect, .roles = BOTH, .argument = 2, .forbidden = PROT_EXEC },
#ifdef __NR_socket
	{ .number = __NR_socket,
	  .roles = PUBLISHER,
	  .argument = 0,
	  VALUES(families_publisher) },
	{ .number = __NR_connect,
	  .roles = CORE,
	  .argument = 2,
	  VALUES(bytes_netlink) },
#endif
};

const struct syscall_argument *syscall_arguments(size_t *ret_count)
{
	*ret_count = sizeof(arguments) / sizeof(arguments[0]);
	return arguments;
}
