/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record_netlink FILE OPTIONS KEEP_BITS: one nft_sync() with the kernel's answers, written
 * as an input of fuzz_netlink.c. Called by tests/fuzz/record.
 *
 * The real netlink_ask() is called under another name; this one writes down beside it.
 */
#include <stdio.h>

#define netlink_ask netlink_really_ask
/* NOLINTNEXTLINE: the point of it */
#include "kernel/netlink.c"
#undef netlink_ask

#include "fuzz/netlink_input.h"

static FILE *record;

struct listener {
	netlink_message_fn *message;
	void *context;
	struct wire heard;
};

static int listen_and_pass(void *context, const struct nlmsghdr *message)
{
	struct listener *listener = context;

	wire_add(&listener->heard, message, message->nlmsg_len);
	return listener->message(listener->context, message);
}

int netlink_ask(struct netlink *netlink, const struct wire *request,
		netlink_message_fn *message, void *context);

int netlink_ask(struct netlink *netlink, const struct wire *request,
		netlink_message_fn *message, void *context)
{
	static const uint8_t padding[INPUT_ALIGN];
	struct listener listener = { .message = message, .context = context };
	struct input_answer answer = {
		.kind = input_kind(request), .key = input_key(request) };
	int r = netlink_really_ask(netlink, request, listen_and_pass, &listener);

	answer.status = (int8_t)r;
	answer.length = (uint16_t)listener.heard.length;
	if (!listener.heard.failed && listener.heard.length <= UINT16_MAX) {
		fwrite(&answer, sizeof(answer), 1, record);
		if (listener.heard.length)
			fwrite(listener.heard.bytes, 1, listener.heard.length, record);
		fwrite(padding, 1, MNL_ALIGN(answer.length) - answer.length, record);
	}
	wire_done(&listener.heard);
	return r;
}

int main(int argc, char **argv)
{
	struct input_request input;
	struct nft_report report;
	struct err err = { "" };
	uint8_t options[INPUT_OPTIONS];
	struct nft *nft;

	if (argc != 4)
		return 2;
	options[0] = (uint8_t)atoi(argv[2]);
	options[1] = (uint8_t)atoi(argv[3]);
	record = fopen(argv[1], "wb");
	if (!record || fwrite(options, sizeof(options), 1, record) != 1)
		return 1;
	input_request(&input, options);
	if (nft_new(&nft, &err) < 0 || nft_sync(nft, &input.request, &report, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	nft_free(nft);
	input_done(&input);
	printf("%s: %u tagged, %u changed\n", argv[1], report.total.tagged,
	       report.total.changed);
	return fclose(record) != 0;
}
