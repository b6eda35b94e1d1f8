# SPDX-License-Identifier: GPL-2.0-or-later
"""Every allocation fails once: runs a test program under tests/torture/fail.c and tells what died of it.

A test whose assertion fails because there was no memory is right to fail. A finding is what no lack of memory excuses:
a signal, a sanitizer's report, a hang, and memory lost in a test that goes through all the same."""

import bisect
import functools
import os
import random
import re
import signal
import subprocess
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ASAN = f'{TOP}/build/asan'
LIBRARY = f'{ASAN}/tests/torture/fail.so'
ASKING, ANSWERING = 198, 199
# glibc 2.36's own faults without memory: regcomp() frees twice at one place and loses some at others; a text of asprintf()
# that fills its first buffer to the last byte is ended one byte behind it. OpenSSL 3.0 and glibc's names
# of services die where they set themselves up, at their first use in a process.
FIRST_USE = ('PEM_read_bio_PrivateKey', 'EVP_MD_fetch', 'EVP_Q_mac', 'getservbyname')
EXCUSED = {'sanitizer': ('regcomp', 'asprintf', 'vasprintf', *FIRST_USE), 'leak': ('regcomp',)}
ABORTED = re.compile(r'Assertion|aborting|terminated|corrupt|invalid|double free')      # a library says so
AT_START = ('loop_new ',)    # who may end the process
FRAME = re.compile(r'^ +#\d+ 0x[0-9a-f]+ +\((\S+)\+0x([0-9a-f]+)\)', re.M)


def ranges(program):
    """The addresses of our own code in a program, as TORTURE_CODE wants them."""
    def dump(*what):
        return subprocess.run(['readelf', *what, program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, check=True).stdout
    units = re.findall(r'Compilation Unit @ offset (?:0x)?([0-9a-f]+):.*?DW_AT_name\s*:.*?: (\S+)\n',
                       dump('--debug-dump=info', '--dwarf-depth=1'), re.S)
    ours = {int(offset, 16) for offset, name in units if name.startswith('src/')}
    found = []
    for block in dump('--debug-dump=aranges').split('Length:')[1:]:
        offset = int(re.search(r'Offset into .debug_info:\s+(?:0x)?([0-9a-f]+)', block).group(1), 16)
        if offset in ours:
            for start, length in re.findall(r'^ +([0-9a-f]{16}) ([0-9a-f]{16})$', block, re.M):
                if int(length, 16):
                    found.append((int(start, 16), int(start, 16) + int(length, 16)))
    merged = []
    for start, end in sorted(found):
        if merged and start - merged[-1][1] < 16:
            merged[-1][1] = end
        else:
            merged.append([start, end])
    return ' '.join(f'{start:x}-{end:x}' for start, end in merged)


def sanitizer():
    """The sanitizer's library, which is to come right after ours."""
    out = subprocess.run(['ldd', f'{ASAN}/hairpind'], stdout=subprocess.PIPE, text=True, check=True).stdout
    return next((line.split('=> ')[1].split()[0] for line in out.splitlines() if 'libasan' in line), None)


class Program:
    """A test program as a server; use it as a context manager."""

    def __init__(self, path, *arguments):
        self.path = path
        self.name = path.split('/asan/tests/')[1]
        self.code = ranges(path)
        self.output = tempfile.TemporaryFile()
        ask, self.asking = os.pipe()
        self.answering, answer = os.pipe()
        environment = dict(
            os.environ, LD_PRELOAD=f'{LIBRARY}:{sanitizer()}', TORTURE_CODE=self.code, CMOCKA_MESSAGE_OUTPUT='STDOUT',
            HAIRPIND_REPORTS='',  # judge() says which are findings
            ASAN_OPTIONS='detect_leaks=1:exitcode=99:symbolize=0:allocator_may_return_null=1:verify_asan_link_order=0',
            UBSAN_OPTIONS='print_stacktrace=0:symbolize=0')

        def place():
            os.dup2(ask, ASKING)
            os.dup2(answer, ANSWERING)

        self.process = subprocess.Popen([path, *arguments], stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=self.output, env=environment, preexec_fn=place, close_fds=False,
                                        cwd=TOP)
        os.close(ask)
        os.close(answer)
        self.answers = os.fdopen(self.answering, 'r')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.asking)
        self.answers.close()
        self.process.wait()
        self.output.close()

    def ask(self, *words):
        """The lines of the answer, the child's status, and what it printed."""
        self.output.truncate(0)
        self.output.seek(0)
        os.write(self.asking, (' '.join(map(str, words)) + '\n').encode())
        lines = []
        while True:
            line = self.answers.readline()
            if not line:
                raise RuntimeError(f'{self.name}: the server is gone: {self.printed()[-2000:]}')
            if line.startswith('end '):
                return lines, int(line.split()[1]), self.printed()
            lines.append(line.split())

    def printed(self):
        self.output.seek(0)
        text = self.output.read().decode(errors='replace')
        self.output.seek(0)
        return text

    def tests(self):
        """[(number, name)]; a program without cmocka is one test."""
        names = [line[1] for line in self.ask('tests')[0]]
        return list(enumerate(names)) or [(0, 'all')]

    def stacks(self, test):
        """[(number, hash, frames)] of a test that goes through untouched; None where it does not."""
        lines, status, _ = self.ask('count', test)
        return None if status else [(int(line[1]), line[2], line[3:]) for line in lines]

    def fail(self, test, stack):
        """(was it reached, the finding or None, what was printed)"""
        lines, status, printed = self.ask('fail', test, stack[0], stack[1])
        return lines[0][1] == '1', self.judge(status, printed), printed

    def where(self, stack):
        """The callers within the program, innermost first."""
        out = subprocess.run(['addr2line', '-fse', self.path, *stack[2]], stdout=subprocess.PIPE, text=True, check=True).stdout
        words = out.split()
        return ' < '.join(f'{function} ({spot})' for function, spot in zip(words[::2], words[1::2]))


    # --- what of a child's end no lack of memory excuses

    def is_ours(self, address):
        return any(int(start, 16) <= address < int(end, 16)
                   for start, end in (pair.split('-') for pair in self.code.split()))

    def blames_us(self, kind, report):
        """Is the innermost caller within the program, in the first stack of this report, our code?"""
        called = None
        for module, address in FRAME.findall(report.split('\n\n')[0]):
            if os.path.realpath(module) == os.path.realpath(self.path):
                return self.is_ours(int(address, 16) - 1) and (called is None or exported(*called) not in EXCUSED[kind])
            called = (module, int(address, 16))
        return False

    def judge(self, status, printed):
        """What to say of it, or None."""
        if status == -1:
            return 'hangs'
        if 'runtime error:' in printed:
            return 'undefined' if re.search(r'^src/\S+ runtime error', printed, re.M) else None
        if 'ERROR: AddressSanitizer' in printed:
            return 'sanitizer' if self.blames_us('sanitizer', printed.split('ERROR: AddressSanitizer')[1]) else None
        if 'LeakSanitizer' in printed:
            lost = printed.split('irect leak of')[1:]
            ours = any(self.blames_us('leak', one) for one in lost)
            return 'leak' if ours and '[  FAILED  ]' not in printed else None
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT and not ABORTED.search(printed):
            return None     # a fuzz target's own assertion
        if os.WIFSIGNALED(status):
            return f'signal {os.WTERMSIG(status)}'
        return 'leaves' if '[ RUN' in printed and 'test(s) run.' not in printed else None


