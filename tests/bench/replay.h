/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor: what the kernel needs for the messages of one nft_sync(), questions and
 * batch, without anybody who understands them.
 *
 * The engine is linked with -Wl,--wrap=mnl_socket_sendto; so what it sends can be kept,
 * its batch held back, and all of it sent by somebody else. Answers are read to their
 * end into one buffer of the same size that the engine uses, and not looked at.
 */
#ifndef BENCH_REPLAY_H
#define BENCH_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/nft_private.h"

struct replay {
	struct replay_message {
		uint8_t *bytes;
		size_t length;
	} *messages;
	size_t count, room;
};

/*
 * From here on what is sent is kept, and a batch is not sent at all (-EPERM), until
 * replay_record_end().
 */
void replay_record(struct replay *replay);
void replay_record_end(void);
void replay_done(struct replay *replay);

/*
 * Sends it, the ruleset being as it was when the record was made; microseconds. Ends the
 * program where the kernel refuses.
 */
int64_t replay_run(const struct replay *replay, struct nft *nft);

#endif
