/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptions of several steps: what arrives, and each mistake with its sentence.
 */
#include "catalogue_room.h"

static const char steps[] =
	"{ 'id': 'steps', 'name': 'S', 'status': 'alive',\n"
	"  'settings': {'domain': {'required': true, 'help': 'h'},\n"
	"    'token': {'required': true, 'secret': true, 'help': 'h'},\n"
	"    'ttl': {'kind': 'number', 'default': '300', 'help': 'h'},\n"
	"    'zone_id': {'default': '', 'help': 'h'}},\n"
	"  'values': {'code': {'ipv4': '1', 'ipv6': '28'},\n"
	"    'full': {'apex': '{domain}', 'below': '{owner}.{domain}'},\n"
	"    'sum': {'sha256': '{full}{token}'}},\n"
	"  'requests': [\n"
	"   {'step': 'login', 'does': 'look', 'method': 'POST', 'url': 'https://x.org/login',\n"
	"    'body': {'t': '{token}'}, 'read': {'session': {'header': 'X-Session'}}},\n"
	"   {'step': 'zone', 'url': 'https://x.org/zones?page={page}',\n"
	"    'when': {'missing': 'zone_id'},\n"
	"    'read': {'zone_id': {'json': 'zones[name~{hostname}].id'},\n"
	"      'zone': {'json': 'zones[name~{hostname}].name'}},\n"
	"    'keep': ['zone_id', 'zone'], 'pages': {'items': 'zones', 'size': 100}},\n"
	"   {'step': 'record', 'url': 'https://x.org/zones/{zone_id}',\n"
	"    'headers': {'X-Session': '{session}'},\n"
	"    'read': {'record_id': {'json': '*[host={owner},type={rrtype}].id'},\n"
	"      'current': {'regex': '^{hostname} ([0-9.]{7,15})$'}}, 'keep': ['record_id'],\n"
	"    'answers': [{'http': 404, 'means': 'no-record'}]},\n"
	"   {'step': 'update', 'when': {'found': 'record_id', 'differs': 'current'},\n"
	"    'method': 'PUT', 'url': 'https://x.org/r/{record_id}',\n"
	"    'body': {'a': '{ip}', 'ttl': '{ttl:raw}', 'c': '{code:raw}'},\n"
	"    'answers': [{'json': 'ok', 'is': true, 'means': 'good'},\n"
	"      {'http': '500-599', 'json': 'x', 'present': false, 'means': 'transient'},\n"
	"      {'header': 'X-Left', 'is_not': 7, 'means': 'rate-limited'},\n"
	"      {'json': 'e[0].m', 'holds': '{ip}', 'means': 'forbidden'},\n"
	"      {'json': '', 'begins': 'b', 'means': 'unchanged'},\n"
	"      {'regex': 'a{2}', 'means': 'nohost'}]},\n"
	"   {'step': 'create', 'when': {'missing': 'record_id', 'apex': false},\n"
	"    'method': 'POST', 'url': 'https://x.org/r', 'basic': false,\n"
	"    'body': '<a>{ip}{sum}{uuid}</a>', 'body_type': 'xml',\n"
	"    'answers': [{'http': 201, 'means': 'good'}],\n"
	"    'read': {'record_id': {'json': 'id'}}, 'keep': ['record_id']},\n"
	"   {'step': 'logout', 'when': 'last', 'url': 'https://x.org/out?{session}'}],\n"
	"  'basic': {'user': 'u', 'password': '{token}'},\n"
	"  'says': ['errors[0].message', 'detail'], 'wildcard': false, 'parallel': 100,\n"
	"  'per_minute': 0 }";

static struct catalogue *describe(void)
{
	return room_describe(steps, "'id'", "'id'");
}

