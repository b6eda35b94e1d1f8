/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * SOCK_SEQPACKET between our processes, with at most one descriptor beside a packet.
 */
#ifndef HAIRPIN_CHANNEL_H
#define HAIRPIN_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "hairpin/err.h"

/* Two ends, close-on-exec and non-blocking, with send buffers that take a whole job. */
int channel_pair(int ret_ends[2]) must_check;

/*
 * `fd` -1: none. 0, -EAGAIN (full: wait until writable), -EPIPE (the other end is gone),
 * ...
 */
int channel_send(int channel, const void *packet, size_t bytes, int fd) must_check;

/*
 * One packet. Its size, 0: the other end is gone, -EAGAIN: none waiting, -EMSGSIZE:
 * larger than `room`. A descriptor that came with it is given in `ret_fd`
 * (close-on-exec), else -1; with `ret_fd` NULL it is closed. Further descriptors are
 * closed.
 */
ssize_t channel_receive(int channel, void *packet, size_t room, int *ret_fd) must_check;

#endif
