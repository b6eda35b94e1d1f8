/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core after it was taken over: what it says, how often, what it passes along and how it
 * leaves. The supervisor, which has the most rights, goes on, answers and stays small.
 */
#include "supervisor_room.h"

#include <dirent.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

#include "figure.h"
#include "hairpin/fault.h"
#include "hairpin/hooks.h"
#include "supervisor/restart.h"

/* --- what it says --- */

union packet {
	struct message head;
	struct message_hook hook;
	struct message_command command;
	struct message_level level;
	struct message_notice notice;
	char bytes[65536];
};

static struct message_hook a_hook(const char *only)
{
	struct message_hook hook = {
		.head = { MESSAGE_HOOK_RUN, 1 }, .event = MESSAGE_EVENT_FAILED,
		.wan = "-rf", .reason = "$(touch /run/x)", .message = "`touch x`; PATH=/x",
		.hostname = "a.example.org", .provider = "LD_PRELOAD=/x", .interface = "-x",
	};

	strcpy(hook.only, only);
	return hook;
}

/* The next of those that a good core sends too. Returns its size. */
static size_t good_packet(unsigned turn, union packet *packet)
{
	static const enum message_type plain[] = {
		MESSAGE_PUBLISHER_START, MESSAGE_PUBLISHER_END, MESSAGE_PUBLISHER_START,
		MESSAGE_RELOAD,
	};

	memset(packet, 0, sizeof(*packet));
	packet->head = (struct message){ plain[turn % 4], turn };
	switch (turn % 9) {
	case 0:
		packet->hook = a_hook("");
		return sizeof(packet->hook);
	case 1:
		packet->hook = a_hook("sh");
		return sizeof(packet->hook);
	case 2:
		packet->command.head.type = MESSAGE_COMMAND_RUN;
		packet->command.family = AF_INET;
		strcpy(packet->command.wan, turn % 2 ? "wan" : "other");
		return sizeof(packet->command);
	case 3:
		packet->level = (struct message_level){ { MESSAGE_LEVEL, 0 }, 3 + turn % 5 };
		return sizeof(packet->level);
	case 4:
		packet->notice.head.type = MESSAGE_NOTICE;
		packet->notice.ready = 1;
		strcpy(packet->notice.status, "MAINPID=1");
		return sizeof(packet->notice);
	default:
		return sizeof(packet->head);
	}
}

/* What ends it, each in a life of its own. 0: there is no more. */
static size_t wrong_packet(unsigned which, union packet *packet)
{
	memset(packet, 0, sizeof(*packet));
	packet->hook = a_hook("");
	switch (which) {
	case 0:
		strcpy(packet->hook.reason, "a\nMAINPID=1");
		return sizeof(packet->hook);
	case 1:
		strcpy(packet->hook.only, "../../bin/sh");
		return sizeof(packet->hook);
	case 2:
		return sizeof(*packet);
	case 3:
		return sizeof(packet->hook) - 1;
	case 4:
		packet->head.type = MESSAGE_STOP;
		return sizeof(packet->head);
	case 5:		/* to end the daemon, and so that nobody starts it again */
		memset(packet, 0, sizeof(*packet));
		packet->notice.head.type = MESSAGE_NOTICE;
		packet->notice.done = 1;
		return sizeof(packet->notice);
	}
	return 0;
}

/* Shares of what the core has, the kernel's limit of them at once. False: not taken. */
static bool say_with(int channel, const void *packet, size_t bytes, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(253 * sizeof(int))];
	} control = { .bytes = "" };
	struct iovec part = { .iov_base = (void *)packet, .iov_len = bytes };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	int fds[253];

	if (fd >= 0) {
		struct cmsghdr *header = &control.align;

		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(fds));
		for (size_t i = 0; i < 253; i++)
			fds[i] = fd;
		memcpy(CMSG_DATA(header), fds, sizeof(fds));
	}
	return sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* --- how it lives --- */

