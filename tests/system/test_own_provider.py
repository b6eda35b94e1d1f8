# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole daemon with descriptions of the machine's own: a new one, one that replaces one of ours, and a broken one."""

import json
import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import HOST, Lab, PROVIDER_NAME, ZONE, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

OWN = '/etc/hairpind/providers'
TWO, BAD = f'two.{ZONE}', f'bad.{ZONE}'
lab = None

# as a person writes it
MINE = '''{
	"id": "mine", "name": "Mine", "status": "alive",
	// the password is in a file
	"settings": {
		"username": {"required": true, "help": "who"},
		"password": {"required": true, "secret": true, "help": "what only I know"},
		"mode": {"kind": "choice", "choices": ["slow", "quick"], "default": "quick", "help": "how"},
	},
	"basic": {"user": "{username}", "password": "{password}"},
	"requests": [{"url": "https://%s/nic/update?hostname={hostname}&myip={ip}&mode={mode}"}],
	"answers": [
		{"http": 200, "token": "good", "means": "good"},
		{"http": 200, "token": "nochg", "means": "unchanged"},
	],
}''' % PROVIDER_NAME


def write_own(name, text):
    os.makedirs(OWN, exist_ok=True)
    with open(os.open(f'{OWN}/{name}.json', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), 'w') as file:
        file.write(text)


def entry(kind, *names, **more):
    return {'type': kind, 'ca_file': f'{lab.folder}/ca.pem', 'username': 'me',
            'password': {'file': '/etc/hairpind/password'}, 'hostnames': list(names), **more}


def is_current(*names):
    return all((record := lab.record(hostname=name)) and (record['state'], record['published'], record['verified']) ==
               ('current', lab.address, True) for name in names)


def finish():
    same(lab.stop_daemon(), 0)


def publishes():
    """A new one and one in place of ours publish and are verified, each with its own request"""
    write_own('mine', MINE)
    write_own('duckdns', MINE.replace('"mine"', '"duckdns"').replace('"quick", "help"', '"slow", "help"'))
    lab.write_configuration(lab.configuration(providers=[entry('mine', HOST), entry('duckdns', TWO)]))
    lab.set_address('81.2.69.21')
    lab.start_daemon()
    wait_for('both are verified', 40, lambda: is_current(HOST, TWO))
    lab.set_address('81.2.69.22')
    wait_for('both are verified', 40, lambda: is_current(HOST, TWO))
    same((lab.dns(), lab.dns(name=TWO)), (['81.2.69.22'], ['81.2.69.22']))
    same(sorted((request['query']['hostname'], request['query']['myip'], request['query']['mode'], request['authorized'])
                for request in lab.requests()),
         [(HOST, '81.2.69.21', 'quick', True), (HOST, '81.2.69.22', 'quick', True),
          (TWO, '81.2.69.21', 'slow', True), (TWO, '81.2.69.22', 'slow', True)])
    finish()


def one_is_broken():
    """A start with a mistake in one: its name is disabled and says file, line and column; rules and the other name follow"""
    write_own('bad', '{\n\t"id": "bad",\n\t"nmae": "Bad"\n}')
    lab.write_configuration(lab.configuration(providers=[entry('mine', HOST), entry('bad', BAD)]))
    lab.set_address('81.2.69.23')
    lab.start_daemon()
    wait_for('the other is verified', 40, lambda: is_current(HOST))
    wait_for('the rules', 10, lambda: 'ip daddr 81.2.69.23 tcp' in lab.rules())
    record = lab.record(hostname=BAD)
    same(record['state'], 'disabled')
    assert f'{OWN}/bad.json:3:2' in record['reason'], record
    assert f'{OWN}/bad.json:3:2' in lab.log(), lab.log()
    asked = len(lab.requests())
    write_own('bad', json.dumps({'id': 'bad', 'name': 'Mended', 'status': 'alive', 'settings': {
        'username': {'required': True, 'help': 'who'}, 'password': {'required': True, 'secret': True, 'help': 'what'}},
        'basic': {'user': '{username}', 'password': '{password}'},
        'requests': [{'url': f'https://{PROVIDER_NAME}/nic/update?hostname={{hostname}}&myip={{ip}}'}],
        'answers': [{'http': 200, 'token': 'good', 'means': 'good'}]}))
    lab.ctl('reload')
    wait_for('the mended one is verified', 40, lambda: is_current(HOST, BAD))
    same([request['query']['hostname'] for request in lab.requests()[asked:]], [BAD])
    finish()


def main():
    global lab
    with Lab(build=os.environ.get('HAIRPIN_BUILD', 'build/asan')) as lab:
        lab.set_address('81.2.69.20')
        lab.load_rules('81.2.69.20')
        run_tests([publishes, one_is_broken])


main()
