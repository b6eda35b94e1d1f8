/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/tag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Whether the expression stands for itself: then the C library's search does, which
 * takes a tenth of the time, once for every rule in the kernel. Bytes above 127 are a
 * matter of the locale.
 */
static bool is_literal(const char *pattern)
{
	for (; *pattern; pattern++) {
		if (*pattern < ' ' || *pattern > '~' ||
		    strchr("\\^$.[]|()*+?{}", *pattern))
			return false;
	}
	return true;
}

static int tag_compile(struct tag *tag, struct err *ret_err)
{
	char sentence[200];
	/* NOLINTNEXTLINE(*Malloc): of a failure the caller frees the pattern */
	int code = regcomp(&tag->expression, tag->pattern, REG_EXTENDED);

	if (code) {
		regerror(code, &tag->expression, sentence, sizeof(sentence));
		return err_set(ret_err, code == REG_ESPACE ? -ENOMEM : -EINVAL,
			       "no regular expression: %s", sentence);
	}
	if (regexec(&tag->expression, "", 0, NULL, 0) != 0)
		return 0;
	regfree(&tag->expression);
	return err_set(ret_err, -EINVAL,
		       "a tag that matches an empty text would match every comment");
}

int tag_init(struct tag *tag, const char *pattern, struct err *ret_err)
{
	struct tag fresh = { 0 };
	int result = 0;

	if (!pattern[0])
		return err_set(ret_err, -EINVAL,
			       "an empty tag would match every comment");
	if (strlen(pattern) > TAG_MAX_BYTES)
		return err_set(ret_err, -EINVAL, "a tag has at most %d bytes",
			       TAG_MAX_BYTES);
	fresh.pattern = strdup(pattern);
	if (!fresh.pattern)
		return err_set_errno(ret_err, -ENOMEM, "tag");
	if (is_literal(pattern))
		fresh.literal_bytes = strlen(pattern);
	else
		result = tag_compile(&fresh, ret_err);
	if (result < 0) {
		free(fresh.pattern);
		return result;
	}
	*tag = fresh;
	return 0;
}

void tag_done(struct tag *tag)
{
	if (!tag->pattern)
		return;
	if (!tag->literal_bytes)
		regfree(&tag->expression);
	free(tag->pattern);
	*tag = (struct tag){ 0 };
}

int tag_match(const struct tag *tag, const char *comment)
{
	regmatch_t found;

	if (tag->literal_bytes)
		return strstr(comment, tag->pattern) ? (int)tag->literal_bytes
						     : TAG_NO_MATCH;
	if (regexec(&tag->expression, comment, 1, &found, 0) != 0 ||
	    found.rm_so == found.rm_eo)
		return TAG_NO_MATCH;
	return (int)(found.rm_eo - found.rm_so);
}

int tag_select(const struct tag *const *tags, size_t count, const char *comment)
{
	int chosen = TAG_NO_MATCH, longest = -1;

	for (size_t i = 0; i < count; i++) {
		int length = tag_match(tags[i], comment);

		if (length < 0 || length < longest)
			continue;
		chosen = length == longest ? TAG_AMBIGUOUS : (int)i;
		longest = length;
	}
	return chosen;
}
