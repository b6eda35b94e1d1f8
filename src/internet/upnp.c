/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UPnP Internet Gateway Device: SSDP finds the router, its description says where its
 * service is, and that is asked for the external address. Where the link has a gateway only
 * that one is listened to: others on the link are strangers.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/http.h"
#include "hairpin/text.h"
#include "outside.h"
#include "upnp_parse.h"

#ifdef HAIRPIN_UPNP

enum { SSDP_PORT = 1900, SSDP_TRIES = 3, SSDP_BYTES_MAX = 2048, READS_MAX = 16,
       HTTP_MS = 5000 };

#define SSDP_WAIT_S 1.0

struct upnp {
	struct outside outside;		/* first */
	struct http *http;
	int fd;
	ev_io io;
	ev_timer again;
	unsigned tries;
	struct addr gateway;		/* none: whoever answers first */
	struct http_exchange *exchange;
	char location[UPNP_URL_BYTES];
	struct upnp_service services[UPNP_SERVICES_MAX];
	size_t service_count, service;	/* found, and the one that is asked */
};

static void upnp_free(struct outside *outside)
{
	struct upnp *upnp = (struct upnp *)outside;

	ev_io_stop(outside->loop, &upnp->io);
	ev_timer_stop(outside->loop, &upnp->again);
	http_stop(upnp->exchange);
	if (upnp->fd >= 0)
		close(upnp->fd);
	free(upnp);
}

/* --- the service --- */

static void ask_service(struct upnp *upnp);

static void on_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	ask_service(timer->data);
}

/* In a turn of its own: the request before has its last word just now. */
static void take_turn(struct upnp *upnp)
{
	ev_set_cb(&upnp->again, on_turn);
	ev_timer_set(&upnp->again, 0., 0.);
	ev_timer_start(upnp->outside.loop, &upnp->again);
}

static void on_address(void *context, const struct http_reply *reply)
{
	struct upnp *upnp = context;
	struct addr address;

	upnp->exchange = NULL;
	if (reply->outcome == HTTP_REPLY && reply->status == 200 && !reply->cut &&
	    upnp_read_address(reply->body, reply->length, &address)) {
		outside_found(&upnp->outside, &address);
		return;
	}
	upnp->service++;
	take_turn(upnp);
}

static struct http_request request_of(const struct upnp *upnp, const char *method,
				      const char *url)
{
	return (struct http_request){
		.method = method, .url = url, .family = AF_INET,
		.interface = upnp->outside.interface, .timeout_ms = HTTP_MS,
		.private_server = true, .insecure_http = true, .near = true,
	};
}

static void ask_service(struct upnp *upnp)
{
	const struct upnp_service *service = &upnp->services[upnp->service];
	TEXT_CLEANUP struct text action = TEXT_INIT;
	TEXT_CLEANUP struct text body = TEXT_INIT;
	struct http_request request = request_of(upnp, "POST", service->url);
	const char *headers[] = { "Content-Type: text/xml; charset=\"utf-8\"", NULL };

	if (upnp->service == upnp->service_count) {
		outside_failed(&upnp->outside, OUTSIDE_NONSENSE,
			       "does not tell its external address");
		return;
	}
	text_addf(&action, "SOAPAction: \"%s#GetExternalIPAddress\"", service->type);
	text_addf(&body,
		  "<?xml version=\"1.0\"?>\r\n"
		  "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
		  "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">"
		  "<s:Body><u:GetExternalIPAddress xmlns:u=\"%s\"/></s:Body>"
		  "</s:Envelope>\r\n", service->type);
	headers[1] = action.bytes;
	request.headers = headers;
	request.header_count = 2;
	request.body = body.bytes;
	if (action.failed || body.failed ||
	    http_start(upnp->http, &request, on_address, upnp, &upnp->exchange, NULL) < 0)
		outside_failed(&upnp->outside, OUTSIDE_NONSENSE,
			       "names a service that cannot be asked");
}

/* --- the description --- */

static void on_description(void *context, const struct http_reply *reply)
{
	struct upnp *upnp = context;

	upnp->exchange = NULL;
	if (reply->outcome == HTTP_REPLY && reply->status == 200 && !reply->cut)
		upnp->service_count = upnp_read_services(reply->body, reply->length,
							 upnp->location, upnp->services);
	take_turn(upnp);
}

static void ask_description(struct upnp *upnp)
{
	struct http_request request = request_of(upnp, "GET", upnp->location);

	ev_io_stop(upnp->outside.loop, &upnp->io);
	ev_timer_stop(upnp->outside.loop, &upnp->again);
	if (http_start(upnp->http, &request, on_description, upnp, &upnp->exchange, NULL) <
	    0)
		outside_failed(&upnp->outside, OUTSIDE_NONSENSE,
			       "has a description that cannot be fetched");
}

