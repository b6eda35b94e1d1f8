/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must hold of an input: says which line failed. */
#ifndef TESTS_FUZZ_REQUIRE_H
#define TESTS_FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define require(fine) \
	((fine) ? (void)0 \
		: (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #fine), abort()))

#endif
