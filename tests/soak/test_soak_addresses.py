# SPDX-License-Identifier: GPL-2.0-or-later
"""100,000 changes of the WAN's addresses, IPv4 and IPv6 in turn, each followed by the rules before the next one comes."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import soak  # noqa: E402
from kernel import Kernel  # noqa: E402
from lab import HOST, RULES, Lab, run, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

USUAL = 100000
COUNT = soak.rounds(USUAL)
RULES6 = '''
table ip6 nat {
	chain pre {
		type nat hook prerouting priority dstnat;
		ip6 daddr 2a01:4f8:1::1 tcp dport 80 dnat to fd00::2 comment "hairpin six"
	}
}
'''
lab = kernel = None


def one(number):
    text = f'81.2.69.{10 + number // 2 % 200}' if number % 2 == 0 else f'2a01:4f8:1::{0x10 + number // 2 % 200:x}'
    kernel.change(text)
    kernel.wait_commit()


def rest():
    wait_for('the rules hold the addresses', 10, in_step)
    return {name: pid for name, pid in lab.processes().items() if name != 'publisher'}


def in_step():
    wan = lab.status()['wans'][0]
    return all((wan[family] or {}).get('address') == str(kernel.now[version])
               for family, version in (('ipv4', 4), ('ipv6', 6)) if version in kernel.now)


def changes():
    """Changes of both addresses: nothing grows, the rules hold the last ones"""
    soak.Soak('changes', USUAL, one, rest).run(COUNT)
    same(f'ip daddr {kernel.now[4]} tcp' in lab.rules(), True)
    same(f'ip6 daddr {kernel.now[6]} tcp' in lab.rules('ip6 nat'), True)


def published():
    """And when it is quiet the last address is published, too"""
    lab.ctl('update', '--force', HOST, check=True)
    wait_for('the record', 90, lambda: lab.dns() == [str(kernel.now[4])])
    wait_for('the other', 90, lambda: lab.dns('AAAA') == [str(kernel.now[6])])


with Lab(build='build') as lab:
    lab.load_rules('81.2.69.1', RULES + RULES6)
    lab.set_dns('81.2.69.1')
    run('sysctl', '-qw', 'net.ipv6.conf.wan0.accept_dad=0', ns='router')
    kernel = Kernel()
    kernel.change('81.2.69.9')
    kernel.change('2a01:4f8:1::9')
    run('ip', 'route', 'add', 'default', 'via', '81.2.69.254', ns='router')
    run('ip', '-6', 'route', 'add', 'default', 'via', '2a01:4f8:1::254', ns='router')
    lab.write_configuration(lab.configuration(hooks=None, log={'level': 'notice'}))
    lab.start_daemon()
    run_tests([changes, published])
