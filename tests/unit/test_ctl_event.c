/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of `hairpinctl watch`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hairpin/ctl.h"

static const struct ctl_view plain = { .columns = 80 };
static const struct ctl_view colour = { .columns = 80, .colour = true };

static void check(const char *members, const struct ctl_view *view, const char *line)
{
	struct text json = TEXT_INIT, out = TEXT_INIT;
	struct json_error error;
	struct json *event;

	text_addf(&json, "{\"time\": \"2026-01-01T14:03:07Z\", %s}", members);
	event = json_parse(json.bytes, json.length, JSON_STRICT, &error);
	if (!event)
		fail_msg("%s: %s", error.text, json.bytes);
	ctl_event_show(event, view, &out);
	assert_string_equal(out.bytes, line);
	json_free(event);
	text_done(&json);
	text_done(&out);
}

static void addresses(void **state)
{
	(void)state;
	check("\"event\": \"address\", \"wan\": \"fibre\", \"family\": \"ipv4\","
	      "\"old\": \"81.2.69.1\", \"new\": \"81.2.69.7\", \"rules\": 13,"
	      "\"commit_us\": 412", &plain,
	      "14:03:07 wan fibre: IPv4 81.2.69.7 replaces 81.2.69.1; 13 rules rewritten "
	      "in 0.4 ms\n");
	check("\"event\": \"address\", \"wan\": \"fibre\", \"family\": \"ipv6\","
	      "\"old\": null, \"new\": \"2a01:4f8::7\", \"rules\": 0", &plain,
	      "14:03:07 wan fibre: IPv6 2a01:4f8::7 is there\n");
	check("\"event\": \"lost\", \"wan\": \"fibre\", \"family\": \"ipv4\","
	      "\"old\": \"81.2.69.1\", \"new\": null", &plain,
	      "14:03:07 wan fibre: IPv4 81.2.69.1 lost\n");
	check("\"event\": \"prefix\", \"wan\": \"fibre\", \"old\": \"2a01:4f8:1::/64\","
	      "\"new\": \"2a01:4f8:2::/64\", \"rules\": 1, \"commit_us\": 1000", &plain,
	      "14:03:07 wan fibre: IPv6 prefix 2a01:4f8:2::/64 replaces "
	      "2a01:4f8:1::/64; 1 rule rewritten in 1.0 ms\n");
	check("\"event\": \"link\", \"wan\": \"fibre\", \"interface\": \"ppp0\","
	      "\"up\": false", &plain, "14:03:07 wan fibre: ppp0 is down\n");
}

static void rules(void **state)
{
	(void)state;
	check("\"event\": \"rules\", \"wan\": \"fibre\", \"rules\": 2, \"commit_us\": 300,"
	      "\"reason\": \"ruleset changed\"", &plain,
	      "14:03:07 wan fibre: ruleset changed; 2 rules rewritten in 0.3 ms\n");
	check("\"event\": \"rules\", \"wan\": null, \"rules\": 0,"
	      "\"reason\": \"not in step\", \"error\": \"no rights\"", &colour,
	      "14:03:07 \033[31mrules: not in step: no rights\033[0m\n");
}

static void records(void **state)
{
	static const char of[] = "\"hostname\": \"home.example.org\", \"family\": "
				 "\"ipv6\", \"provider\": \"cf-home\"";
	char members[400];

	(void)state;
	snprintf(members, sizeof(members), "\"event\": \"state\", %s, \"from\": "
		 "\"current\", \"to\": \"waiting\", \"reason\": \"badauth\"", of);
	check(members, &plain, "14:03:07 record home.example.org AAAA (cf-home): current "
			       "-> waiting: badauth\n");
	snprintf(members, sizeof(members), "\"event\": \"record\", %s, \"old\": null, "
		 "\"new\": \"2a01:4f8::7\"", of);
	check(members, &plain, "14:03:07 record home.example.org AAAA (cf-home): "
			       "2a01:4f8::7 is published\n");
	snprintf(members, sizeof(members), "\"event\": \"failed\", %s, \"new\": "
		 "\"2a01:4f8::7\", \"message\": \"\\u001b[31mno\"", of);
	check(members, &plain, "14:03:07 record home.example.org AAAA (cf-home): "
			       "2a01:4f8::7 is not published: \\x1b[31mno\n");
}

static void others(void **state)
{
	(void)state;
	check("\"event\": \"hook\", \"name\": \"50-ntfy\", \"for\": \"address\","
	      "\"result\": \"exit 3\"", &plain,
	      "14:03:07 hook 50-ntfy (address): exit 3\n");
	check("\"event\": \"reload\"", &plain, "14:03:07 configuration: read again\n");
	check("\"event\": \"pause\", \"until\": \"2026-01-01T15:00:00Z\"", &plain,
	      "14:03:07 paused until 15:00:00\n");
	check("\"event\": \"publisher\", \"state\": \"failed\", \"reason\": \"died\"",
	      &plain, "14:03:07 publisher: failed: died\n");
	check("\"event\": \"lagged\", \"lost\": 12", &plain,
	      "14:03:07 12 events were missed: this reader was too slow\n");
	/* A newer daemon's, and what is none. */
	check("\"event\": \"new\\nthing\"", &plain, "14:03:07 new\\x0athing\n");
	check("\"event\": 7", &plain, "14:03:07 ?\n");
	check("\"event\": \"state\"", &plain, "14:03:07 record ? A (?): ? -> ?\n");
	check("\"event\": \"address\"", &plain, "14:03:07 wan ?: IPv4 ? lost\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(rules),
		cmocka_unit_test(records),
		cmocka_unit_test(others),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
