/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/places.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_kind(const char *path, mode_t kind)
{
	struct stat status;

	return stat(path, &status) == 0 && (status.st_mode & S_IFMT) == kind;
}

void places_find(struct places *places)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash, *name;
	const char *up;
	size_t count = 0;

	self[length > 0 ? length : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	name = strrchr(self, '/');
	up = name && strcmp(name, "/asan") == 0 ? "../.." : "..";
	snprintf(places->publisher, sizeof(places->publisher), "%s/hairpin-publish",
		 self);
	snprintf(places->source_catalogue, sizeof(places->source_catalogue),
		 "%s/%s/conf/providers", self, up);
	places->catalogue[count++] = HAIRPIN_SYSCONFDIR "/providers";
	if (is_kind(places->publisher, S_IFREG) &&
	    is_kind(places->source_catalogue, S_IFDIR))
		places->catalogue[count++] = places->source_catalogue;
	else
		snprintf(places->publisher, sizeof(places->publisher), "%s",
			 HAIRPIN_LIBEXECDIR "/hairpin-publish");
	places->catalogue[count++] = HAIRPIN_DATADIR "/providers";
	places->catalogue[count] = NULL;
}
