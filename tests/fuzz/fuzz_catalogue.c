/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Provider descriptions: whatever comes, it answers; what it accepts is within its bounds,
 * and what it refuses has a place.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fine)
{
	if (!fine)
		abort();
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
	for (size_t i = 0; i < catalogue->step_count; i++) {
		const struct catalogue_step *step = &catalogue->steps[i];

		require(strncmp(step->url, "http", 4) == 0 && step->method[0]);
		require(!step->body || step->body_type[0]);
	}
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
