/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS answers in the making, byte by byte. */
#ifndef TESTS_DNSMSG_ROOM_H
#define TESTS_DNSMSG_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "hairpin/dnsmsg.h"

/* A message in the making; the question is home.example.org, A. */
struct wire {
	uint8_t bytes[65535];
	size_t length;
};

static inline void add(struct wire *wire, const void *bytes, size_t length)
{
	assert_true(wire->length + length <= sizeof(wire->bytes));
	memcpy(wire->bytes + wire->length, bytes, length);
	wire->length += length;
}

static inline void add_u16(struct wire *wire, unsigned value)
{
	uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	add(wire, bytes, 2);
}

static inline void add_name(struct wire *wire, const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");
		uint8_t byte = (uint8_t)length;

		add(wire, &byte, 1);
		add(wire, name, length);
		name += length + (name[length] == '.');
	}
	add(wire, "", 1);
}

static inline void begin(struct wire *wire, unsigned flags, unsigned answers)
{
	wire->length = 0;
	add_u16(wire, 0x1234);
	add_u16(wire, flags);
	add_u16(wire, 1);
	add_u16(wire, answers);
	add_u16(wire, 0);
	add_u16(wire, 0);
	add_name(wire, "Home.example.org");
	add_u16(wire, DNSMSG_A);
	add_u16(wire, 1);
}

static inline void add_record(struct wire *wire, const char *owner, unsigned type,
		       uint32_t ttl_s, const void *rdata, size_t length)
{
	add_name(wire, owner);
	add_u16(wire, type);
	add_u16(wire, 1);
	add_u16(wire, ttl_s >> 16);
	add_u16(wire, ttl_s & 0xffff);
	add_u16(wire, (unsigned)length);
	add(wire, rdata, length);
}

static inline void add_alias(struct wire *wire, const char *owner, uint32_t ttl_s,
		      const char *target)
{
	struct wire *name = calloc(1, sizeof(*name));

	assert_non_null(name);
	add_name(name, target);
	add_record(wire, owner, DNSMSG_CNAME, ttl_s, name->bytes, name->length);
	free(name);
}

static const uint8_t address[] = { 81, 2, 69, 7 };

static inline int setup(void **state)
{
	*state = calloc(1, sizeof(struct wire));
	return *state ? 0 : -1;
}

static inline int teardown(void **state)
{
	free(*state);
	return 0;
}

#endif
