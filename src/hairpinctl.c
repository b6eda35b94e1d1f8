/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hairpinctl: the arguments. What the commands do is in src/ctl.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hairpin/ctl.h"
#include "hairpin/places.h"

static const char usage[] =
	"Usage: hairpinctl [--socket PATH] [--json] [COMMAND]\n"
	"\n"
	"Sees, explains and mends what hairpind does.\n"
	"\n"
	"  status                          what is, at a glance (default)\n"
	"  plan [--address A]              what a sync and an update would change now,\n"
	"                                  or if the address were A\n"
	"  sync                            look again, bring rules into step now\n"
	"  update [--force] [HOSTNAME...]  check and update DNS records now; --force\n"
	"                                  also enables disabled ones again\n"
	"  watch [--run-hooks]             events as they happen; --run-hooks: run the\n"
	"                                  hooks, for a service of their own\n"
	"  doctor [--passive]              why the hairpin does not work, and what mends\n"
	"                                  it; --passive: without asking the servers\n"
	"  doctor --probe PORT[/udp] [--address A] [--interface LAN]\n"
	"                                  try it with real packets of one more client\n"
	"  rules                           the tagged rules and their addresses\n"
	"  tag FAMILY TABLE CHAIN HANDLE [WORD]\n"
	"                                  put the tag into a rule's comment\n"
	"  hook list | hook test NAME [EVENT]\n"
	"  providers [ID]                  the DNS providers there are; of one what it\n"
	"                                  takes, and an example\n"
	"  reload                          read the configuration again\n"
	"  pause TIME | resume             do nothing for so long (30s, 10m, 2h)\n"
	"  log LEVEL [TIME]                the level of the log, for so long\n"
	"  import ddclient|inadyn FILE     another program's configuration as ours\n"
	"  metrics                         numbers for Prometheus\n"
	"  version                         of hairpinctl and of the running hairpind\n"
	"\n"
	"  --socket PATH   the daemon's socket\n"
	"                  (" HAIRPIN_RUNSTATEDIR "/control.sock)\n"
	"  --json          one JSON object, or one a line\n"
	"  -c, --config FILE   the configuration, where it is read without a daemon\n"
	"  -h, --help      this\n"
	"  -V, --version   the version\n"
	"\n"
	"Exit status: 0 done, healthy, nothing to change; 1 failed, doctor: findings;\n"
	"2 usage; 3 plan: changes are pending; 4 no daemon answers.\n";

static int refuse(const char *what, const char *word, const char *hint)
{
	char shown[100];

	text_escape(shown, sizeof(shown), word, strlen(word));
	fprintf(stderr, "hairpinctl: %s \"%s\"%s\nTry \"hairpinctl --help\".\n", what,
		shown, hint);
	return CTL_USAGE;
}

/* All three are our own words. */
static int complain(const char *command, const char *what, const char *object)
{
	fprintf(stderr, "hairpinctl: %s %s %s\nTry \"hairpinctl --help\".\n", command,
		what, object);
	return CTL_USAGE;
}

static int refuse_command(const char *word)
{
	const char *names[CTL_COMMANDS + 1] = { NULL };
	char hint[64] = "";
	const char *nearest;
	size_t i;

	for (i = 0; i < CTL_COMPLETE; i++)
		names[i] = ctl_words[i].name;
	nearest = text_nearest(word, names);
	if (nearest)
		snprintf(hint, sizeof(hint), "; did you mean \"%s\"?", nearest);
	return refuse("there is no command", word, hint);
}

/* NULL after the complaint. */
static const struct ctl_word *find_command(const char *name)
{
	size_t i;

	if (!name)
		return &ctl_words[CTL_STATUS];
	for (i = 0; i < CTL_COMMANDS; i++) {
		if (strcmp(ctl_words[i].name, name) == 0)
			return &ctl_words[i];
	}
	(void)refuse_command(name);
	return NULL;
}