/* Takes and forgets what it is told; the first publisher's channel is kept open. */
static void hear(int channel)
{
	static struct message_reply reply;
	int fd;

	while (channel_receive(channel, &reply, sizeof(reply), &fd) > 0) {
		if (reply.head.type == MESSAGE_STOP && !told("flood"))
			_exit(0);
		if (reply.head.type == MESSAGE_LOOK)
			note("look\n");
		if (fd >= 0 && reply.head.type != MESSAGE_PUBLISHER)
			close(fd);
	}
}

/* Until all that was said is taken. */
static void wait_until_taken(int channel)
{
	int waiting = 0;

	while (ioctl(channel, SIOCOUTQ, &waiting) == 0 && waiting > 0)
		usleep(1000);
}

/* Reads nothing of what comes, says as much as is taken; at last it wants no publisher. */
static void flood(int channel)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int few = 1;		/* lie in the channel, so that what is taken is what is read */
	unsigned said = 0, turn = 0;
	union packet packet;

	(void)setsockopt(channel, SOL_SOCKET, SO_SNDBUF, &few, sizeof(few));
	for (; said < 300 || told("flood"); turn++) {
		size_t bytes = good_packet(turn, &packet);

		if (!say_with(channel, &packet, bytes, turn % 7 ? -1 : zero))
			usleep(1000);
		else if (++said == MESSAGE_AT_ONCE + 20)
			note("all at once is over\n");
		if (turn % 1024 == 0)
			note("flooding\n");
	}
	close(zero);
	packet.head = (struct message){ MESSAGE_PUBLISHER_END, 0 };
	while (!say_with(channel, &packet, sizeof(packet.head), -1))
		usleep(1000);
	wait_until_taken(channel);
	note("said %u\n", said);
}

static int hostile_core(const struct core_options *options)
{
	union packet packet;
	int64_t end_ms = clock_now_ms() + A_LIFE_MS;
	unsigned which;
	char word[64];

	signal(SIGTERM, SIG_IGN);
	scratch_read(&scratch, "orders", word, sizeof(word));
	note("core %d %s\n", (int)getpid(), word);
	say_notice(options->supervisor, false, 0);
	if (sscanf(word, "wrong-%u", &which) == 1)
		(void)say_with(options->supervisor, &packet, wrong_packet(which, &packet), -1);
	if (strcmp(word, "hide") == 0)
		close(options->supervisor);
	while (clock_now_ms() < end_ms) {
		if (told("flood"))
			flood(options->supervisor);
		if (strcmp(word, "hide") != 0)
			hear(options->supervisor);
		usleep(20000);
	}
	return 0;
}

/* --- the test's side --- */

static long of_status(pid_t pid, const char *field)
{
	char path[64], line[256];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, field, strlen(field)) == 0)
			value = atol(line + strlen(field) + 1);
	if (file)
		fclose(file);
	return value;
}

static long count_descriptors(pid_t pid)
{
	char path[64];
	long count = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* Of the supervisor; `of` NULL: all, else those of this name. */
static long count_children(const char *of)
{
	char path[64], name[32];
	long count = 0;
	FILE *file, *comm;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)supervisor,
		 (int)supervisor);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fscanf(file, "%d", &pid) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		comm = fopen(path, "re");
		if (comm && fscanf(comm, "%31[^\n]", name) == 1)
			count += !of || strcmp(name, of) == 0;
		if (comm)
			fclose(comm);
	}
	fclose(file);
	return count;
}

static long count_lines(const char *name, const char *with)
{
	char path[128], line[8192];
	long count = 0;
	FILE *file = fopen(scratch_path(&scratch, name, path), "re");

	while (file && fgets(line, sizeof(line), file))
		count += strstr(line, with) != NULL;
	if (file)
		fclose(file);
	return count;
}

static void script(const char *name, const char *body)
{
	char text[1024];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", body);
	scratch_write(&scratch, name, text, 0755);
}

