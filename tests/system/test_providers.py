# SPDX-License-Identifier: GPL-2.0-or-later
"""hairpinctl providers: the catalogue, the machine's own descriptions, and examples that hairpind accepts."""

import glob
import json
import os
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')]
from tap import run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
OWN = '/etc/hairpind/providers'
DESCRIPTION = {'id': 'mine', 'name': 'Mine', 'status': 'alive',
               'settings': {'token': {'required': True, 'secret': True, 'help': 'the token'},
                            'ttl': {'kind': 'number', 'default': '60', 'help': 'seconds'}},
               'requests': [{'url': 'https://ddns.example.org/?h={hostname}&a={ip}&k={token}&t={ttl}'}],
               'answers': [{'http': 200, 'token': 'OK', 'means': 'good'}]}


def call(program, *words):
    done = subprocess.run([f'{BUILD}/{program}', *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=90, env=dict(os.environ, ASAN_OPTIONS='detect_leaks=1'))
    return done.returncode, done.stdout, done.stderr


def listed(*words):
    status, out, err = call('hairpinctl', '--json', 'providers', *words)
    same((status, err), (0, ''))
    return {provider['id']: provider for provider in json.loads(out)['providers']}


def write_own(name, text):
    os.makedirs(OWN, exist_ok=True)
    with open(os.open(f'{OWN}/{name}.json', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), 'w') as file:
        file.write(text)


def all_of_them():
    """Every file of the catalogue is listed, sorted, none of them broken"""
    ids = sorted(os.path.basename(path)[:-5] for path in glob.glob('conf/providers/*.json'))
    found = listed()
    same(list(found), ids)
    same([provider['id'] for provider in found.values() if provider['status'] == 'broken' or provider['own']], [])
    status, out, _ = call('hairpinctl', 'providers')
    same(status, 0)
    assert all(f'\n  {name}' in out for name in ids), out


def value(setting, place):
    """What a user would put where the example points to a file."""
    if not isinstance(place, dict):
        return place
    return {'url': 'https://ddns.example.org/x', 'number': '1'}.get(setting['kind'], 'c2VjcmV0')


def examples():
    """The example of every provider is an entry that hairpind -n takes, with no word to say"""
    entries = []
    for provider in listed().values():
        if provider['status'] == 'shut down':
            assert 'example' not in provider, provider['id']
            continue
        by_name = {setting['name']: setting for setting in provider['settings']}
        entries.append({key: value(by_name.get(key), place) for key, place in provider['example'].items()})
    assert len(entries) > 10, entries
    with open(os.open('/run/hairpind.json', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
        json.dump({'contact': 'me@example.org', 'providers': entries}, file, indent=1)
    same(call('hairpind', '-n', '--strict', '-c', '/run/hairpind.json')[::2], (0, ''))


def one():
    """All of one: settings, notes, example; of one that was shut down when, and what instead; the nearest id"""
    status, out, _ = call('hairpinctl', 'providers', 'duckdns')
    same(status, 0)
    for part in ('duckdns: Duck DNS', 'must be there  secret', 'token of the account',
                 '"token": {"file":"/etc/hairpind/duckdns.token"}'):
        assert part in out, (part, out)
    same(list(listed('duckdns')), ['duckdns'])
    _, out, _ = call('hairpinctl', 'providers', 'google-domains')
    assert 'shut down in 2024' in out and '  use    the service' in out and 'An entry' not in out, out
    same(call('hairpinctl', 'providers', 'dukdns'),
         (2, '', 'hairpinctl: unknown provider "dukdns"; did you mean "duckdns"?\n'))
    same(call('hairpinctl', 'providers', '../hairpind')[0], 2)
    same(call('hairpinctl', 'providers', 'duckdns', 'desec')[0], 2)


def of_this_machine():
    """Own descriptions are marked, one of ours is replaced, a broken one tells its mistake and hides nothing else"""
    write_own('mine', json.dumps(DESCRIPTION))
    write_own('strato', json.dumps({**DESCRIPTION, 'id': 'strato'}))
    write_own('bad', '{\n "id": "bad",\n "nmae\\u001b[31m": "x" }')
    write_own('.hidden', 'x')
    write_own('UPPER', 'x')
    found = listed()
    same({name: provider['status'] for name, provider in found.items() if provider['own']},
         {'bad': 'broken', 'mine': 'alive', 'strato': 'alive'})
    assert found['bad']['error'].startswith(f'{OWN}/bad.json:3:') and 'nmae' in found['bad']['error'], found['bad']
    status, out, _ = call('hairpinctl', 'providers')
    same(status, 0)
    assert '\n  mine *' in out and '\n  strato *' in out and 'nmae' in out and '\n  duckdns ' in out, out
    assert '\x1b' not in out, out
    _, out, _ = call('hairpinctl', 'providers', 'mine')
    assert 'of this machine' in out and 'seconds; default: 60' in out and '\x1b' not in out, out
    _, out, _ = call('hairpinctl', 'providers', 'bad')
    assert 'broken' in out and f'{OWN}/bad.json:3:' in out, out


def by_connection():
    """A provider that takes the connection's address cannot publish another host's"""
    write_own('conn', json.dumps({**DESCRIPTION, 'id': 'conn', 'address': 'connection'}))
    config = {'wans': [{'ipv6': {'source': 'interface', 'prefix_from': 'br0'}}],
              'providers': [{'type': 'conn', 'token': 'x',
                             'hostnames': ['a.example.org', {'name': 'b.example.org', 'ipv6_suffix': '::10'}]}]}
    with open(os.open('/run/conn.json', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
        json.dump(config, file, indent=1)
    status, _, err = call('hairpind', '-n', '-c', '/run/conn.json')
    assert status == 2 and 'error: conn takes the address that the request comes from' in err, err
    assert '"takes' not in err and 'the connection\'s address only' in call('hairpinctl', 'providers', 'conn')[1]


run_tests([all_of_them, examples, one, of_this_machine, by_connection])
