/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No memory, at each allocation in turn: what fails says so, leaves what it had to give
 * untouched and loses nothing; the next try does it.
 */
#include "figure.h"
#include "state_room.h"
#include "torture/alone.h"

#include "core/status.h"
#include "supervisor/load.h"

#define KEY "\"key\":\"00112233445566778899aabbccddeeff\""
/* No tag: glibc's regcomp() loses memory when it has none. */
#define CONFIGURATION(interface) "{\"wans\": [{\"name\": \"fibre\", \"interface\": \"" \
	interface "\"}], \"nat\": {\"tables\": [\"ip:nat\"]}}"

/* Nor a regular expression. */
#define DESCRIPTION "{\"id\": \"own\", \"name\": \"Own\", \"status\": \"alive\", " \
	"\"requests\": [{\"url\": \"https://own.example/?name={hostname}&a={ip}\"}], " \
	"\"answers\": [{\"contains\": \"OK\", \"means\": \"good\"}]}"

static struct room room;

static void quiet_room(struct config *config)
{
	room_begin_with(&room, config, scratch.fd);
	log_set_level(LOG_EMERG);
}

/* --- start --- */

static void load(void)
{
	struct config_problems problems = { .text = TEXT_INIT };
	struct config *config = (struct config *)&room;
	char path[128];
	char own[128];
	const char *const catalogue[] = { scratch_path(&scratch, ".", own), NULL };
	struct config_load what = { .path = scratch_path(&scratch, "c.json", path),
				    .catalogue = catalogue };
	int result;

	alone_begin();
	result = config_load(&what, &config, &problems);
	alone_end();
	if (result < 0) {
		assert_ptr_equal(config, &room);	/* untouched */
		assert_true(alone.met);
	} else {
		assert_string_equal(config->wans[0].tag, "hairpin");
		assert_string_equal(config->wans[0].interface, "ppp0");
		assert_null(config->providers[0].broken);	/* nobody would mend it */
		config_free(config);
	}
	config_problems_done(&problems);
}

static void configuration_is_loaded_or_not(void **state)
{
	(void)state;
	scratch_write(&scratch, "own.json", DESCRIPTION, 0600);
	scratch_write(&scratch, "c.json", "{\"wans\": [{\"name\": \"fibre\", \"interface\": "
		      "\"ppp0\"}], \"providers\": [{\"type\": \"own\", \"hostnames\": "
		      "[\"a.example.org\"]}]}", 0600);
	figure_holds("F62", "start: a configuration is whole or refused",
		     alone_walk(load) > 20);
}

/* What the supervisor does when the child has told which variables were secrets. */
static void hide(void)
{
	static struct load load;
	static struct load_vault vault;
	char *variables[] = { strdup("HAIRPIN_A=geheim"), strdup("HAIRPIN_B=no secret"),
			      strdup("HAIRPIN_C=streng geheim"), NULL };
	char **own = environ;
	struct err err = { "" };
	int document = -1, result;

	memset(&load, 0, sizeof(load));
	load.document = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	load.got = sizeof(load.facts);
	load.facts.valid = load.facts.variables[0] = load.facts.variables[2] = 1;
	environ = variables;
	alone_begin();
	result = load_finish(&load, &vault, &document, &err);
	alone_end();
	environ = own;
	assert_true(alone.met || result == 0);
	assert_int_equal(document >= 0, result == 0);
	if (result == 0) {
		assert_string_equal(variables[0], "HAIRPIN_A=");
		assert_string_equal(variables[1], "HAIRPIN_B=no secret");
		assert_string_equal(variables[2], "HAIRPIN_C=");
		assert_string_equal(vault.kept[2], "HAIRPIN_C=streng geheim");
		close(document);
	}
	for (int i = 0; i < 3; i++)
		free(variables[i]);
	load_vault_done(&vault);
}

static void secrets_are_hidden_or_it_says_so(void **state)
{
	(void)state;
	figure_holds("F62", "start: no secret stays visible in the environment",
		     alone_walk(hide) == 2);
}

static void load_state(void)
{
	struct json *document = NULL;
	struct err err = { "" };
	struct state loaded;
	char text[1024];
	int result;

	alone_begin();
	result = state_load(&loaded, scratch.fd, &document, &err);
	alone_end();
	if (result < 0) {
		assert_int_equal(result, -ENOMEM);
		assert_null(document);
	} else {
		assert_non_null(document);
	}
	json_free(document);
	assert_true(scratch_read(&scratch, STATE_NAME, text, sizeof(text))[0] == '{');
}

