/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hairpind --rewrite: one look, one batch, one line per tagged thing. For scripts such
 * as ppp's ip-up.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/conntrack.h"
#include "hairpin/core.h"
#include "hairpin/json.h"
#include "hairpin/log.h"
#include "hairpin/nft.h"
#include "hairpin/rtnl.h"
#include "hairpin/text.h"

#include "item.h"
#include "status.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* A growing list of addresses. */
struct addresses {
	struct addr *list;
	size_t count, room;
};

struct run {
	const struct core_rewrite *options;
	struct addr address;
	struct nft_target target;
	struct addresses former;	/* as named by --from */
	struct addresses replaced;	/* what changed dst-nat rules held */
	struct nft_table *tables;
	size_t table_count;
	struct json *items;		/* --json */
	bool no_memory;
};

static bool addresses_add(struct addresses *addresses, const struct addr *address)
{
	struct addr *larger;
	size_t room;

	for (size_t i = 0; i < addresses->count; i++) {
		if (addr_equal(&addresses->list[i], address))
			return true;
	}
	if (addresses->count == addresses->room) {
		room = addresses->room ? addresses->room * 2 : 8;
		larger = reallocarray(addresses->list, room, sizeof(*larger));
		if (!larger)
			return false;
		addresses->list = larger;
		addresses->room = room;
	}
	addresses->list[addresses->count++] = *address;
	return true;
}

static void run_done(struct run *run)
{
	tag_done(&run->target.tag);
	free(run->former.list);
	free(run->replaced.list);
	free(run->tables);
	json_free(run->items);
}

static int usage(const char *what, const char *value)
{
	char shown[128];

	fprintf(stderr, "hairpind: %s: %s\n", what,
		text_escape(shown, sizeof(shown), value, strlen(value)));
	return EXIT_USAGE;
}

static int failed(const struct err *err)
{
	fprintf(stderr, "hairpind: %s\n", err->text);
	return EXIT_FAILED;
}

static int read_former(struct run *run, const char *const *texts)
{
	struct addr address;

	for (; texts && *texts; texts++) {
		if (!addr_parse(*texts, &address))
			return usage("--from takes an IP address", *texts);
		if (!addresses_add(&run->former, &address))
			return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int read_tables(struct run *run, const char *const *texts)
{
	size_t count = 0;

	while (texts && texts[count])
		count++;
	run->tables = calloc(count + 1, sizeof(*run->tables));
	if (!run->tables)
		return EXIT_FAILED;
	for (; run->table_count < count; run->table_count++) {
		const char *text = texts[run->table_count];

		if (!nft_table_parse(text, &run->tables[run->table_count]))
			return usage("--table takes ip:NAME, ip6:NAME or inet:NAME",
				     text);
	}
	return EXIT_DONE;
}

/* An address that a link may hold: not 0.0.0.0, loopback, multicast, class E, broadcast. */
static bool is_address_of_a_link(const struct addr *address)
{
	if (addr_is_unspecified(address) || addr_classify(address) == ADDR_LOOPBACK)
		return false;
	return address->bytes[0] < (address->family == AF_INET ? 224 : 255);
}

static int read_options(struct run *run)
{
	const struct core_rewrite *options = run->options;
	struct err err = { "" };
	int status;

	if (!options->address || !addr_parse(options->address, &run->address) ||
	    !is_address_of_a_link(&run->address))
		return usage("--rewrite takes the WAN's IP address",
			     options->address ? options->address : "(none)");
	if (tag_init(&run->target.tag, options->tag ? options->tag : "hairpin",
		     &err) < 0) {
		fprintf(stderr, "hairpind: --tag: %s\n", err.text);
		return EXIT_USAGE;
	}
	status = read_former(run, options->former);
	if (status == EXIT_DONE)
		status = read_tables(run, options->tables);
	if (run->address.family == AF_INET)
		run->target.ipv4 = run->address;
	else
		run->target.ipv6 = run->address;
	run->target.former = run->former.list;
	run->target.former_count = run->former.count;
	return status;
}

static void say_refusal(const struct nft_item *item)
{
	char comment[4 * NFT_COMMENT_BYTES], chain[4 * NFT_NAME_BYTES];

	fprintf(stderr, "hairpind: %s chain %s handle %llu \"%s\": %s\n",
		nft_kind_name(item->kind),
		text_escape(chain, sizeof(chain), item->chain, strlen(item->chain)),
		(unsigned long long)item->handle,
		text_escape(comment, sizeof(comment), item->comment,
			    strlen(item->comment)),
		item->reason);
}

static void take_item(void *context, const struct nft_item *item)
{
	struct run *run = context;

	if (run->options->json)
		json_add(run->items, NULL, item_format_json(item));
	else
		item_print(stdout, item, run->options->dry_run);
	if (item->refused)
		say_refusal(item);
	if (item->learnt && !addresses_add(&run->replaced, &item->old))
		run->no_memory = true;
}

static bool on_an_interface(const struct rtnl_snapshot *snapshot,
			    const struct addr *address)
{
	for (size_t i = 0; i < snapshot->address_count; i++) {
		if (addr_equal(&snapshot->addresses[i].address, address))
			return true;
	}
	return false;
}

/* Connections of addresses that nobody here has any more. */
static int forget_old(const struct run *run, struct conntrack *conntrack,
		      struct err *ret_err)
{
	const struct addresses *lists[] = { &run->former, &run->replaced };
	struct rtnl_snapshot snapshot = { 0 };
	struct rtnl *rtnl;
	unsigned removed;
	int r;

	r = rtnl_new(&rtnl, ret_err);
	if (r < 0)
		return r;
	r = rtnl_snapshot(rtnl, &snapshot, ret_err);
	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; r == 0 && j < lists[i]->count; j++) {
			const struct addr *old = &lists[i]->list[j];

			if (old->family == run->address.family &&
			    !addr_equal(old, &run->address) &&
			    !on_an_interface(&snapshot, old))
				r = conntrack_forget_old(conntrack, old, &removed,
							 ret_err);
		}
	}
	rtnl_snapshot_done(&snapshot);
	rtnl_free(rtnl);
	return r;
}

