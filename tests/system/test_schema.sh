#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples and the provider descriptions satisfy the JSON Schemas that editors use, and the
# schemas refuse what hairpind refuses.
cd "$(dirname "$0")/../.." || exit 1
if ! python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null; then
	echo 'python3-jsonschema (4.0 or later) is missing' >&2
	exit 77
fi
exec python3 - <<'END'
import glob, json, re
from jsonschema import Draft202012Validator

def relaxed(path):
    """JSON with comments and trailing commas."""
    text = open(path).read()
    text = re.sub(r'"(?:\\.|[^"\\])*"|//[^\n]*|#[^\n]*|/\*.*?\*/',
                  lambda m: m.group(0) if m.group(0)[0] == '"' else ' ', text, flags=re.S)
    return json.loads(re.sub(r',(\s*[}\]])', r'\1', text))

number = 0

def report(good, name, why=''):
    global number
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {name}")
    if not good and why:
        print(f'# {why}')

schemas = {}
for kind in ('hairpind', 'provider'):
    schema = json.load(open(f'conf/{kind}.schema.json'))
    Draft202012Validator.check_schema(schema)
    schemas[kind] = Draft202012Validator(schema)

def accepts(kind, path):
    errors = list(schemas[kind].iter_errors(relaxed(path)))
    report(not errors, path, '; '.join(f'{e.json_path}: {e.message}' for e in errors))

def refuses(kind, document):
    report(not schemas[kind].is_valid(document), f'{kind} refuses {json.dumps(document)}')

for path in ('conf/minimal.json', 'conf/hairpind.example.json'):
    accepts('hairpind', path)
for path in sorted(glob.glob('conf/providers/*.json')):
    accepts('provider', path)

for document in ({'wan': []}, {'contact': 'me'}, {'contact': 'me@a.b)'}, {'nat': {'enabled': 1}}, {'nat': {'names': 'x' * 32}},
                 {'wans': [{'ipv6': {'source': 'interface', 'keep': 'prefix'}}]},
                 {'providers': [{'type': 'x', 'hostnames': [{'name': 'a.b', 'ipv6_suffix': '10.1.1.1'}]}]},
                 {'wans': [{'ipv6': {'source': 'interface', 'keep': 'suffix', 'prefix_length': 129}}]},
                 {'wans': [{'ipv4': {'source': 'interface', 'keep': 'suffix'}}]},
                 {'nat': {'tables': ['nat']}}, {'wans': [{'interface': 'a/b'}]},
                 {'wans': [{'ipv4': {'source': 'http', 'urls': []}}]}, {'dns': {'check_every': '10'}}, {'wans': [{'ipv6': {'source': 'pcp'}}]},
                 {'log': {'level': 'loud'}}, {'providers': [{'type': 'duckdns'}]},
                 {'providers': [{'type': 'x', 'hostnames': ['a.b'], 'token': 3}]},
                 {'providers': [{'type': 'x', 'hostnames': ['a.b'], 'token': {'fil': 'x'}}]}):
    refuses('hairpind', document)

document = {'contact': 'me@example.org', 'nat': {'filter': True, 'add_missing': True, 'names': ''},
            'wans': [{'ipv6': {'source': 'interface', 'keep': 'suffix', 'prefix_from': 'br0', 'prefix_length': 56}}],
            'providers': [{'type': 'x', 'hostnames': [{'name': 'a.b', 'ipv6_suffix': '::10'}]}]}
report(schemas['hairpind'].is_valid(document), f'hairpind accepts {json.dumps(document)}')

for path in sorted(glob.glob('tests/fuzz/corpus/catalogue/*.json')):
    accepts('provider', path)

good = {'id': 'x', 'name': 'X', 'status': 'alive', 'requests': [{'url': 'https://x.org/'}]}
report(schemas['provider'].is_valid(good), 'a small description')
for change in ({'id': 'X'}, {'status': 'dead'}, {'requests': []}, {'batch': 21}, {'read': {}},
               {'settings': {'a': {'required': True}}}, {'settings': {'a': {'help': 'h'}}},
               {'settings': {'a': {'help': 'h', 'required': True, 'default': 'x'}}},
               {'answers': [{'means': 'good'}]}, {'answers': [{'http': 200, 'means': 'fine'}]},
               {'requests': [{'url': 'ftp://x.org/'}]}, {'requests': [{'url': 'https://x.org/#a'}]},
               {'requests': [{'url': 'https://x.org/', 'read': {}}]}, {'requests': [{'url': 'https://x.org/', 'does': 'look'}]},
               {'requests': [{'url': 'https://x.org/', 'family': 'every'}]}, {'update': {}}, {'ended': 2020},
               {'requests': [{'url': 'https://x.org/', 'body': 'a', 'body_type': 'text'}]},
               {'settings': {'a': {'help': 'h', 'default': '', 'kind': 'choice'}}},
               {'settings': {'a': {'help': 'h', 'default': '', 'choices': ['a']}}},
               {'settings': {'a': {'help': 'h', 'default': '', 'kind': 'url'}}},
               {'settings': {'a': {'help': 'h', 'default': 'x', 'kind': 'number'}}},
               {'settings': {'a': {'help': 'h', 'default': 'x', 'secret': True}}},
               {'values': {'a': {'ipv4': '1'}}}, {'values': {'a': {'md5': '1', 'sha1': '2'}}},
               {'sign': {'by': 'nfsn', 'login': 'x'}}, {'sign': {'by': 'nfsn', 'login': 'x', 'key': 'k', 'more': 'm'}},
               {'sign': {'by': 'hmac'}}, {'says': ['a{b}']}, {'address': 'socket'}, {'per_minute': 601}, {'parallel': 101},
               {'answers': [{'json': 'a', 'means': 'good'}]}, {'answers': [{'is': 'a', 'means': 'good'}]},
               {'answers': [{'json': 'a', 'is': 'a', 'present': True, 'means': 'good'}]},
               {'answers': [{'json': 'a', 'header': 'b', 'is': 'a', 'means': 'good'}]},
               {'answers': [{'http': '50-59', 'means': 'good'}]}, {'protocol': 'rfc2136'}):
    refuses('provider', {**good, **change})

step = {'step': 'a', 'url': 'https://x.org/', 'method': 'POST'}
for change in ({'when': {}}, {'when': 'first'}, {'when': {'lost': 'a'}}, {'read': {'a': {}}}, {'read': {'A': {'json': 'a'}}},
               {'read': {'a': {'json': 'a', 'regex': 'b'}}}, {'keep': ['a']}, {'pages': {'next': 'a'}}, {'sign': True},
               {'basic': True}, {'each': '{ip}'}, {'join': ','}, {'family': 'each', 'body': '{each}', 'body_type': 'xml'},
               {'body': {}, 'body_type': 'form'}, {'body': 'a'}, {'body_type': 'form'}, {'step': ''},
               {'read': {'a': {'json': 'a'}}, 'pages': {'items': 'a'}},
               {'read': {'a': {'json': 'a'}}, 'pages': {'next': 'a', 'size': 1}}):
    refuses('provider', {**good, 'requests': [{**step, **change}]})
refuses('provider', {**good, 'requests': [step, {'url': 'https://x.org/'}]})
print(f'1..{number}')
END
