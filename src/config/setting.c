/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rights.h"
#include "sections.h"

const struct config_setting *config_setting_find(const struct config_provider *provider,
						 const char *name)
{
	for (size_t i = 0; i < provider->setting_count; i++)
		if (strcmp(provider->settings[i].name, name) == 0)
			return &provider->settings[i];
	return NULL;
}

bool setting_is_number(const char *text)
{
	size_t length = strspn(text, "0123456789");

	return length > 0 && length <= 10 && text[length] == '\0';
}

/* Lines of text, as a PEM file or JSON. */
static bool is_document(const char *bytes, size_t length)
{
	const char *end = bytes + length;

	while (bytes < end) {
		const char *line = bytes;

		while (bytes < end && !strchr("\n\r\t", *bytes))
			bytes++;
		if (!schema_is_printable(line, (size_t)(bytes - line)))
			return false;
		bytes += bytes < end;
	}
	return true;
}

static bool is_choice(const struct catalogue_setting *wanted, const char *word)
{
	for (size_t i = 0; wanted->choices[i]; i++)
		if (strcmp(wanted->choices[i], word) == 0)
			return true;
	return false;
}

static void refuse_choice(struct reading *reading, const struct json *member,
			  const struct catalogue_setting *wanted)
{
	struct text words = TEXT_INIT;

	for (size_t i = 0; wanted->choices[i]; i++)
		text_addf(&words, "%s\"%s\"", i > 0 ? ", " : "", wanted->choices[i]);
	reading_error(reading, member, "\"%s\" must be one of %s", wanted->name,
		      words.bytes);
	text_done(&words);
}

/* Servers and URLs are judged when the whole entry is known. */
static bool is_of_kind(struct reading *reading, const struct json *member,
		       const struct catalogue_setting *wanted, const char *bytes,
		       size_t length)
{
	bool document = wanted->kind == CATALOGUE_DOCUMENT;

	if (strnlen(bytes, length) < length ||
	    !(document ? is_document(bytes, length) : schema_is_printable(bytes, length)))
		reading_error(reading, member,
			      "\"%s\" holds a control character or is no UTF-8; "
			      "give it as %s", wanted->name,
			      document ? "the file that the provider gave, PEM or JSON"
				       : "one line of plain text");
	else if (wanted->kind == CATALOGUE_NUMBER && !setting_is_number(bytes))
		reading_error(reading, member,
			      "\"%s\" must be at most 10 digits and nothing else",
			      wanted->name);
	else if (wanted->kind == CATALOGUE_CHOICE && !is_choice(wanted, bytes))
		refuse_choice(reading, member, wanted);
	else
		return true;
	return false;
}

/*
 * Takes the value if it can be one; what it holds is never told. `bytes` ends with NUL
 * behind `length`.
 */
static bool take_value(struct reading *reading, const struct json *member,
		       const struct catalogue_setting *wanted, const char *bytes,
		       size_t length, struct secret *ret_value)
{
	if (length == 0)
		reading_error(reading, member, "\"%s\" is empty; give it a value",
			      wanted->name);
	else if (length > SECRET_MAX_BYTES)
		reading_error(reading, member,
			      "\"%s\" is longer than %d bytes; is it the right "
			      "one?",
			      wanted->name, SECRET_MAX_BYTES);
	else if (!is_of_kind(reading, member, wanted, bytes, length))
		return false;
	else if (secret_set(ret_value, bytes, length))
		return true;
	else
		reading->no_memory = true;
	return false;
}

static void warn_exposed(struct reading *reading, const struct json *member,
			 const char *path)
{
	if (reading->load->strict)
		reading_error(reading, member,
			      "others may read %s, which holds a secret; "
			      "chmod o-r it",
			      shown(path).text);
	else
		reading_warning(reading, member,
				"others may read %s, which holds a secret; "
				"chmod o-r it",
				shown(path).text);
}

static bool read_file(struct reading *reading, const struct json *member,
		      const struct catalogue_setting *wanted, const char *path,
		      struct secret *ret_value)
{
	struct err err = { 0 };
	size_t length, whole;
	bool exposed, good;
	char *text;

	/* More than a value and its line's end, so that take_value() may complain. */
	if (rights_read(path, SECRET_MAX_BYTES + 3, &text, &length, &exposed, &err) < 0) {
		reading_error(reading, member, "%s", err.text);
		return false;
	}
	whole = length;
	if (length > 0 && text[length - 1] == '\n')
		length--;
	if (length > 0 && length < whole && text[length - 1] == '\r')
		length--;
	text[length] = '\0';
	good = take_value(reading, member, wanted, text, length, ret_value);
	if (good && exposed && wanted->secret)
		warn_exposed(reading, member, path);
	secret_wipe(text, whole);
	free(text);
	return good;
}