static void state_is_read_or_kept(void **state)
{
	(void)state;
	scratch_write(&scratch, STATE_NAME, "{\"version\":1," KEY ",\"wans\":[{\"name\":"
		      "\"fibre\",\"ipv4\":null,\"ipv6\":null,\"former\":[\"1.2.3.4\"]}],"
		      "\"records\":[]}", 0600);
	figure_holds("F62", "start: a state is read or stays where it is",
		     alone_walk(load_state) > 10);
}

/* --- later --- */

static void save_state(void)
{
	char before[8192], after[8192];

	scratch_read(&scratch, STATE_NAME, before, sizeof(before));
	room.core.state.dirty = true;
	alone_begin();
	state_save(&room.core, kernel.now_ms);
	alone_end();
	scratch_read(&scratch, STATE_NAME, after, sizeof(after));
	if (room.core.state.dirty)
		assert_string_equal(after, before);
	else
		assert_non_null(strstr(after, "81.2.69.7"));
	assert_int_equal(faccessat(scratch.fd, "." STATE_NAME ".new", F_OK, 0), -1);
}

static void state_is_saved_or_as_it_was(void **state)
{
	unsigned long count;

	(void)state;
	quiet_room(room_config(3));
	room_ppp("81.2.69.7");
	room_look(&room);
	count = alone_walk(save_state);
	room_end(&room);
	figure_holds("F62", "state save: the file is the new or the old one", count > 20);
}

static void reload(void)
{
	struct config *before = room.core.config;
	struct err err = { "" };
	int result, fd = memfd_create("document", MFD_CLOEXEC);
	const char *text = strcmp(before->wans[0].interface, "ppp0") ? CONFIGURATION("ppp0")
								     : CONFIGURATION("ppp1");

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	alone_begin();
	result = reload_run(&room.core, fd, &err);
	alone_end();
	close(fd);
	if (result < 0) {
		assert_ptr_equal(room.core.config, before);
		assert_true(err.text[0] != '\0');
	} else {
		assert_non_null(strstr(text, room.core.config->wans[0].interface));
	}
	assert_string_equal(room.core.config->wans[0].tag, "hairpin");
}

static void reload_is_whole_or_none(void **state)
{
	unsigned long count;

	(void)state;
	quiet_room(room_config(0));
	room_ppp("81.2.69.7");
	room_look(&room);
	count = alone_walk(reload);
	room_end(&room);
	figure_holds("F62", "reload: the new configuration or the old one", count > 20);
}

static void answer(void)
{
	char *text;

	alone_begin();
	text = status_print(&room.core, kernel.now_ms);
	alone_end();
	if (text) {
		assert_non_null(strstr(text, "81.2.69.7"));
		assert_int_equal(text[strlen(text) - 1], '}');
	} else {
		assert_true(alone.met);
	}
	free(text);
}

static void status_is_whole_or_none(void **state)
{
	unsigned long count;

	(void)state;
	quiet_room(room_config(2));
	room_ppp("81.2.69.7");
	room_look(&room);
	count = alone_walk(answer);
	room_end(&room);
	figure_holds("F62", "control: an answer is whole or none", count > 20);
}

/* An address comes while there is no memory; a second later there is. */
static void change(void)
{
	static unsigned last = 10;
	char address[ADDR_TEXT_BYTES];
	struct message_hook hook;

	last = last == 200 ? 11 : last + 1;
	snprintf(address, sizeof(address), "81.2.69.%u", last);
	room_ppp(address);
	room.core.sync.links_changed = true;
	alone_begin();
	sync_turn(&room.core, kernel.now_ms);
	events_turn(&room.core, kernel.now_ms);
	alone_end();
	room_wait(1000);
	sync_turn(&room.core, kernel.now_ms);
	room_wait(60000);
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, address);
	while ((hook = room_hook(&room)).event) {
		struct addr new = hook.new;

		if (hook.event == MESSAGE_EVENT_ADDRESS)
			assert_addr(new, address);
		room_hook_done(&room, &hook);
	}
}

static void change_is_made_up_for(void **state)
{
	unsigned long count;

	(void)state;
	quiet_room(room_config(1));
	room_ppp("81.2.69.7");
	fake_rule("hairpin", "81.2.69.7");
	room_look(&room);
	count = alone_walk(change);
	room_end(&room);
	figure_holds("F62", "change: the next try makes up for it, hooks hear the right "
		     "address", count > 3);
}

#define MEMORY_TEST(name) cmocka_unit_test_setup_teardown(name, state_begin, scratch_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MEMORY_TEST(configuration_is_loaded_or_not),
		MEMORY_TEST(secrets_are_hidden_or_it_says_so),
		MEMORY_TEST(state_is_read_or_kept),
		MEMORY_TEST(state_is_saved_or_as_it_was),
		MEMORY_TEST(reload_is_whole_or_none),
		MEMORY_TEST(status_is_whole_or_none),
		MEMORY_TEST(change_is_made_up_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
