/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of a publisher and of a supervisor gone mad, to a core that has work for both.
 * Each step of the input: a byte for the kind of packet (a good one of it is made, for
 * something that the core has really asked), a byte for how much time passes, a byte for
 * how many patches follow; each patch is two bytes of place, one of length, and what is
 * written there. Whatever comes, the rules hold an address of the WAN's link, what goes out
 * is well-formed, and no descriptor stays open.
 */
#include <dirent.h>

#include "unit/core_room.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PACKET_BYTES = 8192, JOBS_MAX = 8, STEPS_MAX = 40 };

enum kind {
	KIND_ANSWER, KIND_GOOD, KIND_OTHER, KIND_RAW, KIND_PUBLISHER, KIND_CONFIG,
	KIND_HOOK_RESULT, KIND_HOOK_DONE, KIND_COMMAND_DONE, KIND_SIMPLE, KIND_RAW_REPLY,
	KIND_GONE, KINDS,
};

static struct room room;
static int far = -1;			/* the publisher's end */
static struct message_job jobs[JOBS_MAX];
static size_t job_count;
static uint32_t publisher_number, hook_number, command_number, reload_number;

struct input {
	const uint8_t *at, *end;
};

static uint8_t take(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

static struct config *config_busy(void)
{
	struct config *config = room_config(3);
	struct config_outside *outside = calloc(1, sizeof(*outside));
	struct config_wan *second = &config->wans[1];

	require(outside != NULL);
	config->wan_count = 2;
	strcpy(second->name, "cable");
	strcpy(second->interface, "eth1");
	second->tag = strdup("hairpin:cable");
	outside->place_count = outside->agree = 1;
	strcpy(outside->places[0].where, "https://a.example.net/");
	second->ipv4 = CONFIG_HTTP;
	second->outside4 = outside;
	strcpy(config->nat.names, "dns:");
	return config;
}

static void begin(void)
{
	room_kernel_clear();
	kernel.now_ms = 1000000;
	kernel.wall_s = 1790000000;
	room_begin_with(&room, config_busy(), -1);
	log_set_level(LOG_EMERG);
	room_ppp("81.2.69.7");
	fake_link(8, "eth1");
	fake_address(8, "192.168.9.2");
	fake_rule("hairpin", "81.2.69.1");
	fake_rule("hairpin:cable", "81.2.69.2");
	fake_rule("dns:web.test", "192.0.2.1");
	far = -1;
	job_count = 0;
	publisher_number = hook_number = command_number = reload_number = 0;
}

/* --- what the core says --- */

static void hear_supervisor(void)
{
	union {
		struct message head;
		struct message_hook hook;
		struct message_command command;
		struct message_notice notice;
	} any;
	ssize_t got;

	while ((got = channel_receive(room.far, &any, sizeof(any), NULL)) > 0) {
		require(message_to_supervisor_ok(&any, (size_t)got));
		if (any.head.type == MESSAGE_PUBLISHER_START)
			publisher_number = any.head.number;
		if (any.head.type == MESSAGE_HOOK_RUN)
			hook_number = any.head.number;
		if (any.head.type == MESSAGE_COMMAND_RUN)
			command_number = any.head.number;
		if (any.head.type == MESSAGE_RELOAD)
			reload_number = any.head.number;
	}
}

/* Nothing is logged here, which is no level that a configuration can ask for. */
static bool is_silence(const void *packet, size_t bytes)
{
	const struct message_level *level = packet;

	return bytes == sizeof(*level) && level->head.type == MESSAGE_LEVEL &&
	       level->level == LOG_EMERG;
}

static void hear_publisher(void)
{
	static struct message_job job;
	ssize_t got;

	while (far >= 0 && (got = channel_receive(far, &job, sizeof(job), NULL)) > 0) {
		if (is_silence(&job, (size_t)got) ||
		    message_level_ok(&job, (size_t)got))
			continue;
		require(message_job_ok(&job, (size_t)got));
		jobs[job_count++ % JOBS_MAX] = job;
	}
}

/* --- good packets --- */

static const struct message_job *some_job(uint8_t which)
{
	size_t count = job_count < JOBS_MAX ? job_count : JOBS_MAX;

	return count ? &jobs[which % count] : NULL;
}

/* One that the job may have. */
static uint32_t other_verdict(const struct message_job *job, uint8_t which)
{
	if (job && job->kind == MESSAGE_UPDATE_RECORDS)
		return MESSAGE_UNCHANGED + which % (MESSAGE_TLS_REFUSED - MESSAGE_GOOD);
	return MESSAGE_NO_PROOF + which % (MESSAGE_NOT_YET - MESSAGE_ANSWER);
}

static size_t make_result(enum kind kind, uint8_t which, uint8_t *packet)
{
	const struct message_job *job = some_job(which);
	struct message_result result = { .head = { MESSAGE_RESULT, 1 }, .ttl_s = 60 };
	const struct message_record *record = job ? &job->records[0] : NULL;

	if (job && which / JOBS_MAX % 2 && job->record_count > 1)
		record = &job->records[1];
	if (job) {
		result.head.number = job->head.number;
		result.record = record->record;
	}
	result.verdict = kind == KIND_ANSWER ? MESSAGE_ANSWER
			 : kind == KIND_GOOD ? MESSAGE_GOOD : other_verdict(job, which / 16);
	if (kind == KIND_ANSWER) {
		result.address_count = 1;
		result.addresses[0] = record && record->family == AF_INET6
					      ? fake_addr("2a01:4f8::6")
					      : fake_addr("66.6.6.6");
	}
	memcpy(packet, &result, sizeof(result));
	return sizeof(result);
}

static size_t make_reply(enum kind kind, uint8_t which, uint8_t *packet)
{
	struct message_reply reply = { .ran = kind == KIND_HOOK_DONE };

	reply.head.type = kind == KIND_PUBLISHER ? MESSAGE_PUBLISHER
			  : kind == KIND_CONFIG ? MESSAGE_CONFIG
			  : kind == KIND_HOOK_DONE ? MESSAGE_HOOK_DONE
						   : MESSAGE_COMMAND_DONE;
	reply.head.number = kind == KIND_PUBLISHER ? publisher_number
			    : kind == KIND_CONFIG ? reload_number
			    : kind == KIND_HOOK_DONE ? hook_number : command_number;
	if (kind == KIND_COMMAND_DONE)
		strcpy(reply.text, "81.2.69.9");
	reply.status = which & 0x80 ? -EINVAL : 0;
	memcpy(packet, &reply, sizeof(reply));
	return sizeof(reply);
}

static size_t make_hook_result(uint8_t which, uint8_t *packet)
{
	struct message_hook_result result = {
		.head = { MESSAGE_HOOK_RESULT, hook_number },
		.event = 1 + which % 6, .outcome = 1 + which / 8 % 6, .name = "50-dns",
		.text = "a line" };

	result.code = result.outcome == MESSAGE_HOOK_EXIT ||
		      result.outcome == MESSAGE_HOOK_SIGNAL;
	memcpy(packet, &result, sizeof(result));
	return message_hook_result_bytes(&result);
}

static size_t make_simple(uint8_t which, uint8_t *packet)
{
	struct message message = { MESSAGE_LOOK + which % 2, 0 };

	memcpy(packet, &message, sizeof(message));
	return sizeof(message);
}

static size_t make(enum kind kind, uint8_t which, uint8_t *packet)
{
	switch (kind) {
	case KIND_ANSWER:
	case KIND_GOOD:
	case KIND_OTHER:
		return make_result(kind, which, packet);
	case KIND_HOOK_RESULT:
		return make_hook_result(which, packet);
	case KIND_SIMPLE:
		return make_simple(which, packet);
	case KIND_RAW:
	case KIND_RAW_REPLY:
	case KIND_GONE:
		return which % 64;
	default:
		return make_reply(kind, which, packet);
	}
}

static void patch(struct input *input, uint8_t *packet, size_t length)
{
	for (unsigned patches = take(input) % 8; patches > 0; patches--) {
		size_t place = take(input) | (size_t)take(input) << 8;
		size_t bytes = take(input) % 64;

		for (; bytes > 0; bytes--, place++)
			if (length)
				packet[place % length] = take(input);
	}
}

/* --- sending --- */

static int document(struct input *input)
{
	int fd = memfd_create("document", MFD_CLOEXEC);
	size_t bytes = take(input) | (size_t)take(input) << 8;

	require(fd >= 0);
	if (bytes > (size_t)(input->end - input->at))
		bytes = (size_t)(input->end - input->at);
	require(write(fd, input->at, bytes) == (ssize_t)bytes);
	input->at += bytes;
	return fd;
}

static void send_as_publisher(const uint8_t *packet, size_t length)
{
	if (far < 0 || channel_send(far, packet, length, -1) < 0)
		return;
	publisher_readable(&room.core, kernel.now_ms);
}

static bool send_as_supervisor(struct input *input, enum kind kind, const uint8_t *packet,
			       size_t length)
{
	int ends[2] = { -1, -1 }, fd = -1;
	bool goes_on;

	if (kind == KIND_CONFIG)
		fd = document(input);
	if (kind == KIND_PUBLISHER && room.core.publisher.channel < 0) {
		require(channel_pair(ends) == 0);
		fd = ends[0];
		if (far >= 0)
			close(far);
		far = ends[1];
	}
	require(channel_send(room.far, packet, length, fd) == 0);
	if (fd >= 0)
		close(fd);
	goes_on = supervisor_receive(&room.core);
	return goes_on && !room.core.stopping;
}

/* False: the core leaves, as it may. */
static bool step(struct input *input)
{
	static uint8_t packet[PACKET_BYTES];
	enum kind kind = take(input) % KINDS;
	uint8_t which = take(input);
	size_t length;

	room_wait((int64_t)take(input) * take(input));
	(void)core_turn(&room.core, kernel.now_ms);
	hear_supervisor();
	hear_publisher();
	memset(packet, 0, sizeof(packet));
	length = make(kind, which, packet);
	patch(input, packet, length);
	if (kind == KIND_GONE && far >= 0) {
		close(far);
		far = -1;
		publisher_readable(&room.core, kernel.now_ms);
	} else if (kind <= KIND_RAW) {
		send_as_publisher(packet, length);
	} else if (kind != KIND_GONE && length > 0) {
		return send_as_supervisor(input, kind, packet, length);
	}
	return true;
}

/* --- what must hold --- */

/* What an interface has now: a configuration may name any for any WAN. */
static bool is_on_interface(const struct addr *address)
{
	for (size_t i = 0; i < kernel.address_count; i++)
		if (addr_equal(address, &kernel.addresses[i].address))
			return true;
	return false;
}

static void check_rules(void)
{
	struct addr former = fake_addr("81.2.69.1");
	const struct addr *first = &kernel.rules[0].address,
			  *second = &kernel.rules[1].address;

	require(is_on_interface(first) || addr_equal(first, &former));
	/* From outside comes what is global, or nothing. */
	require(is_on_interface(second) || addr_is_global(second));
	require(!names_refuse(&kernel.rules[2].address));
}

static unsigned open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned count = 0;

	require(directory != NULL);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };
	unsigned before = open_descriptors();

	begin();
	for (int i = 0; i < STEPS_MAX && input.at < input.end; i++) {
		if (!step(&input))
			break;
		check_rules();
	}
	(void)core_turn(&room.core, kernel.now_ms);
	check_rules();
	hear_supervisor();
	hear_publisher();
	room_end(&room);
	if (far >= 0)
		close(far);
	require(open_descriptors() == before);
	return 0;
}
