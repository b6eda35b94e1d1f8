/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hairpin/config.h"
#include "hairpin/message.h"
#include "hairpin/text.h"

#include "run.h"

bool hooks_meant(const struct ctl_options *options, const struct message_hooks *how,
		 struct err *ret_err)
{
	char told[200], meant[CONFIG_PATH_BYTES] = HAIRPIN_SYSCONFDIR "/hooks.d";
	char user[sizeof(how->user)] = "";
	struct config *config = ctl_configuration(&options->look, ret_err);
	bool known = config != NULL, directory_ok, user_ok;

	if (config) {
		(void)text_copy(meant, sizeof(meant), config->hooks.directory);
		(void)text_copy(user, sizeof(user), config->hooks.user);
		config_free(config);
	}
	directory_ok = !how->directory[0] || strcmp(how->directory, meant) == 0;
	/* Who is not root stays who he is, whatever he is told. */
	user_ok = strcmp(how->user, user) == 0 || (!known && geteuid() != 0);
	if (directory_ok && user_ok)
		return true;
	text_escape(told, sizeof(told), how->directory, strlen(how->directory));
	(void)err_set(ret_err, -EPERM,
		      "the daemon wants those of %s run as \"%s\", the configuration that is "
		      "seen here those of %.200s as \"%s\": reload the daemon, or give with "
		      "-c its file or one with these hooks alone", told, how->user, meant, user);
	return false;
}
