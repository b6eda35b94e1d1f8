/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The channel to the supervisor. */
#include <errno.h>
#include <unistd.h>

#include "hairpin/channel.h"
#include "hairpin/clock.h"
#include "hairpin/log.h"

#include "control.h"
#include "core.h"

int supervisor_send(struct core *core, const void *packet, size_t bytes)
{
	return channel_send(core->options->supervisor, packet, bytes, -1);
}

/* -EBUSY: none of its own, another one follows. */
static void reload_counted(struct metrics *metrics, int status, bool failed)
{
	if (status == -EBUSY)
		return;
	metrics->reloads += !failed;
	metrics->reload_failures += failed;
	metrics->reload_failed = failed;
	if (!failed)
		metrics->reload_ms = clock_now_ms();
}

static void configured(struct core *core, const struct message_reply *reply, int fd)
{
	const char *failed = NULL;
	struct err err = { "" };

	if (reply->status < 0)
		failed = "the configuration cannot be used; the old one stays in force";
	else if (fd < 0 || reload_run(core, fd, &err) < 0)
		failed = err.text[0] ? err.text
				     : "no configuration came; the old one stays";
	reload_counted(&core->metrics, reply->status, failed != NULL);
	watch_reload(core, failed);
	control_reloaded(core->control, reply, failed);
}

/* Who sent a signal hears why nothing comes of it now. */
static void said_rest(const struct core *core)
{
	char until[CLOCK_TEXT_BYTES];

	if (pause_is_on(core))
		log_notice("a signal asks for a look: it is paused until %s",
			   clock_format(core->pause.until_wall_s, until));
}

static void said(struct core *core, const void *packet, int fd)
{
	const struct message *head = packet;
	int64_t now_ms = clock_now_ms();

	switch (head->type) {
	case MESSAGE_PUBLISHER:
		publisher_take(core, packet, fd, now_ms);
		return;		/* the descriptor is its own */
	case MESSAGE_HOOK_DONE:
		events_finished(core, packet);
		break;
	case MESSAGE_HOOK_RESULT:
		events_ran(core, packet);
		break;
	case MESSAGE_COMMAND_DONE:
		discover_command_done(core, packet, now_ms);
		break;
	case MESSAGE_CONFIG:
		configured(core, packet, fd);
		break;
	case MESSAGE_LOOK:
		said_rest(core);
		core->sync.asked = true;
		discover_network(core, now_ms);
		break;
	case MESSAGE_UPDATE:
		said_rest(core);
		(void)schedule_update(core->schedule, NULL, 0, false, now_ms);
		break;
	case MESSAGE_STOP:
		core_stop(core, 0);
		break;
	}
	if (fd >= 0)
		close(fd);
}

bool supervisor_receive(struct core *core)
{
	union {
		struct message head;
		struct message_reply reply;
		struct message_hook_result result;
	} packet;
	ssize_t got;
	int fd;

	while (!core->stopping) {
		got = channel_receive(core->options->supervisor, &packet, sizeof(packet),
				      &fd);
		if (got == -EAGAIN)
			return true;
		if (got <= 0)
			return false;
		if (!message_to_core_ok(&packet, (size_t)got)) {
			log_error("supervisor: says what it must not; leaving");
			if (fd >= 0)
				close(fd);
			return false;
		}
		said(core, &packet, fd);
	}
	return true;
}
