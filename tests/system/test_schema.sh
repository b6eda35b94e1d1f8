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

good = {'id': 'x', 'name': 'X', 'status': 'alive', 'requests': [{'url': 'https://x.org/'}]}
report(schemas['provider'].is_valid(good), 'a small description')
for change in ({'id': 'X'}, {'status': 'dead'}, {'requests': []}, {'batch': 21}, {'read': {}},
               {'settings': {'a': {'required': True}}}, {'settings': {'a': {'help': 'h'}}},
               {'settings': {'a': {'help': 'h', 'required': True, 'default': 'x'}}},
               {'answers': [{'means': 'good'}]}, {'answers': [{'http': 200, 'means': 'fine'}]},
               {'requests': [{'url': 'ftp://x.org/'}]}):
    refuses('provider', {**good, **change})
print(f'1..{number}')
END
