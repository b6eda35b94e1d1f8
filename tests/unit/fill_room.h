/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A description with settings and values of every kind, and a fill of two names.
 */
#ifndef FILL_ROOM_H
#define FILL_ROOM_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "provider/fill.h"
#include "provider/request.h"

#define TEXT(string) ((char *)(string))

static const struct provider_value values[] = {
	{ "server", "dyn.example.net:8443" }, { "username", "me" },
	{ "password", "a b/c?d&e=f#\"\\%+{ip}\xc3\xa4" },
	{ "record_url", "https://x.org/secret?k=1&x" },
	{ "domain", "Example.org." },
};

static const struct catalogue catalogue = {
	.settings = {
		{ .name = "server", .kind = CATALOGUE_SERVER, .required = true },
		{ .name = "username", .required = true },
		{ .name = "password", .required = true, .secret = true },
		{ .name = "path", .fallback = TEXT("nic/update") },
		{ .name = "absent", .required = true },
		{ .name = "nothing" },
		{ .name = "record_url", .kind = CATALOGUE_URL },
		{ .name = "domain" },
	},
	.setting_count = 8,
	.values = {
		{ .name = "number", .form = CATALOGUE_BY_FAMILY,
		  .templates = { TEXT("1"), TEXT("28") } },
		{ .name = "host", .form = CATALOGUE_BY_APEX,
		  .templates = { TEXT("(apex)"), TEXT("{owner}.below") } },
		{ .name = "digest", .form = CATALOGUE_DIGEST, .digest = "sha256",
		  .templates = { TEXT("{username}") } },
		{ .name = "again", .templates = { TEXT("<{digest}>") } },
		{ .name = "of_read", .templates = { TEXT("{seen}!") } },
		{ .name = "md", .form = CATALOGUE_DIGEST, .digest = "md5",
		  .templates = { TEXT("") } },
		{ .name = "sha", .form = CATALOGUE_DIGEST, .digest = "sha1",
		  .templates = { TEXT("abc") } },
		{ .name = "kept", .form = CATALOGUE_FIRST,
		  .templates = { TEXT("{seen}"), TEXT("{path}") } },
	},
	.value_count = 8,
	.basic_user = TEXT("{username}"), .basic_password = TEXT("{password}"),
};

static const struct provider_moment moment = {
	.wall_s = 1795269600,
	.chance = { 0, 1, 2, 3, 4, 5, 0xff, 7, 0xff, 9, 10, 11, 12, 61, 62, 255 } };

/* A fill of two names with these addresses. */
struct room {
	struct fill fill;
	struct fill_name names[2];
};

static inline void room_open(struct room *room, const char *ipv4, const char *ipv6)
{
	memset(room, 0, sizeof(*room));
	room->names[0].hostname = "home.example.org";
	room->names[1].hostname = "*.nas.example.org";
	for (size_t i = 0; i < 2; i++) {
		if (ipv4)
			assert_true(addr_parse(ipv4, &room->names[i].ipv4));
		if (ipv6)
			assert_true(addr_parse(ipv6, &room->names[i].ipv6));
	}
	fill_init(&room->fill, &catalogue, values, sizeof(values) / sizeof(values[0]));
	fill_set_moment(&room->fill, &moment);
	fill_set_names(&room->fill, room->names, 2);
}

#endif