@functools.lru_cache(None)
def symbols(module):
    out = subprocess.run(['nm', '-D', '--defined-only', module], stdout=subprocess.PIPE, text=True, check=True).stdout
    return sorted((int(words[0], 16), words[2]) for words in map(str.split, out.splitlines()) if len(words) == 3)


def exported(module, address):
    """The library's function at this address, by the names that it shows."""
    known = symbols(module)
    at = bisect.bisect(known, (address, '')) - 1
    return known[at][1].removeprefix('__interceptor_').split('@')[0] if at >= 0 else ''


# --- many programs

class Tally:
    """What came of it, of all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tried = self.missed = self.programs = 0
        self.findings = []

    def add(self, program, test, stack, reached, finding, printed):
        with self.lock:
            self.tried += reached
            self.missed += not reached
            if finding:
                where = program.where(stack)
                if finding == 'leaves' and any(start in where for start in AT_START):
                    return
                self.findings.append(f'{program.name} {test}, allocation {stack[0]}: {finding}: {where}'
                                     f'\n{printed[-1500:]}')


def torture_program(name, tally, dice=None, most=None):
    """Every stack of a program once; with dice: `most` stacks of one of its tests."""
    arguments = [f'{TOP}/tests/fuzz/corpus/{name.split("fuzz_")[1]}'] if 'fuzz_' in name else []
    seen = set()
    with Program(f'{ASAN}/tests/{name}', *arguments) as program:
        tests = program.tests()
        for number, test in [dice.choice(tests)] if dice else tests:
            stacks = program.stacks(number)
            if stacks is None:
                raise AssertionError(f'{name}: {test} fails alone: {program.printed()[-1500:]}')
            stacks = [stack for stack in stacks if stack[1] not in seen]
            seen.update(stack[1] for stack in stacks)
            for stack in dice.sample(stacks, min(most, len(stacks))) if dice else stacks:
                tally.add(program, test, stack, *program.fail(number, stack))
    with tally.lock:
        tally.programs += 1


def programs(*folders):
    """All test programs of these folders of tests/."""
    return [f'{folder}/{name}' for folder in folders for name in sorted(os.listdir(f'{ASAN}/tests/{folder}'))
            if not name.endswith('.d')]


def torture(names, seconds=None, seed=None, most=None, jobs=2):
    """A Tally of them all; with `seconds` and `seed`: of as many as there is time for, some stacks of each."""
    tally, waiting, end = Tally(), list(names), time.monotonic() + (seconds or 1e9)
    dice = random.Random(seed)
    problems = []
    if seconds:
        dice.shuffle(waiting)

    def work():
        while time.monotonic() < end:
            with tally.lock:
                if not waiting:
                    return
                name, own = waiting.pop(), random.Random(dice.random())
            try:
                torture_program(name, tally, own if seconds else None, most)
            except Exception as problem:  # the thread's is the test's
                problems.append(problem)

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return tally
