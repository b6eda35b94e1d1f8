/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Version 3 of capset(2) speaks of 64 capabilities in two words. */
struct capabilities {
	struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3];
};

static const struct __user_cap_header_struct capability_header = {
	.version = _LINUX_CAPABILITY_VERSION_3,
};

static int capabilities_get(struct capabilities *ret)
{
	struct __user_cap_header_struct header = capability_header;

	return syscall(SYS_capget, &header, ret->words) < 0 ? -errno : 0;
}

static int capabilities_set(const struct capabilities *wanted)
{
	struct __user_cap_header_struct header = capability_header;

	return syscall(SYS_capset, &header, wanted->words) < 0 ? -errno : 0;
}

/* Old kernels (before 4.3) know no ambient set: nothing to clear then. */
static void ambient_clear(void)
{
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

/* What the unit made inheritable for the start is of no use afterwards. */
static void inheritable_clear(void)
{
	struct capabilities have;
	size_t i;

	if (capabilities_get(&have) < 0)
		return;
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		have.words[i].inheritable = 0;
	(void)capabilities_set(&have);
}

int sandbox_begin(struct err *ret_err)
{
	struct rlimit none = { 0, 0 };

	umask(0077);
	signal(SIGPIPE, SIG_IGN);
	ambient_clear();
	inheritable_clear();
	/* The one that matters first: it also keeps others out of our memory. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return err_set_errno(ret_err, -errno, "cannot forbid core dumps");
	return 0;
}

/*
 * Needs CAP_SETPCAP, which the shipped unit does not give: there the service manager has
 * made the set small already.
 */
static void bounding_shrink(uint64_t keep)
{
	int capability;

	for (capability = 0; capability < 64; capability++) {
		if (keep & (UINT64_C(1) << capability))
			continue;
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return;		/* EINVAL: beyond the last; EPERM: not ours */
	}
}

/*
 * In a user namespace of one user there is nobody to become: EINVAL; without rights:
 * EPERM.
 */
static int user_change(uid_t uid, gid_t gid, struct err *ret_err)
{
	bool stay = uid == (uid_t)-1;

	if (setgroups(0, NULL) < 0 && !stay)
		return err_set(ret_err, -EPERM,
			       "cannot leave the supplementary groups: %s",
			       strerror(errno));
	if (stay)
		return 0;
	if (gid != (gid_t)-1 && setresgid(gid, gid, gid) < 0)
		return err_set(ret_err, -EPERM, "cannot become group %u: %s",
			       (unsigned)gid, strerror(errno));
	if (setresuid(uid, uid, uid) < 0)
		return err_set(ret_err, -EPERM, "cannot become user %u: %s",
			       (unsigned)uid, strerror(errno));
	return 0;
}

/* What is wanted and was permitted; never more than we had. */
static int capabilities_shrink(uint64_t keep)
{
	struct capabilities have, want = { 0 };
	size_t i;
	int rc;

	rc = capabilities_get(&have);
	if (rc < 0)
		return rc;
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		want.words[i].permitted = have.words[i].permitted &
					  (uint32_t)(keep >> 32 * i);
		want.words[i].effective = want.words[i].permitted;
	}
	/* Who has no more than that needs no capset(), which a service's filter may refuse. */
	if (memcmp(&have, &want, sizeof(have)) == 0)
		return 0;
	return capabilities_set(&want);
}

/* A change of credentials makes the kernel forget both; see commit_creds(). */
static int restore_after_change(int death_signal, struct err *ret_err)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set_errno(ret_err, -errno, "cannot forbid core dumps");
	if (death_signal && prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) < 0)
		return err_set_errno(ret_err, -errno,
				     "cannot ask to die with the parent");
	return 0;
}

int sandbox_supervise(struct err *ret_err)
{
	static const int kept[] = { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,
				    CAP_FOWNER, CAP_KILL, CAP_SETGID, CAP_SETUID,
				    CAP_SETPCAP, CAP_NET_ADMIN };
	uint64_t keep = 0;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		keep |= UINT64_C(1) << kept[i];
	bounding_shrink(keep);
	rc = capabilities_shrink(keep);
	if (rc < 0)
		return err_set_errno(ret_err, rc, "cannot give up capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set_errno(ret_err, -errno, "cannot refuse new privileges");
	return 0;
}

int sandbox_drop(uid_t uid, gid_t gid, enum sandbox_caps caps, struct err *ret_err)
{
	uint64_t keep = caps == SANDBOX_NET_ADMIN ? UINT64_C(1) << CAP_NET_ADMIN : 0;
	int death_signal = 0;
	int rc;

	if (prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0) < 0 ||
	    prctl(PR_SET_KEEPCAPS, keep != 0, 0, 0, 0) < 0)
		return err_set_errno(ret_err, -errno, "cannot keep what is needed");
	bounding_shrink(keep);
	rc = user_change(uid, gid, ret_err);
	if (rc < 0)
		return rc;
	ambient_clear();
	rc = capabilities_shrink(keep);
	if (rc < 0)
		return err_set_errno(ret_err, rc, "cannot give up capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set_errno(ret_err, -errno, "cannot refuse new privileges");
	return restore_after_change(death_signal, ret_err);
}
