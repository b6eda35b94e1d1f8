/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers to an update: whatever comes, and nobody else's word is believed. The first byte
 * says how far the update has come and by which way the answer does; the id and the
 * zone are made right, so that the input gets far.
 */
#include <stdlib.h>
#include <string.h>

#include "hairpin/dnsupdate.h"
#include "provider/dnswire.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT(string) ((char *)(string))

static const struct provider_value values[] = { { "secret", "c2VjcmV0" } };

static const struct catalogue with_zone = {
	.settings = { { .name = "secret", .secret = true } }, .setting_count = 1,
	.protocol = CATALOGUE_RFC2136,
	.update = { .server = TEXT("ns.example.org"), .zone = TEXT("example.org"),
		    .key = TEXT("key"), .secret = TEXT("{secret}"),
		    .algorithm = TEXT("hmac-sha256"), .ttl = TEXT("60") },
}, without_zone = {
	.settings = { { .name = "secret", .secret = true } }, .setting_count = 1,
	.protocol = CATALOGUE_RFC2136,
	.update = { .server = TEXT("ns.example.org"), .key = TEXT("key"),
		    .secret = TEXT("{secret}"), .algorithm = TEXT("hmac-sha256"),
		    .ttl = TEXT("60") },
};

static struct dnsupdate *begin(bool find, const struct provider_record *record)
{
	struct provider_job job = {
		.catalogue = find ? &without_zone : &with_zone, .settings = values,
		.setting_count = 1, .records = record, .record_count = 1 };
	struct provider_moment moment = { .wall_s = 1795274107, .chance = { 0x2a, 0x14 } };
	struct dnsupdate_message message;
	struct dnsupdate *update;

	if (dnsupdate_new(&job, &update, NULL) < 0)
		abort();
	require(dnsupdate_next(update, &moment, &message));
	return update;
}

/* Without our key there are refusals over TCP, and nothing else. */
static void check(const struct dnsupdate *update, enum dnsupdate_taken taken, bool tcp)
{
	const char *text;
	enum message_verdict verdict = dnsupdate_verdict(update, 0, &text);

	require(memchr(text, '\0', MESSAGE_TEXT_BYTES) != NULL);
	require((taken == DNSUPDATE_TAKEN) == (verdict != 0));
	require(taken != DNSUPDATE_TAKEN || tcp);
	require(taken != DNSUPDATE_OVER_TCP || !tcp);
	require(verdict != MESSAGE_GOOD && verdict != MESSAGE_UNCHANGED);
}

static void read_alone(const uint8_t *data, size_t size)
{
	struct dnswire_answer answer;

	if (!dnswire_read(data, size, &answer))
		return;
	require(answer.tsig_at < size);
	if (answer.tsig_at == 0)
		return;
	require(answer.tsig.mac >= data && answer.tsig.other >= data);
	require(answer.tsig.mac + answer.tsig.mac_length <= data + size);
	require(answer.tsig.other + answer.tsig.other_length <= data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct provider_record record = { .hostname = "home.example.org", .memo = "" };
	struct dnsupdate *update;
	uint8_t *bytes;
	bool find, tcp;

	read_alone(data, size);
	if (size < 3 || size > 70000 || !addr_parse("192.0.2.7", &record.address))
		return 0;
	find = data[0] & 1;
	tcp = data[0] & 2;
	size--;
	bytes = malloc(size);
	if (!bytes)
		abort();
	memcpy(bytes, data + 1, size);
	bytes[0] = 0x2a;
	bytes[1] = 0x14;
	update = begin(find, &record);
	check(update, dnsupdate_answer(update, bytes, size, tcp, 1795274107), tcp);
	dnsupdate_free(update);
	free(bytes);
	return 0;
}
