/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hairpin-publish: the internet side of hairpind, started by it alone. It gives up all
 * rights, then serves the jobs that come by descriptor 3.
 */
#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/http.h"
#include "hairpin/log.h"
#include "hairpin/loop.h"
#include "hairpin/publisher.h"
#include "hairpin/sandbox.h"

enum { CHANNEL = 3 };

enum { EXIT_BY_HAND = 2 };

static bool channel_is_there(void)
{
	socklen_t bytes = sizeof(int);
	int kind;

	return getsockopt(CHANNEL, SOL_SOCKET, SO_TYPE, &kind, &bytes) == 0 &&
	       kind == SOCK_SEQPACKET;
}

/*
 * The supervisor gives us PATH and nothing else; whoever starts us by hand may have
 * variables that steer libraries (proxies, TLS key logs, resolver options).
 */
static void clear_environment(void)
{
	const char *trap = getenv("HAIRPIND_SECCOMP");
	bool trapping = trap && strcmp(trap, "trap") == 0;

	clearenv();
	if (trapping)
		setenv("HAIRPIND_SECCOMP", "trap", 1);
}

/* What resolving and TLS read. Symbolic links count by what they lead to. */
static int confine_files(struct err *err)
{
	const struct sandbox_path paths[] = {
		{ http_ca_file() ? http_ca_file() : "/etc/ssl", false },
		{ http_ca_directory() ? http_ca_directory() : "/etc/ssl", false },
		{ "/etc/ssl", false },
		{ "/etc/pki", false },
		{ "/etc/ca-certificates", false },
		{ "/usr/share/ca-certificates", false },
		{ "/usr/local/share/ca-certificates", false },
		{ "/usr/lib/ssl", false },
		{ "/etc/resolv.conf", false },
		{ "/etc/hosts", false },
		{ "/etc/nsswitch.conf", false },
		{ "/etc/host.conf", false },
		{ "/run/systemd/resolve", false },
		{ "/run/resolvconf", false },
		{ "/run/NetworkManager", false },
		{ "/run/connman", false },
		{ "/tmp/resolv.conf", false },
		{ "/tmp/resolv.conf.d", false },
		{ "/dev/null", true },
		{ "/dev/urandom", false },
	};

	return sandbox_paths(paths, sizeof(paths) / sizeof(paths[0]), err);
}

/*
 * What the kernel lacks is said by the core, once; here it only matters if it is
 * needed.
 */
static bool confine(struct err *err)
{
	if (sandbox_begin(err) < 0 ||
	    sandbox_drop((uid_t)-1, (gid_t)-1, SANDBOX_NO_CAPS, err) < 0)
		return false;
	if (confine_files(err) < 0)
		log_debug("publisher: %s", err->text);
	if (sandbox_syscalls(SANDBOX_PUBLISHER, err) < 0)
		log_debug("publisher: %s", err->text);
	return true;
}

static int serve(void)
{
	struct ev_loop *loop;
	struct err err = { 0 };
	int r;

	clear_environment();
	if (http_global_init() < 0) {
		log_error("publisher: no memory for libcurl");
		return EXIT_FAILURE;
	}
	if (!confine(&err)) {
		log_error("publisher: %s", err.text);
		return EXIT_FAILURE;
	}
	loop = loop_new();
	if (!loop) {
		log_error("publisher: no event loop");
		return EXIT_FAILURE;
	}
	r = jobs_serve(loop, CHANNEL, &err);
	if (r < 0)
		log_error("publisher: %s", err.text);
	ev_loop_destroy(loop);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("hairpin-publish " HAIRPIN_VERSION);
		return EXIT_SUCCESS;
	}
	if (!channel_is_there()) {
		fputs("hairpin-publish is started by hairpind, which gives it its work; "
		      "there is nothing to do by hand.\n", stderr);
		return EXIT_BY_HAND;
	}
	return serve();
}