struct arguments {
	struct ctl_options options;
	int end;		/* exit now with this; -1: go on */
};

static int print_and_leave(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) != 0)
		return CTL_FAILED;
	return CTL_DONE;
}

static void take_option(struct arguments *arguments, int option)
{
	switch (option) {
	case 's':
		arguments->options.socket_path = optarg;
		break;
	case 'j':
		arguments->options.json = true;
		break;
	case 'f':
		arguments->options.force = true;
		break;
	case 'c':
		arguments->options.look.config_path = optarg;
		break;
	case 'a':
		arguments->options.address = optarg;
		break;
	case 'p':
		arguments->options.probe = optarg;
		break;
	case 'i':
		arguments->options.interface = optarg;
		break;
	case 'r':
		arguments->options.run_hooks = true;
		break;
	case 'q':
		arguments->options.passive = true;
		break;
	case 'h':
		arguments->end = print_and_leave(usage);
		break;
	case 'V':
		arguments->end = print_and_leave("hairpinctl " HAIRPIN_VERSION "\n");
		break;
	default:
		fputs("Try \"hairpinctl --help\".\n", stderr);
		arguments->end = CTL_USAGE;
	}
}

static void read_options(struct arguments *arguments, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "force", no_argument, NULL, 'f' },
		{ "config", required_argument, NULL, 'c' },
		{ "address", required_argument, NULL, 'a' },
		{ "probe", required_argument, NULL, 'p' },
		{ "interface", required_argument, NULL, 'i' },
		{ "passive", no_argument, NULL, 'q' },
		{ "run-hooks", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int option;

	while (arguments->end < 0 &&
	       (option = getopt_long(argc, argv, "c:hV", longs, NULL)) != -1)
		take_option(arguments, option);
}

/* An option that this command does not take. NULL: none. */
static const char *find_stray(const struct ctl_options *options, unsigned takes)
{
	if (options->force && !(takes & CTL_TAKES_FORCE))
		return "--force";
	if (options->look.config_path && !(takes & CTL_TAKES_CONFIG) && !options->run_hooks)
		return "-c";
	if (options->address && !(takes & CTL_TAKES_ADDRESS))
		return "--address";
	if (options->probe && !(takes & CTL_TAKES_PROBE))
		return "--probe";
	if (options->interface && !(takes & CTL_TAKES_PROBE))
		return "--interface";
	if (options->run_hooks && !(takes & CTL_TAKES_HOOKS))
		return "--run-hooks";
	if (options->passive && !(takes & CTL_TAKES_PROBE))
		return "--passive";
	return NULL;
}

/* The command and what follows it. */
static void read_words(struct arguments *arguments, char **rest)
{
	struct ctl_options *options = &arguments->options;
	const struct ctl_word *word = find_command(*rest);
	const char *stray;
	unsigned count = 0;

	if (!word) {
		arguments->end = CTL_USAGE;
		return;
	}
	options->command = (enum ctl_command)(word - ctl_words);
	if (*rest)
		rest++;
	options->words = (const char *const *)rest;
	while (rest[count])
		count++;
	stray = find_stray(options, word->takes);
	if (stray)
		arguments->end = complain(word->name, "does not take", stray);
	else if (count > word->most)
		arguments->end = refuse("too many words:", rest[word->most], "");
	else if (count < word->least)
		arguments->end = complain(word->name, "wants", word->wants);
}

int main(int argc, char **argv)
{
	struct places places;
	struct arguments arguments = {
		.options = { .socket_path = HAIRPIN_RUNSTATEDIR "/control.sock" },
		.end = -1,
	};
	struct ctl_view view;

	read_options(&arguments, argc, argv);
	if (arguments.end < 0)
		read_words(&arguments, argv + optind);
	if (arguments.end >= 0)
		return arguments.end;
	places_find(&places);
	arguments.options.look.catalogue = places.catalogue;
	view = ctl_view_of_stdout();
	return ctl_run(&arguments.options, &view);
}
