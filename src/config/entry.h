/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One entry of `providers` while it is read.
 */
#ifndef CONFIG_ENTRY_H
#define CONFIG_ENTRY_H

#include "sections.h"

struct entry {
	struct config_provider *provider;
	const struct json *object;
	struct catalogue *catalogue;	/* NULL: not known, or broken; it was reported */
};

/*
 * The description that "type" names; NULL: there is none, which was reported. Where it is
 * the user's own and has a mistake, `provider->broken` says so.
 */
struct catalogue *entry_read_type(struct reading *reading, const struct json *object,
				  struct config_provider *provider);

/* "hostnames": text, or {"name": ..., "families": [...]}; `target` is the entry. */
void hostnames_read(struct reading *reading, const struct json *value, void *target,
		    const struct schema_field *field);

/* The same record twice, families nobody takes: what only the whole entry shows. */
void hostnames_check(struct reading *reading, const struct entry *entry);

#endif
