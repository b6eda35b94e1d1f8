/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: config */
/*
 * The configuration as plain structs, and its reading with every mistake in one run.
 *
 * Two ways in: config_load() opens files, drop-ins, secrets and provider descriptions as
 * a user wrote them; config_parse() takes the one effective document that config_print()
 * writes with CONFIG_REVEAL: strict JSON, secrets as literals, provider descriptions and
 * CA files inside. So the process that reads files with rights and the confined one that
 * works share one parser.
 */
#ifndef HAIRPIN_CONFIG_H
#define HAIRPIN_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/catalogue.h"
#include "hairpin/err.h"
#include "hairpin/secret.h"
#include "hairpin/text.h"

/* Read where none is named; without it hairpind is useful too. */
#define CONFIG_FILE HAIRPIN_SYSCONFDIR "/hairpind.json"

enum {
	CONFIG_WANS_MAX = 16,
	CONFIG_PROVIDERS_MAX = 256,
	/* over all providers; what is known of each fits into one state file */
	CONFIG_HOSTNAMES_MAX = 1000,
	CONFIG_LABEL_BYTES = 64,
	CONFIG_HOSTNAME_BYTES = 254,
	CONFIG_PATH_BYTES = 4096,
	CONFIG_SERVERS_MAX = 8,
	CONFIG_SERVER_BYTES = 64,
	CONFIG_PLACES_MAX = 8,
	CONFIG_URL_BYTES = 256,
	CONFIG_COMMAND_WORDS = 16,
	CONFIG_COMMAND_BYTES = 480,	/* all its words, each with its NUL */
};

enum { CONFIG_IPV4 = 1, CONFIG_IPV6 = 2 };	/* bits of a set of families */

enum config_source {
	CONFIG_OFF, CONFIG_INTERFACE,
	/* from outside, where the interface's own address is not global */
	CONFIG_HTTP, CONFIG_DNS, CONFIG_COMMAND, CONFIG_PCP, CONFIG_UPNP,
};

/* Who is asked from which address we come. */
struct config_place {
	char where[CONFIG_URL_BYTES];	/* HTTP: the URL; DNS: the server */
	char name[CONFIG_HOSTNAME_BYTES];	/* DNS: what is asked for */
	char type[5], class[3];		/* DNS: "A", "AAAA", "TXT"; "IN", "CH" */
};

/* What a source from outside needs; the others have none. */
struct config_outside {
	struct config_place places[CONFIG_PLACES_MAX];	/* HTTP, DNS */
	size_t place_count;
	unsigned agree;			/* so many places must say the same */
	/* COMMAND: its words, each with its NUL; the first is an absolute path */
	char command[CONFIG_COMMAND_BYTES];
	size_t command_bytes;
};

struct config_wan {
	char name[CONFIG_LABEL_BYTES];
	char interface[IFNAMSIZ];	/* "": that of the default route */
	char *tag;
	enum config_source ipv4, ipv6;
	struct config_outside *outside4, *outside6;	/* NULL: none is needed */
	/*
	 * 1 to 128: IPv6 rules take over only so many leading bits, those of the prefix
	 * that the link `prefix_from` has, and keep the others; 0: whole addresses.
	 */
	unsigned keep_bits;
	unsigned prefix_bits;		/* "prefix_length", also where rules keep nothing */
	char prefix_from[IFNAMSIZ];	/* "": the WAN's own link */
	bool has_hosts;			/* a name's "ipv6_suffix" goes behind the prefix */
	int64_t grace_ms;
	bool bind;
};

/* The one of who reads the kernel by himself and finds no configuration. */
extern const struct config_wan config_assumed_wan;

struct config_hostname {
	char name[CONFIG_HOSTNAME_BYTES];	/* lower case, no trailing dot */
	unsigned families;		/* 0: what the WAN has and the provider takes */
	/*
	 * The low bits of another host, to be put behind the WAN's prefix; none: the name
	 * is the WAN's own.
	 */
	struct addr ipv6_suffix;
};

struct config_setting {			/* one of the catalogue's settings of this type */
	char name[CATALOGUE_NAME_BYTES];
	struct secret value;		/* all are treated as secrets on their way */
	bool is_secret;			/* as the catalogue says: hidden when printed */
	char *env;			/* the variable it was read from; NULL: none */
};