static int forget_connections(const struct run *run, const struct nft_report *report,
			      struct err *ret_err)
{
	struct conntrack *conntrack;
	unsigned removed;
	int r;

	r = conntrack_new(&conntrack, ret_err);
	if (r < 0)
		return r;
	r = forget_old(run, conntrack, ret_err);
	if (r == 0 && report->services.count)
		r = conntrack_forget_stale(conntrack, &report->services, &removed,
					   ret_err);
	conntrack_free(conntrack);
	return r;
}

static int print_json(struct run *run, const struct nft_report *report)
{
	struct json *root = json_new_object();
	char *text;

	status_add_address(root, "address", &run->address);
	json_add_integer(root, "tagged", report->total.tagged);
	json_add_integer(root, "changed", report->total.changed);
	json_add_integer(root, "unchanged", report->unchanged);
	json_add_integer(root, "skipped", report->total.skipped);
	json_add_integer(root, "commit_us", report->commit_us);
	json_add(root, "items", run->items);
	run->items = NULL;
	text = json_print(root, false);
	json_free(root);
	if (!text)
		return -ENOMEM;
	puts(text);
	free(text);
	return 0;
}

static void print_sum(const struct nft_report *report)
{
	printf("%u tagged: %u changed, %u unchanged, %u left alone",
	       report->total.tagged, report->total.changed, report->unchanged,
	       report->total.skipped);
	if (report->commit_us)
		printf("; committed in %.2f ms", (double)report->commit_us / 1000);
	printf("\n");
}

static int sync_rules(struct run *run, struct nft_report *ret_report, struct err *ret_err)
{
	struct nft_request request = {
		.targets = &run->target, .target_count = 1,
		.tables = run->tables, .table_count = run->table_count,
		.dry_run = run->options->dry_run,
		.add_missing = run->options->add_missing,
		.services = run->options->conntrack,
		.item = take_item, .context = run,
	};
	struct nft *nft;
	int r;

	if (run->options->json)
		run->items = json_new_array();
	r = nft_new(&nft, ret_err);
	if (r < 0)
		return r;
	r = nft_sync(nft, &request, ret_report, ret_err);
	nft_free(nft);
	return r;
}

static int rewrite(struct run *run)
{
	struct nft_report report;
	struct err err = { "" };
	int status, r;

	status = read_options(run);
	if (status != EXIT_DONE)
		return status;
	if (sync_rules(run, &report, &err) < 0)
		return failed(&err);
	if (report.truncated)
		fprintf(stderr, "hairpind: more tagged things than can be kept; "
			"the first %u were looked at\n", report.total.tagged);
	status = report.refused || run->no_memory ? EXIT_FAILED : EXIT_DONE;
	r = 0;
	if (run->options->conntrack && !run->options->dry_run)
		r = forget_connections(run, &report, &err);
	if (r < 0)
		status = failed(&err);
	if (!run->options->json)
		print_sum(&report);
	else if (print_json(run, &report) < 0)
		status = EXIT_FAILED;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "hairpind: standard output: %s\n", strerror(errno));
		status = EXIT_FAILED;
	}
	return status;
}

int core_rewrite_run(const struct core_rewrite *options)
{
	struct run run = { .options = options };
	int status = rewrite(&run);

	run_done(&run);
	return status;
}
