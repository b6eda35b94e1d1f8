# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job, live: the WAN's address changes three times, and rules, DNS record, hook and hairpin follow.

Real: kernel, nftables, packets, hairpind's three processes, TLS, the name server (knot), the web server.
Played: only the internet's side of the wire.
"""

import os
import re
import sys
import time

from lab import HOST, Lab, run, wait_for

COLOUR = sys.stdout.isatty() and not os.environ.get('NO_COLOR')


def paint(text, code):
    return f'\033[{code}m{text}\033[0m' if COLOUR else text


def title(text):
    print('\n' + paint(text, '1'))


def say(subject, text, good=None):
    mark = {True: paint(' ok', '32'), False: paint(' --', '33'), None: '   '}[good]
    print(f'{mark} {subject:<10} {text}', flush=True)


class Demo:
    def __init__(self, lab):
        self.lab = lab
        self.mark = 0
        self.good = True

    def expect(self, subject, text, good):
        self.good = self.good and good
        say(subject, text, good)

    def rules(self):
        """The tagged dst-nat rules' addresses, by comment."""
        return {comment: (address, handle) for address, comment, handle in re.findall(
            r'ip daddr (\S+) .*comment "(hairpin [^"]+)" # handle (\d+)', self.lab.rules())}

    def new_log(self):
        """What the daemon said since the last call."""
        log = self.lab.log()[self.mark:]
        self.mark += len(log)
        return log

    def change(self, what, act, new, old):
        title(what)
        lab = self.lab
        before, asked, hooks = self.rules(), len(lab.requests()), len(lab.hook_lines())
        self.expect('before', f'http://{old or "?"}/ from the LAN: {lab.fetch(old) if old else "-"}', True)
        self.new_log()
        began = time.monotonic()
        act()
        wait_for('a line in the log', 5, lambda: f'{new} replaces' in lab.log()[self.mark:], every=0.005)
        wait_for('the rules follow', 5, lambda: {a for a, _ in self.rules().values()} == {new}, every=0.05)
        for comment, (address, handle) in sorted(self.rules().items()):
            was, handle_before = before.get(comment, ('-', handle))
            note = '' if handle == handle_before else ', loaded anew'
            self.expect('rule', f'"{comment}" handle {handle}{note}: {was} -> {address}', address == new)
        for line in self.new_log().splitlines():
            if 'rule' in line and ' ms' in line:
                say('log', re.sub(r'^<\d>', '', line))
        status = lab.status()
        say('kernel', f'batch committed in {status["wans"][0]["rules"]["last_commit_us"]} microseconds')
        page = lab.fetch(new)
        self.expect('hairpin', f'http://{new}/ from the LAN: {page}', page == 'hello from the LAN server')
        page = lab.fetch(new, ns='inet')
        self.expect('outside', f'http://{new}/ from the internet: {page}', page == 'hello from the LAN server')
        self.follow_dns(new, asked, hooks, began)

    def follow_dns(self, new, asked, hooks, began):
        lab = self.lab
        record = wait_for('the record is current', 30, lambda: (
            lambda r: r if r and r['state'] == 'current' and r['published'] == new else None)(lab.record()))
        for request in lab.requests()[asked:]:
            query = '&'.join(f'{key}={value}' for key, value in request['query'].items())
            self.expect('provider', f'GET {request["path"]}?{query}', request['query'].get('myip') == new)
        answer = lab.dns()
        self.expect('DNS', f'{HOST}. A {" ".join(answer)} (asked at the zone\'s own server; '
                    f'{"verified" if record["verified"] else "not verified"})', answer == [new])
        wait_for('the hooks ran', 10, lambda: any(
            line.startswith('record ') and f' {new} ' in line for line in lab.hook_lines()[hooks:]))
        for line in lab.hook_lines()[hooks:]:
            say('hook', ' '.join(line.split()))
        say('time', f'{time.monotonic() - began:.2f} s from the change of address to the verified record')


def main():
    print('hairpind, live: a router, its LAN and an internet, each a network namespace.')
    with Lab() as lab:
        demo = Demo(lab)
        lab.set_address('81.2.69.7')
        lab.load_rules('81.2.69.1')
        lab.set_dns('81.2.69.1')
        lab.write_configuration()
        lab.write_hook()
        title('The address was 81.2.69.1 once; rules and DNS still say so. hairpind starts, WAN is 81.2.69.7')
        say('hairpin', f'http://81.2.69.7/ from the LAN: {lab.fetch("81.2.69.7")}', False)
        lab.start_daemon()
        wait_for('the rules follow', 5, lambda: {a for a, _ in demo.rules().values()} == {'81.2.69.7'})
        page = lab.fetch('81.2.69.7')
        demo.expect('hairpin', f'http://81.2.69.7/ from the LAN: {page}', page == 'hello from the LAN server')
        demo.follow_dns('81.2.69.7', 0, 0, time.monotonic())

        demo.change('1. A new lease: 81.2.69.8', lambda: lab.set_address('81.2.69.8'),
                    '81.2.69.8', '81.2.69.7')

        def redial():
            lab.remove_wan()
            lab.make_wan()
            lab.set_address('81.2.69.9')
        demo.change('2. The line drops: the interface is deleted and made again, with 81.2.69.9', redial,
                    '81.2.69.9', '81.2.69.8')

        def reload():
            lab.set_address('81.2.69.10')
            lab.load_rules('81.2.69.9')
        demo.change('3. 81.2.69.10, and the firewall is reloaded from its file, which says 81.2.69.9', reload,
                    '81.2.69.10', '81.2.69.9')

        title('hairpinctl')
        print(run(f'{lab.build}/hairpinctl', ns='router', check=False).rstrip())
        requests = len(lab.requests())
        title(f'{requests} updates for 4 addresses. ' + ('Everything followed.' if demo.good else 'NOT everything followed.'))
        lab.stop_daemon()
    return 0 if demo.good and requests == 4 else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (TimeoutError, RuntimeError) as problem:
        print(f'\ndemo: {problem}', file=sys.stderr)
        with open('/run/lab/hairpind.log', errors='replace') as log:
            sys.stderr.write(log.read()[-3000:])
        sys.exit(1)
