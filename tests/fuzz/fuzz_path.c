/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A path, the value of its {v}, and a document, a line each but the last. Whatever the
 * value is, it changes nothing about the path's parts; whatever the document is, what
 * is found there is text, and the same as is said to be there.
 */
#include <stdlib.h>
#include <string.h>

#include "provider/path.h"
#include "provider/view.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct catalogue catalogue = { .setting_count = 1,
					    .settings = { { .name = "v" } } };

static void fill_begin(struct fill *fill, struct provider_value *value, const char *text,
		       const struct fill_name *name)
{
	*value = (struct provider_value){ "v", text };
	fill_init(fill, &catalogue, value, 1);
	fill_set_names(fill, name, 1);
}

static void check_parts(const char *template, const struct fill *fill)
{
	static const struct fill_name name = { .hostname = "home.example.org" };
	struct provider_value plain;
	struct fill other;
	struct path a, b;

	fill_begin(&other, &plain, "x", &name);
	if (path_parse(template, fill, &a)) {
		require(path_parse(template, &other, &b));
		require(a.count == b.count && a.count <= CATALOGUE_PATH_PARTS_MAX);
		for (size_t i = 0; i < a.count; i++) {
			require(a.parts[i].kind == b.parts[i].kind);
			require(a.parts[i].element == b.parts[i].element);
			require(a.parts[i].field_count == b.parts[i].field_count);
		}
		path_done(&a);
		path_done(&b);
	}
	fill_done(&other);
}

static void check_look(const struct provider_answer *answer, const struct fill *fill,
		       enum catalogue_where where, char *path)
{
	struct catalogue_spot spot = { where, path };
	struct view view;
	char *text;
	bool found;

	view_init(&view, answer);
	found = view_find(&view, &spot, fill, &text);
	require(!found || view_has(&view, &spot, fill));
	require(!found || view_count(&view, &spot, fill) == 0);
	if (found)
		require(strlen(text) <= answer->length + strlen(answer->headers));
	if (found)
		free(text);
	view_done(&view);
}

static void check(char *path, const char *value, const char *document, size_t length)
{
	static const struct fill_name name = { .hostname = "home.example.org" };
	struct provider_answer answer = { .http_status = 200, .body = document,
					  .length = length, .headers = path };
	struct provider_value setting;
	struct fill fill;

	fill_begin(&fill, &setting, value, &name);
	check_parts(path, &fill);
	check_look(&answer, &fill, CATALOGUE_JSON, path);
	check_look(&answer, &fill, CATALOGUE_HEADER, (char *)value);
	check_look(&answer, &fill, CATALOGUE_REGEX, (char *)"^id=\"?([^\"]*){v}\"?$");
	fill_done(&fill);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = malloc(size + 1), *value, *document;

	require(path != NULL);
	if (size > 0)
		memcpy(path, data, size);
	path[size] = '\0';
	value = memchr(path, '\n', size);
	document = value ? memchr(value + 1, '\n', size - (size_t)(value + 1 - path)) : NULL;
	if (document) {
		*value++ = *document++ = '\0';
		check(path, value, document, size - (size_t)(document - path));
	}
	free(path);
	return 0;
}