static int setup_hostile(void **state)
{
	char body[512];

	if (setup(state) < 0)
		return -1;
	the_core = hostile_core;
	snprintf(body, sizeof(body),
		 "{\"wans\":[{\"interface\":\"lo\",\"ipv4\":{\"source\":\"command\","
		 "\"command\":[\"%s/finder\"]}}],\"hooks\":{\"directory\":\"%s/hooks\"},"
		 "\"control\":{\"socket\":\"%s/run/control.sock\",\"group\":\"\"},"
		 "\"state\":{\"directory\":\"%s/state\"}}",
		 scratch.path, scratch.path, scratch.path, scratch.path);
	scratch_write(&scratch, "config.json", body, 0600);
	snprintf(body, sizeof(body), "echo \"ran $#:$1\" >> %s/ran", scratch.path);
	script("hooks/10", body);
	snprintf(body, sizeof(body), "echo found >> %s/found; echo 81.2.69.1", scratch.path);
	script("finder", body);
	script("publisher", "echo publisher begins; exec sleep 1000");
	return 0;
}

/* Nothing but the core runs, for a while. */
static void wait_for_quiet(void)
{
	int alone = 0;

	scratch_wait_for((alone = count_children(NULL) == 1 ? alone + 1 : 0) == 30);
}

/* Whatever a core can have done was done once, and what may come at once has come. */
static bool has_begun(void)
{
	return noted("all at once") > 0 && count_lines("ran", "ran 1:failed") > 0 &&
	       count_lines("found", "found") > 0 &&
	       count_lines("log", "publisher begins") > 0 &&
	       count_lines("log", "configuration: read again") > 0;
}

/* Everything at once, faster than it can be done, for two seconds. */
static void floods_are_bounded(void **state)
{
	long descriptors, rss = 0, most = 0, publishers = 0, seconds;
	int64_t begin_ms, rss_ms = INT64_MAX;
	unsigned said = 0;
	char text[65536];

	(void)state;
	if (geteuid() != 0 || access("/proc/thread-self/children", R_OK) != 0) {
		print_message("# only root sees the supervisor's descriptors and children\n");
		skip();
	}
	start(CORE_DAEMON);
	wait_note("core ", 1);
	kill(supervisor, SIGUSR1);
	wait_note("look", 1);		/* its start is over */
	descriptors = count_descriptors(supervisor);
	begin_ms = clock_now_ms();
	order("flood");
	while (!rss || clock_now_ms() - rss_ms < 1000) {
		long now = count_children(NULL), sleeping = count_children("sleep");

		most = now > most ? now : most;
		publishers = sleeping > publishers ? sleeping : publishers;
		if (!rss && clock_now_ms() - begin_ms > 1000 && has_begun()) {
			rss = of_status(supervisor, "VmRSS:");
			rss_ms = clock_now_ms();
		}
		assert_true(clock_now_ms() - begin_ms < scratch_patience_ms());
		usleep(3000);
	}
	order("quiet");
	wait_note("said ", 1);
	seconds = (long)((clock_now_ms() - begin_ms) / 1000) + 1;
	wait_for_quiet();
	(void)sscanf(strstr(scratch_read(&scratch, "notes", text, sizeof(text)), "said "),
		     "said %u", &said);
	assert_int_equal(noted("core "), 1);
	assert_int_equal(count_lines("ran", "") - count_lines("ran", "ran 1:failed"), 0);
	figure_holds("S37", "a core that floods: hooks get the event's name, no other is run",
		     count_lines("log", "not executable") == 0);
	/* A few more lie in the channel. */
	figure_at_most("S37", "messages taken of a core that floods, beyond 50 a second",
		       (long)said - 50 * seconds, 500 + 20);
	figure_at_most("S37", "publishers that it gets, beyond one a second",
		       count_lines("log", "publisher begins") - seconds, 20);
	figure_at_most("S37", "publishers at a time, with one that is just killed",
		       publishers, 2);
	figure_at_most("S37", "commands that it gets, beyond one in 5 s",
		       count_lines("found", "found") - seconds / 5 - 1, 50);
	figure_at_most("S37", "processes at a time: core, publisher and one just killed, "
		       "hook, command, loader", most, 6);
	figure_at_most("S37", "log lines about reloads that it wishes",
		       count_lines("log", "configuration: read again") - seconds / 60, 60 + 1);
	figure_exactly("S37", "descriptors it costs, passing 253 a packet",
		       count_descriptors(supervisor) - descriptors, 0);
	figure_at_most("S37", "KiB of memory that it costs after the first second",
		       of_status(supervisor, "VmRSS:") - rss, 4096);
	figure_exactly("S37", "processes that are left of it, zombies too",
		       count_children(NULL) - 1, 0);
	(void)kill(supervisor, SIGTERM);
	(void)wait_for_end();
}

