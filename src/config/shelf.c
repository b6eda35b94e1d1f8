/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where descriptions lie: one file per provider in one of several directories.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hairpin/catalogue.h"
#include "hairpin/json.h"
#include "hairpin/text.h"
#include "problem.h"
#include "rights.h"

enum { IDS_MAX = 512 };

struct ids {
	char *names[IDS_MAX + 1];
	size_t count;
};

/* An id is part of a path: nothing but letters, digits and '-' comes into one. */
static bool is_id(const char *id)
{
	size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length > 0 && length < CATALOGUE_NAME_BYTES && id[length] == '\0';
}

static void ids_add(struct ids *ids, const char *directory)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry;

	while (stream && ids->count < IDS_MAX && (entry = readdir(stream))) {
		size_t length = strlen(entry->d_name);

		if (length <= 5 || strcmp(entry->d_name + length - 5, ".json") != 0)
			continue;
		ids->names[ids->count] = strndup(entry->d_name, length - 5);
		if (!ids->names[ids->count])
			break;
		ids->count++;
	}
	if (stream)
		closedir(stream);
}

/* --- all of them --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void catalogue_list_free(char **ids)
{
	for (size_t i = 0; ids && ids[i]; i++)
		free(ids[i]);
	free(ids);
}

/* Sorted, each once, and nothing that cannot be an id. */
static void ids_tidy(struct ids *ids)
{
	size_t kept = 0;

	qsort(ids->names, ids->count, sizeof(ids->names[0]), by_name);
	for (size_t i = 0; i < ids->count; i++) {
		char *name = ids->names[i];

		if (is_id(name) && (!kept || strcmp(ids->names[kept - 1], name) != 0))
			ids->names[kept++] = name;
		else
			free(name);
	}
	ids->names[kept] = NULL;
	ids->count = kept;
}

int catalogue_list(const char *const *directories, char ***ret_ids, struct err *ret_err)
{
	struct ids *ids = calloc(1, sizeof(*ids));

	if (!ids)
		return err_set(ret_err, -ENOMEM, "no memory");
	for (; *directories; directories++)
		ids_add(ids, *directories);
	ids_tidy(ids);
	/* The names come first in the struct, so that it can be given away as they are. */
	*ret_ids = ids->names;
	return 0;
}

bool catalogue_is_own(const char *const *directories, const char *id)
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s/%s.json", directories[0], id);

	return directories[1] && is_id(id) && length > 0 &&
	       (size_t)length < sizeof(path) && access(path, F_OK) == 0;
}

/* --- one of them --- */

static int unknown_id(const char *const *directories, const char *id, struct err *ret_err)
{
	struct ids ids = { 0 };
	const char *nearest;

	for (; *directories; directories++)
		ids_add(&ids, *directories);
	nearest = text_nearest(id, (const char *const *)ids.names);
	if (nearest)
		err_set(ret_err, -ENOENT, "unknown provider \"%s\"; did you mean \"%s\"?",
			shown(id).text, shown(nearest).text);
	else
		err_set(ret_err, -ENOENT,
			"unknown provider \"%s\"; `hairpinctl providers` lists those "
			"there are, and \"dyndns2\" speaks to any server of that kind",
			shown(id).text);
	for (size_t i = 0; i < ids.count; i++)
		free(ids.names[i]);
	return -ENOENT;
}

/* The text without comments, as it travels from here on. */
static char *compact(const char *text, size_t length)
{
	struct json_error error;
	struct json *root = json_parse(text, length, JSON_RELAXED, &error);
	char *result = json_print(root, false);

	json_free(root);
	return result;
}

static int check(const char *path, const char *id, const char *text, size_t length,
		 char **ret_text, struct err *ret_err)
{
	struct catalogue *catalogue;
	struct err err = { 0 };
	int result = catalogue_parse(text, length, &catalogue, &err);
	bool same;

	if (result < 0)
		return err_set(ret_err, result, "%s:%s", shown(path).text, err.text);
	same = strcmp(catalogue->id, id) == 0;
	catalogue_free(catalogue);
	if (!same)
		return err_set(ret_err, -EINVAL,
			       "%s: the \"id\" within must be \"%s\", as the "
			       "file's name",
			       shown(path).text, id);
	*ret_text = compact(text, length);
	return *ret_text ? 0 : err_set(ret_err, -ENOMEM, "no memory");
}

/* A description decides where passwords go, so those of the machine's own are judged. */
static int read_one(const char *path, bool ours, char **ret_text, size_t *ret_length,
		    struct err *ret_err)
{
	bool exposed;

	if (ours)
		return rights_read_ours(path, CATALOGUE_MAX_BYTES, ret_text, ret_length,
					ret_err);
	return rights_read(path, CATALOGUE_MAX_BYTES, ret_text, ret_length, &exposed,
			   ret_err);
}

int catalogue_find(const char *const *directories, const char *id, char **ret_text,
		   struct err *ret_err)
{
	for (size_t i = 0; is_id(id) && directories[i]; i++) {
		char path[PATH_MAX], *text;
		size_t length;
		int result =
			snprintf(path, sizeof path, "%s/%s.json", directories[i], id);

		if (access(directories[i], X_OK) < 0)	/* missing, or not for us to see */
			continue;
		if (result < 0 || (size_t)result >= sizeof path)
			return err_set(ret_err, -ENAMETOOLONG,
				       "the directory's path is too long");
		result = read_one(path, !directories[i + 1], &text, &length, ret_err);
		if (result == -ENOENT || result == -ENOTDIR)
			continue;
		if (result < 0)
			return result;
		result = check(path, id, text, length, ret_text, ret_err);
		free(text);
		return result;
	}
	return unknown_id(directories, id, ret_err);
}