static void steps_arrive(void **state)
{
	struct catalogue *c = describe();

	(void)state;
	assert_int_equal(c->step_count, 6);
	assert_string_equal(c->steps[0].name, "login");
	assert_int_equal(c->steps[0].does, CATALOGUE_LOOK);
	assert_int_equal(c->steps[0].family, CATALOGUE_EVERY);
	assert_int_equal(c->steps[1].does, CATALOGUE_LOOK);
	assert_int_equal(c->steps[1].family, CATALOGUE_EVERY);
	assert_int_equal(c->steps[2].family, CATALOGUE_ANY);	/* for its {rrtype} */
	assert_int_equal(c->steps[3].does, CATALOGUE_WRITE);
	assert_int_equal(c->steps[3].family, CATALOGUE_ANY);
	assert_int_equal(c->steps[4].does, CATALOGUE_WRITE);
	assert_int_equal(c->steps[5].does, CATALOGUE_CLEAN);
	assert_string_equal(c->steps[1].when.missing, "zone_id");
	assert_string_equal(c->steps[3].when.found, "record_id");
	assert_string_equal(c->steps[3].when.differs, "current");
	assert_int_equal(c->steps[3].when.apex, CATALOGUE_APEX_EITHER);
	assert_int_equal(c->steps[4].when.apex, CATALOGUE_APEX_NOT);
	assert_true(c->steps[5].when.last);
	assert_true(c->steps[4].no_basic);
	assert_string_equal(c->steps[3].body,
			    "{\"a\":\"{ip}\",\"ttl\":\"{ttl:raw}\",\"c\":\"{code:raw}\"}");
	assert_string_equal(c->steps[3].body_type, "json");
	assert_string_equal(c->steps[4].body_type, "xml");
	catalogue_free(c);
}

static void reads_arrive(void **state)
{
	struct catalogue *c = describe();
	const struct catalogue_step *record = &c->steps[2];

	(void)state;
	assert_int_equal(c->steps[0].reads[0].spot.where, CATALOGUE_HEADER);
	assert_string_equal(c->steps[0].reads[0].spot.path, "X-Session");
	assert_false(c->steps[0].reads[0].keep);
	assert_true(c->steps[1].reads[0].keep && c->steps[1].reads[1].keep);
	assert_int_equal(record->read_count, 2);
	assert_int_equal(record->reads[0].spot.where, CATALOGUE_JSON);
	assert_true(record->reads[0].keep);
	assert_int_equal(record->reads[1].spot.where, CATALOGUE_REGEX);
	assert_string_equal(record->reads[1].spot.path, "^{hostname} ([0-9.]{7,15})$");
	assert_false(record->reads[1].keep);
	assert_int_equal(c->steps[1].pages.by, CATALOGUE_COUNTED);
	assert_int_equal(c->steps[1].pages.first, 1);
	assert_int_equal(c->steps[1].pages.step, 1);
	assert_int_equal(c->steps[1].pages.size, 100);
	assert_string_equal(c->steps[1].pages.spot.path, "zones");
	catalogue_free(c);
}

static void rules_arrive(void **state)
{
	struct catalogue *c = describe();
	const struct catalogue_rule *rules = c->steps[3].rules;

	(void)state;
	assert_int_equal(c->steps[3].rule_count, 6);
	assert_int_equal(rules[0].test, CATALOGUE_IS);
	assert_string_equal(rules[0].test_text, "true");
	assert_int_equal(rules[1].http, 500);
	assert_int_equal(rules[1].http_to, 599);
	assert_int_equal(rules[1].test, CATALOGUE_ABSENT);
	assert_int_equal(rules[2].spot.where, CATALOGUE_HEADER);
	assert_int_equal(rules[2].test, CATALOGUE_IS_NOT);
	assert_string_equal(rules[2].test_text, "7");
	assert_int_equal(rules[3].test, CATALOGUE_HOLDS);
	assert_int_equal(rules[4].test, CATALOGUE_BEGINS);
	assert_string_equal(rules[4].spot.path, "");
	assert_int_equal(rules[5].spot.where, CATALOGUE_REGEX);
	assert_int_equal(c->steps[2].rules[0].http, 404);
	assert_int_equal(c->steps[2].rules[0].http_to, 404);
	assert_int_equal(c->steps[2].rules[0].verdict, CATALOGUE_NO_RECORD);
	catalogue_free(c);
}

