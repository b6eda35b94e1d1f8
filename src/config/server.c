/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server of a generic type: HOST[:PORT], reached by HTTPS unless the user insists; and
 * whole URLs that users were given for one record.
 */
#include <ctype.h>
#include <string.h>

#include "sections.h"

enum { SERVER_BYTES = 300 };

/* A name, also of one label (self-hosted ones), an IPv4 address or [IPv6]. */
static bool is_host(const char *host, size_t length)
{
	struct addr address;
	char copy[SERVER_BYTES];

	if (length == 0 || length >= 254)
		return false;
	memcpy(copy, host, length);
	copy[length] = '\0';
	if (copy[0] == '[') {
		if (copy[length - 1] != ']')
			return false;
		copy[length - 1] = '\0';
		return addr_parse(copy + 1, &address) &&
		       addr_length_bytes(&address) == 16;
	}
	if (addr_parse(copy, &address))
		return addr_length_bytes(&address) == 4;
	if (copy[0] == '*')
		return false;
	return text_is_hostname(copy) ||
	       (strspn(copy, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
		length < 64);
}

static bool is_host_and_port(const char *text)
{
	const char *port = strrchr(text, ':');
	long number;

	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		port = end && end[1] ? end + 1 : NULL;
		if (port && *port != ':')
			return false;
	}
	if (!port)
		return is_host(text, strlen(text));
	return text_parse_number(port + 1, 1, 65535, &number) &&
	       is_host(text, (size_t)(port - text));
}

/* Lower case, without a slash or dot at the end. */
static bool tidy(char out[SERVER_BYTES], const char *text)
{
	size_t length = strlen(text);

	if (!text_copy(out, SERVER_BYTES, text))
		return false;
	if (length > 0 && out[length - 1] == '/')
		out[--length] = '\0';
	if (length > 0 && out[length - 1] == '.')
		out[--length] = '\0';
	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}

void setting_read_server(struct reading *reading, const struct json *member,
			 struct config_provider *provider, struct secret *value)
{
	const char *text = secret_reveal(value);
	char server[SERVER_BYTES];

	if (strncasecmp(text, "https://", 8) == 0) {
		text += 8;
		provider->insecure_http = false;
	} else if (strncasecmp(text, "http://", 7) == 0) {
		text += 7;
		if (!provider->insecure_http) {
			reading_error(reading, member,
				      "plain HTTP shows the password to "
				      "everybody on the way; write HOST[:PORT] for "
				      "HTTPS, or say "
				      "\"insecure_http\": true");
			return;
		}
	} else if (strstr(text, "://")) {
		reading_error(reading, member,
			      "the server is reached by HTTPS only; write "
			      "HOST[:PORT] without a scheme");
		return;
	}
	if (!tidy(server, text) || !is_host_and_port(server))
		reading_error(reading, member,
			      "\"%s\" is no server; write HOST or HOST:PORT, an "
			      "IPv6 address in brackets, without a path",
			      json_key(member));
	else if (!secret_set(value, server, strlen(server)))
		reading->no_memory = true;
}

/* Is it one whose host and characters are as a URL's? The text behind the scheme. */
static bool is_url_rest(const char *rest)
{
	char server[SERVER_BYTES] = "";
	size_t length = strcspn(rest, "/?");

	if (length == 0 || length >= sizeof server)
		return false;
	for (const char *c = rest; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("\"<>\\^`{|}#", *c))
			return false;
	for (size_t i = 0; i < length; i++)
		server[i] = (char)tolower((unsigned char)rest[i]);
	return is_host_and_port(server);	/* which has no '@' */
}

bool setting_check_url(struct reading *reading, const struct json *member,
		       const struct config_provider *provider, const struct secret *value)
{
	const char *text = secret_reveal(value);
	bool plain = strncmp(text, "http://", 7) == 0;

	if (plain && !provider->insecure_http)
		reading_error(reading, member,
			      "plain HTTP shows what is sent to everybody on the way; "
			      "write https://, or say \"insecure_http\": true");
	else if ((!plain && strncmp(text, "https://", 8) != 0) ||
		 !is_url_rest(text + (plain ? 7 : 8)))
		reading_error(reading, member,
			      "\"%s\" is no URL; copy it as the provider gave it, from "
			      "https:// on, without user, password and fragment",
			      json_key(member));
	return plain;
}
