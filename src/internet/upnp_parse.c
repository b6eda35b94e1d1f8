/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "upnp_parse.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "hairpin/text.h"

#ifdef HAIRPIN_UPNP
#include <miniupnpc/igd_desc_parse.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpreplyparse.h>
#endif

enum { BODY_MAX = 64 * 1024 };		/* of a description; real ones have 5 KiB */

/* --- URLs --- */

static bool part_is(CURLU *url, CURLUPart part, const char *wanted)
{
	char *found = NULL;
	bool same = curl_url_get(url, part, &found, 0) == CURLUE_OK &&
		    strcmp(found, wanted) == 0;

	curl_free(found);
	return same;
}

/* `relative` as seen from `base`; it must stay on the host, without user or fragment. */
static bool url_resolve(const char *base, const char *relative, const char *host,
			char out[UPNP_URL_BYTES])
{
	CURLU *url = curl_url();
	char *user = NULL, *text = NULL;
	bool good;

	good = url && (!base || curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK) &&
	       curl_url_set(url, CURLUPART_URL, relative, 0) == CURLUE_OK &&
	       part_is(url, CURLUPART_SCHEME, "http") &&
	       part_is(url, CURLUPART_HOST, host) &&
	       curl_url_get(url, CURLUPART_USER, &user, 0) != CURLUE_OK &&
	       curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK &&
	       text_copy(out, UPNP_URL_BYTES, text);
	curl_free(user);
	curl_free(text);
	curl_url_cleanup(url);
	return good;
}

bool upnp_read_location(const void *bytes, size_t length, const char *host,
			char ret_url[UPNP_URL_BYTES])
{
	static const char key[] = "LOCATION:";
	const char *line = bytes, *end = line + length, *next;
	char value[UPNP_URL_BYTES];
	size_t size;

	for (; line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		if (!next)
			return false;
		size = (size_t)(next - line);
		if (size < sizeof(key) || strncasecmp(line, key, sizeof(key) - 1) != 0)
			continue;
		line += sizeof(key) - 1;
		size -= sizeof(key) - 1;
		while (size > 0 && (*line == ' ' || *line == '\t')) {
			line++;
			size--;
		}
		while (size > 0 && (line[size - 1] == '\r' || line[size - 1] == ' '))
			size--;
		if (size >= sizeof(value) || memchr(line, '\0', size))
			return false;
		memcpy(value, line, size);
		value[size] = '\0';
		return url_resolve(NULL, value, host, ret_url);
	}
	return false;
}

#ifdef HAIRPIN_UPNP

/* --- descriptions and answers --- */

static bool is_known(const char *type)
{
	static const char *const known[] = {
		"urn:schemas-upnp-org:service:WANIPConnection:1",
		"urn:schemas-upnp-org:service:WANIPConnection:2",
		"urn:schemas-upnp-org:service:WANPPPConnection:1",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(type, known[i]) == 0)
			return true;
	return false;
}

static bool take_service(const struct IGDdatas_service *found, const char *base,
			 const char *host, struct upnp_service *service)
{
	return is_known(found->servicetype) && found->controlurl[0] &&
	       url_resolve(base, found->controlurl, host, service->url) &&
	       text_copy(service->type, sizeof(service->type), found->servicetype);
}

size_t upnp_read_services(const void *bytes, size_t length, const char *location,
			  struct upnp_service services[UPNP_SERVICES_MAX])
{
	struct IGDdatas datas = { 0 };
	CURLU *url = curl_url();
	char base[UPNP_URL_BYTES], *host = NULL;
	size_t count = 0;

	if (!url || length > BODY_MAX ||
	    curl_url_set(url, CURLUPART_URL, location, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
		curl_url_cleanup(url);
		return 0;
	}
	parserootdesc(bytes, (int)length, &datas);
	/* A base that leads elsewhere is none. */
	if (!datas.urlbase[0] || !url_resolve(location, datas.urlbase, host, base))
		(void)text_copy(base, sizeof(base), location);
	count += take_service(&datas.first, base, host, &services[count]);
	count += take_service(&datas.second, base, host, &services[count]);
	curl_free(host);
	curl_url_cleanup(url);
	return count;
}

bool upnp_read_address(const void *bytes, size_t length, struct addr *ret_address)
{
	struct NameValueParserData data = { 0 };
	const char *value;
	bool good;

	if (length > BODY_MAX)
		return false;
	ParseNameValue(bytes, (int)length, &data);
	value = GetValueFromNameValueList(&data, "NewExternalIPAddress");
	good = value && addr_parse_alone(value, strlen(value), ret_address) &&
	       !addr_is_none(ret_address);
	ClearNameValueList(&data);
	return good;
}

#endif
