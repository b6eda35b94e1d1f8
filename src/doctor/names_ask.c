/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "names_ask.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/clock.h"

/*
 * What a child writes, in one piece: less than a pipe takes at once. Behind it, when that
 * is known, the time to live: a resolver that does not answer shall not cost what the
 * hosts file said.
 */
struct reply {
	enum name_answer result;
	size_t count;
	struct addr answers[NAMES_ASK_ANSWERS];
};

struct asking {
	struct name_question *questions;
	pid_t pids[NAMES_ASK_MAX];
	struct pollfd pipes[NAMES_ASK_MAX];
	size_t count, waiting;
};

static void reply_take(struct reply *reply, const struct addrinfo *found)
{
	const struct sockaddr_in6 *six;
	const struct sockaddr_in *four;

	for (; found && reply->count < NAMES_ASK_ANSWERS; found = found->ai_next) {
		if (found->ai_family == AF_INET) {
			four = (const struct sockaddr_in *)(const void *)found->ai_addr;
			reply->answers[reply->count++] =
				addr_from_bytes(AF_INET, &four->sin_addr);
		} else if (found->ai_family == AF_INET6) {
			six = (const struct sockaddr_in6 *)(const void *)found->ai_addr;
			reply->answers[reply->count++] =
				addr_from_bytes(AF_INET6, &six->sin6_addr);
		}
	}
}

/* --- the time to live, which getaddrinfo() does not tell --- */

static uint16_t dns_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Behind a name, without following it; NULL: it does not end. */
static const uint8_t *dns_skip_name(const uint8_t *at, const uint8_t *end)
{
	while (at < end) {
		if (*at == 0)
			return at + 1;
		if ((*at & 0xc0) == 0xc0)	/* goes on elsewhere */
			return end - at >= 2 ? at + 2 : NULL;
		if (*at & 0xc0 || end - at <= *at)
			return NULL;
		at += 1 + *at;
	}
	return NULL;
}

int64_t names_ttl(const uint8_t *answer, size_t length)
{
	const uint8_t *at = answer + NS_HFIXEDSZ, *end = answer + length;
	unsigned questions, records;
	int64_t least_s = -1, ttl_s;

	if (length < NS_HFIXEDSZ)
		return -1;
	questions = dns_u16(answer + 4);
	for (records = dns_u16(answer + 6); questions && at; questions--) {
		at = dns_skip_name(at, end);
		at = at && end - at >= NS_QFIXEDSZ ? at + NS_QFIXEDSZ : NULL;
	}
	for (; records && at; records--) {
		at = dns_skip_name(at, end);
		if (!at || end - at < NS_RRFIXEDSZ ||
		    end - at - NS_RRFIXEDSZ < dns_u16(at + 8))
			return least_s;
		ttl_s = (int64_t)dns_u16(at + 4) << 16 | dns_u16(at + 6);
		if (dns_u16(at) == ns_t_a && (least_s < 0 || ttl_s < least_s))
			least_s = ttl_s;
		at += NS_RRFIXEDSZ + dns_u16(at + 8);
	}
	return least_s;
}

static int64_t ask_ttl(const char *name)
{
	uint8_t answer[4096];
	int length = res_query(name, ns_c_in, ns_t_a, answer, sizeof(answer));

	if (length < 0)
		return -1;
	return names_ttl(answer, (size_t)length < sizeof(answer) ? (size_t)length
								 : sizeof(answer));
}

/* --- asking --- */

static void ask_in_child(const char *name, int fd)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM };
	struct reply reply = { .result = NAME_ANSWERED };
	struct addrinfo *found = NULL;
	int error = getaddrinfo(name, NULL, &hints, &found);
	int64_t ttl_s;

	if (error == 0)
		reply_take(&reply, found);
	else if (error == EAI_NONAME || error == EAI_NODATA)
		reply.result = NAME_NONE;
	else
		reply.result = NAME_FAILED;
	(void)!write(fd, &reply, sizeof(reply));
	ttl_s = reply.count ? ask_ttl(name) : -1;
	(void)!write(fd, &ttl_s, sizeof(ttl_s));
	_exit(0);
}

static void asking_begin(struct asking *asking, size_t index)
{
	int ends[2];
	pid_t pid;

	asking->pipes[index].fd = -1;
	asking->questions[index].result = NAME_FAILED;
	asking->questions[index].count = 0;
	asking->questions[index].ttl_s = -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0)
		ask_in_child(asking->questions[index].name, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return;
	}
	asking->pids[index] = pid;
	asking->pipes[index] = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	asking->waiting++;
}

/* The reply, then the time to live, then the end. */
static void asking_hear(struct asking *asking, size_t index)
{
	struct name_question *question = &asking->questions[index];
	struct reply reply;
	ssize_t got = read(asking->pipes[index].fd, &reply, sizeof(reply));

	if (got == sizeof(reply) && reply.count <= NAMES_ASK_ANSWERS) {
		question->result = reply.result;
		question->count = reply.count;
		memcpy(question->answers, reply.answers, sizeof(reply.answers));
		return;
	}
	if (got == sizeof(question->ttl_s))
		memcpy(&question->ttl_s, &reply, sizeof(question->ttl_s));
	close(asking->pipes[index].fd);
	asking->pipes[index].fd = -1;
	asking->waiting--;
}

static void asking_wait(struct asking *asking, int64_t limit_ms)
{
	int64_t deadline_ms = clock_now_ms() + limit_ms, left_ms;
	size_t i;

	while (asking->waiting) {
		left_ms = deadline_ms - clock_now_ms();
		if (left_ms <= 0)
			return;
		if (poll(asking->pipes, asking->count, (int)left_ms) <= 0)
			continue;
		for (i = 0; i < asking->count; i++) {
			if (asking->pipes[i].fd >= 0 && asking->pipes[i].revents)
				asking_hear(asking, i);
		}
	}
}

void names_ask(struct name_question *questions, size_t count, int64_t limit_ms)
{
	struct asking asking = { .questions = questions };
	size_t i;

	asking.count = count < NAMES_ASK_MAX ? count : NAMES_ASK_MAX;
	for (i = 0; i < asking.count; i++)
		asking_begin(&asking, i);
	asking_wait(&asking, limit_ms);
	for (i = 0; i < asking.count; i++) {
		if (asking.pipes[i].fd >= 0)
			close(asking.pipes[i].fd);
		if (!asking.pids[i])
			continue;
		kill(asking.pids[i], SIGKILL);
		while (waitpid(asking.pids[i], NULL, 0) < 0 && errno == EINTR)
			;
	}
}
