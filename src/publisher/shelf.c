/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shelf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct shelf_entry {
	struct shelf_entry *next;	/* the one used last comes first */
	char *description;
	struct catalogue *catalogue;
	size_t users;
};

static void entry_free(struct shelf_entry *entry)
{
	catalogue_free(entry->catalogue);
	free(entry->description);
	free(entry);
}

static int entry_new(const char *description, struct shelf_entry **ret_entry,
		     struct err *ret_err)
{
	struct shelf_entry *entry = calloc(1, sizeof(*entry));
	int r = -ENOMEM;

	if (entry)
		entry->description = strdup(description);
	if (entry && entry->description)
		r = catalogue_parse(description, strlen(description), &entry->catalogue,
				    ret_err);
	else
		r = err_set(ret_err, r, "no memory for a description");
	if (r == 0)
		*ret_entry = entry;
	else if (entry)
		entry_free(entry);
	return r;
}

int shelf_get(struct shelf *shelf, const char *description,
	      const struct catalogue **ret_catalogue, struct err *ret_err)
{
	struct shelf_entry **at = &shelf->list, *entry;

	while (*at && strcmp((*at)->description, description) != 0)
		at = &(*at)->next;
	entry = *at;
	if (entry) {
		*at = entry->next;
	} else {
		int r = entry_new(description, &entry, ret_err);

		if (r < 0)
			return r;
	}
	/* NOLINTNEXTLINE(*NullDereference): 0 means there is one */
	entry->next = shelf->list;
	shelf->list = entry;
	entry->users++;
	*ret_catalogue = entry->catalogue;
	return 0;
}

static void shrink(struct shelf *shelf)
{
	struct shelf_entry **at = &shelf->list;
	size_t unused = 0;

	while (*at) {
		struct shelf_entry *entry = *at;

		if (entry->users > 0 || ++unused <= SHELF_KEPT) {
			at = &entry->next;
			continue;
		}
		*at = entry->next;
		entry_free(entry);
	}
}

void shelf_put(struct shelf *shelf, const struct catalogue *catalogue)
{
	struct shelf_entry *entry = shelf->list;

	while (entry->catalogue != catalogue)
		entry = entry->next;
	entry->users--;
	shrink(shelf);
}

void shelf_done(struct shelf *shelf)
{
	while (shelf->list) {
		struct shelf_entry *entry = shelf->list;

		shelf->list = entry->next;
		entry_free(entry);
	}
}
