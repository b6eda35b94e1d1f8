/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firewall's files as somebody may have written them: the input up to a byte 1 is
 * /etc/nftables.conf below a root of our own, what follows /etc/nftables.d/a.nft there.
 * Reading ends, and is bounded.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor/files_private.h"
#include "hairpin/doctor.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char root[] = "/tmp/hairpin-fuzz-XXXXXX";
static const char *const folders[] = { "/etc", "/etc/nftables.d" };
static const char *const names[] = { "/etc/nftables.conf", "/etc/nftables.d/a.nft" };

static const char *below(const char *name, char path[128])
{
	snprintf(path, 128, "%s%s", root, name);
	return path;
}

static void clean_up(void)
{
	char path[128];

	for (size_t i = 0; i < 2; i++)
		(void)unlink(below(names[i], path));
	for (size_t i = 2; i > 0; i--)
		(void)rmdir(below(folders[i - 1], path));
	(void)rmdir(root);
}

static void begin(void)
{
	char path[128];

	require(mkdtemp(root) != NULL);
	for (size_t i = 0; i < 2; i++)
		require(mkdir(below(folders[i], path), 0700) == 0);
	(void)atexit(clean_up);
}

static void write_file(const char *name, const uint8_t *bytes, size_t length)
{
	char path[128];
	int fd = open(below(name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	require(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	close(fd);
}

static void check(const struct files *files)
{
	static const struct patient_forward forward = {
		.protocol = IPPROTO_TCP, .port = 443, .port_last = 443,
		.server = { .family = AF_INET, .bytes = { 192, 168, 1, 2 } } };

	require(files->path_count <= FILES_MAX && files->line_count <= FILES_LINES_MAX);
	require(files->define_count <= FILES_DEFINES_MAX);
	for (size_t i = 0; i < files->line_count; i++) {
		const struct file_line *line = &files->lines[i];

		require(line->number >= 1 && line->path);
		require(rule_words_equal(&line->words, &line->words));
		(void)rule_words_forward(&line->words, &forward);
		for (size_t k = 1; k < line->words.count; k++)
			require(strcmp(line->words.list[k - 1], line->words.list[k]) <= 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct doctor_options options = { .root = root };
	struct patient *patient = calloc(1, sizeof(*patient));
	const uint8_t *second = size ? memchr(data, 1, size) : NULL;
	static bool begun;

	if (!begun)
		begin();
	begun = true;
	require(patient != NULL);
	write_file(names[0], data, second ? (size_t)(second - data) : size);
	if (second)
		write_file(names[1], second + 1, size - (size_t)(second + 1 - data));
	patient->options = &options;
	check(files_read(patient));
	(void)files_are_there(patient);
	files_done(patient);
	free(patient);
	return 0;
}
