# SPDX-License-Identifier: GPL-2.0-or-later
"""Hours in virtual time: what answers cost, idle routers, wrong clocks, suspend, a WAN that is down."""

import json
import os
import signal
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from hours import HOUR, MINUTE, Hours, most  # noqa: E402
from lab import HOST, PROVIDER_NAME, RESOLVER, TOP, real_root, run, wait_for  # noqa: E402
from tap import figure, holds, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
lab = None


def dns(**more):
    return {'dns': {'check_every': '5m'}, **more}


def two_hours():
    """Two hours of each answer, looked at every 5 minutes: requests to the update URL"""
    for name, entry, how, limit in (
            ('good', 'P6', {}, '== 1'), ('abuse', 'P6', {'body': 'abuse'}, '== 1'),
            ('badauth', 'P6', {'body': 'badauth'}, '== 1'), ('911', 'F45', {'body': '911'}, 4),
            ('HTTP 429, Retry-After 3600', 'F44', {'status': 429, 'headers': {'Retry-After': '3600'}}, 2),
            ('HTTP 500', 'F2', {'status': 500}, 11)):
        began = lab.clock.now()
        lab.begin(lab.config(**dns()), settle=False, **how)
        lines = []
        for _ in range(2):
            before = lab.lines()
            lab.clock.go(hours=1)
            lines.append(lab.lines() - before)
        figure('F70', f'log lines in an hour of "{name}"', max(lines), 10)
        asked = lab.asked(began)
        figure(entry, f'requests in two hours of "{name}"', len([at for at in asked if at < asked[0] + 2 * HOUR]), limit)


def idle():
    """Three idle hours with 10 records: wake-ups, CPU, writes and questions to DNS"""
    lab.begin(lab.config(lab.names(10)))
    lab.clock.go(hours=1)
    pids = [pid for name, pid in lab.processes().items() if name != 'publisher']
    began, before = lab.clock.now(), lab.requests()
    turns, ticks, written = [sum(map(count, pids)) for count in (lab.clock.turns, cpu_ticks, bytes_written)]
    lab.clock.go(hours=3)
    minutes = (lab.clock.now() - began) / MINUTE
    same([pid for name, pid in lab.processes().items() if name != 'publisher'], pids)
    looks = len(lab.wire.names(began)) / 3
    assert looks > 10, f'{looks} questions an hour: nobody listened'
    figure('P2', 'questions to DNS an hour, 10 records', most([at for at, _ in lab.wire.names(began)], HOUR), 60)
    used = (sum(map(cpu_ticks, pids)) - ticks) / os.sysconf('SC_CLK_TCK')
    figure('P2', 'CPU of supervisor and core, sanitized', used / (minutes * MINUTE) * 100, 0.1, '%')
    figure('P2', 'bytes written to disk in 3 hours', sum(map(bytes_written, pids)) - written, '== 0')
    same(lab.requests(), before)
    known = {*lab.names(10), 'example.org', 'ns1.example.org', PROVIDER_NAME}
    foreign = {name for _, name in lab.wire.names()} - known - {HOST}
    figure('S41', 'other names asked for than those configured and their zones', len(foreign), '== 0')
    figure('S41', 'questions to DNS in an idle hour', most([at for at, _ in lab.wire.names(began)], HOUR), 60)
    waking(turns, pids)


def waking(turns, pids):
    """Without looks at DNS: what remains are the slow looks at the kernel."""
    config = lab.config(lab.names(10), dns={'check_every': '1d'})
    lab.begin(config)
    pids = [pid for name, pid in lab.processes().items() if name != 'publisher']
    turns, began = sum(map(lab.clock.turns, pids)), lab.clock.now()
    lab.clock.go(hours=3)
    minutes = (lab.clock.now() - began) / MINUTE
    figure('P2', 'wake-ups a minute while nothing is due', (sum(map(lab.clock.turns, pids)) - turns) / minutes, 2)


def cpu_ticks(pid):
    with open(f'/proc/{pid}/stat') as file:
        return sum(map(int, file.read().rsplit(')', 1)[1].split()[11:13]))


def bytes_written(pid):
    """With those of its children that have ended; but an ordinary user's say by a pipe, each time, whom they stay."""
    with open(f'/proc/{pid}/io' if real_root() else f'/proc/{pid}/task/{pid}/io') as file:
        return int(dict(line.split(': ') for line in file.read().splitlines())['wchar'])


def wrong_clock():
    """The clock starts in 1970 or 2000 and is put right after 5 minutes"""
    for day in ('1970-01-02', '2000-01-01'):
        right = lab.clock.wall()
        lab.clock.set(day)
        before = lab.clock.now()
        began = lab.begin(settle=False)
        since = right + lab.clock.now() - began
        lab.clock.go(minutes=5)
        figure('F30', f'requests with credentials in 5 minutes of {day[:4]}', len(lab.asked(before)), '== 0')
        holds('F30', 'the reason names the clock', 'clock' in (lab.record()['reason'] or ''))
        stepped = lab.clock.now()
        lab.clock.step(since + 5 * MINUTE - lab.clock.wall())
        lab.clock.until('published', 60, lambda: lab.dns() == [lab.address], every=0.5)
        figure('F30', 'seconds from the step to the update', lab.asked(began)[0] - stepped, 5)
        figure('P10', 'clock stepped right: seconds', lab.clock.now() - stepped, 5)


