# SPDX-License-Identifier: GPL-2.0-or-later
"""100,000 failing updates in one publisher: refused, reset, silent, TLS that does not hold, 5xx, 429, cut, nonsense, no such
host; eight at a time."""

import collections
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import soak  # noqa: E402
import publish_side as side  # noqa: E402
from publish_side import CHECK, Publisher, Web, http, make_job, update  # noqa: E402
from tap import run_tests  # noqa: E402

USUAL, AT_ONCE, EPOCHS_KEPT = 100000, 8, 4
COUNT = soak.rounds(USUAL)
ADDRESS = '81.2.69.7'
KINDS = {	# port: certificate and what it says
    4500: ('good', http('no', 500)),
    4501: ('good', http('later', 429, Retry_After='60')),
    4502: ('good', lambda _, stream: stream.sendall(http('good' * 20)[:-40])),
    4503: ('good', None),
    4504: ('good', http('<html>good 1.2.3.4</html>')),
    4505: ('good', http('911')),
    4506: ('good', http('', 302, Location='https://dyn.example.net:4500/')),
    4507: ('wrong', b''),
    4508: ('expired', b''),
    4509: ('self', b''),
    4510: (None, b'HTTP/1.1 400 Bad Request\r\n\r\n'),
    4511: (None, None),
}
REFUSED, SILENT, NOWHERE = 4599, 4598, 4597
verdicts = collections.Counter()
publisher, certificate = None, ''
under_way = epoch = 0


def job(number):
    """A failing one; every fifth round it is a question to name servers."""
    kind = soak.dice.choice((*KINDS, *KINDS, REFUSED, SILENT, NOWHERE))
    if number % 20 == 19:
        return make_job(CHECK, [('none.example.org', 'A')], number)
    host = 'nowhere.example.org' if kind == NOWHERE else side.PROVIDER
    return update([('home.example.org', ADDRESS)], f'{host}:{kind}', number, ca=certificate, epoch=epoch,
                  timeout_ms=100 if kind == SILENT else 20000)


def one(number):
    """Eight are under way; the next one begins when one is over."""
    send(job(number))
    if under_way == AT_ONCE:
        take()


def send(packet):
    global under_way
    publisher.channel.send(packet)
    under_way += 1


def take():
    global under_way
    answer = publisher.results(1)[0]
    under_way -= 1
    verdicts[answer.verdict] += 1
    assert answer.verdict not in ('good', 'unchanged', 'verified'), answer


def rest():
    """All that is under way comes to its end, and no connection of the last epochs is kept."""
    global epoch
    for _ in range(EPOCHS_KEPT + 2):
        epoch += 1
        send(update([('home.example.org', ADDRESS)], f'{side.PROVIDER}:{REFUSED}', ca=certificate, epoch=epoch))
        while under_way:
            take()
    return {'publisher': publisher.child.pid}


def failures():
    """Failures of all kinds: nothing grows, none is taken for success"""
    soak.Soak('failures', USUAL, one, rest).run(COUNT)
    print(f'# {dict(verdicts)}')
    assert sum(verdicts.values()) > COUNT


side.start_internet()
with open(f'{side.FOLDER}/ca.pem') as file:
    certificate = file.read()
servers = [Web(port, kind, say) for port, (kind, say) in KINDS.items()] + [Web(SILENT, talk=False)]
for server in servers:
    server.requests = collections.deque(maxlen=1)
with Publisher(program='build/hairpin-publish') as publisher:
    run_tests([failures])
