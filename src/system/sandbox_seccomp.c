/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter of system calls, as classic BPF made from a table. What the table does not
 * name fails with EPERM. A few calls are allowed with some values of one argument only.
 *
 * On i386 and s390 the C library reaches sockets by socketcall(2), whose arguments lie in
 * memory where a filter cannot see them: there the address families are not restricted.
 */
#include "hairpin/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_syscalls.h"

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define OUR_ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARMEB__)
#define OUR_ARCH AUDIT_ARCH_ARMEB
#elif defined(__arm__)
#define OUR_ARCH AUDIT_ARCH_ARM
#elif defined(__mips64) && _MIPS_SIM == _ABIN32 && defined(__MIPSEL__)
#define OUR_ARCH AUDIT_ARCH_MIPSEL64N32
#elif defined(__mips64) && _MIPS_SIM == _ABIN32
#define OUR_ARCH AUDIT_ARCH_MIPS64N32
#elif defined(__mips64) && defined(__MIPSEL__)
#define OUR_ARCH AUDIT_ARCH_MIPSEL64
#elif defined(__mips64)
#define OUR_ARCH AUDIT_ARCH_MIPS64
#elif defined(__mips__) && defined(__MIPSEL__)
#define OUR_ARCH AUDIT_ARCH_MIPSEL
#elif defined(__mips__)
#define OUR_ARCH AUDIT_ARCH_MIPS
#elif defined(__riscv) && __riscv_xlen == 64
#define OUR_ARCH AUDIT_ARCH_RISCV64
#elif defined(__riscv)
#define OUR_ARCH AUDIT_ARCH_RISCV32
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define OUR_ARCH AUDIT_ARCH_PPC64LE
#elif defined(__powerpc64__)
#define OUR_ARCH AUDIT_ARCH_PPC64
#elif defined(__powerpc__)
#define OUR_ARCH AUDIT_ARCH_PPC
#elif defined(__s390x__)
#define OUR_ARCH AUDIT_ARCH_S390X
#elif defined(__loongarch64) && defined(AUDIT_ARCH_LOONGARCH64)
#define OUR_ARCH AUDIT_ARCH_LOONGARCH64
#endif

enum {
	PROGRAM_MAX = 1024,
	X32_BIT = 0x40000000,	/* asm/unistd.h: __X32_SYSCALL_BIT */
};

struct program {
	struct sock_filter code[PROGRAM_MAX];
	size_t length;
	uint32_t refuse;	/* the action for what is not allowed */
};

static void emit(struct program *program, struct sock_filter instruction)
{
	/* `length` goes on, so that the end sees that it was too long. */
	if (program->length < PROGRAM_MAX)
		program->code[program->length] = instruction;
	program->length++;
}

