/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who gets one of the control socket's places, and who makes room. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/passed.h"

#include "core.h"
#include "control.h"

/* --- who may come --- */

static bool may_change(const struct core_options *options,
		       const struct unixsock_peer *peer)
{
	return peer->uid == 0 || peer->uid == geteuid() ||
	       (options->admin_group != (gid_t)-1 &&
		unixsock_peer_in_group(peer, options->admin_group));
}

/* The user of hairpind-hooks.service; the only thing that it may change. */
static bool may_run_hooks(const struct core_options *options,
			  const struct unixsock_peer *peer)
{
	return may_change(options, peer) ||
	       (options->hooks_user != (uid_t)-1 && peer->uid == options->hooks_user);
}

static bool may_read(const struct core_options *options, const struct unixsock_peer *peer)
{
	return may_run_hooks(options, peer) ||
	       (options->control_group != (gid_t)-1 &&
		unixsock_peer_in_group(peer, options->control_group));
}

static const char stranger[] = "{\"error\":\"you may not ask: that is for root, "
			       "hairpind's own user and the groups control.group and "
			       "control.admin_group\"}\n";

static const char crowd[] = "{\"error\":\"too many of your commands wait already; try "
			    "again\"}\n";

/* Places that a user takes, of those who watch or of the others. */
static size_t places_of(const struct control *control, uid_t uid, bool watching)
{
	size_t count = 0;

	for (size_t i = 0; i < control->count; i++)
		count += control->clients[i]->uid == uid &&
			 (control->clients[i]->state == CLIENT_WATCHING) == watching;
	return count;
}

/* Who has said its line, and waits for us, is not idle. */
static bool is_idler(const struct client *client, const struct client *other)
{
	bool queued = client->state == CLIENT_QUEUED;

	/* NOLINTNEXTLINE(*NullDereference): nobody has 0 places */
	if (queued != (other->state == CLIENT_QUEUED))
		return !queued;
	return client->progress_ms < other->progress_ms;
}

/*
 * Of the user who takes most places the one without progress for the longest time. Who
 * watches is idle by nature, and never takes so many places that nobody else is left.
 */
static struct client *to_go(const struct control *control, bool watching)
{
	struct client *found = NULL;
	size_t most = 0;

	for (size_t i = 0; i < control->count; i++) {
		struct client *client = control->clients[i];
		size_t places = places_of(control, client->uid, watching);

		if ((client->state == CLIENT_WATCHING) != watching || places < most ||
		    (places == most && !is_idler(client, found)))
			continue;
		found = client;
		most = places;
	}
	return found;
}

static void turn_away(int fd, const char *answer)
{
	(void)send(fd, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
	passed_close(fd);
}

/* A place for another one of the user. False: its own commands take them all. */
static bool make_room(struct control *control, uid_t uid)
{
	struct client *client;

	if (control->count < CONTROL_CLIENTS_MAX)
		return true;
	client = to_go(control, false);
	if (client->state == CLIENT_QUEUED && client->uid == uid)
		return false;
	client_free(client);
	return true;
}

void control_adopt(struct control *control, int fd, const struct unixsock_peer *peer,
		   int64_t now_ms)
{
	struct client *client;

	if (!may_read(control->core->options, peer)) {
		turn_away(fd, stranger);
		return;
	}
	if (!make_room(control, peer->uid)) {
		turn_away(fd, crowd);
		return;
	}
	client = calloc(1, sizeof(*client));
	if (!client) {
		passed_close(fd);
		return;
	}
	client->control = control;
	client->fd = fd;
	client->uid = peer->uid;
	client->pid = peer->pid;
	client->pass = -1;
	client->out = (struct text)TEXT_INIT;
	client->may_change = may_change(control->core->options, peer);
	client->may_run_hooks = may_run_hooks(control->core->options, peer);
	client->progress_ms = now_ms;
	control->clients[control->count++] = client;
	client_begin(client);
}

/* --- those who watch --- */

/* Of those who do not read what they watch, the one that is so for the longest time. */
static struct client *longest_blocked(const struct control *control)
{
	struct client *found = NULL;

	for (size_t i = 0; i < control->count; i++) {
		struct client *client = control->clients[i];

		if (client->state == CLIENT_WATCHING && client->lost &&
		    (!found || client->progress_ms < found->progress_ms))
			found = client;
	}
	return found;
}

/* Who watches and does not read, or is of a user with more such places, makes room. */
static struct client *watcher_to_go(const struct client *newcomer)
{
	const struct control *control = newcomer->control;
	struct client *client = longest_blocked(control);

	if (client)
		return client;
	client = to_go(control, true);
	return places_of(control, client->uid, true) >
			       places_of(control, newcomer->uid, true) + 1
		       ? client
		       : NULL;
}

bool control_watch(struct client *client)
{
	struct client *other;

	if (control_watchers(client->control) >= CONTROL_WATCHERS_MAX) {
		other = watcher_to_go(client);
		if (!other)
			return false;
		client_free(other);
	}
	client->state = CLIENT_WATCHING;
	return true;
}
