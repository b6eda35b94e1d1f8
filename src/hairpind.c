/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hairpind: what the command line asks for, and the paths. The work is done in
 * supervisor/ and core/.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "hairpin/config.h"
#include "hairpin/core.h"
#include "hairpin/log.h"
#include "hairpin/places.h"
#include "hairpin/sandbox.h"
#include "hairpin/supervisor.h"

enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

enum {
	LIST_MAX = 64,			/* --from, --table */
	DESCRIPTORS_MAX = 1024,		/* the usual limit, for kernels before 5.9 */
};

static const char help_text[] =
	"hairpind keeps tagged NAT rules and DNS records equal to this router's "
	"address.\n"
	"\n"
	"  hairpind [-c FILE] [--once] [--dry-run] [-l LEVEL] [--state-dir DIR] "
	"[--socket PATH]\n"
	"           [--outside-hooks]\n"
	"  hairpind -n | --check [--strict] [-c FILE]\n"
	"  hairpind --print-config [-c FILE]\n"
	"  hairpind --rewrite ADDRESS [--from FORMER]... [--tag REGEX] [--table "
	"FAMILY:NAME]...\n"
	"           [--add-missing] [--conntrack] [--dry-run] [--json]\n"
	"  hairpind --version | --help\n"
	"\n"
	"Running:\n"
	"  -c, --config FILE   the configuration (" HAIRPIN_SYSCONFDIR "/hairpind.json)\n"
	"  -l, --log LEVEL     err, warning, notice, info or debug\n"
	"      --once          bring rules, records and hooks into step, then leave\n"
	"      --dry-run       say what would be done, do nothing\n"
	"      --state-dir DIR where addresses and answers are remembered\n"
	"      --socket PATH   where hairpinctl reaches the daemon\n"
	"      --outside-hooks hooks are run by hairpinctl watch --run-hooks\n"
	"Looking at the configuration:\n"
	"  -n, --check         tell every mistake\n"
	"      --strict        secrets that others may read are mistakes\n"
	"      --print-config  what is in force, secrets hidden\n"
	"Rewriting the rules once, without configuration and daemon:\n"
	"      --rewrite ADDRESS      give every tagged rule this address\n"
	"      --from FORMER          the address before, for rules that forward no port\n"
	"      --tag REGEX            what is tagged (hairpin)\n"
	"      --table FAMILY:NAME    only in this table\n"
	"      --add-missing          also for port forwards that name no destination\n"
	"      --conntrack            remove the connections that would stay wrong\n"
	"      --json                 one object instead of lines\n"
	"\n"
	"  -h, --help and -V, --version\n"
	"\n"
	"Exit status: 0 done, 1 something failed, 2 usage or configuration.\n";

/* What was given, one bit each; also the values of the long options. */
enum given {
	GIVEN_CONFIG = 1 << 0, GIVEN_LEVEL = 1 << 1, GIVEN_ONCE = 1 << 2,
	GIVEN_DRY_RUN = 1 << 3, GIVEN_STATE = 1 << 4, GIVEN_SOCKET = 1 << 5,
	GIVEN_CHECK = 1 << 6, GIVEN_STRICT = 1 << 7, GIVEN_PRINT = 1 << 8,
	GIVEN_REWRITE = 1 << 9, GIVEN_FROM = 1 << 10, GIVEN_TAG = 1 << 11,
	GIVEN_TABLE = 1 << 12, GIVEN_MISSING = 1 << 13, GIVEN_CONNTRACK = 1 << 14,
	GIVEN_JSON = 1 << 15, GIVEN_VERSION = 1 << 16, GIVEN_HELP = 1 << 17,
	GIVEN_OUTSIDE = 1 << 18,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, GIVEN_CONFIG },
	{ "log", required_argument, NULL, GIVEN_LEVEL },
	{ "once", no_argument, NULL, GIVEN_ONCE },
	{ "dry-run", no_argument, NULL, GIVEN_DRY_RUN },
	{ "state-dir", required_argument, NULL, GIVEN_STATE },
	{ "socket", required_argument, NULL, GIVEN_SOCKET },
	{ "check", no_argument, NULL, GIVEN_CHECK },
	{ "strict", no_argument, NULL, GIVEN_STRICT },
	{ "print-config", no_argument, NULL, GIVEN_PRINT },
	{ "rewrite", required_argument, NULL, GIVEN_REWRITE },
	{ "from", required_argument, NULL, GIVEN_FROM },
	{ "tag", required_argument, NULL, GIVEN_TAG },
	{ "table", required_argument, NULL, GIVEN_TABLE },
	{ "add-missing", no_argument, NULL, GIVEN_MISSING },
	{ "conntrack", no_argument, NULL, GIVEN_CONNTRACK },
	{ "json", no_argument, NULL, GIVEN_JSON },
	{ "outside-hooks", no_argument, NULL, GIVEN_OUTSIDE },
	{ "version", no_argument, NULL, GIVEN_VERSION },
	{ "help", no_argument, NULL, GIVEN_HELP },
	{ NULL, 0, NULL, 0 },
};

