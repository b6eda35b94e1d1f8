/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A publisher that began with what no longer holds: another resolv.conf, other secrets. */
#include "publisher_room.h"
#include "scratch.h"

static struct scratch scratch;

static void replace_resolv_conf(const char *text)
{
	(void)unlinkat(scratch.fd, "resolv.conf", 0);
	scratch_write(&scratch, "resolv.conf", text, 0644);
}

/* The file is replaced after long: the next try within 10 s, by another publisher. */
static void resolv_conf_replaced(void **state)
{
	static char path[128];
	int64_t replaced_ms;
	char byte;
	int old;

	(void)state;
	assert_int_equal(scratch_new(&scratch), 0);
	scratch_path(&scratch, "resolv.conf", path);
	all->room.core.resolver.path = path;
	replace_resolv_conf("nameserver 192.0.2.1\n");
	sync_turn(&all->room.core, kernel.now_ms);
	resolver_turn(&all->room.core, kernel.now_ms);
	assert_true(resolver_due_ms(&all->room.core) == INT64_MAX);
	start(asked());
	next_job(MESSAGE_CHECK);
	answer(MESSAGE_NO_ANSWER, NULL);
	assert_true(resolver_due_ms(&all->room.core) <= kernel.now_ms + 3000);
	next_job(MESSAGE_CHECK);
	answer(MESSAGE_ANSWER, "81.2.69.1");
	for (int i = 0; i < 7; i++) {
		next_job(MESSAGE_UPDATE_RECORDS);
		answer(MESSAGE_UNREACHABLE, NULL);
	}
	assert_true(schedule_next_try_ms(all->room.core.schedule, 0, kernel.now_ms) >
		    kernel.now_ms + 600000);
	room_wait(30000);
	resolver_turn(&all->room.core, kernel.now_ms);
	replace_resolv_conf("nameserver 192.0.2.53\n");
	replaced_ms = kernel.now_ms;
	assert_true(resolver_due_ms(&all->room.core) <= replaced_ms + 3000);
	kernel.now_ms = resolver_due_ms(&all->room.core);
	resolver_turn(&all->room.core, kernel.now_ms);
	old = all->far;
	start(asked());
	assert_int_equal(channel_receive(old, &byte, 1, NULL), 0);
	close(old);
	next_job(MESSAGE_UPDATE_RECORDS);
	assert_true(kernel.now_ms <= replaced_ms + 10000);
	assert_int_equal(all->room.core.publisher.fault.count, 0);
	scratch_done(&scratch);
}

/* A job in flight is waited for before the publisher is replaced. */
static void resolv_conf_replaced_at_work(void **state)
{
	static char path[128];
	int old;

	(void)state;
	assert_int_equal(scratch_new(&scratch), 0);
	scratch_path(&scratch, "resolv.conf", path);
	all->room.core.resolver.path = path;
	sync_turn(&all->room.core, kernel.now_ms);
	resolver_turn(&all->room.core, kernel.now_ms);
	start(asked());
	next_job(MESSAGE_CHECK);
	replace_resolv_conf("nameserver 192.0.2.53\n");
	room_wait(1000);
	resolver_turn(&all->room.core, kernel.now_ms);
	assert_int_equal(asked(), 0);
	assert_true(publisher_due_ms(&all->room.core, kernel.now_ms) > kernel.now_ms);
	answer(MESSAGE_ANSWER, "81.2.69.1");
	old = all->far;
	room_wait(3000);
	start(asked());
	close(old);
	next_job(MESSAGE_UPDATE_RECORDS);
	scratch_done(&scratch);
}

/* A publisher that knows a secret of before is let go; one that knows none stays. */
static void secret_replaced(void **state)
{
	struct config *config = room_config(1);
	struct err err = { "" };
	char byte;

	(void)state;
	sync_turn(&all->room.core, kernel.now_ms);
	start(asked());
	next_job(MESSAGE_CHECK);
	config->dns.check_every_ms = 60000;
	assert_int_equal(core_configure(&all->room.core, config, &err), 0);
	turn();
	assert_int_equal(channel_receive(all->far, &byte, 1, NULL), -EAGAIN);
	config = room_config(1);
	assert_true(secret_set(&config->providers[0].settings[0].value, "anders", 6));
	assert_int_equal(core_configure(&all->room.core, config, &err), 0);
	/* It may answer what it was asked. */
	turn();
	assert_int_equal(channel_receive(all->far, &byte, 1, NULL), -EAGAIN);
	answer(MESSAGE_ANSWER, "81.2.69.1");
	turn();
	assert_int_equal(channel_receive(all->far, &byte, 1, NULL), 0);
	close(all->far);
	room_wait(3000);
	start(asked());
	next_job(MESSAGE_UPDATE_RECORDS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PUBLISHER_TEST(resolv_conf_replaced),
		PUBLISHER_TEST(resolv_conf_replaced_at_work),
		PUBLISHER_TEST(secret_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
