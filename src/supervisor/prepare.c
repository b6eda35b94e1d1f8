/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the supervisor holds for its whole life: state directory, its lock, control
 * socket. NAT must not wait for any of them: what cannot be had is said, and done
 * without.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hairpin/log.h"
#include "hairpin/statefile.h"
#include "hairpin/unixsock.h"
#include "state.h"

static int state_directory_make(const struct load_facts *facts)
{
	if (mkdir(facts->state_directory, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (facts->core.uid == (uid_t)-1)
		return 0;
	return lchown(facts->state_directory, facts->core.uid, facts->core.gid) < 0
		       ? -errno
		       : 0;
}

static int state_directory_open(const struct load_facts *facts, struct err *ret_err)
{
	const char *path = facts->state_directory;
	struct stat status;
	int fd, rc;

	rc = state_directory_make(facts);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(ret_err, rc < 0 ? rc : -errno, "state directory %s",
				     path);
	if (fstat(fd, &status) == 0 && !(status.st_mode & S_IWOTH))
		return fd;
	close(fd);
	return err_set(ret_err, -EPERM, "state directory %s: everybody may write to it",
		       path);
}

/* The core's user may one day be who starts us: the lock is his as the directory is. */
static int state_directory_lock(struct supervisor *supervisor, int directory,
				struct err *ret_err)
{
	const struct load_user *owner = &supervisor->facts.core;
	int rc = statefile_lock(directory, &supervisor->lock, ret_err), given;

	if (rc < 0 || owner->uid == (uid_t)-1)
		return rc;
	given = statefile_give_lock(directory, supervisor->lock, owner->uid, owner->gid);
	if (given < 0)
		log_info("state directory: the lock stays root's: %s", strerror(-given));
	return 0;
}

bool prepare_state_directory(struct supervisor *supervisor)
{
	struct err err = { "" };
	int fd, rc;

	if (supervisor->options->mode == CORE_DRY_RUN)
		return true;
	fd = state_directory_open(&supervisor->facts, &err);
	if (fd < 0) {
		log_warning("%s; nothing is remembered across a restart", err.text);
		return true;
	}
	rc = state_directory_lock(supervisor, fd, &err);
	if (rc == -EWOULDBLOCK) {
		log_error("another hairpind works with %s; ask that one: hairpinctl sync",
			  supervisor->facts.state_directory);
		supervisor->exit_status = EXIT_FAILED;
		close(fd);
		return false;
	}
	if (rc < 0) {
		log_warning("%s; nothing is remembered across a restart", err.text);
		close(fd);
		return true;
	}
	supervisor->state_directory = fd;
	return true;
}

/* A group that we may not give files to is no reason to go without a socket. */
static int control_listen(struct supervisor *supervisor, struct err *ret_err)
{
	const struct load_facts *facts = &supervisor->facts;
	int rc;

	if (facts->control_group_missing)
		log_notice("control: there is no group %s; only root may use the socket",
			   facts->control_group_name);
	rc = unixsock_listen(facts->socket, facts->control_group, &supervisor->control,
			     ret_err);
	/* EINVAL: a group from outside of our user namespace. */
	if ((rc != -EPERM && rc != -EINVAL) || facts->control_group == (gid_t)-1)
		return rc;
	log_notice("control: the socket cannot be given to group %s; only user %u may "
		   "use it",
		   facts->control_group_name, (unsigned)geteuid());
	return unixsock_listen(facts->socket, (gid_t)-1, &supervisor->control, ret_err);
}

bool prepare_control(struct supervisor *supervisor)
{
	struct err err = { "" };
	int rc;

	if (supervisor->options->mode != CORE_DAEMON)
		return true;
	rc = control_listen(supervisor, &err);
	if (rc == 0)
		return true;
	if (rc == -EADDRINUSE) {
		log_error("%s; if that is hairpind, ask it: hairpinctl sync", err.text);
		supervisor->exit_status = EXIT_FAILED;
		return false;
	}
	log_error("%s; hairpinctl will not reach this daemon", err.text);
	return true;
}

/*
 * Opened by the path's last directory: what the core makes there has one name, and stands
 * in no other place if somebody turns a link of the way elsewhere.
 */
void prepare_metrics(struct supervisor *supervisor)
{
	const char *path = supervisor->facts.metrics_textfile;
	const char *name = strrchr(path, '/');
	char directory[CONFIG_PATH_BYTES];

	if (!name || supervisor->options->mode == CORE_DRY_RUN)
		return;
	(void)snprintf(directory, sizeof(directory), "%.*s", (int)(name - path + 1), path);
	supervisor->metrics = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (supervisor->metrics < 0)
		log_warning("metrics: %s cannot be opened: %s; no text file is written",
			    directory, strerror(errno));
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void prepare_undo(struct supervisor *supervisor)
{
	if (supervisor->control >= 0)
		unixsock_unlink(supervisor->facts.socket, supervisor->control);
	close_if_open(&supervisor->control);
	close_if_open(&supervisor->state_directory);
	close_if_open(&supervisor->metrics);
	close_if_open(&supervisor->lock);
}
