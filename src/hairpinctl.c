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
	"Asks the running hairpind, and tells it what to do.\n"
	"\n"
	"  status                          what is, at a glance (default)\n"
	"  sync                            look again, bring rules into step now\n"
	"  update [--force] [HOSTNAME...]  check and update DNS records now; --force\n"
	"                                  also enables disabled ones again\n"
	"  rules [-c FILE]                 the tagged rules and their addresses; reads\n"
	"                                  the kernel itself where no daemon answers\n"
	"  reload                          read the configuration again\n"
	"  providers [ID]                  the DNS providers there are; of one what it\n"
	"                                  takes, and an example\n"
	"  version                         of hairpinctl and of the running hairpind\n"
	"\n"
	"  --socket PATH   the daemon's socket\n"
	"                  (" HAIRPIN_RUNSTATEDIR "/control.sock)\n"
	"  --json          the daemon's answer as one JSON object\n"
	"  -c, --config FILE   for rules without a daemon: the configuration\n"
	"  -h, --help      this\n"
	"  -V, --version   the version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 usage, 4 no daemon answers.\n";

struct word {
	const char *name;
	int command;		/* enum ctl_command, -1: not in this version */
};

static const struct word words[] = {
	{ "status", CTL_STATUS }, { "sync", CTL_SYNC },	    { "update", CTL_UPDATE },
	{ "rules", CTL_RULES },	  { "reload", CTL_RELOAD }, { "version", CTL_VERSION },
	{ "plan", -1 },		  { "watch", -1 },	    { "doctor", -1 },
	{ "tag", -1 },		  { "hook", -1 },	    { "providers", CTL_PROVIDERS },
	{ "pause", -1 },	  { "resume", -1 },	    { "log", -1 },
	{ "import", -1 },	  { "metrics", -1 },
};

enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

static int refuse(const char *what, const char *word, const char *hint)
{
	char shown[100];

	text_escape(shown, sizeof(shown), word, strlen(word));
	fprintf(stderr, "hairpinctl: %s \"%s\"%s\nTry \"hairpinctl --help\".\n", what,
		shown, hint);
	return CTL_USAGE;
}

static int refuse_command(const char *word)
{
	const char *names[WORD_COUNT + 1] = { NULL };
	char hint[64] = "";
	const char *nearest;
	size_t i;

	for (i = 0; i < WORD_COUNT; i++)
		names[i] = words[i].name;
	nearest = text_nearest(word, names);
	if (nearest)
		snprintf(hint, sizeof(hint), "; did you mean \"%s\"?", nearest);
	return refuse("there is no command", word, hint);
}

/* The command's number, or CTL_USAGE negated after the complaint. */
static int find_command(const char *name)
{
	size_t i;

	if (!name)
		return CTL_STATUS;
	for (i = 0; i < WORD_COUNT; i++) {
		if (strcmp(words[i].name, name) != 0)
			continue;
		if (words[i].command >= 0)
			return words[i].command;
		fprintf(stderr, "hairpinctl: %s is not in this version (%s)\n", name,
			HAIRPIN_VERSION);
		return -CTL_USAGE;
	}
	return -refuse_command(name);
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
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int option;

	while (arguments->end < 0 &&
	       (option = getopt_long(argc, argv, "c:hV", longs, NULL)) != -1)
		take_option(arguments, option);
}

/* The command and what follows it. */
static void read_words(struct arguments *arguments, char **rest)
{
	struct ctl_options *options = &arguments->options;
	int command = find_command(*rest);

	if (command < 0) {
		arguments->end = -command;
		return;
	}
	options->command = (enum ctl_command)command;
	if (*rest)
		rest++;
	if (command == CTL_UPDATE)
		options->hostnames = (const char *const *)rest;
	else if (command == CTL_PROVIDERS && *rest)
		options->id = *rest++;
	if (command != CTL_UPDATE && *rest)
		arguments->end = refuse("too many words:", *rest, "");
	else if (command != CTL_UPDATE && options->force)
		arguments->end = refuse("only update takes", "--force", "");
	if (arguments->end < 0 && options->look.config_path && command != CTL_RULES)
		arguments->end = refuse("only rules takes", "-c", "");
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
