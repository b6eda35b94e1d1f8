/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets as text, in the kernel's words and back: "A A-B A:80 A-B:80-90=D#C", D the data of
 * a map (an address), C a comment.
 */
#ifndef TESTS_UNIT_ELEMENT_ROOM_H
#define TESTS_UNIT_ELEMENT_ROOM_H

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "kernel/nft_set.h"

#define OLD "203.0.113.1"
#define NEW "198.51.100.7"

enum {
	PLAIN = 0, INTERVAL = NFT_SET_INTERVAL, MAP = NFT_SET_MAP,
	ANONYMOUS = NFT_SET_ANONYMOUS | NFT_SET_CONSTANT,
	/* Not the kernel's: */
	PAIRS = 1 << 30,		/* of address and port */
	LONE = 1 << 29,			/* a single element changes, whatever it was */
	FORGETFUL = 1 << 28,		/* no former address is known */
	OURS = PAIRS | LONE | FORGETFUL,
	RANGED = NFT_SET_INTERVAL | NFT_SET_CONCAT | PAIRS,
};

/* One element of the text. */
struct token {
	uint8_t from[8], to[8];
	uint8_t data[4];
	bool has_data;
	const char *comment;
};

static uint32_t key_bytes(unsigned flags)
{
	return flags & PAIRS ? 8 : 4;
}

static void read_address(const char *text, uint8_t *ret)
{
	assert_int_equal(inet_pton(AF_INET, text, ret), 1);
}

static void read_port(unsigned port, uint8_t *ret)
{
	ret[0] = (uint8_t)(port >> 8);
	ret[1] = (uint8_t)port;
}

static struct token read_token(const char *text)
{
	char from[32] = "", to[32] = "", data[32] = "", ports[32] = "", copy[128];
	struct token token = { 0 };
	unsigned first, last;
	char *at;

	strcpy(copy, text);
	if ((at = strchr(copy, '#'))) {
		*at = '\0';
		token.comment = strchr(text, '#') + 1;
	}
	if ((at = strchr(copy, '='))) {
		*at = '\0';
		strcpy(data, at + 1);
		token.has_data = true;
		read_address(data, token.data);
	}
	if ((at = strchr(copy, ':'))) {
		*at = '\0';
		strcpy(ports, at + 1);
		if (sscanf(ports, "%u-%u", &first, &last) == 1)
			last = first;
		read_port(first, token.from + 4);
		read_port(last, token.to + 4);
	}
	if (sscanf(copy, "%31[^-]-%31s", from, to) == 1)
		strcpy(to, from);
	read_address(from, token.from);
	read_address(to, token.to);
	return token;
}

static void put_value(struct wire *wire, uint16_t type, const uint8_t *value, size_t bytes)
{
	size_t nest = wire_nest(wire, type);

	wire_put(wire, NFTA_DATA_VALUE, value, bytes);
	wire_nest_end(wire, nest);
}