static void values_and_facts_arrive(void **state)
{
	struct catalogue *c = describe();

	(void)state;
	assert_int_equal(c->value_count, 3);
	assert_int_equal(c->values[0].form, CATALOGUE_BY_FAMILY);
	assert_string_equal(c->values[0].templates[1], "28");
	assert_int_equal(c->values[1].form, CATALOGUE_BY_APEX);
	assert_int_equal(c->values[2].form, CATALOGUE_DIGEST);
	assert_string_equal(c->values[2].digest, "sha256");
	assert_int_equal(c->settings[2].kind, CATALOGUE_NUMBER);
	assert_int_equal(c->say_count, 2);
	assert_string_equal(c->says[1], "detail");
	assert_int_equal(c->wildcard, CATALOGUE_WILDCARD_NO);
	assert_false(c->by_connection);
	assert_int_equal(c->batch, 1);
	assert_int_equal(c->facts.batch_hostnames, CATALOGUE_SHARED_NAMES);
	assert_true(c->facts.own_addresses);
	assert_false(c->facts.dual);
	assert_int_equal(c->facts.families, CONFIG_IPV4 | CONFIG_IPV6);
	assert_int_equal(c->facts.parallel, 100);
	assert_int_equal(c->facts.per_minute, 0);
	catalogue_free(c);
}

/* Other forms of the same thing that are fine. */
static const struct mistake forms[] = {
	{ "'items': 'zones', 'size': 100", "'items': '', 'size': 2, 'first': 0, 'by': 50", "" },
	{ "'items': 'zones', 'size': 100", "'next': 'meta.next'", "" },
	{ "?page={page}'", "'", "'next_url': 'links.next'" },
	{ "'step': 'logout', 'when'", "'step': 'logout', 'does': 'clean', 'when'", "" },
	{ "zones[name~{hostname}].id", "a.b-c[3].d_e[x.y={ttl}][0][=z].{owner}", "" },
	{ "zones[name~{hostname}].id", "[0].id", "" },
	{ "'code': {'ipv4': '1', 'ipv6': '28'}", "'code': {'ipv4': '{ipv4}', 'ipv6': '{ipv6}'}",
	  "" },
	{ "'domain': {'required': true, 'help': 'h'}",
	  "'domain': {'default': 'example.org', 'help': 'h'}", "" },
	{ "'wildcard': false", "'wildcard': true", "" },
	{ "'wildcard': false", "'address': 'connection'", "" },
	{ "{'ipv4': '1', 'ipv6': '28'}", "{'first': '{record_id}', 'else': ''}", "" },
	{ "'domain': {'required': true, 'help': 'h'}", "'domain': {'default': '', 'help': 'h'}",
	  "" },		/* a step reads "zone" */
	{ "{'step': 'update',", "{'step': 'update', 'family': 'any',", "" },
	{ "{'http': 201, 'means': 'good'}", "{'token': '{hostname}', 'means': 'good'}", "" },
	{ "'{ttl:raw}'", "'{ttl}'", "" },
	{ "'method': 'PUT'", "'method': 'DELETE'", "" },
	{ "([0-9.]{7,15})", "\\\\\\\\1{2}{ttl}x*", "" },
};

static void other_forms_are_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		TEXT_CLEANUP struct text text = TEXT_INIT;

		room_edit(&text, steps, forms[i].old, forms[i].new);
		if (forms[i].words[0])	/* this one needs two changes */
			catalogue_free(room_describe(text.bytes,
						     "\"items\": \"zones\", \"size\": 100",
						     forms[i].words));
		else
			catalogue_free(room_describe(text.bytes, "\"id\"", "'id'"));
	}
}

