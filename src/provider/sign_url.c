/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/secret.h"
#include "place.h"
#include "sign_parts.h"

/* Bytes within the URL. */
struct piece {
	const char *at;
	size_t length;
};

static bool is_one_of(char c, const char *bytes)
{
	return c != '\0' && strchr(bytes, c);
}

static bool is_word_byte(char c)
{
	return isascii(c) && isalnum(c);
}

static bool is_host_byte(char c, bool bracket)
{
	if (bracket)
		return isascii(c) && (isxdigit(c) || is_one_of(c, ":."));
	return is_word_byte(c) || is_one_of(c, "-._");
}

/* What RFC 3986 lets stand in a path or query as it is. */
static bool is_url_byte(char c)
{
	return is_word_byte(c) || is_one_of(c, "-._~:/?@!$&'()*,;=+");
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* `plain` has room for the piece and a NUL. */
static bool decode(struct piece piece, char *plain)
{
	for (size_t i = 0; i < piece.length; i++) {
		char c = piece.at[i];

		if (c == '%') {
			int high = i + 2 < piece.length ? hex_value(piece.at[i + 1]) : -1;
			int low = high >= 0 ? hex_value(piece.at[i + 2]) : -1;

			if (low < 0 || (high | low) == 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (!is_url_byte(c)) {
			return false;
		}
		*plain++ = c;
	}
	*plain = '\0';
	return true;
}

/* Decoded and encoded again. False: no URL, or a control character in disguise. */
static bool add_canonical(struct text *out, struct piece piece)
{
	char *plain = malloc(piece.length + 1);
	bool fine;

	if (!plain) {
		out->failed = true;
		return true;
	}
	*plain = '\0';
	fine = decode(piece, plain) && place_add(out, PLACE_URL, plain);
	secret_wipe(plain, piece.length + 1);
	free(plain);
	return fine;
}

/* Takes what comes before any of `ends` off the front. */
static struct piece take_until(const char **at, const char *ends)
{
	struct piece piece = { *at, strcspn(*at, ends) };

	*at += piece.length;
	return piece;
}

/* The name or, in brackets, IPv6 address that it begins with. 0: neither. */
static size_t host_length(struct piece authority)
{
	bool bracket = authority.length > 0 && authority.at[0] == '[';
	size_t length = bracket;

	while (length < authority.length &&
	       is_host_byte(authority.at[length], bracket))
		length++;
	if (!bracket)
		return length;
	if (length < 3 || length == authority.length || authority.at[length] != ']')
		return 0;
	return length + 1;
}

/* Nothing, or ':' and digits. */
static bool port_is_fine(struct piece port)
{
	if (port.length == 0)
		return true;
	if (port.at[0] != ':' || port.length < 2 || port.length > 6)
		return false;
	for (size_t i = 1; i < port.length; i++)
		if (!isdigit((unsigned char)port.at[i]))
			return false;
	return true;
}

/* libcurl leaves the scheme's own port out of the header. */
static char *host_new(struct piece authority, struct piece port, const char *own_port)
{
	if (port.length == strlen(own_port) && memcmp(port.at, own_port, port.length) == 0)
		return strndup(authority.at, authority.length - port.length);
	return strndup(authority.at, authority.length);
}

static int read_path(struct sign_url *url)
{
	struct text path = TEXT_INIT;
	const char *at = url->sent_path;

	while (*at == '/') {
		size_t begin = path.length + 1;
		struct piece segment;

		at++;
		segment = take_until(&at, "/");
		text_add_char(&path, '/');
		if (!add_canonical(&path, segment) ||
		    (!path.failed && (strcmp(path.bytes + begin, ".") == 0 ||
				      strcmp(path.bytes + begin, "..") == 0))) {
			sign_wipe_text(&path);
			return -EINVAL;
		}
	}
	url->path = text_take(&path);
	return url->path ? 0 : -ENOMEM;
}

static int add_parameter(struct sign_url *url, struct piece name, struct piece value)
{
	struct sign_parameter *parameter = &url->query[url->query_count];
	struct text names = TEXT_INIT, values = TEXT_INIT;

	if (url->query_count == SIGN_QUERY_MAX || name.length == 0)
		return -EINVAL;
	if (!add_canonical(&names, name) || !add_canonical(&values, value)) {
		sign_wipe_text(&names);
		sign_wipe_text(&values);
		return -EINVAL;
	}
	parameter->name = text_take(&names);
	parameter->value = text_take(&values);
	url->query_count++;
	if (!parameter->name || !parameter->value)
		return -ENOMEM;
	for (size_t i = 0; i + 1 < url->query_count; i++)
		if (strcmp(url->query[i].name, parameter->name) == 0)
			return -EINVAL;
	return 0;
}

static int read_query(struct sign_url *url, const char *at)
{
	while (*at) {
		struct piece name, value;
		int r;

		at++;			/* '?' or '&' */
		name = take_until(&at, "=&");
		if (*at == '=')
			at++;
		value = take_until(&at, "&");
		if (memchr(name.at, '+', name.length) ||
		    memchr(value.at, '+', value.length))
			return -EINVAL;
		r = add_parameter(url, name, value);
		if (r < 0)
			return r;
	}
	return 0;
}

static char *base_new(const char *string, size_t length, bool add_slash)
{
	char *base = malloc(length + 2);

	if (!base)
		return NULL;
	memcpy(base, string, length);
	base[length] = '/';
	base[length + add_slash] = '\0';
	return base;
}

static int read_parts(const char *string, struct sign_url *url)
{
	bool https = strncmp(string, "https://", 8) == 0;
	struct piece authority, port, path;
	size_t host, front;
	const char *at;
	int r;

	if (!https && strncmp(string, "http://", 7) != 0)
		return -EINVAL;
	at = string + (https ? 8 : 7);
	authority = take_until(&at, "/?#");
	path = take_until(&at, "?#");
	host = host_length(authority);
	port = (struct piece){ authority.at + host, authority.length - host };
	if (host == 0 || !port_is_fine(port) || strchr(at, '#') || strcmp(at, "?") == 0)
		return -EINVAL;
	front = (size_t)(authority.at + authority.length - string);
	url->host = host_new(authority, port, https ? ":443" : ":80");
	url->base = base_new(string, front + path.length, path.length == 0);
	if (!url->host || !url->base)
		return -ENOMEM;
	url->sent_path = url->base + front;
	r = read_path(url);
	return r < 0 ? r : read_query(url, at);
}

int sign_url_read(const char *url, struct sign_url *ret_url, struct err *ret_err)
{
	int r;

	memset(ret_url, 0, sizeof(*ret_url));
	r = strlen(url) > CATALOGUE_MAX_BYTES ? -EINVAL : read_parts(url, ret_url);
	if (r == -EINVAL)
		return err_set(ret_err, r, "a request with this URL cannot be signed");
	return r < 0 ? err_set(ret_err, r, "no memory for a signature") : 0;
}

void sign_url_done(struct sign_url *url)
{
	for (size_t i = 0; i < url->query_count; i++) {
		secret_free(url->query[i].name);
		secret_free(url->query[i].value);
	}
	secret_free(url->base);
	secret_free(url->host);
	secret_free(url->path);
	memset(url, 0, sizeof(*url));
}

int sign_url_add(struct sign_url *url, const char *name, const char *value)
{
	struct text names = TEXT_INIT, values = TEXT_INIT;
	int r = -EINVAL;

	if (place_add(&names, PLACE_URL, name) && place_add(&values, PLACE_URL, value))
		r = names.failed || values.failed ? -ENOMEM :
		    add_parameter(url, (struct piece){ names.bytes, names.length },
				  (struct piece){ values.bytes, values.length });
	sign_wipe_text(&names);
	sign_wipe_text(&values);
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct sign_parameter *one = a, *other = b;

	return strcmp(one->name, other->name);
}

void sign_url_query(struct sign_url *url, struct text *out)
{
	qsort(url->query, url->query_count, sizeof(url->query[0]), compare);
	for (size_t i = 0; i < url->query_count; i++) {
		if (i > 0)
			text_add_char(out, '&');
		text_add(out, url->query[i].name);
		text_add_char(out, '=');
		text_add(out, url->query[i].value);
	}
}
