/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checks of what the processes say to each other. The sender may be taken over by
 * whoever it talks to, so nothing is believed: not the size, not a count, not a
 * terminator.
 */
#include "hairpin/message.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>

#include "hairpin/text.h"
#include "field.h"

enum {
	TIMEOUT_MAX_MS = 600 * 1000,
	HOOKS_TIME_MAX_MS = 3600 * 1000,
	TTL_MAX_S = 7 * 86400,
	RETRY_MAX_S = 86400,
	ERRNO_MAX = 4095,		/* include/linux/err.h: MAX_ERRNO */
	HOOKS_MAX = 4096,
	HOOK_CODE_MAX = 255,
	UPDATE_FIXED_TEXTS = 3,		/* description, user agent, CA; then memos */
};

static bool flag_ok(uint8_t flag)
{
	return flag <= 1;
}

static bool terminated(const char *field, size_t bytes)
{
	return memchr(field, '\0', bytes) != NULL;
}

/* As the kernel's dev_valid_name(), and no control bytes. "" is allowed. */
static bool interface_ok(const char field[IFNAMSIZ])
{
	if (!terminated(field, IFNAMSIZ))
		return false;
	for (; *field; field++) {
		unsigned char c = (unsigned char)*field;

		if (c <= ' ' || c == 0x7f || c == '/' || c == ':')
			return false;
	}
	return true;
}

static bool hostname_ok(const char field[MESSAGE_HOSTNAME_BYTES], bool required)
{
	if (!terminated(field, MESSAGE_HOSTNAME_BYTES))
		return false;
	return field[0] ? text_is_hostname(field) : !required;
}

static bool family_ok(int family)
{
	return family == AF_INET || family == AF_INET6;
}

static bool hook_name_ok(const char field[MESSAGE_HOOK_BYTES], bool required)
{
	if (!terminated(field, MESSAGE_HOOK_BYTES))
		return false;
	return field[0] ? message_is_hook_name(field) : !required;
}

/* --- core and supervisor --- */

static bool hook_ok(const struct message_hook *hook)
{
	return hook->event >= MESSAGE_EVENT_STARTUP &&
	       hook->event <= MESSAGE_EVENT_RULES &&
	       (hook->family == 0 || family_ok(hook->family)) &&
	       field_is_address(&hook->ipv4, AF_INET) &&
	       field_is_address(&hook->ipv6, AF_INET6) &&
	       field_is_any_address(&hook->old) && field_is_any_address(&hook->new) &&
	       field_is_text(hook->wan, sizeof(hook->wan)) &&
	       interface_ok(hook->interface) && hostname_ok(hook->hostname, false) &&
	       field_is_text(hook->provider, sizeof(hook->provider)) &&
	       field_is_text(hook->reason, sizeof(hook->reason)) &&
	       field_is_text(hook->message, sizeof(hook->message)) &&
	       hook_name_ok(hook->only, false) && hook_name_ok(hook->after, false);
}

static bool hooks_ok(const struct message_hooks *hooks)
{
	return hooks->timeout_ms > 0 && hooks->timeout_ms <= HOOKS_TIME_MAX_MS &&
	       terminated(hooks->directory, sizeof(hooks->directory)) &&
	       field_is_text(hooks->user, sizeof(hooks->user));
}

static bool outcome_has_code(uint32_t outcome)
{
	return outcome == MESSAGE_HOOK_EXIT || outcome == MESSAGE_HOOK_SIGNAL;
}

/* Only as much of the text travels as there is. */
static bool hook_result_ok(const struct message_hook_result *result, size_t bytes)
{
	size_t fixed = offsetof(struct message_hook_result, text);

	return bytes > fixed && bytes <= sizeof(*result) &&
	       strnlen(result->text, bytes - fixed) == bytes - fixed - 1 &&
	       result->event >= MESSAGE_EVENT_STARTUP &&
	       result->event <= MESSAGE_EVENT_RULES &&
	       result->outcome >= MESSAGE_HOOK_OK &&
	       result->outcome <= MESSAGE_HOOK_IGNORED &&
	       (result->code != 0) == outcome_has_code(result->outcome) &&
	       result->code <= HOOK_CODE_MAX && hook_name_ok(result->name, true) &&
	       field_is_lines(result->text, bytes - fixed);
}