static const struct mistake mistakes[] = {
	/* steps */
	{ "'step': 'zone', ", "", "12:4: either all requests have a \"step\", or none" },
	{ "'step': 'zone'", "'step': 'login'", "12:5: another step has this name" },
	{ "'step': 'zone'", "'step': ''", "\"step\" is empty" },
	{ "'does': 'look'", "'does': 'read'", "unknown word \"read\"" },
	{ "'does': 'look', ", "", "10:4: no rule of \"answers\" says" },
	{ "'method': 'PUT', ", "", "GET takes no body" },
	{ "'body_type': 'xml'", "'body_type': 'html'", "unknown word" },
	{ "'body': {'a'", "'body_type': 'form', 'body': {'a'", "has the \"body_type\" \"json\"" },
	{ "'body': '<a>{ip}{sum}{uuid}</a>', ", "", "\"body_type\" without a \"body\"" },
	{ "'X-Session': '{session}'", "'X-A': '1', 'x-a': '2'", "stands here twice" },
	{ "'basic': {'user': 'u', 'password': '{token}'}", "'note': 'n'",
	  "\"basic\" of the description is missing" },
	{ "'basic': false", "'basic': true", "\"basic\" of a request is false" },
	{ "'basic': false", "'sign': false", "\"sign\" of the description is missing" },
	{ "'basic': false", "'sign': true", "\"sign\" is false, or an object" },
	{ "'basic': false", "'each': '{ip}', 'family': 'any'", "is for \"family\": \"each\"" },
	{ "'basic': false", "'family': 'each'", "needs \"each\"" },
	{ "'basic': false", "'join': ','", "\"join\" needs \"each\"" },
	{ "'basic': false", "'each': '{ip}'", "needs a \"body\" with {each}" },
	{ "'basic': false", "'family': 'dual'", "no meaning in a request for this" },
	{ "'when': 'last', ", "'when': 'last', 'does': 'write', ", "no rule of" },
	{ "'when': 'last'", "'when': 'first'", "unknown word \"first\"" },
	{ "?{session}'", "?{ip}'", "comes last belongs to no" },
	/* what nothing sets */
	{ "'missing': 'zone_id'", "'missing': 'zone_ID'", "must be the name of" },
	{ "'missing': 'zone_id'", "'missing': 'other'", "13:14: no step before reads \"other\"" },
	{ "'missing': 'zone_id'", "'missing': 'record_id'", "no step before reads" },
	{ "'differs': 'current'", "'differs': 'curent'", "no step before reads \"curent\"" },
	{ "{'missing': 'zone_id'}", "{}", "\"when\" is empty" },
	{ "{'missing': 'zone_id'}", "{'lost': 'zone_id'}", "unknown key \"lost\"" },
	{ "'apex': false", "'apex': 'no'", "must be true or false" },
	{ "{session}'}", "{sesion}'}", "unknown placeholder {sesion}" },
	{ "https://x.org/login", "https://x.org/{session}", "no step before reads it" },
	{ "'step': 'login', 'does': 'look'",
	  "'step': 'login', 'does': 'look', 'family': 'ipv4'", "no step before reads it" },
	/* read, keep */
	{ "'session': {", "'Session': {", "is no name for a placeholder" },
	{ "'session': {", "'ip': {", "has a meaning of its own" },
	{ "'session': {", "'token': {", "a setting that is always there" },
	{ "'session': {", "'full': {", "one of \"values\"" },
	{ "{'header': 'X-Session'}", "{}", "where does it stand?" },
	{ "{'header': 'X-Session'}", "'X-Session'", "must be an object" },
	{ "{'header': 'X-Session'}", "{'header': 'X:Session'}", "no name of a header" },
	{ "{'header': 'X-Session'}", "{'header': 'a', 'json': 'b'}", "at a time" },
	{ "{'header': 'X-Session'}", "{'cookie': 'b'}", "unknown key \"cookie\"" },
	{ "'keep': ['zone_id'", "'keep': ['other'", "\"other\" is not there" },
	{ "'keep': ['zone_id', 'zone']", "'keep': 'zone_id'", "\"keep\" must be an array" },
	{ "{'header': 'X-Session'}}", "{'header': 'X-Session'}}, 'keep': ['session']",
	  "\"session\" sounds like a secret" },
	/* pages */
	{ "'size': 100", "'size': 0", "from 1 to 10000" },
	{ ", 'size': 100", "", "\"size\" is missing" },
	{ "'items': 'zones', ", "", "needs \"items\", \"next\" or" },
	{ "'items': 'zones', ", "'items': 'zones', 'next': 'n', ", "at a time" },
	{ "'items': 'zones', ", "'next': 'n', ", "belong to \"items\"" },
	{ "'items': 'zones', 'size': 100", "'next_url': 'n'", "that has \"pages\" with" },
	{ "?page={page}", "", "{page} is not in the request" },
	{ "/login'", "/{page}'", "a step that has \"pages\"" },
	{ "'does': 'look', 'method'", "'does': 'look', 'pages': {'next': 'n'}, 'method'",
	  "{page} is not in" },
	{ "'basic': false", "'pages': {'next': 'n'}", "a step that looks and reads" },
	/* paths and expressions */
	{ "zones[name~{hostname}].id", "zones[name~{hostname}].", "from character 23 on" },
	{ "zones[name~{hostname}].id", "zones[name].id", "from character 6 on" },
	{ "zones[name~{hostname}].id", "zones[].id", "from character 6 on" },
	{ "zones[name~{hostname}].id", "zones[12345]", "from character 6 on" },
	{ "zones[name~{hostname}].id", "zones[-1]", "from character 6 on" },
	{ "zones[name~{hostname}].id", "zones[a=1", "from character 6 on" },
	{ "zones[name~{hostname}].id", "zones[a=1]b", "from character 11 on" },
	{ "zones[name~{hostname}].id", "zones[a=1,b=2,c=3,d=4,e=5].a", "is not understood" },
	{ "zones[name~{hostname}].id", ".a", "from character 1 on" },
	{ "zones[name~{hostname}].id", "a..b", "is not understood" },
	{ "zones[name~{hostname}].id", "$.a*", "is not understood" },
	{ "zones[name~{hostname}].id", "a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]",
	  "is not understood" },
	{ "zones[name~{hostname}].id", "zones[name~{hostnam}].id", "unknown placeholder" },
	{ "([0-9.]{7,15})", "([0-9.]{7,15}", "no POSIX extended expression" },
	{ "([0-9.]{7,15})", "(a)\\\\1", "refer back" },
	{ "([0-9.]{7,15})", "((a{99}){99}){99}", "repeats too often" },
	{ "([0-9.]{7,15})", "(a{99999999999999999999})", "repeats too often" },
	/* placeholders out of place */
	{ "'{ttl:raw}'", "'x{ttl:raw}'", "out of a whole string" },
	{ "'{ttl:raw}'", "'{ttl:int}'", "only \":raw\" may stand" },
	{ "'ttl': '{ttl:raw}'", "'{ttl:raw}': '1'", "out of a whole string" },
	{ "{uuid}", "{ttl:raw}", "a value in a JSON body" },
	{ "{uuid}", "{each}", "no meaning" },
	{ "{uuid}", "{jwt}", "where {\"by\": \"jwt\"} signs" },
	{ "{uuid}", "{ipv4}", "no meaning in a request for this" },
	{ "{uuid}", "{averyveryverylongnameofaplaceholder}", "its name is too long" },
	{ "{'step': 'create', ", "{'step': 'create', 'family': 'every', ", "{ip}: it has no" },
	{ "'user': 'u'", "'user': '{hostnames}'", "cannot stand in \"basic\"" },
	{ "'user': 'u'", "'user': '{full}{session}'", "no step before reads it" },
	/* rules */
	{ "'http': '500-599'", "'http': '500-'", "is as \"500-599\"" },
	{ "'http': '500-599'", "'http': '599-500'", "within" },
	{ "'http': '500-599'", "'http': '100-199'", "within" },
	{ "'present': false, ", "", "what should be there?" },
	{ "'present': false, ", "'present': true, 'is': 1, ", "at a time" },
	{ "'present': false, ", "'present': 'no', ", "must be true or false" },
	{ "'is_not': 7", "'is_not': null", "must be a string" },
	{ "'holds': '{ip}'", "'holds': 1", "must be a string" },
	{ "'regex': 'a{2}'", "'is': 'a'", "where?" },
	{ "'regex': 'a{2}'", "'regex': 'a{2}', 'is': 'a'", "where?" },
	{ "'regex': 'a{2}'", "'regex': 'a{2}', 'json': 'a', 'is': 'a'", "at a time" },
	{ "'means': 'nohost'", "'means': 'split'", "it needs \"batch\"" },
	{ "'means': 'nohost'", "'means': 'next'", "for steps that look or clean" },
	{ "'means': 'nohost'", "'means': 'no-record'", "is for steps that look" },
	{ "[{'http': 201, 'means': 'good'}]", "[]", "no rule of \"answers\" says" },
	{ "'is': true, 'means': 'good'", "'is': true, 'means': 'transient'", "no rule of" },
	{ "<a>{ip}{sum}", "<a>{sum}", "the request holds no address" },
	/* values */
	{ "'code': {'ipv4': '1', 'ipv6': '28'}", "'code': {'ipv4': '1'}", "a value is a text" },
	{ "{'ipv4': '1', 'ipv6': '28'}", "{'first': '1'}", "a value is a text" },
	{ "'ipv6': '28'}", "'ipv6': '28', 'md5': 'x'}", "unknown key \"md5\"" },
	{ "'code':", "'token':", "\"token\" is a setting" },
	{ "'{full}{token}'", "'{sum}'", "which must stand before it" },
	{ "'{domain}', 'below'", "'{sum}', 'below'", "which must stand before it" },
	{ "'{full}{token}'", "'{fuil}'", "unknown placeholder {fuil}" },
	{ "'{full}{token}'", "'{full}', 'x': 'y'", "unknown key" },
	/* settings */
	{ "'kind': 'number', 'default': '300'", "'kind': 'number', 'default': 'x'", "be digits" },
	{ "'kind': 'number', ", "'kind': 'choice', ", "\"choices\" is missing" },
	{ "'kind': 'number', ", "'choices': ['a'], ", "needs \"kind\": \"choice\"" },
	{ "'kind': 'number', ", "'kind': 'choice', 'choices': ['1'], ", "none of the" },
	{ "'kind': 'number', ", "'kind': 'choice', 'choices': ['1', '1'], ", "twice" },
	{ "'kind': 'number', ", "'kind': 'url', ", "say \"required\": true" },
	{ "'kind': 'number', ", "'kind': 'document', ", "no default but" },
	{ "'kind': 'number', ", "'secret': true, ", "a secret that everybody knows" },
	{ "'token': {'", "'token': {'kind': 'document', '", "stands in \"sign\" and nowhere" },
	{ "'token': {'", "'token': {'kind': 'server', '", "behind https:// and nowhere" },
	{ "'token': {'", "'token': {'kind': 'url', '", "at the beginning of \"url\"" },
	/* the rest */
	{ "'detail'", "'{owner}'", "takes no placeholders" },
	{ "'detail'", "'a[b'", "is not understood" },
	{ "'detail'", "'a', 'b', 'c', 'd'", "at most 4" },
	{ "'wildcard': false", "'wildcard': 'no'", "must be true or false" },
	{ "'parallel': 100", "'parallel': 101", "from 1 to 100" },
	{ "'wildcard': false", "'address': 'socket'", "unknown word" },
	{ "'wildcard': false", "'batch': 2", "that of the first name" },
	{ "'wildcard': false", "'update': {}", "is missing in \"update\"" },
	{ "'wildcard': false", "'ended': 2020", "are for the \"status\"" },
};

static void mistakes_have_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
		room_refuses(steps, &mistakes[i]);
}

static void there_are_bounds(void **state)
{
	TEXT_CLEANUP struct text many = TEXT_INIT;
	struct mistake mistake = { "   {'step': 'logout'", NULL, "too many requests" };

	(void)state;
	for (int i = 0; i < 11; i++)
		text_addf(&many, "{'step': 's%d', 'url': 'https://x.org/'},", i);
	text_add(&many, mistake.old);
	mistake.new = many.bytes;
	room_refuses(steps, &mistake);
	text_clear(&many);
	for (int i = 0; i < 65; i++)
		text_add(&many, "{'http': 201, 'means': 'good'},");
	mistake = (struct mistake){ "{'http': 201,", NULL, "too many rules" };
	text_add(&many, mistake.old);
	mistake.new = many.bytes;
	room_refuses(steps, &mistake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_arrive),
		cmocka_unit_test(reads_arrive),
		cmocka_unit_test(rules_arrive),
		cmocka_unit_test(values_and_facts_arrive),
		cmocka_unit_test(other_forms_are_taken),
		cmocka_unit_test(mistakes_have_places),
		cmocka_unit_test(there_are_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