def suspend():
    """8 hours asleep, then 60 s stopped while the address and resolv.conf change"""
    lab.begin()
    began = lab.clock.now()
    lab.clock.sleep(8 * HOUR)
    woke = lab.clock.now()
    lab.clock.go(MINUTE)
    figure('F32', 'requests after 8 hours asleep', len(lab.asked(began)), '== 0')
    figure('F32', 'questions to DNS in the first minute awake', len(lab.wire.names(woke)), 4)
    lab.change_address()
    lab.clock.until('in step', 60, lambda: lab.dns() == [lab.address], every=0.5)
    pids = [pid for pid in lab.processes().values() if pid]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    lab.change_address()
    with open('/etc/resolv.conf', 'w') as conf:
        conf.write(f'# another\nnameserver {RESOLVER}\n')
    lab.clock.sleep(MINUTE, stopped=True)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    woke = lab.clock.now()
    wait_for('rules', 10, lambda: f'ip daddr {lab.address} tcp' in lab.rules())
    lab.clock.until('published', 60, lambda: lab.dns() == [lab.address], every=0.5)
    figure('F32', 'seconds to converge after 60 s stopped', lab.clock.now() - woke, 5)
    figure('P10', 'resume from sleep: seconds', lab.clock.now() - woke, 5)
    lab.clock.go(minutes=5)
    figure('F32', 'updates for it', len(lab.asked(woke)), '== 1')


def wan_down():
    """The last address is gone for an hour"""
    lab.write_hook()
    lab.begin()
    began, hooks, rules = lab.clock.now(), len(lab.hook_lines()), lab.rules()
    run('ip', 'addr', 'del', f'{lab.address}/24', 'dev', 'wan0', ns='router')
    lab.clock.go(hours=1)
    figure('F36', 'requests in an hour without an address', len(lab.asked(began)), '== 0')
    said = [line.split()[0] for line in lab.hook_lines()[hooks:]]
    figure('F36', 'hooks run', len(said), '== 1')
    holds('F36', 'it is the hook "lost", and status says so', said == ['lost'] and not lab.status()['wans'][0]['ipv4'])
    holds('F36', 'the rules stay as they were', lab.rules() == rules)
    lab.address = None
    lab.change_address()
    lab.settle()


def dns_back():
    """The resolver was silent for an hour; resolv.conf is replaced, and it answers"""
    lab.begin()
    lab.cut(f'ip daddr {RESOLVER} meta l4proto {{ tcp, udp }} th dport 53 drop')
    lab.change_address()
    began = lab.clock.now()
    lab.clock.go(hours=1)
    same(lab.asked(began), [])
    lab.cut()
    with open('/etc/resolv.conf', 'w') as conf:
        conf.write(f'nameserver {RESOLVER}\n')
    back = lab.clock.now()
    lab.clock.until('published', 60, lambda: lab.dns() == [lab.address], every=0.5)
    figure('P10', 'resolv.conf replaced, DNS back: seconds', lab.clock.now() - back, 10)


def partly():
    """One answer with a line for each of three names, good, nohost and 911; then one with too few lines"""
    names = lab.names(3)
    config = lab.config(names, {'type': 'lists'})
    os.makedirs('/etc/hairpind/providers', exist_ok=True)
    with open(f'{TOP}/conf/providers/dyndns2.json') as ours, open('/etc/hairpind/providers/lists.json', 'w') as theirs:
        json.dump(dict(json.load(ours), id='lists', batch=20), theirs)
    lab.begin(config)
    lab.provider_says(refuses={names[1]: 'nohost', names[2]: '911'})
    began = lab.clock.now()
    lab.change_address()
    lab.clock.go(hours=2)
    same([lab.record(hostname=name)['state'] for name in names], ['current', 'disabled', 'waiting'])
    for name, word, limit in zip(names, ('good', 'nohost', '911'), ('== 1', '== 1', 4)):
        figure('F18', f'requests in two hours for the name whose line is {word}', lab.asked_for(began).count(name), limit)
    for count in (1, 2):
        lab.begin(config)
        lab.provider_says(lines=count)
        began = lab.clock.now()
        lab.change_address()
        lab.clock.go(20)
        got = [lab.record(hostname=name)['state'] for name in names]
        same(got, ['current', 'verifying', 'verifying'] if count == 1 else ['current', 'current', 'waiting'], f'{count} lines')
        lab.provider_says()
        lab.clock.until('all are current', 24 * HOUR, lab.all_current, every=HOUR)
        figure('F18', f'names asked for again after {count} of 3 lines', len(lab.asked_for(began)) - 3, 3 - count)
        figure('F18', f'of {count} good lines those asked for again', sum(
            lab.asked_for(began).count(name) - 1 for name in names[:count]), '== 0')


def allowed_user():
    """A user of the control socket asks for updates and reloads again and again"""
    lab.begin()
    began = lab.clock.now()
    while lab.clock.now() < began + 3 * MINUTE:
        lab.ctl('update', '--force')
        lab.ctl('reload')
        lab.clock.go(5)
    figure('S40', 'forced updates of a record in any minute of 3', most(lab.asked(began), MINUTE), '== 1')
    lab.provider_says(body='911')
    lab.change_address()
    began = lab.clock.now()
    while lab.clock.now() < began + HOUR:
        lab.ctl('update', '--force')
        lab.ctl('reload')
        lab.clock.go(minutes=1)
    figure('S40', 'requests in an hour of "911" while updates are asked for', len(lab.asked(began)), 2)


def never_follows():
    """The provider says good, and the zone, with a TTL of an hour, never follows: said after two hours"""
    took = lab.until_invisible(ttl=HOUR)
    figure('F47', 'TTL 1 h: minutes until "not visible"', took, 121.5)
    figure('F47', 'TTL 1 h: minutes that are waited for the zone', took, '>= 120')


def main():
    global lab
    with Hours(build=BUILD) as lab:
        run_tests([two_hours, idle, wrong_clock, suspend, wan_down, dns_back, partly, allowed_user, never_follows])


main()