/* --- finding the router --- */

static bool send_to(const struct upnp *upnp, const char *host, const struct addr *address)
{
	static const char *const kinds[] = { "1", "2" };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(SSDP_PORT) };
	bool sent = false;

	memcpy(&to.sin_addr, address->bytes, 4);
	for (size_t i = 0; i < 2; i++) {
		TEXT_CLEANUP struct text packet = TEXT_INIT;

		text_addf(&packet,
			  "M-SEARCH * HTTP/1.1\r\nHOST: %s:%d\r\n"
			  "MAN: \"ssdp:discover\"\r\nMX: 1\r\n"
			  "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:%s\r\n\r\n",
			  host, SSDP_PORT, kinds[i]);
		if (!packet.failed &&
		    sendto(upnp->fd, packet.bytes, packet.length, MSG_NOSIGNAL,
			   (const struct sockaddr *)&to, sizeof(to)) > 0)
			sent = true;
	}
	return sent;
}

/*
 * To the group, and to the gateway alone: its answer to that passes a packet filter that
 * knows connections.
 */
static void search(struct upnp *upnp)
{
	static const struct addr group = { AF_INET, { 239, 255, 255, 250 } };
	char host[ADDR_TEXT_BYTES];
	bool sent = send_to(upnp, addr_format(&group, host), &group);

	if (!addr_is_none(&upnp->gateway))
		sent |= send_to(upnp, addr_format(&upnp->gateway, host), &upnp->gateway);
	upnp->outside.asked |= sent;
	upnp->tries++;
	ev_timer_stop(upnp->outside.loop, &upnp->again);
	ev_timer_set(&upnp->again, SSDP_WAIT_S, 0.);
	ev_timer_start(upnp->outside.loop, &upnp->again);
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct upnp *upnp = timer->data;

	(void)loop;
	(void)events;
	if (upnp->tries < SSDP_TRIES)
		search(upnp);
	else
		outside_failed(&upnp->outside,
			       upnp->outside.asked ? OUTSIDE_SILENCE
						   : OUTSIDE_UNREACHABLE,
			       "finds no router that speaks UPnP");
}

static bool is_router(const struct upnp *upnp, const struct addr *from, const void *bytes,
		      size_t length, char url[UPNP_URL_BYTES])
{
	char host[ADDR_TEXT_BYTES];

	if (!addr_is_none(&upnp->gateway) && !addr_equal(&upnp->gateway, from))
		return false;
	return upnp_read_location(bytes, length, addr_format(from, host), url);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct upnp *upnp = io->data;
	struct sockaddr_in from;
	char bytes[SSDP_BYTES_MAX];

	(void)loop;
	(void)events;
	for (int i = 0; i < READS_MAX; i++) {
		socklen_t size = sizeof(from);
		ssize_t got = recvfrom(upnp->fd, bytes, sizeof(bytes), 0,
				       (struct sockaddr *)&from, &size);
		struct addr sender;

		if (got < 0)
			return;
		sender = addr_from_bytes(AF_INET, &from.sin_addr);
		if (is_router(upnp, &sender, bytes, (size_t)got, upnp->location)) {
			ask_description(upnp);
			return;
		}
	}
}

int outside_upnp_start(const struct outside_question *question, outside_fn *fn,
		       void *context, struct outside **ret_outside)
{
	struct upnp *upnp = calloc(1, sizeof(*upnp));
	int r;

	if (!upnp)
		return -ENOMEM;
	upnp->fd = -1;
	upnp->http = question->http;
	upnp->gateway = question->gateway;
	ev_io_init(&upnp->io, on_readable, -1, EV_READ);
	ev_timer_init(&upnp->again, on_again, 0., 0.);
	upnp->io.data = upnp->again.data = upnp;
	r = outside_init(&upnp->outside, question, fn, context, upnp_free);
	if (r == 0 && question->family != AF_INET)
		r = -EINVAL;
	if (r == 0) {
		upnp->fd = outside_socket(&upnp->outside);
		r = upnp->fd < 0 ? upnp->fd : 0;
	}
	if (r < 0) {
		outside_stop(&upnp->outside);
		return r;
	}
	ev_io_set(&upnp->io, upnp->fd, EV_READ);
	ev_io_start(upnp->outside.loop, &upnp->io);
	search(upnp);
	*ret_outside = &upnp->outside;
	return 0;
}

#else

int outside_upnp_start(const struct outside_question *question, outside_fn *fn,
		       void *context, struct outside **ret_outside)
{
	(void)question;
	(void)fn;
	(void)context;
	(void)ret_outside;
	return -EOPNOTSUPP;
}

#endif
