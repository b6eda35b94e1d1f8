/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A core on the faked kernel, with the other end of its channel to the supervisor in the
 * test's hand. The configuration has the WAN "fibre" on ppp0 and home.example.org there.
 */
#ifndef TESTS_CORE_ROOM_H
#define TESTS_CORE_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/control.h"
#include "core/core.h"
#include "fake/kernel.h"
#include "hairpin/channel.h"
#include "hairpin/json.h"
#include "hairpin/log.h"
#include "hairpin/loop.h"

struct room {
	struct core_options options;
	struct core core;
	int far;		/* the supervisor's end */
};

enum { ROOM_LINK = 7 };

static inline struct config_provider room_provider(const char *name, size_t hostnames)
{
	struct config_provider provider = { .check = true, .hostname_count = hostnames };

	strcpy(provider.type, "dyndns2");
	strcpy(provider.name, name);
	provider.families = CONFIG_IPV4;
	provider.timeout_ms = 30000;
	provider.description = strdup("{}");
	provider.facts = (struct catalogue_facts){ .families = CONFIG_IPV4 | CONFIG_IPV6,
						   .batch_hostnames = 1, .parallel = 1,
						   .per_minute = 10 };
	provider.hostnames = calloc(hostnames + 1, sizeof(*provider.hostnames));
	strcpy(provider.hostnames[0].name, "home.example.org");
	for (size_t i = 1; i < hostnames; i++)
		snprintf(provider.hostnames[i].name, CONFIG_HOSTNAME_BYTES,
			 "n%zu.example.org", i);
	provider.settings = calloc(1, sizeof(*provider.settings));
	provider.setting_count = 1;
	strcpy(provider.settings[0].name, "password");
	assert_true(secret_set(&provider.settings[0].value, "geheim", 6));
	return provider;
}

static inline struct config *room_config(size_t hostnames)
{
	struct config *config = calloc(1, sizeof(*config));

	config->wan_count = 1;
	config->wans = calloc(2, sizeof(*config->wans));
	strcpy(config->wans[0].name, "fibre");
	strcpy(config->wans[0].interface, "ppp0");
	config->wans[0].tag = strdup("hairpin");
	config->wans[0].ipv4 = config->wans[0].ipv6 = CONFIG_INTERFACE;
	config->wans[0].grace_ms = 2000;
	config->wans[0].bind = true;
	config->nat.enabled = config->nat.conntrack = true;
	config->nat.max = 1000;
	config->providers = calloc(1, sizeof(*config->providers));
	config->provider_count = hostnames ? 1 : 0;
	if (hostnames)
		config->providers[0] = room_provider("dyn", hostnames);
	config->dns.check_every_ms = 600000;
	config->dns.verify = true;
	strcpy(config->hooks.directory, "/etc/hairpind/hooks.d");
	config->log.level = LOG_ERR;
	return config;
}

/* As many names as are allowed, as long as they may be, with both families. */
static inline struct config *room_config_greatest(void)
{
	struct config *config = room_config(CONFIG_HOSTNAMES_MAX);
	struct config_provider *provider = &config->providers[0];

	memset(provider->name, 'p', CONFIG_LABEL_BYTES - 1);
	provider->families = CONFIG_IPV4 | CONFIG_IPV6;
	for (size_t i = 0; i < provider->hostname_count; i++) {
		char *name = provider->hostnames[i].name;

		memset(name, 'n', CONFIG_HOSTNAME_BYTES - 1);
		name[63] = name[127] = name[191] = '.';
		memcpy(name + snprintf(name, 10, "n%zu", i), "n", 1);
	}
	return config;
}

/* Links and rules are empty, the time goes on from where it was. */
static inline void room_kernel_clear(void)
{
	int64_t now_ms = kernel.now_ms, wall_s = kernel.wall_s;

	memset(&kernel, 0, sizeof(kernel));
	kernel.now_ms = now_ms;
	kernel.wall_s = wall_s;
}

