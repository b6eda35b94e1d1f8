/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hosts_file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "resolver.h"

/*
 * Block lists of a hundred thousand lines are about; what lies behind this is not read.
 */
enum { LINE_BYTES = 1024, LINES_MAX = 500000 };

static const char *const path = "/etc/hosts";

bool name_lower(char out[DNSMSG_NAME_BYTES], const char *name)
{
	size_t length = strlen(name);

	if (length > 0 && name[length - 1] == '.')
		length--;
	if (length == 0 || length >= DNSMSG_NAME_BYTES)
		return false;
	for (size_t i = 0; i < length; i++)
		out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32
								 : name[i]);
	out[length] = '\0';
	return true;
}

static void read_line(char *line, const char *name, int family,
		      struct resolve_addresses *addresses)
{
	static const char blank[] = " \t\r\n";
	char *rest = NULL, *word;
	struct addr address;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, blank, &rest);
	if (!word || !addr_parse(word, &address) || address.family != family)
		return;
	while ((word = strtok_r(NULL, blank, &rest))) {
		if (strcasecmp(word, name) != 0)
			continue;
		resolve_addresses_add(addresses->addresses, &addresses->count, &address,
				      1);
		return;
	}
}

void hosts_file_find(const char *name, int family, struct resolve_addresses *addresses)
{
	char line[LINE_BYTES];
	FILE *file = fopen(path, "re");

	if (!file)
		return;
	for (int i = 0; i < LINES_MAX && fgets(line, sizeof(line), file); i++)
		read_line(line, name, family, addresses);
	fclose(file);
}
