# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole daemon with a DNS server of one's own: the address changes, knot takes the update, the record is verified."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import AUTHORITY, HOST, Lab, ZONE, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

SECRET = 'bm90LWEtc2VjcmV0LWJ1dC1hLXRlc3Qta2V5LTEyMw=='
lab = None


def give_key():
    """knot's zone may be updated with a key as well."""
    with open(lab.knot_conf) as conf:
        text = conf.read()
    text = text.replace('acl:\n', f'key:\n  - id: home.key\n    algorithm: hmac-sha512\n    secret: {SECRET}\n'
                        'acl:\n  - id: signed\n    key: home.key\n    action: update\n', 1)
    with open(lab.knot_conf, 'w') as conf:
        conf.write(text.replace('    acl: provider\n', '    acl: [provider, signed]\n'))
    lab.end(lab.knot)
    lab.knot = lab.start('knotd', '-c', lab.knot_conf, ns='inet', log=f'{lab.folder}/knot.log')
    wait_for('knot answers', 15, lambda: lab.dns('SOA', ZONE))


def configure(**changes):
    entry = {'type': 'rfc2136', 'server': AUTHORITY, 'key': 'home.key', 'algorithm': 'hmac-sha512', 'ttl': '90',
             'secret': {'file': '/etc/hairpind/password'}, 'hostnames': [HOST]}
    entry.update(changes)
    lab.write_configuration(lab.configuration(providers=[entry]))
    with open('/etc/hairpind/password', 'w') as file:
        file.write(f'{SECRET}\n')


def serial():
    return int(lab.dns('SOA', ZONE)[0].split()[2])


def is_current(address):
    record = lab.record()
    return record and (record['state'], record['published'], record['verified']) == ('current', address, True)


def finish():
    same(lab.stop_daemon(), 0)
    log = lab.log()
    assert SECRET not in log, 'a secret in the log'


def test_changes():
    """two changes of address: each is published and verified by one update; a restart updates nothing"""
    configure()
    lab.set_address('81.2.69.21')
    lab.start_daemon()
    wait_for('the first address is verified', 30, lambda: is_current('81.2.69.21'))
    same(lab.dns(), ['81.2.69.21'])
    first = serial()
    lab.set_address('81.2.69.22')
    wait_for('the second address is verified', 30, lambda: is_current('81.2.69.22'))
    same((lab.dns(), serial()), (['81.2.69.22'], first + 1))
    finish()
    lab.start_daemon()
    wait_for('still current', 30, lambda: is_current('81.2.69.22'))
    same(serial(), first + 1)
    finish()


def test_wrong_secret():
    """a secret that is not the server's disables the record, with the reason"""
    configure(secret='d3Jvbmcgc2VjcmV0')
    lab.set_address('81.2.69.23')
    lab.start_daemon()
    record = wait_for('disabled', 30, lambda: (lambda r: r if r and r['state'] == 'disabled' else None)(lab.record()))
    same(record['last_answer'], 'badauth')
    assert 'BADSIG' in record['reason'], record['reason']
    finish()


with Lab(build=os.environ.get('HAIRPIN_BUILD', 'build/asan')) as lab:
    give_key()
    run_tests([test_changes, test_wrong_secret])