static inline void room_begin_with(struct room *room, struct config *config,
				   int state_directory)
{
	struct json *document;
	struct err err = { "" };
	int ends[2];

	memset(room, 0, sizeof(*room));
	log_set_level(LOG_ERR);
	assert_int_equal(channel_pair(ends), 0);
	room->far = ends[1];
	room->options = (struct core_options){
		.supervisor = ends[0], .control = -1, .state_directory = state_directory,
		.metrics_directory = -1, .metrics_path = "/hairpind.prom",
		.uid = (uid_t)-1, .gid = (gid_t)-1, .control_group = (gid_t)-1,
		.admin_group = (gid_t)-1,
	};
	room->core.options = &room->options;
	room->core.started_ms = kernel.now_ms;
	room->core.sync.retry_ms = INT64_MAX;
	publisher_init(&room->core.publisher);
	assert_int_equal(state_load(&room->core.state, state_directory, &document, &err),
			 0);
	assert_int_equal(core_configure(&room->core, config, &err), 0);
	state_restore_wans(&room->core, document, kernel.now_ms, kernel.wall_s);
	state_restore_records(&room->core, document, kernel.now_ms, kernel.wall_s);
	state_restore_names(&room->core, document, kernel.now_ms);
	json_free(document);
}

static inline void room_begin(struct room *room)
{
	room_kernel_clear();
	room_begin_with(room, room_config(1), -1);
}

static inline void room_end(struct room *room)
{
	control_free(room->core.control);
	publisher_done(&room->core);
	events_done(&room->core.events);
	metrics_done(&room->core.metrics);
	core_unconfigure(&room->core);
	names_done(&room->core.names);
	close(room->options.supervisor);
	close(room->far);
}

/* ppp0 with this one address and a default route; NULL: without address. */
static inline void room_ppp(const char *address)
{
	kernel.link_count = kernel.address_count = kernel.default_count = 0;
	fake_link(1, "lo");
	fake_link(ROOM_LINK, "ppp0");
	fake_default(ROOM_LINK, AF_INET);
	if (address)
		fake_address(ROOM_LINK, address);
}

/* What rtnl's event and a turn do to the rules. */
static inline void room_look(struct room *room)
{
	room->core.sync.links_changed = true;
	sync_turn(&room->core, kernel.now_ms);
}

static inline void room_wait(int64_t ms)
{
	kernel.now_ms += ms;
	kernel.wall_s += ms / 1000;
}

/* The next message to the supervisor of this type; false: none waits. */
static inline bool room_hear(struct room *room, enum message_type type, void *packet,
			     size_t room_bytes)
{
	union {
		struct message head;
		struct message_hook hook;
		struct message_notice notice;
	} any;
	ssize_t got;

	while ((got = channel_receive(room->far, &any, sizeof(any), NULL)) > 0) {
		assert_true(message_to_supervisor_ok(&any, (size_t)got));
		if (any.head.type != type)
			continue;
		assert_true((size_t)got <= room_bytes);
		memcpy(packet, &any, (size_t)got);
		return true;
	}
	assert_int_equal(got, -EAGAIN);
	return false;
}

/* The hook event under way, after a turn of the queue; its fields, or event 0. */
static inline struct message_hook room_hook(struct room *room)
{
	union {
		struct message_hook hook;
		struct message_notice notice;
	} packet;

	events_turn(&room->core, kernel.now_ms);
	memset(&packet, 0, sizeof(packet));
	if (!room_hear(room, MESSAGE_HOOK_RUN, &packet, sizeof(packet)))
		packet.hook.event = 0;
	return packet.hook;
}

static inline void room_hook_done(struct room *room, const struct message_hook *hook)
{
	struct message_reply reply = { .head = { MESSAGE_HOOK_DONE, hook->head.number } };

	events_finished(&room->core, &reply);
}

/* What is logged between these two goes into `out`, not to stderr. */
struct room_log {
	int saved, file;
};

static inline struct room_log room_log_begin(int level)
{
	struct room_log log = { dup(STDERR_FILENO), memfd_create("log", MFD_CLOEXEC) };

	assert_true(log.saved >= 0 && log.file >= 0);
	assert_true(dup2(log.file, STDERR_FILENO) >= 0);
	log_set_level(level);
	return log;
}

static inline void room_log_end(struct room_log *log, char *out, size_t out_bytes)
{
	ssize_t got = pread(log->file, out, out_bytes - 1, 0);

	dup2(log->saved, STDERR_FILENO);
	close(log->saved);
	close(log->file);
	log_set_level(LOG_EMERG);
	out[got < 0 ? 0 : got] = '\0';
}

#define assert_addr(address, text) do { \
	char assert_addr_text[ADDR_TEXT_BYTES]; \
	assert_string_equal(addr_format(&(address), assert_addr_text), text); \
} while (0)

#endif
