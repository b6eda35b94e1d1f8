# SPDX-License-Identifier: GPL-2.0-or-later
"""5,000 failing updates in virtual time, as the whole daemon sees them: 64 providers fail for hours, each in its own way."""

import collections
import json
import os
import re
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import soak  # noqa: E402
import publish_side as side  # noqa: E402
from publish_side import Web, http  # noqa: E402
from lab import PROVIDER_NAME, Lab, wait_for  # noqa: E402
from tap import run_tests  # noqa: E402
from warp import Warp  # noqa: E402

USUAL, PROVIDERS, PORT = 5000, 64, 5000
KINDS = (	# certificate and what it says; None: nobody listens
    ('good', http('no', 500)), ('good', http('no', 503)), ('good', http('<html>good 1.2.3.4</html>')), ('good', None),
    ('good', lambda _, stream: stream.sendall(http('good' * 20)[:-40])), ('wrong', b''), ('expired', b''), ('self', b''), None)
NAMES = [f'n{number}.example.org' for number in range(PROVIDERS)]
lab = clock = None
failed = 0	# so far


def serve():
    """The providers, a process of their own: virtual time waits for what they do."""
    for number, kind in enumerate(KINDS):
        if kind:
            server = Web(PORT + number, *kind)
            server.requests = collections.deque(maxlen=1)
            server.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    open(f'{side.FOLDER}/ready', 'w').close()
    threading.Event().wait()


def failures():
    """As the daemon counts them; a success is none."""
    text = lab.guard.ask('metrics', raw=True).decode()
    counts = re.findall(r'hairpind_provider_updates_total\{(.*)\} (\d+)', json.loads(text)['text'])
    assert not [labels for labels, count in counts if '"good"' in labels and int(count)], counts
    return sum(int(count) for _, count in counts)


def one(number):
    """They fail by themselves, and at once because somebody says so; who was asked enough for one day waits for the next."""
    global failed
    while failed <= number:
        seen = failed
        lab.ctl('update', '--force')
        clock.go(61)
        failed = failures()
        if failed < seen + PROVIDERS // 2:
            clock.go(hours=2)


def rest():
    clock.until('no publisher', 3600, lambda: lab.processes()['publisher'] is None, every=30)
    return {name: pid for name, pid in lab.processes().items() if pid}


def outage():
    """Hours of failures of all kinds: nothing grows, none is taken for success"""
    soak.Soak('failures of updates', USUAL, one, rest).run(COUNT)
    print(f'# {clock.now() / 3600:.1f} virtual hours')
    assert all(record['state'] == 'waiting' and record['reason'] for record in lab.status()['records']), lab.status()


if sys.argv[1:] == ['serve']:
    serve()
COUNT = soak.rounds(USUAL)
with Lab(build='build') as lab:
    clock = Warp(lab)
    os.makedirs(side.FOLDER, exist_ok=True)
    side.make_certificates()
    side.make_certificate('good', f'DNS:*.{PROVIDER_NAME}')
    lab.start(sys.executable, '-B', os.path.abspath(__file__), 'serve', ns='inet', log=f'{lab.folder}/servers.log')
    wait_for('the providers', 20, lambda: os.path.exists(f'{side.FOLDER}/ready'))
    lab.set_address('81.2.69.7')
    lab.load_rules('81.2.69.1')
    base = lab.configuration()['providers'][0]
    lab.write_configuration(lab.configuration(
        providers=[dict(base, server=f'p{number}.{PROVIDER_NAME}:{PORT + number % len(KINDS)}', ca_file=f'{side.FOLDER}/ca.pem', hostnames=[name],
                        check=False, name=f'p{number}') for number, name in enumerate(NAMES)],
        hooks=None, log={'level': 'err'}))
    lab.start_daemon()
    run_tests([outage])
