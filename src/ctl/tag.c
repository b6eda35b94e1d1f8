/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hairpinctl tag: the tag goes into one rule's comment. */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/config.h"
#include "hairpin/nft.h"
#include "plain.h"

struct tag_job {
	struct nft_tagging wish;
	struct tag tag;
	struct nft_tagged tagged;
	bool already;
};

static bool tag_parse_handle(const char *text, uint64_t *ret_handle)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret_handle = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *ret_handle;
}

static int tag_read_words(struct tag_job *job, const char *const *words,
			  struct err *ret_err)
{
	struct nft_tagging *wish = &job->wish;

	wish->family = nft_family_parse(words[0]);
	if (wish->family < 0)
		return err_set(ret_err, -EINVAL,
			       "the first word is to be the family, ip, ip6 or inet");
	wish->table = words[1];
	wish->chain = words[2];
	if (strlen(wish->table) >= NFT_NAME_BYTES || strlen(wish->chain) >= NFT_NAME_BYTES)
		return err_set(ret_err, -EINVAL, "no table or chain has so long a name");
	if (!tag_parse_handle(words[3], &wish->handle))
		return err_set(ret_err, -EINVAL,
			       "the last word is to be the rule's handle, a number; \"nft "
			       "-a list chain\" shows it");
	return 0;
}

/*
 * The word is the tag itself, or the fifth word, which must be found by it. With several
 * WANs that word says whose the rule is.
 */
static int tag_choose(struct tag_job *job, const struct config *config, const char *given,
		      struct err *ret_err)
{
	const char *pattern = config && config->wan_count ? config->wans[0].tag : "hairpin";
	size_t i;
	int rc = -ENOENT;

	for (i = 0; given && config && rc < 0 && i < config->wan_count; i++) {
		rc = tag_init(&job->tag, config->wans[i].tag, ret_err);
		if (rc < 0)
			return rc;
		if (tag_match(&job->tag, given) == TAG_NO_MATCH) {
			tag_done(&job->tag);
			rc = -ENOENT;
		}
	}
	if (rc < 0)
		rc = tag_init(&job->tag, pattern, ret_err);
	if (rc < 0)
		return rc;
	job->wish.tag = &job->tag;
	job->wish.word = given ? given : pattern;
	if (tag_match(&job->tag, job->wish.word) != TAG_NO_MATCH)
		return 0;
	tag_done(&job->tag);
	return err_set(ret_err, -EINVAL,
		       given ? "no WAN's tag is found in that word"
			     : "the WAN's tag is an expression: say behind the handle "
			       "which word it is to find");
}

static int tag_do(struct tag_job *job, struct err *ret_err)
{
	struct nft *nft;
	int rc = nft_new(&nft, ret_err);

	if (rc == 0) {
		rc = nft_tag_rule(nft, &job->wish, &job->tagged, ret_err);
		nft_free(nft);
	}
	job->already = rc == -EALREADY;
	return job->already ? 0 : rc;
}

static void tag_add_comment(struct json *answer, const char *key, const char *comment)
{
	char shown[4 * NFT_COMMENT_BYTES];

	json_add_string(answer, key,
			text_escape(shown, sizeof(shown), comment, strlen(comment)));
}

static int tag_show_json(const struct tag_job *job, const struct ctl_view *view)
{
	struct json *answer = json_new_object();
	int status;

	json_add_string(answer, "family", nft_family_name(job->wish.family));
	tag_add_comment(answer, "table", job->wish.table);
	tag_add_comment(answer, "chain", job->wish.chain);
	json_add_integer(answer, "handle", (int64_t)job->wish.handle);
	json_add_bool(answer, "changed", !job->already);
	tag_add_comment(answer, "old", job->tagged.old);
	tag_add_comment(answer, "comment", job->already ? job->tagged.old
							: job->tagged.new);
	status = run_print_object(answer, view);
	json_free(answer);
	return status;
}

static int tag_show(const struct tag_job *job, const struct ctl_view *view)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	TEXT_CLEANUP struct text out = TEXT_INIT;

	text_addf(&line, "%s ", nft_family_name(job->wish.family));
	plain_foreign(&line, job->wish.table);
	text_add_char(&line, ' ');
	plain_foreign(&line, job->wish.chain);
	text_addf(&line, " %" PRIu64 ": %s \"", job->wish.handle,
		  job->already ? "is tagged already:" : "comment is now");
	plain_foreign(&line, job->already ? job->tagged.old : job->tagged.new);
	text_add_char(&line, '"');
	plain_wrap(&out, view, 0, 2, line.bytes);
	if (!job->already)
		plain_wrap(&out, view, 0, 2,
			   "So it is in the kernel only. Put the same comment into the "
			   "firewall's file, or the next reload of the firewall takes "
			   "it away; \"hairpinctl doctor\" finds the line.");
	if (line.failed)
		out.failed = true;
	return run_print(&out);
}

int run_tag(const struct ctl_options *options, const struct ctl_view *view)
{
	struct tag_job job = { .already = false };
	struct config *config;
	struct err note, err;
	int status, rc = tag_read_words(&job, options->words, &err);

	if (rc < 0)
		return run_complain(CTL_USAGE, err.text);
	config = ctl_configuration(&options->look, &note);
	if (!config && options->look.config_path)
		return run_complain(CTL_USAGE, note.text);
	rc = tag_choose(&job, config, options->words[4], &err);
	if (rc < 0) {
		status = run_complain(CTL_USAGE, err.text);
	} else {
		rc = tag_do(&job, &err);
		status = rc == -EPERM ? run_complain(CTL_FAILED, "only root may do that")
			 : rc < 0     ? run_complain(CTL_FAILED, err.text)
			 : options->json ? tag_show_json(&job, view)
					 : tag_show(&job, view);
		tag_done(&job.tag);
	}
	config_free(config);
	return status;
}
