/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptions with several records in one request, with signatures, with DNS UPDATE, with
 * URLs of the user's: what arrives, and each mistake with its sentence.
 */
#include "catalogue_room.h"

static void refuse_all(const char *base, const struct mistake *mistakes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		room_refuses(base, &mistakes[i]);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- several records in one request --- */

static const char each[] =
	"{ 'id': 'each', 'name': 'E', 'status': 'alive',\n"
	"  'settings': {'domain': {'required': true, 'help': 'h'},\n"
	"    'server': {'kind': 'server', 'required': true, 'help': 'h'}},\n"
	"  'values': {'code': {'ipv4': '{ipv4}/32', 'ipv6': '{ipv6}/128'}},\n"
	"  'requests': [ {'method': 'PATCH', 'url': 'https://{server}/z/{domain}',\n"
	"    'body': {'rrsets': ['{each}'], 'n': 1},\n"
	"    'each': {'name': '{hostname}.', 'type': '{rrtype}', 'c': '{ip}', 'd': '{code}'}} ],\n"
	"  'answers': [ {'http': 204, 'means': 'good'}, {'http': 413, 'means': 'split'} ],\n"
	"  'batch': 20 }";

static void records_in_one_request(void **state)
{
	struct catalogue *c = room_describe(each, "'id'", "'id'");

	(void)state;
	assert_int_equal(c->steps[0].family, CATALOGUE_EACH);
	assert_string_equal(c->steps[0].body, "{\"rrsets\":[\"{each}\"],\"n\":1}");
	assert_string_equal(c->steps[0].each,
			    "{\"name\":\"{hostname}.\",\"type\":\"{rrtype}\",\"c\":\"{ip}\","
			    "\"d\":\"{code}\"}");
	assert_string_equal(c->steps[0].join, ",");
	assert_int_equal(c->batch, 20);
	assert_int_equal(c->facts.batch_hostnames, 20);
	assert_true(c->facts.dual && c->facts.own_addresses);
	assert_int_equal(c->facts.families, CONFIG_IPV4 | CONFIG_IPV6);
	assert_int_equal(c->rules[1].verdict, CATALOGUE_SPLIT);
	catalogue_free(c);
	c = room_describe(each,
			  "'body': {'rrsets': ['{each}'], 'n': 1},\n"
			  "    'each': {'name': '{hostname}.', 'type': '{rrtype}', 'c': '{ip}', "
			  "'d': '{code}'}",
			  "'body': 'a{each}b', 'body_type': 'xml', 'join': '\\n', "
			  "'each': '<r>{ip}</r>', 'family': 'each'");
	assert_string_equal(c->steps[0].join, "\n");
	assert_string_equal(c->steps[0].each, "<r>{ip}</r>");
	catalogue_free(c);
}

static const struct mistake each_mistakes[] = {
	{ "['{each}']", "['x{each}']", "it is a whole string" },
	{ "'n': 1", "'{each}': 1", "it is a whole string" },
	{ "'n': 1", "'n': '{each:raw}'", "a value in a JSON body" },
	{ "'n': 1", "'n': '{ip}'", "no meaning in a request for this" },
	{ "'n': 1", "'n': '{code}'", "no meaning in a request for this" },
	{ "'n': 1", "'n': '{hostname}'", "that of the first name alone" },
	{ "['{each}']", "[]", "needs a \"body\" with {each}" },
	{ "'c': '{ip}'", "'c': '{ipv4}'", "no meaning" },
	{ "'c': '{ip}'", "'c': '{hostnames}'", "no meaning" },
	{ "'c': '{ip}'", "'c': '{each}'", "beside \"each\"" },
	{ "'c': '{ip}', 'd': '{code}'", "'c': ''", "the request holds no address" },
	{ "'method': 'PATCH'", "'method': 'PATCH', 'join': '{ip}'", "without placeholders" },
	{ "'method': 'PATCH'", "'method': 'PATCH', 'join': 1", "without placeholders" },
	{ "'method': 'PATCH'", "'method': 'PATCH', 'family': 'ipv4'", "is for \"family\"" },
	{ "'requests': [ ", "'requests': [ {'url': 'https://x.org/{ip}{hostnames}'}, ",
	  "beside \"each\" there can only be" },
	{ "'batch': 20", "'batch': 20, 'address': 'connection'", "a connection has one address" },
	{ "'batch': 20", "'batch': 1", "it needs \"batch\"" },
	{ "/z/{domain}", "/z/{server}", "behind https:// and nowhere else" },
	{ "{server}/z", "{domain}/z", "server is fixed or one setting" },
	{ "{server}/z", "{server:raw}/z", "server is fixed or one setting" },
	{ "/z/{domain}", "/z/#a", "must be percent-encoded" },
};

static void mistakes_of_each(void **state)
{
	(void)state;
	refuse_all(each, each_mistakes, COUNT(each_mistakes));
}

/* --- both records in one request --- */

static const char dual[] =
	"{ 'id': 'dual', 'name': 'D', 'status': 'alive',\n"
	"  'settings': {'token': {'required': true, 'secret': true, 'help': 'h'}},\n"
	"  'requests': [\n"
	"   {'step': 'look', 'family': 'any', 'url': 'https://x.org/{token}{hostname}{rrtype}',\n"
	"    'read': {'current': {'json': 'a'}}},\n"
	"   {'step': 'both', 'family': 'dual', 'method': 'PUT',\n"
	"    'url': 'https://x.org/{hostname}',\n"
	"    'body': 'a={ipv4}&b={ipv6}', 'body_type': 'form'},\n"
	"   {'step': 'one', 'method': 'PUT', 'url': 'https://x.org/{hostname}',\n"
	"    'body': 'a={ip}', 'body_type': 'form', 'when': {'differs': 'current'}}],\n"
	"  'answers': [ {'http': 204, 'means': 'good'}, {'http': 404, 'means': 'no-record'},\n"
	"    {'http': 202, 'means': 'next'} ] }";

static const struct mistake dual_mistakes[] = {
	{ "&b={ipv6}", "", "holds {ipv4} and {ipv6}" },
	{ "a={ipv4}&b={ipv6}", "a={ipv4}&b={ipv6}{current}", "in all runs that come here" },
	{ "'differs': 'current'", "'apex': true", "\"apex\": the zone is not known" },
	{ "a={ipv4}&b={ipv6}", "a={ipv4}&b={ipv6}{owner}", "{owner}: the zone is not known" },
	{ "'step': 'both', ", "'step': 'both', 'does': 'look', ", "but none of them writes" },
	{ "'step': 'one', 'method': 'PUT'", "'step': 'one', 'does': 'look', 'method': 'PUT'",
	  "a dual request alone is not enough" },
	{ "'differs': 'current'}", "'differs': 'current'}, 'family': 'every'", "no meaning" },
	{ "'status': 'alive'", "'status': 'alive', 'address': 'connection'",
	  "a connection has one address" },
	{ "{'http': 204, 'means': 'good'}, ", "", "says when this is \"good\"" },
};

static void two_families_at_once(void **state)
{
	struct catalogue *c = room_describe(dual, "'id'", "'id'");

	(void)state;
	assert_true(c->facts.dual);
	assert_int_equal(c->steps[2].family, CATALOGUE_ANY);
	assert_int_equal(c->rules[2].verdict, CATALOGUE_NEXT_STEP);
	catalogue_free(c);
	refuse_all(dual, dual_mistakes, COUNT(dual_mistakes));
}

/* --- signatures --- */

static const char sign[] =
	"{ 'id': 'sign', 'name': 'S', 'status': 'alive',\n"
	"  'settings': {'project': {'required': true, 'help': 'h'},\n"
	"    'key_file': {'kind': 'document', 'secret': true, 'required': true, 'help': 'h'},\n"
	"    'url': {'kind': 'url', 'required': true, 'help': 'h'}},\n"
	"  'sign': {'by': 'jwt', 'scope': 'https://x', 'key_file': '{key_file}'},\n"
	"  'requests': [\n"
	"   {'step': 'token', 'does': 'look', 'method': 'POST', 'url': 'https://x.org/',\n"
	"    'body': 'a={jwt}', 'body_type': 'form',\n"
	"    'read': {'access': {'json': 'access_token'}}},\n"
	"   {'step': 'write', 'sign': false, 'method': 'PATCH', 'url': '{url}/x?{project}',\n"
	"    'headers': {'Authorization': 'Bearer {access}'}, 'body': {'a': ['{ip}']}}],\n"
	"  'answers': [ {'http': 200, 'means': 'good'} ] }";

static const struct mistake sign_mistakes[] = {
	{ "'by': 'jwt', ", "", "an object with \"by\"" },
	{ "'by': 'jwt'", "'by': 'jwd'", "did you mean \"jwt\"" },
	{ ", 'scope': 'https://x'", "", "\"scope\" is missing for \"jwt\"" },
	{ "'scope': 'https://x'", "'scope': '{access}'", "no step before reads it" },
	{ "'scope': 'https://x'", "'scope': '{jwt}'", "where {\"by\": \"jwt\"} signs" },
	{ "'scope'", "'skope'", "unknown key \"skope\" in \"sign\"; did you mean \"scope\"" },
	{ "{project}'", "{key_file}'", "stands in \"sign\" and nowhere else" },
	{ "{project}'", "{url}'", "at the beginning of \"url\" and nowhere else" },
	{ "{project}'", "{jwt}'", "where {\"by\": \"jwt\"} signs" },
	{ "{url}/x", "{url}x", "a path or query follows" },
	{ "{url}/x", "{project}/x", "begins with https:// or a setting" },
	{ "'does': 'look', 'method'", "'does': 'look', 'sign': false, 'method'", "jwt\"} signs" },
	{ "'sign': false", "'sign': {'by': 'nfsn', 'login': 'l'}", "\"key\" is missing" },
};

static void signatures(void **state)
{
	struct catalogue *c = room_describe(sign, "'id'", "'id'");

	(void)state;
	assert_string_equal(c->sign.by, "jwt");
	assert_int_equal(c->sign.part_count, 2);
	assert_string_equal(c->sign.parts[0].name, "key_file");
	assert_string_equal(c->sign.parts[1].value, "https://x");
	assert_true(c->steps[1].no_sign);
	assert_int_equal(c->settings[1].kind, CATALOGUE_DOCUMENT);
	catalogue_free(c);
	c = room_describe(sign, "'sign': false",
			  "'sign': {'by': 'nfsn', 'login': 'l', 'key': '{project}'}");
	assert_string_equal(c->steps[1].sign.by, "nfsn");
	catalogue_free(c);
	refuse_all(sign, sign_mistakes, COUNT(sign_mistakes));
}

static void all_signers(void **state)
{
	static const char *const signers[] = {
		"'aws4', 'region': 'r', 'service': 's', 'key': 'k', 'secret': 't'",
		"'volc', 'region': 'r', 'service': 's', 'key': 'k', 'secret': 't'",
		"'tc3', 'service': 's', 'key': 'k', 'secret': 't'",
		"'huawei', 'key': 'k', 'secret': 't'", "'bce', 'key': 'k', 'secret': 't'",
		"'aliyun', 'key': 'k', 'secret': 't', 'key_name': 'n'",
		"'ovh', 'app_key': 'k', 'app_secret': 's', 'consumer_key': 'c', "
		"'time': '{access}'",
		"'nfsn', 'login': 'l', 'key': 'k'", "'transip', 'private_key': '{key_file}'",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(signers); i++) {
		char text[256];

		snprintf(text, sizeof text, "'sign': {'by': %s}", signers[i]);
		catalogue_free(room_describe(sign, "'sign': false", text));
	}
}

/* --- DNS UPDATE --- */

static const char update[] =
	"{ 'id': 'update', 'name': 'U', 'status': 'alive', 'protocol': 'rfc2136',\n"
	"  'settings': {'domain': {'required': true, 'help': 'h'},\n"
	"    'server': {'kind': 'server', 'required': true, 'help': 'h'},\n"
	"    'secret': {'required': true, 'secret': true, 'help': 'h'}},\n"
	"  'update': {'server': '{server}', 'zone': '{domain}', 'key': 'k.{domain}',\n"
	"    'secret': '{secret}', 'algorithm': 'hmac-sha256', 'ttl': '60'} }";

static const struct mistake update_mistakes[] = {
	{ ", 'ttl': '60'", "", "\"ttl\" is missing in \"update\"" },
	{ "'ttl': '60'", "'tll': '60'", "unknown key \"tll\"" },
	{ "'{server}'", "'a{server}'", "the server is fixed or one setting" },
	{ "'{server}'", "'{domain}'", "the server is fixed or one setting" },
	{ "'zone': '{domain}'", "'zone': '{server}'", "stands in \"server\" only" },
	{ "'zone': '{domain}'", "'zone': '{hostname}'", "made of settings alone" },
	{ "'zone': '{domain}'", "'zone': '{zone}'", "unknown placeholder {zone}" },
	{ ", 'protocol': 'rfc2136'", "", "\"requests\" is missing" },
	{ "'status': 'alive'", "'status': 'alive', 'answers': []", "no meaning with \"rfc2136\"" },
	{ "'status': 'alive'", "'status': 'alive', 'batch': 2", "no meaning with \"rfc2136\"" },
	{ "'status': 'alive'", "'status': 'alive', 'requests': [ {'url': 'https://x.org/{ip}'} ]",
	  "no meaning with \"rfc2136\"" },
};

static void dns_update(void **state)
{
	struct catalogue *c = room_describe(update, "'id'", "'id'");

	(void)state;
	assert_int_equal(c->protocol, CATALOGUE_RFC2136);
	assert_string_equal(c->update.key, "k.{domain}");
	assert_string_equal(c->update.ttl, "60");
	assert_int_equal(c->step_count, 0);
	assert_true(c->facts.dual && c->facts.own_addresses);
	assert_int_equal(c->facts.batch_hostnames, 20);
	assert_int_equal(c->facts.families, CONFIG_IPV4 | CONFIG_IPV6);
	catalogue_free(c);
	refuse_all(update, update_mistakes, COUNT(update_mistakes));
}

/* --- the connection's address --- */

static const char connection[] =
	"{ 'id': 'connection', 'name': 'C', 'status': 'alive',\n"
	"  'settings': {'url': {'kind': 'url', 'secret': true, 'required': true, 'help': 'h'}},\n"
	"  'requests': [ {'family': 'ipv4', 'url': '{url}'} ], 'address': 'connection',\n"
	"  'answers': [ {'http': 200, 'means': 'good'} ] }";

static const struct mistake connection_mistakes[] = {
	{ ", 'address': 'connection'", "", "if the server takes that of the connection" },
	{ "'requests': [ {'family': 'ipv4'", "'sign': {'by': 'bce', 'key': 'k', 'secret': 's'}, "
	  "'requests': [ {'sign': false", "no request is signed by this" },
	{ "'requests': [ {'family': 'ipv4'", "'basic': {'user': 'k', 'password': 's'}, "
	  "'requests': [ {'basic': false", "no request uses \"basic\"" },
	{ "'family': 'ipv4'", "'does': 'write'", "is for steps; give the request a" },
	{ "'family': 'ipv4'", "'when': {'apex': true}", "is for steps" },
	{ "'family': 'ipv4'", "'read': {}", "is for steps" },
	{ "'family': 'ipv4'", "'keep': []", "is for steps" },
	{ "'family': 'ipv4'", "'pages': {'next': 'a'}", "is for steps" },
	{ "'family': 'ipv4'", "'family': 'every'", "\"every\" is for steps" },
	{ "'means': 'good'}", "'means': 'good'}, {'http': 404, 'means': 'no-record'}",
	  "are for steps that look; there are none" },
	{ "'status': 'alive'", "'status': 'alive', 'basic': {'user': 'u'}", "\"basic\" needs" },
	{ "'status': 'alive'", "'status': 'alive', 'update': {'server': 'a', 'zone': 'b', "
	  "'key': 'c', 'secret': 'd', 'algorithm': 'e', 'ttl': 'f'}", "needs \"protocol\"" },
};

static void the_connections_address(void **state)
{
	struct catalogue *c = room_describe(connection, "'id'", "'id'");

	(void)state;
	assert_true(c->by_connection);
	assert_int_equal(c->settings[0].kind, CATALOGUE_URL);
	assert_int_equal(c->facts.families, CONFIG_IPV4);
	assert_int_equal(c->facts.batch_hostnames, 1);
	assert_false(c->facts.own_addresses);
	catalogue_free(c);
	refuse_all(connection, connection_mistakes, COUNT(connection_mistakes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_in_one_request),
		cmocka_unit_test(mistakes_of_each),
		cmocka_unit_test(two_families_at_once),
		cmocka_unit_test(signatures),
		cmocka_unit_test(all_signers),
		cmocka_unit_test(dns_update),
		cmocka_unit_test(the_connections_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
