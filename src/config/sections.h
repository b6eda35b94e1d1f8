/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sections of the document. Each reads one member of the top level into the
 * configuration and reports mistakes.
 */
#ifndef CONFIG_SECTIONS_H
#define CONFIG_SECTIONS_H

#include "schema.h"

enum { PREFIX_LENGTH_DEFAULT = 64 };	/* of one link, RFC 4291 */

/* All of the document's top level but "providers". */
void sections_read(struct reading *reading);

void wans_read(struct reading *reading, const struct json *array);
void wans_default(struct reading *reading);	/* one, where none was named */
/* When all is read. `index`: of the first of them in the configuration; goes on. */
void wans_check(struct reading *reading, const struct json *array, size_t *index);

/* The name of a link, or what is wrong with it. */
void wans_read_interface(struct reading *reading, const struct json *value, void *target,
			 const struct schema_field *field);	/* char[IFNAMSIZ] */

/* "ipv4" and "ipv6" of a WAN. */
void sources_read(struct reading *reading, const struct json *value, void *target,
		  const struct schema_field *field);	/* struct config_wan */

/* ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT; an IPv6 address with a port needs brackets. */
bool sections_is_server(const char *text);

/* After all WANs are known. */
void entries_read(struct reading *reading, const struct json *array);
void entry_done(struct config_provider *provider);

/* The value of a setting as the user wrote it, or as {"file"|"env"|"credential": ...}. */
void setting_read(struct reading *reading, const struct json *member,
		  const struct catalogue_setting *description,
		  struct config_provider *provider);

/* HOST[:PORT] out of what the user wrote; may change `insecure_http`. */
void setting_read_server(struct reading *reading, const struct json *member,
			 struct config_provider *provider, struct secret *value);

/* A whole URL; true: it goes by plain HTTP. */
bool setting_check_url(struct reading *reading, const struct json *member,
		       const struct config_provider *provider,
		       const struct secret *value);

/* Digits alone, at most 10. */
bool setting_is_number(const char *text);

/* Room for one more at the end of an array; NULL: no memory, which is remembered. */
void *reading_grow(struct reading *reading, void **array, size_t count, size_t bytes);

#endif
