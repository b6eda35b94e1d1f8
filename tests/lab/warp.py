# SPDX-License-Identifier: GPL-2.0-or-later
"""Virtual time for whole-system tests: months of the daemon's life in minutes.

    clock = Warp(lab)               before lab.start_daemon()
    clock.go(hours=24)              lets so much pass, jumping from deadline to deadline
    clock.until('current', 30, test)    lets time pass until test() is true; its value; TimeoutError after so many seconds
    clock.step(-3600)               CLOCK_REALTIME alone steps; clock.set('2000-01-01') to a day
    clock.sleep(8 * 3600)           a suspend: everything stands (or is `stopped`), then CLOCK_BOOTTIME and CLOCK_REALTIME are further
    clock.now()                     virtual seconds since Warp() was made; so are the times in requests.jsonl
    clock.wall()                    virtual seconds since 1970

How it works. Our three programs are started with build/lab/warp.so preloaded (warp.c). It adds offsets, kept in a shared file, to
the clocks that they read, and notes there for each process whether it waits and until when. Here is who moves the offsets: when
every process of ours waits and nothing is under way, time jumps to the earliest deadline. Nothing is under way when

  - every process of ours waits in poll() or epoll_wait() and none woke between two looks,
  - every child of the supervisor is one of these; a hook or a loader that runs is work, and time stands until it ends,
  - as soon as somebody beside supervisor and core is there (the publisher, with questions to servers), no thread of any process in
    the laboratory runs, is about to, or ran within 2 ms (for each that wants a processor anywhere: the kernel's own threads are not
    seen here), and no packet waits for a busy processor; so a real name server on a busy machine has all the time it needs. A server
    of ours must not let TCP wait for acknowledgements before it sends on (TCP_NODELAY): nobody runs meanwhile. Where it waits
    for another one that may do the same, it says so: Board.busy().

While go() and until() lead it, time stands between the jumps: how fast this machine is makes no difference. Between calls
of them it flows like real time, from where it is. Its limits: the kernel knows nothing of it (retries of
TCP, life times of addresses, TTLs kept by other programs); servers of ours see it through Board; a hook that sleeps does so
in real time; what a thread of the test does is not waited for.
"""

import calendar
import contextlib
import mmap
import os
import shutil
import threading
import time

LIBRARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../build/lab/warp.so')
NEVER = 2 ** 63 - 1
# numbers of struct board in warp.c
MONOTONIC, BOOT, WALL, EPOCH, STEPS, LED, START, STANDS, STOOD, _, _, SEQUENCE = range(12)
CLOCKS = time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME, time.CLOCK_REALTIME
HEAD, SLOT, SLOTS, OURS = 15, 8, 256, 248
PID, WAITING, UNTIL, TURNS, MADE = range(5)             # numbers of struct slot
PATIENCE = 120                                          # real seconds in which the daemon comes to rest


class Board:
    """The shared file, as servers of the laboratory see it."""

    lock = threading.Lock()

    def __init__(self, path):
        with open(path, 'r+b') as file:
            self.numbers = memoryview(mmap.mmap(file.fileno(), (HEAD + SLOTS * SLOT) * 8)).cast('q')

    @staticmethod
    def of(folder):
        """The one of a laboratory; None in real time."""
        path = f'{folder}/warp'
        return Board(path) if os.path.exists(path) else None

    def clock_ns(self, kind):
        """MONOTONIC, BOOT or WALL."""
        while True:
            sequence = self.numbers[SEQUENCE]
            now = self.numbers[STOOD + kind] if self.numbers[STANDS] else time.clock_gettime_ns(CLOCKS[kind])
            now += sum(self.numbers[offset] for offset in range(kind + 1))
            if sequence % 2 == 0 and sequence == self.numbers[SEQUENCE]:
                return now

    def boot_ns(self):
        return self.clock_ns(BOOT)

    def now(self):
        return (self.boot_ns() - self.numbers[START]) / 1e9

    def wall(self):
        return self.clock_ns(WALL) / 1e9

    def own(self, until=NEVER):
        """A slot for this thread."""
        with self.lock:
            mine = next(slot for slot in map(self.slot, range(OURS, SLOTS)) if not slot[PID])
            mine[WAITING], mine[UNTIL], mine[MADE] = 0, until, self.numbers[EPOCH]
            mine[PID] = threading.get_native_id()
        return mine

    @contextlib.contextmanager
    def busy(self):
        """Time stands meanwhile, though nobody runs: now and then knot keeps an update back for most of a second."""
        mine = self.own()
        try:
            yield
        finally:
            mine[PID] = 0

    def wait(self, seconds):
        """Sleeps in virtual time."""
        until = self.monotonic_ns() + int(seconds * 1e9)
        mine = self.own(until)
        mine[WAITING] = 1
        while self.monotonic_ns() < until:
            mine[MADE] = self.numbers[EPOCH]
            time.sleep(0.001 if self.numbers[LED] else 0.01)
        mine[WAITING] = 0
        mine[PID] = 0

    def monotonic_ns(self):
        return self.clock_ns(MONOTONIC)

    def slot(self, number):
        return self.numbers[HEAD + number * SLOT:HEAD + (number + 1) * SLOT]


