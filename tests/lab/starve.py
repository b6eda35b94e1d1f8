# SPDX-License-Identifier: GPL-2.0-or-later
"""
Single allocations of the whole daemon fail, whoever makes them: our programs, libev, libcurl, OpenSSL, c-ares, glibc. The
plain programs (starve.c is preloaded) in virtual time.

A phase (a start, an address to be published, a reload, rules put back) is played once to count the allocations of the
supervisor, of its children that execute nothing (core and loaders), or of the publisher; then again for each number that is
to fail. Afterwards all has to be right again. Whoever dies of it is counted.
"""

import collections
import mmap
import os
import re
import shutil
import signal

from hours import HOUR, Hours
from lab import TOP
from tap import figure

LIBRARY = f'{TOP}/build/lab/starve.so'
WHO, WANTED, NUMBER, FAILED = range(4)          # numbers of struct board in starve.c
ROLES = {'supervisor': 1, 'core': 2, 'publisher': 3}
# what is tried; where a role allocates nothing in a phase it is left out
PHASES = (('start', 'supervisor'), ('start', 'core'), ('update', 'supervisor'), ('update', 'core'), ('update', 'publisher'),
          ('reload', 'core'), ('rules', 'core'))
DEATH = re.compile(r'(core|publisher): (ended by signal|left with status|died at work)[^\n]*')


class Starving(Hours):
    """A laboratory whose daemon may be refused one allocation."""

    def __enter__(self):
        super().__enter__()
        path = f'{self.folder}/starve'
        with open(path, 'wb') as file:
            file.truncate(4 * 8)
        os.chmod(path, 0o666)           # the publisher is another user
        with open(path, 'r+b') as file:
            self.board = memoryview(mmap.mmap(file.fileno(), 4 * 8)).cast('q')
        library = shutil.copy(LIBRARY, f'{self.folder}/starve.so')
        os.chmod(library, 0o755)
        virtual = self.clock.environment()
        both = dict(virtual, LD_PRELOAD=f'{library}:{virtual["LD_PRELOAD"]}', HAIRPIND_STARVE=path)
        self.clock.environment = lambda: both
        self.rounds, self.surplus = 0, 0
        self.refused, self.silent = 0, 0        # starts; those without a word why
        self.deaths, self.findings = collections.Counter(), []
        self.begin(self.config(dns={'check_every': '1d'}))
        return self

    def arm(self, role, number):
        self.board[WHO] = 0
        self.board[WANTED], self.board[NUMBER], self.board[FAILED] = number, 0, 0
        self.board[WHO] = ROLES[role]

    def disarm(self):
        """How many allocations there were."""
        self.board[WHO] = 0
        return self.board[NUMBER]

    # --- phases

    def phase_start(self):
        """It leaves, and is started again without a fault; or it is as it should be."""
        self.stop_daemon()
        said = len(self.log())
        self.start_daemon(log=self.log_path, wait=False)
        self.clock.until('it is up, or has left', 60, lambda: self.daemon.poll() is not None or self.status(), every=0.5)
        if self.daemon.poll() is None:
            self.guard.started()        # only now is it known what a daemon holds
            return
        self.silent += not self.log()[said:].strip()
        if self.daemon.returncode < 0:
            self.findings.append(f'the start ended with {self.daemon.returncode}: {self.log()[said:]}')
        self.disarm()
        self.refused += 1
        self.start_daemon(log=self.log_path)

    def phase_update(self):
        self.clock.go(minutes=20)       # a change after quiet minutes is published at once; the day's budget lasts
        self.change_address()

    def phase_reload(self):
        self.daemon.send_signal(signal.SIGHUP)
        self.clock.go(2)

    def phase_rules(self):
        self.load_rules('81.2.69.250')
        self.clock.go(2)

    # --- one allocation

    def right(self):
        return (self.daemon.poll() is not None or f'ip daddr {self.address} tcp' in self.rules() and
                self.dns() == [self.address] and self.all_current())

    def play(self, phase, role, number):
        """The number-th allocation of the phase fails; how many there were."""
        self.guard.expects(dies=('core', 'publisher', 'supervisor') if phase == 'start' else ('core', 'publisher'))
        said, asked = len(self.log()), len(self.requests())
        core = self.processes()['core']
        self.arm(role, number)
        getattr(self, f'phase_{phase}')()
        try:
            self.clock.until('all is right', 3 * HOUR, self.right, every=20)
        except TimeoutError as late:
            self.findings.append(f'{phase}, {role} {number}: {late}: {self.status()} {self.log()[said:]}')
        count = self.disarm()
        self.judge(f'{phase}, {role} {number}', phase, role, said, core)
        wanted = int(phase == 'update')
        news = self.requests()[asked:]
        self.surplus = max(self.surplus, len(news) - wanted)
        self.findings += [f'{phase}, {role} {number}: published {request["query"]}' for request in news
                          if request['query'].get('myip') != self.address]
        return count

    def judge(self, what, phase, role, said, core):
        if self.daemon.poll() is not None:
            self.findings.append(f'{what}: the daemon left with {self.daemon.returncode}: {self.log()[said:]}')
            self.start_daemon(log=self.log_path)
            return
        self.rounds += bool(self.board[FAILED])
        for who, how in DEATH.findall(self.log()[said:]):
            self.deaths[who, how, phase] += 1
            if who == 'core' and (how == 'ended by signal' or phase != 'start'):
                self.findings.append(f'{what}: {self.log()[said:]}')
        if phase != 'start' and self.processes()['core'] != core:
            self.findings.append(f'{what}: another core: {self.log()[said:]}')

    def figures(self, how):
        print(f'# {self.rounds} allocations failed; {self.refused} starts refused, {self.silent} without a word; deaths: {dict(self.deaths)}')
        assert not self.findings, '\n'.join(self.findings[:20])
        assert self.rounds > 0
        figure('F62', f'crashes, exits after the start, lasting faults and wrong addresses where one allocation of the whole '
               f'daemon fails ({how})', len(self.findings), '== 0')
        figure('F62', f'starts refused without a word why ({how})', self.silent, '== 0')
        figure('F62', f'surplus requests for one failed allocation, the most ({how})', self.surplus, 1)
        signals = sum(times for (who, how, _), times in self.deaths.items() if (who, how) == ('publisher', 'ended by signal'))
        print(f'# publishers that a library ended: {signals}')