/*
 * What may stand beside the option that says what to do; the first that was given holds.
 */
static const struct {
	unsigned what, beside;
} forms[] = {
	{ GIVEN_HELP, ~0u },
	{ GIVEN_VERSION, ~0u },
	{ GIVEN_REWRITE, GIVEN_FROM | GIVEN_TAG | GIVEN_TABLE | GIVEN_MISSING |
			 GIVEN_CONNTRACK | GIVEN_DRY_RUN | GIVEN_JSON | GIVEN_LEVEL },
	{ GIVEN_CHECK, GIVEN_STRICT | GIVEN_CONFIG },
	{ GIVEN_PRINT, GIVEN_CONFIG },
	{ GIVEN_OUTSIDE, GIVEN_CONFIG | GIVEN_LEVEL | GIVEN_STATE | GIVEN_SOCKET },
	{ 0, GIVEN_CONFIG | GIVEN_LEVEL | GIVEN_ONCE | GIVEN_DRY_RUN | GIVEN_STATE |
	     GIVEN_SOCKET },
};

struct arguments {
	unsigned given, form;
	int level;			/* -1: as configured */
	const char *config, *state_directory, *socket, *address, *tag;
	const char *from[LIST_MAX + 1], *tables[LIST_MAX + 1];
	size_t from_count, table_count;
};

static int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int usage_error(const char *format, ...)
{
	va_list arguments;

	fputs("hairpind: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("; hairpind --help tells the usage\n", stderr);
	return STATUS_USAGE;
}

static int list_add(const char **list, size_t *count, const char *value)
{
	if (*count == LIST_MAX)
		return usage_error("more than %d of one kind", LIST_MAX);
	list[(*count)++] = value;
	return 0;
}

static bool is_absolute_path(const char *path, size_t room)
{
	return path[0] == '/' && strlen(path) < room;
}

static int argument_take(struct arguments *arguments, int option)
{
	switch (option) {
	case GIVEN_CONFIG:
		arguments->config = optarg;
		break;
	case GIVEN_LEVEL:
		if (!log_parse_level(optarg, &arguments->level))
			return usage_error("'%s' is no level", optarg);
		break;
	case GIVEN_STATE:
		if (!optarg[0] || strlen(optarg) >= PATH_MAX)
			return usage_error("--state-dir needs a directory");
		arguments->state_directory = optarg;
		break;
	case GIVEN_SOCKET:
		if (!is_absolute_path(optarg, sizeof(((struct sockaddr_un *)0)->sun_path)))
			return usage_error("the socket needs an absolute path of at most "
					   "107 bytes");
		arguments->socket = optarg;
		break;
	case GIVEN_REWRITE:
		arguments->address = optarg;
		break;
	case GIVEN_TAG:
		arguments->tag = optarg;
		break;
	case GIVEN_FROM:
		return list_add(arguments->from, &arguments->from_count, optarg);
	case GIVEN_TABLE:
		return list_add(arguments->tables, &arguments->table_count, optarg);
	}
	return 0;
}

static int short_option(int option)
{
	switch (option) {
	case 'c': return GIVEN_CONFIG;
	case 'l': return GIVEN_LEVEL;
	case 'n': return GIVEN_CHECK;
	case 'h': return GIVEN_HELP;
	case 'V': return GIVEN_VERSION;
	}
	return option;
}

static const char *option_name(unsigned bit)
{
	const struct option *option;

	for (option = long_options; option->name; option++) {
		if ((unsigned)option->val == bit)
			return option->name;
	}
	return "";
}

static int arguments_check_form(struct arguments *arguments)
{
	unsigned extra;
	size_t i;

	for (i = 0; forms[i].what && !(arguments->given & forms[i].what); i++)
		;
	arguments->form = forms[i].what;
	extra = arguments->given & ~(forms[i].what | forms[i].beside);
	if (!extra)
		return 0;
	extra &= -extra;
	if (!forms[i].what)
		return usage_error("--%s is of no use here", option_name(extra));
	return usage_error("--%s and --%s do not go together", option_name(forms[i].what),
			   option_name(extra));
}

static int arguments_parse(struct arguments *arguments, int argc, char **argv)
{
	int option, status;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:l:nhV", long_options, NULL)) != -1) {
		if (option == ':')
			return usage_error("%s needs a value", argv[optind - 1]);
		if (option == '?')
			return usage_error("'%s' is not understood", argv[optind - 1]);
		option = short_option(option);
		arguments->given |= (unsigned)option;
		status = argument_take(arguments, option);
		if (status)
			return status;
	}
	if (optind < argc)
		return usage_error("'%s' is too much", argv[optind]);
	return arguments_check_form(arguments);
}

