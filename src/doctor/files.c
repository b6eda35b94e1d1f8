/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files_private.h"

/* Where distributions keep what is loaded at the start. */
static const char *const files_known[] = {
	"/etc/nftables.conf", "/etc/nftables.nft", "/etc/sysconfig/nftables.conf",
	"/etc/nftables.d/*.nft", "/etc/nftables/*.nft",
	"/usr/share/nftables.d/*/*.nft", "/usr/share/nftables.d/*/*/*.nft",
	"/var/lib/nftables/*.nft", "/etc/iptables/rules.v4", "/etc/iptables/rules.v6",
	"/etc/iptables/iptables.rules", "/etc/iptables/ip6tables.rules",
	"/etc/iptables/rules-save", "/etc/sysconfig/iptables", "/etc/sysconfig/ip6tables",
	"/etc/ufw/before.rules", "/etc/ufw/before6.rules",
};

static void files_open(struct files *files, const char *root, const char *path,
		       unsigned depth);

/* --- variables --- */

static const char *files_value(const struct files *files, const char *name, size_t length)
{
	size_t i = files->define_count;

	while (i-- > 0) {	/* the last one holds */
		if (strncmp(files->defines[i].name, name, length) == 0 &&
		    !files->defines[i].name[length])
			return files->defines[i].value;
	}
	return NULL;
}

static size_t files_name_length(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789_");
}

/* Each $NAME once: values were filled in when they were defined. */
static char *files_fill(const struct files *files, const char *line)
{
	TEXT_CLEANUP struct text filled = TEXT_INIT;
	const char *value;
	size_t length;

	for (; *line; line++) {
		length = *line == '$' ? files_name_length(line + 1) : 0;
		value = length ? files_value(files, line + 1, length) : NULL;
		if (value && filled.length + strlen(value) < FILES_LINE_BYTES) {
			text_add(&filled, value);
			line += length;
		} else {
			text_add_char(&filled, *line);
		}
	}
	return text_take(&filled);
}

/* "define NAME = VALUE"; false: something else. */
static bool files_define(struct files *files, const char *line)
{
	char *name, *value;
	size_t length;

	if (strncmp(line, "define ", 7) != 0)
		return false;
	line += 7 + strspn(line + 7, " \t");
	length = files_name_length(line);
	if (!length || files->define_count == FILES_DEFINES_MAX)
		return true;
	name = strndup(line, length);
	line += length;
	value = strdup(line + strspn(line, " \t="));
	if (!name || !value) {
		free(name);
		free(value);
		return true;
	}
	files->defines[files->define_count].name = name;
	files->defines[files->define_count++].value = value;
	return true;
}

/* --- lines --- */

/* Nobody waits for a pattern that has all directories of the machine looked through. */
static bool files_is_modest(const char *pattern)
{
	unsigned wild = 0;
	size_t length;

	for (; *pattern; pattern += length + (pattern[length] == '/')) {
		length = strcspn(pattern, "/");
		wild += strcspn(pattern, "*?[") < length;
	}
	return wild <= FILES_WILD_MAX;
}

/* 'include "PATH"', which may be a pattern; one without a '/' in front is below /etc. */
static bool files_include(struct files *files, const char *root, const char *line,
			  unsigned depth)
{
	TEXT_CLEANUP struct text path = TEXT_INIT;
	const char *begin, *end;

	if (strncmp(line, "include", 7) != 0 || !strchr(" \t\"", line[7]))
		return false;
	begin = strchr(line, '"');
	end = begin ? strchr(begin + 1, '"') : NULL;
	if (!end || depth == FILES_DEPTH || files->include_count++ >= FILES_INCLUDES_MAX)
		return true;
	if (begin[1] != '/')
		text_add(&path, "/etc/");
	text_add_bytes(&path, begin + 1, (size_t)(end - begin - 1));
	if (files_is_modest(path.bytes))
		files_open(files, root, path.bytes, depth + 1);
	return true;
}

static bool files_make_room(struct files *files)
{
	struct file_line *lines;
	size_t room;

	if (files->line_count < files->room)
		return true;
	if (files->line_count == FILES_LINES_MAX)
		return false;
	room = files->room ? 2 * files->room : 256;
	lines = reallocarray(files->lines, room, sizeof(*lines));
	if (!lines)
		return false;
	files->lines = lines;
	files->room = room;
	return true;
}

static void files_add_line(struct files *files, const struct file_line *line)
{
	struct file_line *added;

	if (!files_make_room(files))
		return;
	added = &files->lines[files->line_count];
	*added = *line;
	if (rule_words_split(line->text, &added->words))
		files->line_count++;
}