class Warp(Board):
    def __init__(self, lab):
        self.lab = lab
        self.why = ''           # time does not pass
        self.jumps = 0
        self.watchers = []      # called whenever all is at rest
        path = f'{lab.folder}/warp'
        with open(path, 'wb') as file:
            file.truncate((HEAD + SLOTS * SLOT) * 8)
        os.chmod(path, 0o666)   # the publisher is another user
        self.library = f'{lab.folder}/warp.so'
        shutil.copy(LIBRARY, self.library)
        os.chmod(self.library, 0o755)
        super().__init__(path)
        self.numbers[START] = self.boot_ns()
        lab.clock = self

    def environment(self):
        """What the daemon is started with."""
        return {'LD_PRELOAD': self.library, 'HAIRPIND_WARP': f'{self.lab.folder}/warp'}

    # --- time passes

    def go(self, seconds=0, minutes=0, hours=0, days=0):
        self.lead(self.monotonic_ns() + int((seconds + 60 * minutes + 3600 * hours + 86400 * days) * 1e9))

    def until(self, what, seconds, test, every=1):
        with self.still():
            end = self.now() + seconds
            while True:
                self.rest()
                got = test()
                if got:
                    return got
                if self.now() > end:
                    raise TimeoutError(f'{what}: not within {seconds} virtual s')
                self.go(every)

    def lead(self, end):
        """Jumps until virtual CLOCK_MONOTONIC is `end`."""
        self.numbers[LED] = 1
        try:
            with self.still():
                while True:
                    earliest = self.rest()
                    now = self.monotonic_ns()
                    if now >= end:
                        return
                    if min(earliest, end) > now:
                        self.change(MONOTONIC, min(earliest, end) - now)
                        self.jumps += 1
        finally:
            self.numbers[LED] = 0

    @contextlib.contextmanager
    def still(self):
        """Time stands but for jumps; afterwards it flows on from there."""
        if self.numbers[STANDS]:
            yield
            return
        self.numbers[SEQUENCE] += 1
        for kind, clock in enumerate(CLOCKS):
            self.numbers[STOOD + kind] = time.clock_gettime_ns(clock)
        self.numbers[STANDS] = 1
        self.numbers[SEQUENCE] += 1
        try:
            yield
        finally:
            self.numbers[SEQUENCE] += 1
            self.numbers[STANDS] = 0
            self.change(MONOTONIC, self.numbers[STOOD] - time.clock_gettime_ns(time.CLOCK_MONOTONIC))
            self.numbers[SEQUENCE] += 1

    def change(self, which, nanoseconds):
        self.numbers[which] += nanoseconds
        self.numbers[EPOCH] += 1

    def step(self, seconds):
        self.numbers[STEPS] += 1
        self.change(WALL, int(seconds * 1e9))

    def set(self, day):
        self.step(calendar.timegm(time.strptime(day, '%Y-%m-%d')) - self.wall())

    def sleep(self, seconds, stopped=False):
        if not stopped:     # who was stopped at work comes to no rest
            self.rest()
        self.numbers[STEPS] += 1        # the kernel tells of a suspend as of a step
        self.change(BOOT, int(seconds * 1e9))

    # --- rest

    def rest(self):
        """Waits, really, until nothing is under way; the earliest deadline then."""
        patience = time.monotonic() + PATIENCE
        led, self.numbers[LED] = self.numbers[LED], 1
        try:
            while True:
                first = self.look()
                if first:
                    time.sleep(0.002 * runnable() if len(first[1]) > 2 else 0.0003)
                    if self.look() == first:
                        for watcher in self.watchers:
                            watcher()
                        return first[0]
                if time.monotonic() > patience:
                    raise TimeoutError(f'the daemon does not come to rest: {self.why}')
                time.sleep(0.0003)
        finally:
            self.numbers[LED] = led

    def look(self):
        """None: something is under way. Else the earliest deadline, and what tells this look from another."""
        slots = [slot for slot in map(self.slot, range(SLOTS)) if slot[PID] and self.alive(slot)]
        now = self.monotonic_ns()
        for slot in slots:
            if not slot[WAITING] or slot[MADE] != self.numbers[EPOCH] or slot[UNTIL] <= now:
                self.why = f'process {slot[PID]} runs'
                return None
        pids = {slot[PID] for slot in slots}
        for pid in self.family():
            if pid not in pids:
                self.why = f'{words_of(pid)} does not wait in virtual time'
                return None
        ran = []
        for pid in pids if len(pids) < 3 else everybody():
            times = thread_times(pid, pids)
            if times is None:
                self.why = f'{words_of(pid)} runs'
                return None
            ran += times
        if len(pids) > 2 and packets_wait():
            self.why = 'packets wait for the kernel'
            return None
        return min([slot[UNTIL] for slot in slots], default=NEVER), [(slot[PID], slot[TURNS]) for slot in slots], ran

    @staticmethod
    def alive(slot):
        if (state_of(f'/proc/{slot[PID]}/stat') or 'Z') not in 'ZX':
            return True
        slot[PID] = 0
        return False

    def family(self):
        """The supervisor and its children."""
        daemon = self.lab.daemon
        if not daemon or daemon.poll() is not None:
            return []
        try:
            with open(f'/proc/{daemon.pid}/task/{daemon.pid}/children') as file:
                return [daemon.pid] + [int(word) for word in file.read().split()]
        except OSError:         # it leaves
            return [daemon.pid]

    def turns(self, pid):
        """How often a process woke so far."""
        return next((slot[TURNS] for slot in map(self.slot, range(OURS)) if slot[PID] == pid), 0)