static bool command_ok(const struct message_command *command)
{
	return family_ok(command->family) && command->wan[0] &&
	       field_is_text(command->wan, sizeof(command->wan)) &&
	       interface_ok(command->interface);
}

static bool notice_ok(const struct message_notice *notice)
{
	return flag_ok(notice->ready) && flag_ok(notice->done) &&
	       field_is_text(notice->status, sizeof(notice->status));
}

static bool reply_ok(const struct message_reply *reply)
{
	return reply->status <= 0 && reply->status >= -ERRNO_MAX &&
	       reply->ran <= HOOKS_MAX && reply->failed <= reply->ran &&
	       field_is_lines(reply->text, sizeof(reply->text));
}

bool message_level_ok(const void *packet, size_t bytes)
{
	const struct message_level *message = packet;

	return bytes == sizeof(*message) && message->head.type == MESSAGE_LEVEL &&
	       message->level >= LOG_ERR && message->level <= LOG_DEBUG;
}

bool message_to_supervisor_ok(const void *packet, size_t bytes)
{
	const struct message *head = packet;

	if (bytes < sizeof(*head))
		return false;
	switch (head->type) {
	case MESSAGE_PUBLISHER_START:
	case MESSAGE_PUBLISHER_END:
	case MESSAGE_RELOAD:
		return bytes == sizeof(*head);
	case MESSAGE_HOOK_RUN:
		return bytes == sizeof(struct message_hook) && hook_ok(packet);
	case MESSAGE_COMMAND_RUN:
		return bytes == sizeof(struct message_command) && command_ok(packet);
	case MESSAGE_LEVEL:
		return message_level_ok(packet, bytes);
	case MESSAGE_NOTICE:
		return bytes == sizeof(struct message_notice) && notice_ok(packet);
	default:
		return false;
	}
}

bool message_to_core_ok(const void *packet, size_t bytes)
{
	const struct message *head = packet;

	if (bytes < sizeof(*head))
		return false;
	switch (head->type) {
	case MESSAGE_LOOK:
	case MESSAGE_UPDATE:
	case MESSAGE_STOP:
		return bytes == sizeof(*head);
	case MESSAGE_PUBLISHER:
	case MESSAGE_HOOK_DONE:
	case MESSAGE_COMMAND_DONE:
	case MESSAGE_CONFIG:
		return bytes == sizeof(struct message_reply) && reply_ok(packet);
	case MESSAGE_HOOK_RESULT:
		return hook_result_ok(packet, bytes);
	default:
		return false;
	}
}

bool message_to_runner_ok(const void *packet, size_t bytes)
{
	const struct message *head = packet;

	if (bytes < sizeof(*head))
		return false;
	if (head->type == MESSAGE_HOOK_RUN)
		return bytes == sizeof(struct message_hook) && hook_ok(packet);
	return head->type == MESSAGE_HOOKS && bytes == sizeof(struct message_hooks) &&
	       hooks_ok(packet);
}

/* Less than a supervisor may say: it is whoever was allowed to run hooks. */
bool message_of_runner_ok(const void *packet, size_t bytes)
{
	const struct message *head = packet;

	return message_to_core_ok(packet, bytes) &&
	       (head->type == MESSAGE_HOOK_RESULT || head->type == MESSAGE_HOOK_DONE);
}

size_t message_hook_result_bytes(const struct message_hook_result *result)
{
	return offsetof(struct message_hook_result, text) + strlen(result->text) + 1;
}

/* --- core and publisher --- */

size_t message_job_bytes(const struct message_job *job)
{
	return offsetof(struct message_job, text) + job->text_bytes;
}

bool message_job_add_text(struct message_job *job, const char *string)
{
	size_t bytes = strlen(string) + 1;

	if (job->text_bytes > sizeof(job->text) ||
	    bytes > sizeof(job->text) - job->text_bytes)
		return false;
	memcpy(job->text + job->text_bytes, string, bytes);
	job->text_bytes += (uint32_t)bytes;
	return true;
}

