/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a result of the publisher means for the log and for hooks. */
#include <string.h>
#include <sys/random.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/text.h"

#include "core.h"

/* "home.example.org (IPv4, cf-home)" */
enum { NAME_BYTES = CONFIG_HOSTNAME_BYTES + CONFIG_LABEL_BYTES + 16 };

static const char *name_of(const struct core *core, const struct schedule_record *of,
			   char out[NAME_BYTES])
{
	TEXT_CLEANUP struct text text = TEXT_INIT;

	text_addf(&text, "%s (%s, %s)", of->hostname,
		  wan_side_name(wan_side_of(of->family)),
		  core->config->providers[of->provider].name);
	if (!text_copy(out, NAME_BYTES, text.bytes))
		(void)text_copy(out, NAME_BYTES, of->hostname);
	return out;
}

/* How long until it is tried again, as people say it: ", next try in 5m". */
static void add_next_try(const struct core *core, struct text *line, int record,
			 int64_t now_ms)
{
	int64_t next_ms = schedule_next_try_ms(core->schedule, (size_t)record, now_ms);
	char wait[24];

	if (next_ms == INT64_MAX)
		return;
	next_ms = next_ms > now_ms ? next_ms - now_ms : 0;
	text_addf(line, "; next try in %s",
		  text_format_duration((next_ms + 999) / 1000 * 1000, wait));
}

static void said_failure(const struct core *core, int record, int64_t now_ms)
{
	const struct schedule_record *of =
		schedule_record(core->schedule, (size_t)record);
	TEXT_CLEANUP struct text line = TEXT_INIT;
	char name[NAME_BYTES];
	unsigned attempts = of->record.attempts;

	text_addf(&line, "record %s: %s", name_of(core, of, name),
		  schedule_reason(core->schedule, (size_t)record));
	if (attempts > 1)
		text_addf(&line, " (%u times now)", attempts);
	add_next_try(core, &line, record, now_ms);
	log_warning("%s", line.bytes);
}

static void said_refusal(const struct core *core, const struct schedule_report *report)
{
	const struct schedule_record *of =
		schedule_record(core->schedule, (size_t)report->record);
	TEXT_CLEANUP struct text line = TEXT_INIT;
	char name[NAME_BYTES];

	text_addf(&line,
		  "record %s: %s; not tried again until the configuration changes or "
		  "`hairpinctl update --force`",
		  name_of(core, of, name),
		  schedule_reason(core->schedule, (size_t)report->record));
	if (report->also_disabled)
		text_addf(&line, "; %zu more records likewise",
			  report->also_disabled);
	log_error("%s", line.bytes);
}

static void said_published(const struct core *core, int record)
{
	const struct schedule_record *of =
		schedule_record(core->schedule, (size_t)record);
	char name[NAME_BYTES], address[ADDR_TEXT_BYTES];

	log_notice("record %s: %s is published%s", name_of(core, of, name),
		   addr_format(&of->record.published, address),
		   of->record.verified ? " and verified" : "");
}

/* A resolver that tells LANs something else must not look like a changed record. */
static void said_unproven(const struct core *core, int record)
{
	const struct schedule_record *of =
		schedule_record(core->schedule, (size_t)record);
	char name[NAME_BYTES];

	log_warning("record %s: what DNS answers here proves nothing (no such name, or an "
		    "address of the LAN: split horizon?), so that changes by others go "
		    "unnoticed; name servers that know the public zone in dns.servers, "
		    "or say \"check\": false",
		    name_of(core, of, name));
}

static void said(const struct core *core, const struct schedule_report *report,
		 int64_t now_ms)
{
	const struct schedule_record *of =
		schedule_record(core->schedule, (size_t)report->record);
	unsigned attempts = of->record.attempts;
	char name[NAME_BYTES];

	switch (report->event) {
	case RECORD_NOTHING:
		return;
	case RECORD_PUBLISHED:
		said_published(core, report->record);
		return;
	case RECORD_REFUSED:
		said_refusal(core, report);
		return;
	case RECORD_RETRYING:
		/* Doublings are enough: a lasting outage fills no log. */
		if (attempts & (attempts - 1))
			return;
		said_failure(core, report->record, now_ms);
		return;
	case RECORD_FAILED:
	case RECORD_NOT_VISIBLE:
	case RECORD_FOUGHT_OVER:
		said_failure(core, report->record, now_ms);
		return;
	case RECORD_UNPROVEN:
		said_unproven(core, report->record);
		return;
	case RECORD_CHANGED_BY_OTHERS:
		log_notice("record %s: %s", name_of(core, of, name),
			   schedule_reason(core->schedule, (size_t)report->record));
		return;
	}
}

/* Those who watch, and the hooks. */
static void tell(struct core *core, const struct schedule_report *report)
{
	size_t index = (size_t)report->record;
	const struct record *record = &schedule_record(core->schedule, index)->record;

	switch (report->event) {
	case RECORD_PUBLISHED:
		watch_record(core, index, "record", &record->former, &record->published,
			     NULL);
		events_record(core, index, MESSAGE_EVENT_RECORD, &record->former,
			      &record->published, "");
		return;
	case RECORD_REFUSED:
	case RECORD_FAILED:
	case RECORD_NOT_VISIBLE:
		watch_record(core, index, "failed", &record->published, &record->wanted,
			     schedule_reason(core->schedule, index));
		events_record(core, index, MESSAGE_EVENT_FAILED, &record->published,
			      &record->wanted, schedule_reason(core->schedule, index));
		return;
	default:
		return;
	}
}

static uint32_t dice(void)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = (uint32_t)clock_now_us();
	return random;
}

static void take_name(struct core *core, const struct message_result *result,
		      int64_t now_ms)
{
	struct name_report report = names_answer(&core->names, result, now_ms, dice());

	if (report.event == NAME_CHANGED) {
		core->sync.names_changed = true;
		core->state.dirty = true;
	}
	names_said(&report, now_ms);
}

static void count(struct core *core, int record, enum message_verdict verdict,
		  int64_t now_ms)
{
	const struct schedule_record *of =
		schedule_record(core->schedule, (size_t)record);

	metrics_update(&core->metrics, core->config->providers[of->provider].name,
		       verdict, now_ms);
}

void answers_take(struct core *core, const struct message_result *result, int64_t now_ms)
{
	struct schedule_report report;

	if (names_is_job(result->head.number)) {
		take_name(core, result, now_ms);
		return;
	}
	if (source_is_job(result->head.number)) {
		discover_answer(core, result, now_ms, dice());
		return;
	}
	report = schedule_answer(core->schedule, result, now_ms, clock_wall_s(), dice());
	if (report.record == SCHEDULE_NO_RECORD)
		return;
	count(core, report.record, result->verdict, now_ms);
	said(core, &report, now_ms);
	watch_states(core);
	tell(core, &report);
}
