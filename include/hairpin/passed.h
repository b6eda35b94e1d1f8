/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * Reading and closing a unix socket by which others may pass descriptors that nobody asked
 * for. Whoever reads them closes them, or the kernel does in the very call, and that may
 * wait: a TCP connection with SO_LINGER that its peer does not read keeps the one who
 * closes it last for as long as it says, hours if it likes, O_NONBLOCK or not. A signal
 * ends that waiting after some milliseconds; the connection lingers on without us.
 *
 * SIGALRM and ITIMER_REAL belong to this module.
 */
#ifndef HAIRPIN_PASSED_H
#define HAIRPIN_PASSED_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "hairpin/err.h"

/* As recv() and recvmsg() that do not wait. */
ssize_t passed_receive(int socket, void *bytes, size_t room) must_check;
ssize_t passed_receive_message(int socket, struct msghdr *message, int flags) must_check;

/* A descriptor that was passed, or a socket in whose queue one may be left. */
void passed_close(int fd);

#endif
