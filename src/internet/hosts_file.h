/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/hosts (hosts(5)), read anew for every question: it is small and people edit it.
 */
#ifndef INTERNET_HOSTS_FILE_H
#define INTERNET_HOSTS_FILE_H

#include "hairpin/dnsmsg.h"
#include "hairpin/resolve.h"

/* Adds the addresses of `family` that the file gives to `name` (lower case). */
void hosts_file_find(const char *name, int family, struct resolve_addresses *addresses);

/* Lower case, without a final dot. False: too long or empty. */
bool name_lower(char out[DNSMSG_NAME_BYTES], const char *name);

#endif