def state_of(path):
    """A letter, see proc(5); empty for nobody."""
    try:
        with open(path, 'rb') as file:
            return file.read().rsplit(b')', 1)[1][1:2].decode()
    except (OSError, IndexError):
        return ''


def thread_times(pid, known):
    """
    None: some thread of it runs, or will as soon as there is a processor. Else how long each has run so far, which tells whether one did
    between two looks; but for those `known`, who look around all the time and have words of their own for it.
    """
    times = []
    try:
        for thread in os.listdir(f'/proc/{pid}/task'):
            if state_of(f'/proc/{pid}/task/{thread}/stat') in ('R', 'D'):
                return None
            if int(thread) not in known:
                with open(f'/proc/{pid}/task/{thread}/schedstat') as file:
                    times.append(file.read())
    except OSError:
        pass
    return times


def runnable():
    """How many threads of the whole machine want a processor; this one does."""
    with open('/proc/loadavg') as file:
        return max(1, int(file.read().split()[3].split('/')[0]))


def packets_wait():
    """Some processor has not yet delivered what it was given (the length of its backlog; since Linux 5.10)."""
    with open('/proc/net/softnet_stat') as file:
        return any(int(words[11], 16) for words in map(str.split, file) if len(words) > 11)


def everybody():
    """Whoever else is in the laboratory."""
    return [int(name) for name in os.listdir('/proc') if name.isdigit() and int(name) != os.getpid()]


def words_of(pid):
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as file:
            return f'{pid} {file.read().replace(bytes(1), b" ").decode(errors="replace")}'
    except OSError:
        return str(pid)
