# SPDX-License-Identifier: GPL-2.0-or-later
"""What a router of the laboratory is: data that reads like its admin's story. doctor_try.py plays it.

A question is "CLIENT PROTOCOL PORT", "CLIENT PROTOCOL PORT at ADDRESS" or the same with "= WHO" behind; without an
address it goes to the public one, without a name the host "server" is to answer. Every router is asked besides
whether its own page (192.168.1.1) and a foreign web site are still what LAN clients see there.
"""

from dataclasses import dataclass, field

from doctor_world import PUBLIC, STRANGER

GUARDS = ('lan tcp 80 at 192.168.1.1 = router', f'lan tcp 80 at {STRANGER} = stranger')


# --- what breaks a router; each but Wrong and Cut has the way back in it

@dataclass
class Wrong:
    """The rules have `new` where `old` should be: everywhere."""
    old: str
    new: str


def cut(text):
    return Wrong(text, '')


@dataclass
class Do:
    """A command in a namespace. `back` is given where doctor cannot mend it: a plug, somebody else's machine."""
    ns: str
    command: str
    back: str = ''


@dataclass
class Ends:
    """A service that is not there; nobody but the admin can start it."""
    ns: str
    protocol: str
    port: int


@dataclass
class File:
    """Another text of one of the router's files."""
    path: str
    old: str
    new: str


@dataclass
class Router:
    name: str
    tale: str				# what its owner would write
    rules: str				# nft
    iptables: str = ''			# for iptables-nft-restore
    legacy: str = ''			# for the old iptables
    parts: tuple = ()			# of doctor_world
    address: str = PUBLIC
    setup: tuple = ()			# Do: what makes it this router
    asks: tuple = ('inet tcp 80', 'lan tcp 80')
    guards: tuple = GUARDS
    files: dict = field(default_factory=dict)
    config: dict = None			# hairpind.json; None: none
    daemon: bool = False
    # Of a broken one:
    faults: tuple = ()
    broken: dict = field(default_factory=dict)		# question -> who answers then
    findings: tuple = ()		# codes, one for each finding
    # Commands after the remedies: what DHCP and the like do by themselves then.
    follows: tuple = ()
    # The remedy lies elsewhere (the provider, a plug): nothing to run, the faults are undone.
    elsewhere: bool = False
    born: bool = False			# never worked: nothing that was put in its way
    lasting: bool = False		# nothing here can bring it back
    # A finding that packets do not show yet.
    quiet: bool = False
    untold: tuple = ()			# questions that the report's forwards do not answer, and need not
    needs: tuple = ()			# of the kernel: "legacy", "br_netfilter"


def question(text):
    """(client, protocol, port, address, who)"""
    text, _, who = text.partition(' = ')
    words = text.split()
    assert len(words) == 3 or (len(words) == 5 and words[3] == 'at'), text
    return words[0], words[1], int(words[2]), words[4] if len(words) == 5 else PUBLIC, who or 'server'
