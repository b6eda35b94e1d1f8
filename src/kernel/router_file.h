/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_ROUTER_FILE_H
#define KERNEL_ROUTER_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The first bytes of a file of /proc, with a final NUL; false: it cannot be read. Cut
 * where they do not fit.
 */
bool router_read_file(const char *path, char *out, size_t bytes);

#endif
