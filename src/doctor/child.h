/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that is run to read what it prints: no shell, bounded in output and time. */
#ifndef DOCTOR_CHILD_H
#define DOCTOR_CHILD_H

#include "hairpin/err.h"
#include "hairpin/text.h"

/*
 * `words`: the program's name, looked up where system programs are, and its arguments;
 * ends with NULL. It keeps our rights, which it needs to read what we read. -ENOENT: there
 * is no such program; -ETIMEDOUT, -EMSGSIZE; -EIO: it says that it failed.
 */
int child_read(const char *const *words, struct text *ret_output) must_check;

#endif
