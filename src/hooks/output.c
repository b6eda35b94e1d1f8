/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "hairpin/hooks.h"
#include "hairpin/log.h"
#include "hairpin/text.h"

/* At one go, so that a flood does not keep the loop from its other work. */
enum { OUTPUT_TURN_BYTES = 256 * 1024, OUTPUT_CHUNK_BYTES = 16 * 1024 };

void hook_output_init(struct hooks_output *output, int fd)
{
	memset(output, 0, sizeof(*output));
	output->fd = fd;
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* Whole lines only, so that no escape is cut in two. */
static void output_keep(struct hooks_output *output, const char *line)
{
	size_t length = strlen(line);

	if (length + 2 > sizeof(output->said) - output->said_bytes)
		return;
	memcpy(output->said + output->said_bytes, line, length);
	memcpy(output->said + output->said_bytes + length, "\n", 2);
	output->said_bytes += length + 1;
}

static void output_say_line(struct hooks_output *output, const char *name)
{
	char safe[HOOKS_LINE_BYTES + 16];

	if (output->line_bytes == 0)
		return;
	text_escape(safe, sizeof(safe), output->line, output->line_bytes);
	log_notice("hook %s: %s", name, safe);
	output_keep(output, safe);
	output->line_bytes = 0;
	output->lines++;
}

static void output_add(struct hooks_output *output, const char *name, char byte)
{
	if (byte == '\n') {
		output_say_line(output, name);
		return;
	}
	output->line[output->line_bytes++] = byte;
	if (output->line_bytes == sizeof(output->line))
		output_say_line(output, name);
}

static void output_take(struct hooks_output *output, const char *name, const char *bytes,
			size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (output->bytes >= HOOKS_OUTPUT_BYTES ||
		    output->lines >= HOOKS_OUTPUT_LINES)
			break;
		output->bytes++;
		output_add(output, name, bytes[i]);
	}
	if (i == length || output->told)
		return;
	output->told = true;
	output_say_line(output, name);
	log_notice("hook %s: says more than %d lines or %d bytes; the rest is dropped",
		   name, HOOKS_OUTPUT_LINES, HOOKS_OUTPUT_BYTES);
}

bool hook_output_read(struct hooks_output *output, const char *name)
{
	char chunk[OUTPUT_CHUNK_BYTES];
	size_t turn = 0;

	while (turn < OUTPUT_TURN_BYTES) {
		ssize_t got = read(output->fd, chunk, sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return true;
		if (got <= 0)
			return false;
		output_take(output, name, chunk, (size_t)got);
		turn += (size_t)got;
	}
	return true;
}

void hook_output_done(struct hooks_output *output, const char *name)
{
	if (output->fd < 0)
		return;
	/*
	 * What it said last still lies in the pipe; one turn, for a heir may go on
	 * writing.
	 */
	(void)hook_output_read(output, name);
	if (output->lines < HOOKS_OUTPUT_LINES)
		output_say_line(output, name);
	close(output->fd);
	output->fd = -1;
}
