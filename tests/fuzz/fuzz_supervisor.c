/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the supervisor hears. The first byte chooses: 0, packets of a core gone mad (each a
 * byte for the kind, of which a good one is made, a byte for how many patches follow, and
 * these: two bytes of place, one of length, and what is written there); 1, a hook's output;
 * 2, an address source's. What goes to hooks, log and core is bounded and harmless
 * whatever came, and the answers are well-formed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/channel.h"
#include "hairpin/json.h"
#include "hairpin/log.h"
#include "require.h"
#include "supervisor/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PACKET_BYTES = 4096, STEPS_MAX = 32, OUTPUT_MAX = 60000 };

/* No such process can be: what is sent to it goes to nobody. */
enum { NOBODY = INT_MAX };

struct input {
	const uint8_t *at, *end;
};

static uint8_t take(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

/* --- a core gone mad --- */

static size_t make(uint8_t kind, uint8_t *packet)
{
	struct message_hook hook = {
		.head = { MESSAGE_HOOK_RUN, 7 }, .event = MESSAGE_EVENT_ADDRESS,
		.family = AF_INET, .wan = "fibre", .interface = "ppp0",
		.hostname = "home.example.org", .provider = "dyn", .reason = "it changed",
		.message = "a\\x1b word" };
	struct message_command command = { .head = { MESSAGE_COMMAND_RUN, 8 },
					   .family = AF_INET, .wan = "fibre",
					   .interface = "ppp0" };
	struct message_notice notice = { .head = { MESSAGE_NOTICE, 0 }, .ready = 1,
					 .status = "all well" };
	struct message_level level = { .head = { MESSAGE_LEVEL, 0 }, .level = 3 };
	struct message simple = { MESSAGE_PUBLISHER_START, 9 };
	const struct {
		const void *bytes;
		size_t length;
	} good[] = { { &hook, sizeof(hook) }, { &command, sizeof(command) },
		     { &notice, sizeof(notice) }, { &level, sizeof(level) },
		     { &simple, sizeof(simple) } };
	size_t which = kind % 6;

	if (which == 5)
		return 1 + kind;
	memcpy(packet, good[which].bytes, good[which].length);
	return good[which].length;
}

static void patch(struct input *input, uint8_t *packet, size_t length)
{
	for (unsigned patches = take(input) % 8; patches > 0; patches--) {
		size_t place = take(input) | (size_t)take(input) << 8;
		size_t bytes = take(input) % 64;

		for (; bytes > 0; bytes--, place++)
			packet[place % length] = take(input);
	}
}

/* What a hook is given: known names, printable values, one line of JSON. */
static void check_facts(const struct message_hook *hook)
{
	char **environment = hook_facts_environment(hook), *line;
	struct json_error error;
	struct json *object;
	size_t length;

	require(environment != NULL);
	for (size_t i = 0; environment[i]; i++) {
		require(strncmp(environment[i], "HAIRPIN_", 8) == 0 ||
			strncmp(environment[i], "PATH=", 5) == 0 ||
			strncmp(environment[i], "LANG=", 5) == 0 ||
			strncmp(environment[i], "TZ=", 3) == 0);
		for (const char *c = environment[i]; *c; c++)
			require((unsigned char)*c >= ' ' && *c != 0x7f);
	}
	hook_facts_environment_free(environment);
	line = hook_facts_json(hook);
	require(line != NULL);
	length = strlen(line);
	require(length > 0 && length < 65536 && strchr(line, '\n') == line + length - 1);
	object = json_parse(line, length - 1, JSON_STRICT, &error);
	require(object != NULL);
	json_free(object);
	free(line);
}

/* The loader, a process, is not what this is about. */
static bool is_reload(const uint8_t *packet, size_t length)
{
	struct message head;

	if (length < sizeof(head))
		return false;
	memcpy(&head, packet, sizeof(head));
	return head.type == MESSAGE_RELOAD;
}

static void ran(void *context, const struct message_hook_result *result)
{
	(void)context;
	require(message_to_core_ok(result, message_hook_result_bytes(result)));
}

static void done(void *context, const struct message_reply *reply)
{
	(void)context;
	require(message_to_core_ok(reply, sizeof(*reply)));
}

static void hear_answers(int far)
{
	union {
		struct message head;
		struct message_reply reply;
	} any;
	ssize_t got;

	while ((got = channel_receive(far, &any, sizeof(any), NULL)) > 0)
		require(message_to_core_ok(&any, (size_t)got));
}

static void play_core(struct supervisor *supervisor, struct input *input, int far)
{
	static uint8_t packet[PACKET_BYTES];

	for (int i = 0; i < STEPS_MAX && input->at < input->end; i++) {
		size_t length;

		memset(packet, 0, sizeof(packet));
		length = make(take(input), packet);
		patch(input, packet, length);
		if (is_reload(packet, length))
			continue;
		if (channel_send(far, packet, length, -1) < 0)
			break;		/* it is ended, as it should be */
		core_readable(supervisor, 1000);
		log_set_level(LOG_EMERG);
		require((supervisor->channel >= 0) ==
			message_to_supervisor_ok(packet, length));
		if (supervisor->channel < 0)
			break;
		if (message_to_supervisor_ok(packet, length) &&
		    ((struct message *)(void *)packet)->type == MESSAGE_HOOK_RUN)
			check_facts((const struct message_hook *)(void *)packet);
		hooks_tick(&supervisor->hooks, 1000);
		require(!hooks_busy(&supervisor->hooks));
		hear_answers(far);
	}
}

static void hear_core(struct input *input)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	int ends[2];

	require(supervisor && channel_pair(ends) == 0);
	supervisor->channel = ends[0];
	supervisor->core.pid = NOBODY;
	supervisor->core.due_ms = supervisor->publisher.due_ms = NEVER;
	supervisor->stop_deadline_ms = NEVER;
	hooks_init(&supervisor->hooks, ran, done, supervisor);
	hooks_set(&supervisor->hooks, "/proc/no-such-directory", 1000, (uid_t)-1,
		  (gid_t)-1);
	finder_init(&supervisor->finder, &supervisor->facts, done, supervisor);
	play_core(supervisor, input, ends[1]);
	hooks_kill(&supervisor->hooks);
	finder_kill(&supervisor->finder);
	if (supervisor->channel >= 0)
		close(supervisor->channel);
	close(ends[1]);
	free(supervisor);
}