/* --- what is done --- */

static int print_whole(const char *text)
{
	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return STATUS_DONE;
	fprintf(stderr, "hairpind: cannot write: %s\n", strerror(errno));
	return STATUS_FAILED;
}

static int print_config(const struct config *config)
{
	char *text = config_print(config, CONFIG_HIDE);
	size_t length = text ? strlen(text) : 0;
	int status;

	if (!text) {
		fputs("hairpind: no memory\n", stderr);
		return STATUS_FAILED;
	}
	status = print_whole(text);
	if (status == STATUS_DONE && length > 0 && text[length - 1] != '\n')
		status = print_whole("\n");
	free(text);
	return status;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* --check and --print-config: reading is the same, only what is said differs. */
static int run_config(const struct arguments *arguments, const struct places *places)
{
	struct config_load load = {
		.path = arguments->config,
		.catalogue = places->catalogue,
		.strict = arguments->given & GIVEN_STRICT,
	};
	struct config_problems problems = { .text = TEXT_INIT };
	struct config *config = NULL;
	int status = STATUS_DONE;
	int rc = config_load(&load, &config, &problems);

	fputs(problems.text.bytes, stderr);
	if (rc < 0) {
		if (arguments->form == GIVEN_CHECK)
			fprintf(stderr, "%u error%s, %u warning%s\n",
				problems.errors, plural(problems.errors),
				problems.warnings, plural(problems.warnings));
		status = STATUS_USAGE;
	} else if (arguments->form == GIVEN_CHECK && problems.broken > 0) {
		fprintf(stderr, "%u error%s in descriptions, %u warning%s\n",
			problems.broken, plural(problems.broken), problems.warnings,
			plural(problems.warnings));
		status = STATUS_USAGE;
	} else if (arguments->form == GIVEN_PRINT) {
		status = print_config(config);
	} else {
		printf("%zu WAN%s, %zu provider%s: no mistakes, %u warning%s\n",
		       config->wan_count, plural(config->wan_count),
		       config->provider_count, plural(config->provider_count),
		       problems.warnings, plural(problems.warnings));
		status = print_whole("");
	}
	config_free(config);
	config_problems_done(&problems);
	return status;
}

static int run_rewrite(const struct arguments *arguments)
{
	struct core_rewrite rewrite = {
		.address = arguments->address,
		.former = arguments->from,
		.tag = arguments->tag,
		.tables = arguments->tables,
		.add_missing = arguments->given & GIVEN_MISSING,
		.dry_run = arguments->given & GIVEN_DRY_RUN,
		.json = arguments->given & GIVEN_JSON,
		.conntrack = arguments->given & GIVEN_CONNTRACK,
	};
	struct err err;

	log_open("hairpind", LOG_TO_STDERR,
		 arguments->level >= 0 ? arguments->level : LOG_NOTICE);
	if (sandbox_begin(&err) < 0)
		log_warning("%s", err.text);
	return core_rewrite_run(&rewrite);
}

/*
 * Whatever the caller left open is not for us and our children; and what he closed must
 * not be taken by a socket that then gets error messages.
 */
static void settle_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
#ifdef SYS_close_range
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0) == 0)
		return;
#endif
	for (fd = STDERR_FILENO + 1; fd < DESCRIPTORS_MAX; fd++)
		close(fd);
}

static int run_daemon(const struct arguments *arguments, const struct places *places)
{
	struct supervisor_options options = {
		.mode = arguments->given & GIVEN_DRY_RUN ? CORE_DRY_RUN :
			arguments->given & GIVEN_ONCE ? CORE_ONCE : CORE_DAEMON,
		.config_path = arguments->config,
		.catalogue = places->catalogue,
		.publisher_path = places->publisher,
		.hooks_outside = arguments->form == GIVEN_OUTSIDE,
		.state_directory = arguments->state_directory,
		.socket = arguments->socket,
		.log_level = arguments->level,
		.run_core = core_run,
	};

	settle_descriptors();
	return supervisor_run(&options);
}

int main(int argc, char **argv)
{
	struct arguments arguments = { .level = -1 };
	struct places places = { .catalogue = { NULL } };
	int status = arguments_parse(&arguments, argc, argv);

	if (status)
		return status;
	places_find(&places);
	switch (arguments.form) {
	case GIVEN_HELP:
		return print_whole(help_text);
	case GIVEN_VERSION:
		return print_whole("hairpind " HAIRPIN_VERSION "\n");
	case GIVEN_CHECK:
	case GIVEN_PRINT:
		return run_config(&arguments, &places);
	case GIVEN_REWRITE:
		return run_rewrite(&arguments);
	}
	return run_daemon(&arguments, &places);
}