static long stop_flooded(void)
{
	unsigned before = noted("flooding");
	int64_t begin_ms;

	start(CORE_DAEMON);
	wait_note("flooding", before + 1);
	begin_ms = clock_now_ms();
	kill(supervisor, SIGTERM);
	(void)wait_for_end();
	return (long)(clock_now_ms() - begin_ms);
}

static void stops_in_a_flood(void **state)
{
	(void)state;
	order("flood");
	figure_at_most("S37", "milliseconds to stop while the core floods and does not leave",
		       figure_least(stop_flooded, 5000), 5000);
}

/* Told something that no core says it is replaced, and the daemon goes on. */
static void wrong_words_end_it(void **state)
{
	unsigned which = 0;
	union packet packet;
	char word[16];

	(void)state;
	order("wrong-0");
	start(CORE_DAEMON);
	for (; wrong_packet(which, &packet) > 0; which++) {
		snprintf(word, sizeof(word), "wrong-%u", which);
		order(word);
		wait_note(word, 1);	/* a core that says it */
	}
	order("quiet");
	wait_note("quiet", 1);
	figure_exactly("S37", "kinds of wrong words that end a core, the daemon's end one",
		       which, 6);
	assert_int_equal(waitpid(supervisor, NULL, WNOHANG), 0);
	assert_false(in_log("MAINPID"));
	assert_int_equal(count_lines("ran", ""), 0);
	/* The first time, the second, the fourth, ... */
	figure_at_most("S37", "log lines of it", count_lines("log", "says what it must not"),
		       4);
}

/* It gives up its channel, so that nobody hears of it, and lives on with its rights. */
static void hiding_core_is_killed(void **state)
{
	pid_t first;

	(void)state;
	order("hide");
	start(CORE_DAEMON);
	wait_note("core ", 1);
	first = core_pid();
	order("quiet");
	wait_note("core ", 2);
	figure_holds("S37", "a core that gives up its channel does not live on",
		     kill(first, 0) < 0);
}

/* An hour of a core that leaves as soon as it is started. */
static void restarts_of_an_hour(void **state)
{
	struct restart restart = { 0 };
	struct fault fault = { 0 };
	long starts = 0, lines = 0, last = 0;
	int64_t now_ms = 1000000;

	(void)state;
	while (now_ms < 1000000 + 3600 * 1000) {
		restart_started(&restart, now_ms);
		starts++;
		lines += fault_comes(&fault, now_ms);
		last = (long)restart_delay_ms(&restart, now_ms);
		now_ms += last;
	}
	figure_at_most("S37", "starts an hour of a core that leaves at once", starts, 1000);
	figure_at_most("S37", "log lines of them", lines, 10);
	figure_exactly("S37", "pause between two of them at last, ms", last,
		       RESTART_MAX_MS);
}

#define HOSTILE(name) cmocka_unit_test_setup_teardown(name, setup_hostile, teardown)

/* Memory that ASan keeps back would look like a leak. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=1";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(floods_are_bounded),
		HOSTILE(stops_in_a_flood),
		HOSTILE(wrong_words_end_it),
		HOSTILE(hiding_core_is_killed),
		cmocka_unit_test(restarts_of_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