static void emit_load(struct program *program, size_t offset)
{
	emit(program,
	     (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void emit_return(struct program *program, uint32_t action)
{
	emit(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* If what was loaded compares so with `value`, the next instruction, else over `skip`. */
static void emit_unless(struct program *program, uint16_t comparison, uint32_t value,
			uint8_t skip)
{
	emit(program,
	     (struct sock_filter)BPF_JUMP(BPF_JMP | comparison | BPF_K, value, 0, skip));
}

static void emit_allow_if(struct program *program, uint32_t value)
{
	emit_unless(program, BPF_JEQ, value, 1);
	emit_return(program, SECCOMP_RET_ALLOW);
}

/* The low half: all arguments that we look at are ints. */
static size_t offset_of_argument(unsigned argument)
{
	size_t offset = offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t);

	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? offset + 4 : offset;
}

/* The call `number`, only where the argument is one of `values`. */
static void emit_argument_in(struct program *program, uint32_t number, unsigned argument,
			     const uint32_t *values, size_t count)
{
	size_t i;

	emit_unless(program, BPF_JEQ, number, (uint8_t)(1 + 2 * count + 1));
	emit_load(program, offset_of_argument(argument));
	for (i = 0; i < count; i++)
		emit_allow_if(program, values[i]);
	emit_return(program, program->refuse);
}

/* The call `number`, only where not all bits of `forbidden` are set in the argument. */
static void emit_argument_without(struct program *program, uint32_t number,
				  unsigned argument, uint32_t forbidden)
{
	emit_unless(program, BPF_JEQ, number, 5);
	emit_load(program, offset_of_argument(argument));
	emit(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, forbidden));
	emit_unless(program, BPF_JEQ, forbidden, 1);
	emit_return(program, program->refuse);
	emit_return(program, SECCOMP_RET_ALLOW);
}

static void emit_unknown(struct program *program, uint32_t number)
{
	emit_unless(program, BPF_JEQ, number, 1);
	emit_return(program, SECCOMP_RET_ERRNO | ENOSYS);
}

/*
 * Foreign architectures have other numbers for the same calls. A call that a tracer leaves
 * out, to give its own answer, comes as number -1.
 */
static void emit_head(struct program *program, uint32_t arch)
{
	emit_load(program, offsetof(struct seccomp_data, arch));
	emit_unless(program, BPF_JEQ, arch, 1);
	emit(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1));
	emit_return(program, SECCOMP_RET_KILL_PROCESS);
	emit_load(program, offsetof(struct seccomp_data, nr));
	emit_unknown(program, UINT32_MAX);
#if defined(__x86_64__)
	emit_unless(program, BPF_JGE, X32_BIT, 1);
	emit_return(program, program->refuse);
#endif
}

static void emit_rules(struct program *program, enum sandbox_role role)
{
	const struct syscall_rule *rule;
	const struct syscall_argument *argument;
	size_t count;

	for (rule = syscall_rules(&count); count > 0; rule++, count--) {
		if (rule->roles & (1u << role))
			emit_allow_if(program, rule->number);
	}
	for (argument = syscall_arguments(&count); count > 0; argument++, count--) {
		if (!(argument->roles & (1u << role)))
			continue;
		if (argument->forbidden)
			emit_argument_without(program, argument->number,
					      argument->argument, argument->forbidden);
		else
			emit_argument_in(program, argument->number, argument->argument,
					 argument->values, argument->count);
	}
}

enum { KIND = 0xf };	/* of a socket, beside SOCK_CLOEXEC and SOCK_NONBLOCK */

/* Of a socket call, for sockets of one family: the values that one argument may have. */
struct family_rule {
	uint32_t number, family;
	unsigned argument;
	bool is_kind;			/* only its bits in KIND count */
	uint32_t values[2];
	uint8_t count;
};

/* Other values are refused; calls for other families go on to the next rules. */
static void emit_family(struct program *program, const struct family_rule *rule)
{
	uint8_t body = (uint8_t)(2 + rule->is_kind + 2 * rule->count);
	uint8_t i;

	emit_unless(program, BPF_JEQ, rule->number, (uint8_t)(body + 3));
	emit_load(program, offset_of_argument(0));
	emit_unless(program, BPF_JEQ, rule->family, body);
	emit_load(program, offset_of_argument(rule->argument));
	if (rule->is_kind)
		emit(program,
		     (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, KIND));
	for (i = 0; i < rule->count; i++)
		emit_allow_if(program, rule->values[i]);
	emit_return(program, program->refuse);
	emit_load(program, offsetof(struct seccomp_data, nr));
}

/* Never datagrams: by one of such a pair anybody's socket can be written to. */
static void emit_pairs(struct program *program)
{
#ifdef __NR_socketpair
	static const struct family_rule rule = {
		.number = __NR_socketpair, .family = AF_UNIX, .argument = 1, .is_kind = true,
		.values = { SOCK_STREAM, SOCK_SEQPACKET }, .count = 2,
	};

	emit_family(program, &rule);
#else
	(void)program;
#endif
}

/*
 * Netlink's other buses have no work for us, and for who may administer the network much:
 * tunnels and their keys, IPsec. libcurl and c-ares ask for interfaces and routes.
 */
static void emit_netlink(struct program *program, enum sandbox_role role)
{
#ifdef __NR_socket
	const struct family_rule rule = {
		.number = __NR_socket, .family = AF_NETLINK, .argument = 2,
		.values = { NETLINK_ROUTE, NETLINK_NETFILTER },
		.count = role == SANDBOX_CORE ? 2 : 1,
	};

	emit_family(program, &rule);
#else
	(void)program;
	(void)role;
#endif
}

/*
 * To find the number of a link (fe80::1%eth0) glibc takes an inet socket where it gets no
 * unix one. musl does not: there the publisher may have one, of the kind that no bus and no
 * daemon's control listens on.
 */
static void emit_unix_sockets(struct program *program)
{
#if defined(__NR_socket) && !defined(__GLIBC__)
	static const struct family_rule rule = {
		.number = __NR_socket, .family = AF_UNIX, .argument = 1, .is_kind = true,
		.values = { SOCK_DGRAM }, .count = 1,
	};

	emit_family(program, &rule);
#else
	(void)program;
#endif
}

/* Signals go to ourselves only: abort(), raise(). */
static void emit_own_signals(struct program *program)
{
	uint32_t self = (uint32_t)getpid();

	emit_argument_in(program, __NR_tgkill, 0, &self, 1);
	emit_argument_in(program, __NR_kill, 0, &self, 1);
}

static void program_make(struct program *program, enum sandbox_role role, uint32_t arch)
{
	const char *action = secure_getenv("HAIRPIND_SECCOMP");
	bool trap = action && strcmp(action, "trap") == 0;

	program->length = 0;
	program->refuse = trap ? SECCOMP_RET_TRAP : SECCOMP_RET_ERRNO | EPERM;
	emit_head(program, arch);
	if (role == SANDBOX_PUBLISHER)
		emit_unix_sockets(program);
	emit_pairs(program);
	emit_netlink(program, role);
	emit_rules(program, role);
	emit_own_signals(program);
	/* The C library then falls back to the older one, which is refused. */
#ifdef __NR_clone3
	emit_unknown(program, __NR_clone3);
#endif
	emit_return(program, program->refuse);
}

int sandbox_syscalls(enum sandbox_role role, struct err *ret_err)
{
#ifdef OUR_ARCH
	struct program program;
	struct sock_fprog filter;

	program_make(&program, role, OUR_ARCH);
	if (program.length > PROGRAM_MAX)
		return err_set(ret_err, -E2BIG, "the filter of system calls is too long");
	filter.len = (unsigned short)program.length;
	filter.filter = program.code;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set_errno(ret_err, -errno, "cannot refuse new privileges");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0)
		return 0;
	if (errno == EINVAL)
		return err_set(ret_err, -EOPNOTSUPP,
			       "this kernel has no seccomp filters");
	return err_set_errno(ret_err, -errno,
			     "cannot install the filter of system calls");
#else
	(void)role;
	(void)program_make;
	return err_set(ret_err, -EOPNOTSUPP,
		       "no filter of system calls is known for this "
		       "architecture");
#endif
}
