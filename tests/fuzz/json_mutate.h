/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON for libFuzzer: every other mutation is one of the document's tree instead of its
 * bytes, so that inputs get behind the reader. JSON_MUTATE_SKIP: bytes before the document
 * that are none of it.
 */
#ifndef TESTS_FUZZ_JSON_MUTATE_H
#define TESTS_FUZZ_JSON_MUTATE_H
#ifdef HAIRPIN_FUZZER

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef JSON_MUTATE_SKIP
#define JSON_MUTATE_SKIP 0
#endif

enum { MUTATE_NODES_MAX = 4096, MUTATE_STRING_BYTES = 256 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned seed);

struct mutate {
	cJSON *nodes[MUTATE_NODES_MAX], *parents[MUTATE_NODES_MAX];
	size_t count;
	unsigned seed;
};

static unsigned mutate_roll(struct mutate *mutate, unsigned below)
{
	mutate->seed = mutate->seed * 1664525 + 1013904223;
	return (mutate->seed >> 8) % below;
}

static void mutate_gather(struct mutate *mutate, cJSON *parent)
{
	cJSON *child;

	cJSON_ArrayForEach(child, parent) {
		if (mutate->count == MUTATE_NODES_MAX)
			return;
		mutate->parents[mutate->count] = parent;
		mutate->nodes[mutate->count++] = child;
		mutate_gather(mutate, child);
	}
}

static cJSON *mutate_scalar(struct mutate *mutate)
{
	static const double numbers[] = { 0, 1, -1, 2, 4, 6, 16, 64, 127, 128, 255, 300,
					  404, 4096, 65536, 2147483647, 2147483648.0,
					  4294967295.0, 1790000000, 1790000000000.0,
					  9007199254740991.0, 9007199254740993.0, 1e300,
					  0.5 };
	static const char *const strings[] = { "", "ipv4", "ipv6", "81.2.69.7", "0.0.0.0",
					       "2a01:4f8::7", "::", "10.0.0.1", "a", "{ip}",
					       "home.example.org", "*.example.org", "interface",
					       "10m", "\xc3\xa4", "\x1b[31m", "~" };

	switch (mutate_roll(mutate, 6)) {
	case 0:
		return cJSON_CreateNull();
	case 1:
		return cJSON_CreateBool(mutate_roll(mutate, 2) == 1);
	case 2:
		return cJSON_CreateArray();
	case 3:
		return cJSON_CreateObject();
	case 4:
		return cJSON_CreateString(strings[mutate_roll(
			mutate, sizeof(strings) / sizeof(strings[0]))]);
	default:
		return cJSON_CreateNumber(numbers[mutate_roll(
			mutate, sizeof(numbers) / sizeof(numbers[0]))]);
	}
}

static cJSON *mutate_string(const cJSON *node)
{
	uint8_t room[MUTATE_STRING_BYTES];
	size_t length = strlen(node->valuestring);
	char text[MUTATE_STRING_BYTES + 1];

	if (length >= sizeof(room))
		length = sizeof(room) - 1;
	memcpy(room, node->valuestring, length);
	length = LLVMFuzzerMutate(room, length, sizeof(room));
	memcpy(text, room, length);
	text[length] = '\0';
	return cJSON_CreateString(text);
}

static void mutate_replace(cJSON *parent, cJSON *node, cJSON *by)
{
	if (by && node->string && !by->string)
		by->string = strdup(node->string);
	if (by && !cJSON_ReplaceItemViaPointer(parent, node, by))
		cJSON_Delete(by);
}

static void mutate_add(cJSON *parent, const char *key, cJSON *node)
{
	bool done = cJSON_IsObject(parent) ? cJSON_AddItemToObject(parent, key ? key : "a", node)
					   : cJSON_AddItemToArray(parent, node);

	if (!done)
		cJSON_Delete(node);
}

/* The same members as an array, the same elements as an object: also of the whole. */
static void mutate_turn(cJSON *parent)
{
	bool object = cJSON_IsObject(parent);
	cJSON *child;

	cJSON_ArrayForEach(child, parent) {
		if (!object && !child->string)
			child->string = strdup("a");
	}
	parent->type = object ? cJSON_Array : cJSON_Object;
}

static void mutate_tree(struct mutate *mutate)
{
	size_t at = mutate_roll(mutate, (unsigned)mutate->count);
	size_t other = mutate_roll(mutate, (unsigned)mutate->count);
	cJSON *node = mutate->nodes[at], *parent = mutate->parents[at];
	cJSON *from = mutate->nodes[other];

	switch (mutate_roll(mutate, 8)) {
	case 0:
		cJSON_Delete(cJSON_DetachItemViaPointer(parent, node));
		break;
	case 1:
		mutate_add(mutate->parents[other], node->string, cJSON_Duplicate(node, 1));
		break;
	case 2:
		if (from->string) {	/* keeps the name that it goes to */
			cJSON *copy = cJSON_Duplicate(from, 1);

			if (copy) {
				cJSON_free(copy->string);
				copy->string = NULL;
				mutate_replace(parent, node, copy);
			}
		}
		break;
	case 3:
		mutate_add(parent, from->string, mutate_scalar(mutate));
		break;
	case 4:
	case 5:
		mutate_replace(parent, node, cJSON_IsString(node) ? mutate_string(node)
								  : mutate_scalar(mutate));
		break;
	case 6:
		mutate_turn(parent);
		break;
	default:
		mutate_replace(parent, node, mutate_scalar(mutate));
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned seed)
{
	struct mutate *mutate;
	size_t length = 0;
	char *text = NULL;
	cJSON *root;

	root = seed % 2 && size > JSON_MUTATE_SKIP
		? cJSON_ParseWithLength((char *)data + JSON_MUTATE_SKIP,
					size - JSON_MUTATE_SKIP) : NULL;
	mutate = calloc(1, sizeof(*mutate));
	if (root && mutate) {
		mutate->seed = seed;
		mutate_gather(mutate, root);
		if (mutate->count)
			mutate_tree(mutate);
		text = cJSON_PrintUnformatted(root);
		length = text ? strlen(text) : 0;
	}
	free(mutate);
	cJSON_Delete(root);
	if (!length || length + JSON_MUTATE_SKIP > max_size) {
		cJSON_free(text);
		return LLVMFuzzerMutate(data, size, max_size);
	}
	memcpy(data + JSON_MUTATE_SKIP, text, length);
	cJSON_free(text);
	return JSON_MUTATE_SKIP + length;
}

#endif
#endif