const char *message_job_next_text(const struct message_job *job, const char *previous)
{
	const char *next = previous ? previous + strlen(previous) + 1 : job->text;

	return next < job->text + job->text_bytes ? next : NULL;
}

/* What editors and package managers leave behind, and what somebody switched off. */
static bool name_is_leftover(const char *name)
{
	static const char *const ends[] = {
		".bak", ".old", ".orig", ".rej", ".swp", ".tmp", ".off", ".disabled",
		".rpmnew", ".rpmsave", ".rpmorig", ".pacnew", ".pacsave", ".apk-new",
	};
	const char *end = strrchr(name, '.');

	if (!end)
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(end, ends[i]) == 0)
			return true;
	}
	return strncmp(end, ".dpkg-", 6) == 0 || strncmp(end, ".ucf-", 5) == 0;
}

bool message_is_hook_name(const char *name)
{
	size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789_-.");

	return length > 0 && length < MESSAGE_HOOK_BYTES && name[length] == '\0' &&
	       name[0] != '.' && !name_is_leftover(name);
}

bool message_is_name(const char *string)
{
	char below[MESSAGE_HOSTNAME_BYTES];

	if (strchr(string, '.'))
		return text_is_hostname(string);
	/* A label is one where a name may begin with it. */
	return snprintf(below, sizeof(below), "%s.lan", string) < (int)sizeof(below) &&
	       text_is_hostname(below);
}

static bool job_record_ok(const struct message_record *record, enum message_job_kind kind)
{
	bool needs_address = kind == MESSAGE_VERIFY || kind == MESSAGE_UPDATE_RECORDS;

	if (!family_ok(record->family) ||
	    !field_is_address(&record->address, record->family) ||
	    (needs_address && addr_is_none(&record->address)))
		return false;
	if (kind == MESSAGE_DISCOVER)
		return !record->hostname[0] && addr_is_none(&record->address);
	if (kind != MESSAGE_RESOLVE)
		return hostname_ok(record->hostname, true);
	return terminated(record->hostname, sizeof(record->hostname)) &&
	       message_is_name(record->hostname);
}

static bool job_records_ok(const struct message_job *job)
{
	if (job->record_count > MESSAGE_RECORDS_MAX)
		return false;
	if (job->record_count == 0 ||
	    (job->kind == MESSAGE_DISCOVER && job->record_count > 1))
		return false;
	for (uint32_t i = 0; i < job->record_count; i++)
		if (!job_record_ok(&job->records[i], job->kind))
			return false;
	return true;
}

static bool job_servers_ok(const struct message_job *job)
{
	if (job->server_count > MESSAGE_SERVERS_MAX)
		return false;
	for (unsigned i = 0; i < MESSAGE_SERVERS_MAX; i++) {
		const char *server = job->servers[i];

		if (!field_is_ascii(server, MESSAGE_SERVER_BYTES))
			return false;
		if ((server[0] != '\0') != (i < job->server_count))
			return false;
	}
	return !job->trusted_servers || job->server_count > 0;
}

/*
 * Whole strings; for an update the fixed ones, a memo for each record, then pairs.
 * `text_bytes` is known to be what came, and so is `record_count`.
 */
static bool job_text_ok(const struct message_job *job)
{
	size_t count = 0, fixed = UPDATE_FIXED_TEXTS + job->record_count;

	if (job->text_bytes > 0 && job->text[job->text_bytes - 1] != '\0')
		return false;
	if (job->kind != MESSAGE_UPDATE_RECORDS)
		return true;
	for (const char *text = NULL; (text = message_job_next_text(job, text));)
		count++;
	return count >= fixed && (count - fixed) % 2 == 0;
}