static void files_take(struct files *files, const char *root,
		       const struct file_line *line, unsigned depth)
{
	char *filled = files_fill(files, line->text + strspn(line->text, " \t"));
	struct file_line whole = *line;

	if (filled && *filled && !files_include(files, root, filled, depth) &&
	    !files_define(files, filled)) {
		whole.text = filled;
		files_add_line(files, &whole);
	}
	free(filled);
}

/*
 * Ends a line where a comment begins, which makes it less than plain; returns how many
 * braces it leaves open.
 */
static int files_strip(char *line, bool *plain)
{
	bool quoted = false;
	int open = 0;

	for (; *line; line++) {
		if (*line == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (*line == '#')
			break;
		else
			open += (*line == '{') - (*line == '}');
	}
	if (*line)
		*plain = false;
	*line = '\0';
	return open;
}

/* Does what stands before an open brace begin a set within a rule, not a block? */
static bool files_is_within(const char *line)
{
	static const char *const words[] = { "dport", "daddr", "saddr", "map", "define",
					     "iifname", "oifname", "elements" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(line, words[i]))
			return true;
	}
	return false;
}

/* A line goes on below itself after a backslash and within the braces of a set. */
static void files_split(struct files *files, const char *root, const char *path,
			char *bytes, unsigned depth)
{
	TEXT_CLEANUP struct text whole = TEXT_INIT;
	struct file_line taken = { .path = path };
	unsigned number = 0;
	bool goes_on = false;
	char *line, *rest = bytes;
	size_t length;
	int open = 0;

	while ((line = strsep(&rest, "\n"))) {
		number++;
		if (!goes_on) {
			text_clear(&whole);
			taken.number = number;
			taken.plain = true;
			open = 0;
		}
		open += files_strip(line, &taken.plain);
		length = strlen(line);
		goes_on = length && line[length - 1] == '\\';
		text_add_bytes(&whole, line, length - goes_on);
		goes_on |= open > 0 && files_is_within(whole.bytes);
		if (goes_on && whole.length < FILES_LINE_BYTES) {
			text_add_char(&whole, ' ');
			taken.plain = false;
			continue;
		}
		goes_on = false;
		taken.plain &= open == 0;
		taken.text = whole.bytes;
		files_take(files, root, &taken, depth);
	}
}

/* --- files --- */

static char *files_slurp(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *bytes = NULL;
	struct stat status;
	ssize_t got = -1;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_size <= FILES_BYTES_MAX)
		bytes = malloc((size_t)status.st_size + 1);
	if (bytes)
		got = read(fd, bytes, (size_t)status.st_size);
	close(fd);
	if (got < 0) {
		free(bytes);
		return NULL;
	}
	bytes[got] = '\0';
	return bytes;
}

static void files_open_one(struct files *files, const char *root, const char *path,
			   unsigned depth)
{
	char *bytes;
	size_t i;

	for (i = 0; i < files->path_count; i++) {
		if (strcmp(files->paths[i], path) == 0)
			return;
	}
	if (files->path_count == FILES_MAX)
		return;
	bytes = files_slurp(path);
	files->paths[files->path_count] = bytes ? strdup(path) : NULL;
	if (files->paths[files->path_count]) {
		path = files->paths[files->path_count++];
		files_split(files, root, path, bytes, depth);
	}
	free(bytes);
}

static void files_open(struct files *files, const char *root, const char *path,
		       unsigned depth)
{
	TEXT_CLEANUP struct text whole = TEXT_INIT;
	glob_t found;
	size_t i;

	text_add(&whole, root);
	text_add(&whole, path);
	if (whole.failed || glob(whole.bytes, 0, NULL, &found) != 0)
		return;
	for (i = 0; i < found.gl_pathc; i++)
		files_open_one(files, root, found.gl_pathv[i], depth);
	globfree(&found);
}

const struct files *files_read(struct patient *patient)
{
	const char *root = patient->options->root;
	size_t i;

	if (patient->files)
		return patient->files;
	patient->files = calloc(1, sizeof(*patient->files));
	for (i = 0; patient->files && i < sizeof(files_known) / sizeof(files_known[0]);
	     i++)
		files_open(patient->files, root, files_known[i], 0);
	return patient->files;
}

bool files_are_there(struct patient *patient)
{
	const struct files *files = files_read(patient);

	return files && files->line_count;
}

void files_done(struct patient *patient)
{
	struct files *files = patient->files;
	size_t i;

	if (!files)
		return;
	for (i = 0; i < files->line_count; i++)
		rule_words_done(&files->lines[i].words);
	for (i = 0; i < files->path_count; i++)
		free(files->paths[i]);
	for (i = 0; i < files->define_count; i++) {
		free(files->defines[i].name);
		free(files->defines[i].value);
	}
	free(files->lines);
	free(files);
	patient->files = NULL;
}