static void put_marker(struct wire *wire, const uint8_t *key, const struct token *start)
{
	size_t nest = wire_nest(wire, NFTA_LIST_ELEM);
	uint8_t userdata[64] = { 0 };

	put_value(wire, NFTA_SET_ELEM_KEY, key, 4);
	if (!start)
		wire_put_be32(wire, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	if (start && start->has_data)
		put_value(wire, NFTA_SET_ELEM_DATA, start->data, 4);
	if (start && start->comment) {
		userdata[1] = (uint8_t)(strlen(start->comment) + 1);
		strcpy((char *)userdata + 2, start->comment);
		wire_put(wire, NFTA_SET_ELEM_USERDATA, userdata, 2U + userdata[1]);
	}
	wire_nest_end(wire, nest);
}

static void put_element(struct wire *wire, unsigned flags, const struct token *token)
{
	size_t nest = wire_nest(wire, NFTA_LIST_ELEM);
	uint8_t userdata[64] = { 0 };

	put_value(wire, NFTA_SET_ELEM_KEY, token->from, key_bytes(flags));
	if (flags & NFT_SET_INTERVAL)
		put_value(wire, NFTA_SET_ELEM_KEY_END, token->to, key_bytes(flags));
	if (token->has_data)
		put_value(wire, NFTA_SET_ELEM_DATA, token->data, 4);
	if (token->comment) {
		userdata[1] = (uint8_t)(strlen(token->comment) + 1);
		strcpy((char *)userdata + 2, token->comment);
		wire_put(wire, NFTA_SET_ELEM_USERDATA, userdata, 2U + userdata[1]);
	}
	wire_nest_end(wire, nest);
}

static bool is_last(const uint8_t *key)
{
	static const uint8_t last[4] = { 255, 255, 255, 255 };

	return memcmp(key, last, 4) == 0;
}

/* A set in the kernel's words; markers from back to front, as the kernel has them. */
struct room {
	struct arena arena;
	struct wire header, elements;
	struct element_piece piece;
	struct set set;
};

static void put_intervals(struct wire *wire, unsigned flags, const struct token *tokens,
			  size_t count)
{
	for (size_t i = count; i-- > 0;) {
		uint8_t next[4];
		bool shares;

		element_key_after(next, tokens[i].to, 4);
		/* nft makes anonymous maps so. */
		shares = flags & NFT_SET_ANONYMOUS && i + 1 < count &&
			 memcmp(next, tokens[i + 1].from, 4) == 0;
		if (!shares && !is_last(tokens[i].to))
			put_marker(wire, next, NULL);
		put_marker(wire, tokens[i].from, &tokens[i]);
	}
	if (count && memcmp(tokens[0].from, "\0\0\0\0", 4) != 0)
		put_marker(wire, (const uint8_t *)"\0\0\0\0", NULL);
}

static void put_header(struct wire *wire, unsigned flags)
{
	wire_put_be32(wire, NFTA_SET_FLAGS, flags & ~(unsigned)OURS);
	wire_put_be32(wire, NFTA_SET_KEY_TYPE, flags & PAIRS ? 7 << 6 | 13 : 7);
	wire_put_be32(wire, NFTA_SET_KEY_LEN, key_bytes(flags));
	if (flags & MAP) {
		wire_put_be32(wire, NFTA_SET_DATA_TYPE, 7);
		wire_put_be32(wire, NFTA_SET_DATA_LEN, 4);
	}
	if (flags & NFT_SET_CONCAT) {
		size_t description = wire_nest(wire, NFTA_SET_DESC);
		size_t concat = wire_nest(wire, NFTA_SET_DESC_CONCAT);

		for (uint32_t bytes = 4; bytes >= 2; bytes -= 2) {
			size_t field = wire_nest(wire, NFTA_LIST_ELEM);

			wire_put_be32(wire, NFTA_SET_FIELD_LEN, bytes);
			wire_nest_end(wire, field);
		}
		wire_nest_end(wire, concat);
		wire_nest_end(wire, description);
	}
}

static void room_open(struct room *room, unsigned flags, const char *text)
{
	struct token tokens[16];
	size_t count = 0;
	static char copy[1024];
	char *left = copy;

	*room = (struct room){ 0 };
	strcpy(copy, text);
	for (char *word; (word = strsep(&left, " "));) {
		if (*word)
			tokens[count++] = read_token(word);
	}
	put_header(&room->header, flags);
	if (flags & NFT_SET_INTERVAL && !(flags & NFT_SET_CONCAT))
		put_intervals(&room->elements, flags, tokens, count);
	else
		for (size_t i = 0; i < count; i++)
			put_element(&room->elements, flags, &tokens[i]);
	room->piece.list = (struct span){ room->elements.bytes, room->elements.length };
	room->set.header = (struct set_header){
		.attributes = { room->header.bytes, room->header.length },
		.flags = flags & ~(unsigned)OURS, .key_bytes = key_bytes(flags) };
	element_image_init(&room->set.image, &room->arena, room->set.header.attributes);
	assert_int_equal(element_image_fill(&room->set.image, &room->piece), 0);
}

static void room_close(struct room *room)
{
	wire_done(&room->header);
	wire_done(&room->elements);
	arena_done(&room->arena);
}

static char *write_key(char *end, const struct element_image *image, const uint8_t *from,
		       const uint8_t *to)
{
	char text[INET_ADDRSTRLEN];

	end += sprintf(end, "%s", inet_ntop(AF_INET, from, text, sizeof(text)));
	if (memcmp(from, to, 4) != 0)
		end += sprintf(end, "-%s", inet_ntop(AF_INET, to, text, sizeof(text)));
	if (image->key_bytes < 8)
		return end;
	end += sprintf(end, ":%u", from[4] << 8 | from[5]);
	if (memcmp(from + 4, to + 4, 2) != 0)
		end += sprintf(end, "-%u", to[4] << 8 | to[5]);
	return end;
}

/* The set as decided; what comes stands last. */
static const char *write_image(const struct element_image *image)
{
	static char text[2048];
	char *end = text, address[INET_ADDRSTRLEN];

	*end = '\0';
	for (size_t i = 0; i < image->count; i++) {
		const struct element_member *member = &image->members[i];
		const uint8_t *data = element_data(member->element).bytes;

		if (!element_from(member))
			continue;
		if (end != text)
			*end++ = ' ';
		end = write_key(end, image, element_from(member), element_to(member));
		if (member->edit && member->edit->data)
			data = member->edit->data;
		if (data)
			end += sprintf(end, "=%s", inet_ntop(AF_INET, data, address,
							     sizeof(address)));
	}
	for (const struct element_edit *edit = image->edits; edit; edit = edit->next) {
		if (!edit->comes)
			continue;
		if (end != text)
			*end++ = ' ';
		end = write_key(end, image, edit->from, edit->to);
	}
	return text;
}

static struct addr address(const char *text)
{
	struct addr value;

	assert_true(addr_parse(text, &value));
	return value;
}

#endif