struct config_provider {
	char type[CONFIG_LABEL_BYTES];
	char name[CONFIG_LABEL_BYTES];
	size_t wan;			/* index into wans */
	unsigned families;		/* CONFIG_IPV4 | CONFIG_IPV6; 0: not said */
	struct config_hostname *hostnames;
	size_t hostname_count;
	struct config_setting *settings;	/* defaults of the description included */
	size_t setting_count;
	char *description;		/* the catalogue's JSON text, compact; NULL: broken */
	/*
	 * The mistake in a description of the user's own, as "FILE:LINE:COLUMN: ..."; NULL:
	 * none. Of such an entry only type, name, WAN and host names are known; its records
	 * are disabled.
	 */
	char *broken;
	struct catalogue_facts facts;	/* what the core needs of it */
	int64_t refresh_ms;		/* 0: never; else the catalogue's unless set */
	int64_t min_interval_ms;	/* likewise */
	int64_t timeout_ms;		/* of one request, default 30 s */
	char *user_agent;		/* NULL: ours */
	char *ca_file;			/* where ca_pem came from, for people */
	char *ca_pem;			/* NULL: the system's; else PEM text */
	bool private_server, allow_private, check;
	bool insecure_http;		/* what this entry sends goes over plain HTTP */
};

struct config_table {
	char text[300];			/* "FAMILY:NAME", checked */
};

struct config {
	/* whom providers may write to, an address or a URL; NULL: not said */
	char *contact;
	char *user_agent;		/* ours with the contact; NULL where that is */
	struct config_wan *wans;
	size_t wan_count;
	struct {
		bool enabled;
		struct config_table *tables;
		size_t table_count;
		bool add_missing, conntrack, filter;
		char names[32];		/* what a comment begins with; "": none does */
		long max;
	} nat;
	struct config_provider *providers;
	size_t provider_count;
	struct {
		int64_t check_every_ms;
	/* ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT */
		char servers[CONFIG_SERVERS_MAX][CONFIG_SERVER_BYTES];
		size_t server_count;
		bool verify;
	} dns;
	struct {
		char directory[CONFIG_PATH_BYTES];	/* "": no hooks */
		int64_t timeout_ms;
		char user[32];
	} hooks;
	struct {
		int level;
		bool to_syslog;
	} log;
	struct {
		char socket[CONFIG_PATH_BYTES];
		char group[32];
		char admin_group[32];
	} control;
	char state_directory[CONFIG_PATH_BYTES];
	char metrics_textfile[CONFIG_PATH_BYTES];	/* "": off */
	bool metrics_addresses;
};

/*
 * The mistakes, as people read them: "FILE:LINE:COLUMN: error: ..." then the line of the
 * file and a caret (never a line that may hold a secret: then only the place). Many in
 * one run. Begins as {.text = TEXT_INIT}.
 */
struct config_problems {
	struct text text;
	unsigned errors, warnings;
	unsigned broken;		/* errors that disable an entry and nothing else */
};
void config_problems_done(struct config_problems *problems);

struct config_load {
	const char *path;		/* NULL: the default file, which may be missing */
	/* Directories of descriptions, first wins; ends with NULL. */
	const char *const *catalogue;
	bool strict;			/* warnings about exposed secrets are errors */
};

/*
 * Opens and checks everything. -EINVAL: `problems` has errors and `ret_config` is
 * untouched; -ENOMEM likewise. On success a variable that held a secret ("env") is
 * overwritten and removed in this process's environment: whoever loads again puts it back
 * before. Warnings, and entries whose descriptions are broken, can come with success too.
 *
 * After the file (also where the default one does not exist) conf.d/NAME.json beside it
 * are read in the order of their names: sections are merged key by key, `wans` and
 * `providers` appended. A path that does not begin with '/' is meant from the directory
 * of the file it stands in.
 */
int config_load(const struct config_load *load, struct config **ret_config,
		struct config_problems *problems) must_check;

/* The effective document back. Fails only on text that config_print() did not write. */
int config_parse(const char *text, size_t length, struct config **ret_config,
		 struct err *ret_err) must_check;

/* Frees everything and wipes secrets; NULL is fine. */
void config_free(struct config *config);

enum config_print { CONFIG_HIDE, CONFIG_REVEAL };

/*
 * The effective configuration as strict JSON, every default spelled out. CONFIG_HIDE: for
 * people, secrets as "(hidden)". NULL: no memory. The caller frees; wipe it before if
 * revealed.
 */
char *config_print(const struct config *config, enum config_print secrets);

/* What its requests are to say; NULL: what was built in. */
const char *config_user_agent(const struct config *config,
			      const struct config_provider *provider);

/* NULL: not set. */
const struct config_setting *config_setting_find(const struct config_provider *provider,
						 const char *name);

/* "interface", "http", ... */
const char *config_source_name(enum config_source source);
static inline bool config_is_outside(enum config_source source)
{
	return source > CONFIG_INTERFACE;
}

#endif
