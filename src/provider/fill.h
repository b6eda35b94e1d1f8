/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Templates: the values that those of one request, or of its answer, see.
 *
 * A fill is made for a session; before each request it is told of whom that speaks and
 * when. Values that are made of others follow at once.
 */
#ifndef PROVIDER_FILL_H
#define PROVIDER_FILL_H

#include "hairpin/catalogue.h"
#include "hairpin/err.h"
#include "hairpin/provider.h"
#include "hairpin/text.h"
#include "place.h"

enum {
	/* all that the steps of a description may read, and what a signer makes */
	FILL_READS_MAX = CATALOGUE_STEPS_MAX * CATALOGUE_READS_MAX + 1,
	FILL_READ_BYTES = 8192,		/* the longest value from an answer */
};

/* A name of a request and the addresses that it is to have; none: not of this request. */
struct fill_name {
	const char *hostname;
	struct addr ipv4, ipv6;
};

/* A value that came from an answer, a memo or a signer. */
struct fill_read {
	char name[CATALOGUE_NAME_BYTES];
	char *value;
};

/* Everything a request may say; "" in `page` and `hostnames` are values too. */
struct fill {
	const struct catalogue *catalogue;
	const struct provider_value *settings;	/* borrowed */
	size_t setting_count;
	const struct fill_name *names;		/* borrowed */
	size_t name_count;
	struct addr ipv4, ipv6;			/* of the first name */
	struct fill_read reads[FILL_READS_MAX];
	size_t read_count;
	char *values[CATALOGUE_VALUES_MAX];	/* NULL: cannot be made */
	char *hostnames, *page;			/* NULL: not known */
	const char *each;			/* the filled records of a body, NULL */
	char owner[MESSAGE_HOSTNAME_BYTES];	/* "@" for the zone itself, "": not known */
	char ipv4_text[ADDR_TEXT_BYTES], ipv6_text[ADDR_TEXT_BYTES];
	char unix_time[24], iso_time[24], http_date[32], uuid[37], nonce[17];
	bool failed;				/* no memory */
};

void fill_init(struct fill *fill, const struct catalogue *catalogue,
	       const struct provider_value *settings, size_t setting_count);
void fill_done(struct fill *fill);	/* wipes and frees */

/* `names` is borrowed until it is set again. */
void fill_set_names(struct fill *fill, const struct fill_name *names, size_t count);
void fill_set_moment(struct fill *fill, const struct provider_moment *moment);
void fill_set_page(struct fill *fill, const char *page);	/* copies; NULL: none */
/* Copies; NULL: forgets it. False: too long, or no memory. */
bool fill_set_read(struct fill *fill, const char *name, const char *value);
void fill_forget_reads(struct fill *fill);

/*
 * The value of {name}: built in, setting, value of the description, or read by an earlier
 * step. NULL: not known. Lives as long as `fill`, until the next request.
 */
const char *fill_find(const struct fill *fill, const char *name);

/* Is it known, and not empty? */
bool fill_knows(const struct fill *fill, const char *name);

/* Is the first name the zone itself? */
bool fill_is_apex(const struct fill *fill);

/*
 * Appends the template with every value written as `place` asks. -ENODATA: a value is
 * missing; -EINVAL: it may not stand there. `ret_err` says which.
 */
int fill_template(const struct fill *fill, const char *template, enum place place,
		  struct text *out, struct err *ret_err) must_check;

/*
 * The same in a string of its own, without copies of secrets left behind; the caller
 * wipes and frees.
 */
int fill_new(const struct fill *fill, const char *template, enum place place,
	     char **ret_string, struct err *ret_err) must_check;

#endif