static bool read_credential(struct reading *reading, const struct json *member,
			    const struct catalogue_setting *wanted, const char *name,
			    struct secret *ret_value)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char path[CONFIG_PATH_BYTES];

	if (*name == '\0' || strchr(name, '/') || *name == '.' ||
	    !schema_is_printable(name, strlen(name))) {
		reading_error(reading, member,
			      "\"%s\" is no name of a credential; write the "
			      "one of LoadCredential=",
			      shown(name).text);
		return false;
	}
	if (!directory || *directory != '/') {
		reading_error(reading, member,
			      "there are no credentials ($CREDENTIALS_DIRECTORY "
			      "is not set); start it by systemd with "
			      "LoadCredential=%s:PATH, or "
			      "use {\"file\": PATH}",
			      shown(name).text);
		return false;
	}
	if (!schema_join(path, sizeof path, directory, name)) {
		reading_error(reading, member, "the path of the credential is too long");
		return false;
	}
	return read_file(reading, member, wanted, path, ret_value);
}

static bool read_env(struct reading *reading, const struct json *member,
		     const struct catalogue_setting *wanted, const char *name,
		     struct secret *ret_value)
{
	const char *value = getenv(name);

	if (value && *value)
		return take_value(reading, member, wanted, value, strlen(value),
				  ret_value);
	reading_error(reading, member,
		      "the variable %s is not set or empty; set it where "
		      "hairpind is started (a changed one needs a restart)",
		      shown(name).text);
	return false;
}

/* {"file": PATH}, {"env": NAME} or {"credential": NAME}. */
static bool read_place(struct reading *reading, const struct json *member,
		       const struct catalogue_setting *wanted,
		       struct config_setting *setting)
{
	static const struct schema_field fields[] = {
		{ .key = "file" }, { .key = "env" }, { .key = "credential" }, { 0 },
	};
	const struct json *where = json_child(member);
	char path[CONFIG_PATH_BYTES];
	const char *name;

	if (json_count(member) != 1) {
		reading_error(reading, member,
			      "\"%s\" needs one place; write {\"file\": PATH}, "
			      "{\"env\": NAME} or {\"credential\": NAME}",
			      json_key(member));
		return false;
	}
	if (!schema_find(fields, json_key(where))) {
		schema_unknown(reading, where, fields, NULL, "");
		return false;
	}
	name = schema_string(reading, where, "text in quotes");
	if (!name)
		return false;
	if (strcmp(json_key(where), "credential") == 0)
		return read_credential(reading, member, wanted, name, &setting->value);
	if (strcmp(json_key(where), "env") == 0) {
		setting->env = strdup(name);
		reading->no_memory |= !setting->env;
		return read_env(reading, member, wanted, name, &setting->value);
	}
	if (*name && schema_join(path, sizeof path, reading->source->directory, name))
		return read_file(reading, member, wanted, path, &setting->value);
	reading_error(reading, where, "the path is empty or too long");
	return false;
}

static bool read_literal(struct reading *reading, const struct json *member,
			 const struct catalogue_setting *wanted,
			 struct config_setting *setting)
{
	const char *string = json_string(member);
	struct source *source = reading->source;

	if (!take_value(reading, member, wanted, string, strlen(string), &setting->value))
		return false;
	if (wanted->secret && source->exposed && !source->exposure_told) {
		source->exposure_told = true;
		warn_exposed(reading, member, source->name);
	}
	return true;
}

void setting_read(struct reading *reading, const struct json *member,
		  const struct catalogue_setting *description,
		  struct config_provider *provider)
{
	struct config_setting setting = { .is_secret = description->secret }, *place;
	bool good = false;

	if (json_kind(member) == JSON_STRING)
		good = read_literal(reading, member, description, &setting);
	else if (json_kind(member) == JSON_OBJECT && reading->load)
		good = read_place(reading, member, description, &setting);
	else
		(void)schema_expect(reading, member, JSON_STRING,
				    "text in quotes or as {\"file\": PATH}");
	place = good ? reading_grow(reading, (void **)&provider->settings,
				    provider->setting_count, sizeof *place) : NULL;
	if (!place) {
		free(setting.env);
		secret_done(&setting.value);
		return;
	}
	(void)text_copy(setting.name, sizeof setting.name, description->name);
	*place = setting;
	provider->setting_count++;
}
