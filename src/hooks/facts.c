/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hook is told. Variable and JSON member have one name in two spellings
 * (HAIRPIN_OLD, "old"), so both are made from one list of facts.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/hooks.h"
#include "hairpin/json.h"
#include "hairpin/text.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define DEFAULT_LANG "C.UTF-8"

enum { FACT_BYTES = 1024, FACTS_MAX = 16, ENVIRONMENT_MAX = FACTS_MAX + 4 };

struct fact {
	const char *name;		/* as in JSON */
	char value[FACT_BYTES];
	int64_t number;
	bool is_number;			/* "" as a value: a number that is not known */
};

struct facts {
	struct fact list[FACTS_MAX];
	size_t count;
};

static struct fact *fact_add(struct facts *facts, const char *name)
{
	struct fact *fact = &facts->list[facts->count++];

	memset(fact, 0, sizeof(*fact));
	fact->name = name;
	return fact;
}

/*
 * No byte of these could end a line or start a terminal sequence in what the hook writes.
 */
static void fact_add_text(struct facts *facts, const char *name, const char *value)
{
	struct fact *fact = fact_add(facts, name);
	unsigned char *at;

	(void)text_copy(fact->value, sizeof(fact->value), value);
	for (at = (unsigned char *)fact->value; *at; at++) {
		if (*at < 0x20 || *at == 0x7f)
			*at = '?';
	}
}

static void fact_add_foreign(struct facts *facts, const char *name, const char *value)
{
	struct fact *fact = fact_add(facts, name);

	text_escape(fact->value, sizeof(fact->value), value, strlen(value));
}

static void fact_add_address(struct facts *facts, const char *name,
			     const struct addr *address)
{
	struct fact *fact = fact_add(facts, name);
	char text[ADDR_TEXT_BYTES];

	if (address->family == AF_INET || address->family == AF_INET6)
		(void)text_copy(fact->value, sizeof(fact->value),
				addr_format(address, text));
}

static void fact_add_number(struct facts *facts, const char *name, bool known,
			    uint64_t number)
{
	struct fact *fact = fact_add(facts, name);

	fact->is_number = true;
	fact->number = (int64_t)number;
	if (known)
		snprintf(fact->value, sizeof(fact->value), "%llu",
			 (unsigned long long)number);
}

static const char *family_name(uint8_t family)
{
	return family == AF_INET ? "ipv4" : family == AF_INET6 ? "ipv6" : "";
}

static bool event_counts_rules(uint32_t event)
{
	return event == MESSAGE_EVENT_ADDRESS || event == MESSAGE_EVENT_RULES;
}

static void facts_gather(const struct message_hook *event, struct facts *facts)
{
	facts->count = 0;
	fact_add_text(facts, "event", message_event_name(event->event));
	fact_add_foreign(facts, "wan", event->wan);
	fact_add_foreign(facts, "interface", event->interface);
	fact_add_text(facts, "family", family_name(event->family));
	fact_add_address(facts, "ipv4", &event->ipv4);
	fact_add_address(facts, "ipv6", &event->ipv6);
	fact_add_address(facts, "old", &event->old);
	fact_add_address(facts, "new", &event->new);
	fact_add_number(facts, "rules", event_counts_rules(event->event), event->rules);
	fact_add_foreign(facts, "hostname", event->hostname);
	fact_add_foreign(facts, "provider", event->provider);
	fact_add_text(facts, "reason", event->reason);
	fact_add_text(facts, "message", event->message);
	fact_add_number(facts, "generation", true, event->generation);
}

static char *variable_format(const struct fact *fact)
{
	char name[32], *variable;
	size_t i;

	for (i = 0; i < sizeof(name) - 1 && fact->name[i]; i++)
		name[i] = (char)toupper((unsigned char)fact->name[i]);
	name[i] = '\0';
	return asprintf(&variable, "HAIRPIN_%s=%s", name, fact->value) < 0 ? NULL
									   : variable;
}

/*
 * Of our own environment these three; a zone that was not set stays unset (empty is UTC).
 */
static size_t environment_add_own(char **environment)
{
	const char *path = getenv("PATH"), *language = getenv("LANG"),
		   *zone = getenv("TZ");
	size_t count = 0;

	if (asprintf(&environment[count], "PATH=%s", path ? path : DEFAULT_PATH) >= 0)
		count++;
	if (asprintf(&environment[count], "LANG=%s",
		     language ? language : DEFAULT_LANG) >= 0)
		count++;
	if (zone && asprintf(&environment[count], "TZ=%s", zone) >= 0)
		count++;
	environment[count] = NULL;
	return count;
}

char **hook_facts_environment(const struct message_hook *event)
{
	char **environment = calloc(ENVIRONMENT_MAX, sizeof(*environment));
	struct facts *facts = malloc(sizeof(*facts));
	size_t count, i;

	if (!environment || !facts)
		goto fail;
	facts_gather(event, facts);
	count = environment_add_own(environment);
	for (i = 0; i < facts->count; i++) {
		environment[count] = variable_format(&facts->list[i]);
		if (!environment[count++])
			goto fail;
	}
	free(facts);
	return environment;
fail:
	free(facts);
	hook_facts_environment_free(environment);
	return NULL;
}

void hook_facts_environment_free(char **environment)
{
	size_t i;

	for (i = 0; environment && environment[i]; i++)
		free(environment[i]);
	free(environment);
}

static char *facts_print(const struct facts *facts)
{
	struct json *object = json_new_object();
	char *text;
	size_t i;

	for (i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->list[i];

		if (!fact->is_number)
			json_add_string(object, fact->name, fact->value);
		else if (fact->value[0])
			json_add_integer(object, fact->name, fact->number);
		else
			json_add_null(object, fact->name);
	}
	text = json_print(object, false);
	json_free(object);
	return text;
}

char *hook_facts_json(const struct message_hook *event)
{
	struct facts *facts = malloc(sizeof(*facts));
	char *text = NULL, *line = NULL;

	if (!facts)
		return NULL;
	facts_gather(event, facts);
	text = facts_print(facts);
	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	free(facts);
	return line;
}