/* --- output of children --- */

static int pipe_with(const struct input *input)
{
	size_t length = (size_t)(input->end - input->at);
	int ends[2];

	require(pipe2(ends, O_CLOEXEC) == 0);
	if (length > OUTPUT_MAX)
		length = OUTPUT_MAX;
	require(write(ends[1], input->at, length) == (ssize_t)length);
	close(ends[1]);
	return ends[0];
}

static void hear_hook(const struct input *input)
{
	struct hooks_output output;
	unsigned lines = 0;

	hook_output_init(&output, pipe_with(input));
	while (hook_output_read(&output, "50-dns"))
		;
	hook_output_done(&output, "50-dns");
	require(output.fd < 0 && output.bytes <= HOOKS_OUTPUT_BYTES);
	require(output.lines <= HOOKS_OUTPUT_LINES + 1);
	require(strlen(output.said) == output.said_bytes &&
		output.said_bytes < sizeof(output.said));
	for (const char *c = output.said; *c; c++) {
		lines += *c == '\n';
		require(*c == '\n' || ((unsigned char)*c >= ' ' && *c != 0x7f));
	}
	require(lines <= output.lines);
}

/* At most one address and the white space around it gets through, escaped. */
static void found(void *context, const struct message_reply *reply)
{
	bool *answered = context;

	require(!*answered && message_to_core_ok(reply, sizeof(*reply)));
	require(reply->status <= 0);
	*answered = true;
}

static void hear_source(struct input *input)
{
	struct load_facts *facts = calloc(1, sizeof(*facts));
	int status = take(input) & 1 ? 256 : 0;
	struct finder finder;
	bool answered = false;

	require(facts != NULL);
	finder_init(&finder, facts, found, &answered);
	finder.stage = HOOKS_RUNNING;
	finder.reply.head = (struct message){ MESSAGE_COMMAND_DONE, 3 };
	finder.fd = pipe_with(input);
	finder.errors.fd = -1;
	finder_reaped(&finder, status);
	require(answered && finder.fd < 0 && !finder_busy(&finder));
	free(facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };

	log_set_level(LOG_EMERG);
	switch (take(&input) % 3) {
	case 0:
		hear_core(&input);
		break;
	case 1:
		hear_hook(&input);
		break;
	default:
		hear_source(&input);
	}
	return 0;
}
