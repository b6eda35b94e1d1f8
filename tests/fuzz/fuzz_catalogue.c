/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Provider descriptions: whatever comes, it answers; what it accepts is within its bounds,
 * and what it refuses has a place.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/config.h"

#include "json_mutate.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rule(const struct catalogue_rule *rule)
{
	require(rule->http <= rule->http_to);
	require((rule->test == CATALOGUE_PRESENT || rule->test == CATALOGUE_ABSENT) ==
		(rule->test_text == NULL));
	require(!rule->test_text || rule->spot.path);
}

static void check_step(const struct catalogue_step *step)
{
	require((strncmp(step->url, "http", 4) == 0 || step->url[0] == '{') &&
		step->method[0]);
	require(!step->body || step->body_type[0]);
	require(!step->each == (step->family != CATALOGUE_EACH) && !step->each == !step->join);
	require(step->read_count <= CATALOGUE_READS_MAX && step->rule_count <= CATALOGUE_RULES_MAX);
	require(!step->when.last || step->does != CATALOGUE_WRITE);
	for (size_t i = 0; i < step->read_count; i++)
		require(step->reads[i].name[0] && step->reads[i].spot.path);
	for (size_t i = 0; i < step->rule_count; i++)
		check_rule(&step->rules[i]);
	require(step->pages.by != CATALOGUE_COUNTED ||
		(step->pages.size > 0 && step->pages.step > 0));
	require((step->pages.by == CATALOGUE_ONE_PAGE) == (step->pages.spot.path == NULL));
}

static void check_bounds(const struct catalogue *catalogue)
{
	require(catalogue->id[0] && catalogue->name && catalogue->status);
	require(catalogue->shut_down || catalogue->facts.families);
	require(catalogue->facts.batch_hostnames >= 1);
	require(catalogue->facts.batch_hostnames <= 20);
	require(catalogue->batch >= 1 && catalogue->facts.parallel >= 1);
	require(!catalogue->basic_user == !catalogue->basic_password);
	for (size_t i = 0; i < catalogue->setting_count; i++)
		require(catalogue->settings[i].name[0] && catalogue->settings[i].help);
	for (size_t i = 0; i < catalogue->value_count; i++)
		require(catalogue->values[i].name[0] && catalogue->values[i].templates[0]);
	for (size_t i = 0; i < catalogue->rule_count; i++)
		check_rule(&catalogue->rules[i]);
	for (size_t i = 0; i < catalogue->step_count; i++)
		check_step(&catalogue->steps[i]);
	require(catalogue->protocol != CATALOGUE_RFC2136 || catalogue->update.ttl ||
		catalogue->shut_down);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalogue *catalogue = NULL;
	struct err err = { "" };
	int result = catalogue_parse((const char *)data, size, &catalogue, &err);

	require((result == 0) == (catalogue != NULL));
	if (catalogue)
		check_bounds(catalogue);
	else
		require(err.text[0] >= '1' && err.text[0] <= '9' && strchr(err.text, ':'));
	catalogue_free(catalogue);
	return 0;
}