bool message_job_ok(const void *packet, size_t bytes)
{
	const struct message_job *job = packet;

	if (bytes < offsetof(struct message_job, text) || job->head.type != MESSAGE_JOB)
		return false;
	if (job->text_bytes > MESSAGE_JOB_TEXT_BYTES || bytes != message_job_bytes(job))
		return false;
	return job->kind >= MESSAGE_CHECK && job->kind <= MESSAGE_RESOLVE &&
	       job->timeout_ms > 0 && job->timeout_ms <= TIMEOUT_MAX_MS &&
	       job->request_ms <= job->timeout_ms &&
	       (job->request_ms > 0) == (job->kind == MESSAGE_UPDATE_RECORDS) &&
	       flag_ok(job->private_server) && flag_ok(job->insecure_http) &&
	       flag_ok(job->trusted_servers) && interface_ok(job->interface) &&
	       interface_ok(job->interface6) && job_servers_ok(job) &&
	       job_records_ok(job) && job_text_ok(job);
}

static bool verdict_ok(uint32_t verdict)
{
	return (verdict >= MESSAGE_ANSWER && verdict <= MESSAGE_NOT_YET) ||
	       (verdict >= MESSAGE_GOOD && verdict <= MESSAGE_TLS_REFUSED);
}

static bool result_addresses_ok(const struct message_result *result)
{
	if (result->address_count > MESSAGE_ADDRESSES_MAX)
		return false;
	for (uint32_t i = 0; i < MESSAGE_ADDRESSES_MAX; i++) {
		const struct addr *address = &result->addresses[i];

		if (!field_is_any_address(address))
			return false;
		if (addr_is_none(address) != (i >= result->address_count))
			return false;
	}
	return true;
}

bool message_result_ok(const void *packet, size_t bytes)
{
	const struct message_result *result = packet;

	if (bytes != sizeof(*result) || result->head.type != MESSAGE_RESULT)
		return false;
	return verdict_ok(result->verdict) && result->ttl_s <= TTL_MAX_S &&
	       result->retry_after_s <= RETRY_MAX_S &&
	       (result->http_status == 0 ||
		(result->http_status >= 100 && result->http_status <= 999)) &&
	       result_addresses_ok(result) &&
	       field_is_ascii(result->memo, sizeof(result->memo)) &&
	       field_is_text(result->text, sizeof(result->text));
}

/* --- names --- */

const char *message_event_name(enum message_event event)
{
	switch (event) {
	case MESSAGE_EVENT_STARTUP: return "startup";
	case MESSAGE_EVENT_ADDRESS: return "address";
	case MESSAGE_EVENT_LOST: return "lost";
	case MESSAGE_EVENT_RECORD: return "record";
	case MESSAGE_EVENT_FAILED: return "failed";
	case MESSAGE_EVENT_RULES: return "rules";
	case MESSAGE_EVENT_SOURCE: return "source";
	}
	return "unknown";
}

bool message_event_find(const char *name, enum message_event *ret_event)
{
	enum message_event event = MESSAGE_EVENT_STARTUP;

	for (; event <= MESSAGE_EVENT_RULES; event++)
		if (strcmp(message_event_name(event), name) == 0) {
			*ret_event = event;
			return true;
		}
	return false;
}

const char *message_verdict_name(enum message_verdict verdict)
{
	switch (verdict) {
	case MESSAGE_ANSWER: return "answer";
	case MESSAGE_NO_PROOF: return "no-proof";
	case MESSAGE_NO_ANSWER: return "no-answer";
	case MESSAGE_VERIFIED: return "verified";
	case MESSAGE_NOT_YET: return "not-yet";
	case MESSAGE_GOOD: return "good";
	case MESSAGE_UNCHANGED: return "unchanged";
	case MESSAGE_UNCONFIRMED: return "unconfirmed";
	case MESSAGE_BADAUTH: return "badauth";
	case MESSAGE_NOHOST: return "nohost";
	case MESSAGE_ABUSE: return "abuse";
	case MESSAGE_BADAGENT: return "badagent";
	case MESSAGE_FORBIDDEN: return "forbidden";
	case MESSAGE_BAD_REQUEST: return "bad-request";
	case MESSAGE_SPLIT: return "numhost";
	case MESSAGE_RATE_LIMITED: return "rate-limited";
	case MESSAGE_SERVER_ERROR: return "server-error";
	case MESSAGE_TRANSIENT: return "transient";
	case MESSAGE_UNREACHABLE: return "unreachable";
	case MESSAGE_TLS_REFUSED: return "tls-refused";
	}
	return "unknown";
}
