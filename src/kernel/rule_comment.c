/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rule.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

/* XT_MAX_COMMENT_LEN of linux/netfilter/xt_comment.h; the bytes need no NUL. */
enum { XT_COMMENT_BYTES = 256 };

bool rule_userdata_comment(struct span userdata, uint8_t type, struct span *ret_text)
{
	struct span found = { 0 };
	size_t at = 0;

	while (userdata.length - at >= 2) {
		uint8_t length = userdata.bytes[at + 1];

		if (length > userdata.length - at - 2)
			return false;
		if (userdata.bytes[at] == type && !found.bytes)
			found = (struct span){ userdata.bytes + at + 2, length };
		at += 2 + (size_t)length;
	}
	if (at != userdata.length || !found.bytes || found.length == 0)
		return false;
	if (memchr(found.bytes, '\0', found.length) != found.bytes + found.length - 1)
		return false;
	*ret_text = (struct span){ found.bytes, found.length - 1 };
	return true;
}

static bool xt_comment(struct span name, struct span data, struct span *ret_text)
{
	struct span match, info;

	if (!attr_is(name, "match") ||
	    !attr_string(attr_find(data, NFTA_MATCH_NAME), &match) ||
	    !attr_is(match, "comment"))
		return false;
	info = attr_nest(data, NFTA_MATCH_INFO);
	if (!info.bytes || info.length < XT_COMMENT_BYTES)
		return false;
	ret_text->bytes = info.bytes;
	ret_text->length = strnlen((const char *)info.bytes, XT_COMMENT_BYTES);
	return true;
}

bool rule_comment(struct span userdata, struct span expressions, size_t index,
		  struct span *ret_text)
{
	struct span name, data, text;
	const struct nlattr *element;
	size_t count = 0;

	if (userdata.bytes &&
	    rule_userdata_comment(userdata, RULE_USERDATA_COMMENT, &text) &&
	    count++ == index) {
		*ret_text = text;
		return true;
	}
	if (!expressions.bytes)
		return false;
	attr_for_each(element, expressions) {
		if (rule_expression(element, &name, &data) &&
		    xt_comment(name, data, &text) && count++ == index) {
			*ret_text = text;
			return true;
		}
	}
	return false;
}
