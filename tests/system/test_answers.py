# SPDX-License-Identifier: GPL-2.0-or-later
"""What a provider may answer, and what must follow, with the real programs."""

import os
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import HOST, Lab, run, wait_for  # noqa: E402
from tap import figure, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
lab = None
count = 10


def case(behaviour, state, answer=None, reason=None, seconds=20):
    """A fresh daemon without state meets this behaviour; the record settles in `state` after one request."""
    global count
    count += 1
    address = f'81.2.69.{count}'
    lab.provider_says(**behaviour)
    lab.set_dns('81.2.69.1')
    lab.set_address(address)
    run('rm', '-rf', '/run/lab/state')
    asked = len(lab.requests())
    lab.start_daemon()
    try:
        record = wait_for(f'state {state}', seconds, lambda: (
            lambda r: r if r and r['state'] == state and r['attempts'] + (state == 'disabled') > 0 else None)(lab.record()))
        time.sleep(1)
        same(len(lab.requests()) - asked, 1, 'requests')
        if answer:
            same(record['last_answer'], answer)
        assert record['reason'], 'no reason is given'
        if reason:
            assert reason in record['reason'], record['reason']
        assert record['published'] != address, 'claims to be published'
        if state == 'waiting':
            assert record['next_try'], 'no next try'
        wait_for('the hook failed', 5, lambda: state != 'disabled' or any(
            line.startswith('failed') for line in lab.hook_lines()))
        return record
    finally:
        same(lab.stop_daemon(), 0)


def final(code):
    def test():
        case({'body': code}, 'disabled', {'!donator': 'forbidden', 'notfqdn': 'nohost'}.get(code, code))
        asked = len(lab.requests())
        lab.start_daemon()
        wait_for('still disabled after a restart', 10, lambda: (lab.record() or {}).get('state') == 'disabled')
        lab.set_address('81.2.69.200')
        time.sleep(1.5)
        same(len(lab.requests()) - asked, 0, 'requests after a restart and a change of address')
        lab.provider_says()
        lab.ctl('update', '--force', HOST)
        wait_for('update --force enables it again', 20, lambda: (lab.record() or {}).get('state') == 'current')
        same(lab.stop_daemon(), 0)
    test.__doc__ = f'{code}: one request, disabled, also after a restart; update --force mends it'
    return test


def transient(name, behaviour, answer=None):
    def test():
        case(behaviour, 'waiting', answer)
    test.__doc__ = f'{name}: one request, waits with reason and next try'
    test.__name__ = name
    return test


def retry_after():
    """429 with Retry-After: the next try is not before it"""
    record = case({'status': 429, 'headers': {'Retry-After': '3600'}}, 'waiting')
    due = time.mktime(time.strptime(record['next_try'], '%Y-%m-%dT%H:%M:%SZ')) - time.timezone
    assert due - time.time() > 3400, record['next_try']


def busy():
    """911: the next try is not before 30 minutes"""
    record = case({'body': '911'}, 'waiting')
    due = time.mktime(time.strptime(record['next_try'], '%Y-%m-%dT%H:%M:%SZ')) - time.timezone
    assert due - time.time() > 1600, record['next_try']


def silent():
    """A provider that accepts and is silent: the rules and the control socket do not wait for it"""
    lab.provider_says(silent=True)
    lab.set_dns('81.2.69.1')
    run('rm', '-rf', '/run/lab/state')
    lab.start_daemon()
    wait_for('sending', 15, lambda: (lab.record() or {}).get('state') == 'sending')
    began = time.monotonic()
    lab.set_address('81.2.69.201')
    wait_for('rules', 2, lambda: '81.2.69.201 tcp' in lab.rules(), every=0.002)
    assert lab.status()
    # A request lasts for 30 s at most, and what follows it would be in the state of the record.
    assert time.monotonic() - began < 15 and lab.record()['state'] != 'waiting', lab.record()
    began = time.monotonic()
    same(lab.end(lab.daemon, seconds=30), 0)
    assert time.monotonic() - began < 5, 'stop is slow'


def certificate():
    """A certificate of an unknown CA: not one request reaches the provider"""
    run('sh', '-c', 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null '
        '-out /run/lab/other.pem -days 2 -subj /CN=Other && chmod 644 /run/lab/other.pem')
    config = lab.configuration()
    config['providers'][0]['ca_file'] = '/run/lab/other.pem'
    lab.write_configuration(config)
    lab.provider_says()
    run('rm', '-rf', '/run/lab/state')
    asked = len(lab.requests())
    lab.start_daemon()
    record = wait_for('refused', 20, lambda: (lambda r: r if r and r['reason'] and 'certificate' in r['reason'] else None)(
        lab.record()))
    assert record['state'] in ('waiting', 'stale'), record
    figure('S3', 'requests of the daemon that reach a provider of another CA', len(lab.requests()) - asked, '== 0')
    same(lab.stop_daemon(), 0)
    lab.write_configuration()


NASTY = 'bad\r\nMay 1 root: hairpind: all fine\x1b]0;x\a%s%n%n%x\x9b31m\u202e\u2066\u200b\x7f' + 'y' * 500


def log_injection():
    """A hostile answer is one line in the log, a short one; nothing of it acts on a terminal or turns the reading round"""
    lab.write_configuration(lab.configuration(dns={'check_every': '1h'}, log={'level': 'debug'}))
    record = case({'body': NASTY}, 'waiting')
    lines = lab.log().split('\n')
    told = [line for line in lines if 'all fine' in line]
    assert told and all('root: hairpind' in line and line.startswith(('publisher:', 'record ')) for line in told), told
    loud = [line for line in lines for c in line if c < ' ' or '\x7f' <= c <= '\x9f' or c in '\u200b\u202e\u2066\ufffd']
    longest = max(len(line[line.index('bad'):].encode()) for line in told)
    figure('S13', 'bytes below 0x20, C1 or bidi in the log', len(loud), '== 0')
    figure('S13', 'lines that one answer makes for each that tells it', len([line for line in lines if line.startswith('May 1')]), '== 0')
    figure('S13', 'bytes of the answer in its line, and what follows it', longest, 260)
    assert '\\x1b' in record['reason'] and '\x1b' not in record['reason'], record
    lab.write_configuration(lab.configuration(dns={'check_every': '1h'}))


def main():
    global lab
    with Lab(build=BUILD) as lab:
        lab.set_address('81.2.69.7')
        lab.load_rules('81.2.69.7')
        lab.write_configuration(lab.configuration(dns={'check_every': '1h'}))
        lab.write_hook()
        run_tests([*(final(code) for code in ('badauth', 'abuse', 'nohost', 'notfqdn', 'badagent', '!donator')),
                   transient('server error 500', {'status': 500}), transient('HTML', {'body': '<html>good 1.2.3.4</html>'}),
                   transient('nothing', {'body': ''}), transient('too much', {'bytes': 300000}),
                   transient('cut off', {'cut': True}), transient('nonsense', {'body': 'goodness 81.2.69.7'}),
                   busy, retry_after, silent, log_injection, certificate])


main()
