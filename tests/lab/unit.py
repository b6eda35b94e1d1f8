# SPDX-License-Identifier: GPL-2.0-or-later
"""A program under the directives of a systemd unit, played by hand where no systemd runs: users, capabilities, mounts,
limits, and the filter of system calls, made by libseccomp from systemd's own groups. Must run as root inside
tests/lab/enter. `python3 unit.py UNIT NETNS UID GROUPS COMMAND...` becomes COMMAND."""

import ctypes
import os
import resource
import subprocess
import sys

PLAYED = {
    'User', 'Group', 'SupplementaryGroups', 'AmbientCapabilities', 'CapabilityBoundingSet', 'RuntimeDirectory', 'RuntimeDirectoryMode',
    'StateDirectory', 'StateDirectoryMode', 'UMask', 'LimitCORE', 'LockPersonality', 'MemoryDenyWriteExecute', 'NoNewPrivileges',
    'PrivateDevices', 'PrivateMounts', 'PrivateTmp', 'ProcSubset', 'ProtectControlGroups', 'ProtectHome', 'ProtectKernelTunables',
    'ProtectProc', 'ProtectSystem', 'RestrictAddressFamilies', 'RestrictNamespaces', 'SystemCallErrorNumber', 'SystemCallFilter',
    'TemporaryFileSystem', 'BindReadOnlyPaths',
}
# What only a service manager does, or what an own user without capabilities cannot do anyway.
NOT_PLAYED = {
    'Type', 'ExecStart', 'ExecReload', 'Restart', 'RestartSec', 'RestartPreventExitStatus', 'TimeoutStartSec', 'WatchdogSec',
    'TimeoutStopSec', 'KillMode', 'ProtectClock', 'ProtectHostname', 'ProtectKernelLogs', 'ProtectKernelModules', 'RemoveIPC',
    'RestrictRealtime', 'RestrictSUIDSGID', 'SystemCallArchitectures', 'DevicePolicy',
}
NET_ADMIN, EPERM = 12, 1
PR_SET_NO_NEW_PRIVS, PR_SET_KEEPCAPS, PR_CAPBSET_DROP, PR_CAP_AMBIENT = 38, 8, 24, 47
libc = ctypes.CDLL(None, use_errno=True)


def substitute(text):
    for name, value in (('SBINDIR', '/usr/sbin'), ('BINDIR', '/usr/bin'), ('LIBEXECDIR', '/usr/libexec'), ('SYSCONFDIR', '/etc')):
        text = text.replace(f'@{name}@', value)
    return text


def directives(path):
    """{name: [values]} of a unit's [Service]."""
    found, section = {}, ''
    with open(path) as file:
        for line in substitute(file.read()).splitlines():
            if line.startswith('['):
                section = line
            elif section == '[Service]' and line and line[0] != '#':
                name, _, value = line.partition('=')
                found.setdefault(name, []).append(value)
    return found


def check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def mount(*words):
    subprocess.run(['mount', *words], check=True)


# --- mounts

def play_mounts(unit, uid):
    check(libc.unshare(0x20000), 'unshare')                     # CLONE_NEWNS
    mount('--make-rprivate', '/')
    for where in ('/root', '/home'):
        if os.path.isdir(where):
            mount('-t', 'tmpfs', '-o', 'mode=000', 'none', where)    # ProtectHome
    mount('-t', 'tmpfs', '-o', 'mode=755', 'none', '/var/lib')
    for kind, top in (('RuntimeDirectory', '/run'), ('StateDirectory', '/var/lib')):
        for name in unit.get(kind, []):
            os.makedirs(f'{top}/{name}', exist_ok=True)
            os.chown(f'{top}/{name}', uid, uid)
            os.chmod(f'{top}/{name}', int(unit.get(kind + 'Mode', ['755'])[0], 8))
    for spot in unit.get('TemporaryFileSystem', []):
        play_hidden(spot.partition(':')[0], [path.lstrip('-') for path in unit['BindReadOnlyPaths']])
    for where in ('/tmp', '/var/tmp'):
        mount('-t', 'tmpfs', '-o', 'mode=1777', 'none', where)
    play_devices()
    play_read_only(unit)
    options = [f'hidepid={unit["ProtectProc"][0]}'] + ([f'subset={unit["ProcSubset"][0]}'] if 'ProcSubset' in unit else [])
    mount('-t', 'proc', '-o', ','.join(options), 'proc', '/proc')


def play_hidden(where, kept):
    os.makedirs('/run/kept', exist_ok=True)
    for number, path in enumerate(kept):
        os.makedirs(f'/run/kept/{number}', exist_ok=True)
        mount('--bind', path, f'/run/kept/{number}')
    mount('-t', 'tmpfs', '-o', 'mode=755', 'none', where)
    for number, path in enumerate(kept):
        os.makedirs(path, exist_ok=True)
        mount('--move', f'/run/kept/{number}', path)
    mount('-o', 'remount,ro', where)


def play_devices():
    os.makedirs('/run/dev', exist_ok=True)
    mount('-t', 'tmpfs', '-o', 'mode=755', 'none', '/run/dev')
    for name in ('null', 'zero', 'full', 'random', 'urandom', 'tty'):
        open(f'/run/dev/{name}', 'w').close()
        mount('--bind', f'/dev/{name}', f'/run/dev/{name}')
    mount('--rbind', '/run/dev', '/dev')


def play_read_only(unit):
    """ProtectSystem=strict: everything but /dev, /proc, /sys, /tmp and the service's own directories."""
    writable = [f'/run/{name}' for name in unit.get('RuntimeDirectory', [])]
    writable += [f'/var/lib/{name}' for name in unit.get('StateDirectory', [])]
    for path in writable:
        mount('--bind', path, path)
    with open('/proc/self/mountinfo') as file:
        points = sorted({line.split()[4] for line in file}, reverse=True)
    for point in points:
        keep = ('/dev', '/proc', '/tmp', '/var/tmp', *writable)
        if any(point == path or point.startswith(path + '/') for path in keep):
            continue
        subprocess.run(['mount', '-o', 'remount,bind,ro', point], stderr=subprocess.DEVNULL, check=False)


# --- system calls

def group(name, known):
    """The calls of one of systemd's groups, with those inside."""
    if not name.startswith('@'):
        return {name}
    if name not in known:
        out = subprocess.run(['systemd-analyze', 'syscall-filter', name], stdout=subprocess.PIPE, text=True, check=True).stdout
        words = [line.strip() for line in out.splitlines()[1:] if line.strip() and not line.strip().startswith('#')]
        known[name] = set().union(*(group(word, known) for word in words))
    return known[name]


def allowed_calls(unit):
    allowed, known = set(group('@default', {})), {}
    for value in unit['SystemCallFilter']:
        names = set().union(*(group(name, known) for name in value.lstrip('~').split()))
        allowed = allowed - names if value.startswith('~') else allowed | names
    return allowed


class Compare(ctypes.Structure):
    _fields_ = [('arg', ctypes.c_uint), ('op', ctypes.c_int), ('a', ctypes.c_uint64), ('b', ctypes.c_uint64)]


def make_filter(unit):
    """Loaded by the function that is returned."""
    seccomp = ctypes.CDLL('libseccomp.so.2')
    seccomp.seccomp_init.restype = ctypes.c_void_p
    refuse, allow = 0x00050000 | EPERM, 0x7fff0000
    context = ctypes.c_void_p(seccomp.seccomp_init(refuse))
    families = {'AF_UNIX': 1, 'AF_INET': 2, 'AF_INET6': 10, 'AF_NETLINK': 16}
    wanted = unit['RestrictAddressFamilies'][0].split()

    def rule(name, *compares):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            return                      # not of this architecture
        array = (Compare * max(1, len(compares)))(*compares)
        check(seccomp.seccomp_rule_add_array(context, allow, number, len(compares), array), name)

    for name in sorted(allowed_calls(unit)):
        if name == 'socket':
            for family in wanted:
                rule(name, Compare(0, 4, families[family], 0))               # SCMP_CMP_EQ
        elif name in ('mmap', 'mmap2'):
            for bits in (0, 2, 4):                                           # never PROT_WRITE and PROT_EXEC
                rule(name, Compare(2, 7, 6, bits))                           # SCMP_CMP_MASKED_EQ
        elif name in ('mprotect', 'pkey_mprotect'):
            rule(name, Compare(2, 7, 4, 0))
        elif name == 'clone':
            rule(name, Compare(0, 7, 0x7e020000, 0))                         # RestrictNamespaces
        elif name == 'personality':
            rule(name, Compare(0, 4, 0, 0))
        elif name not in ('unshare', 'setns', 'clone3'):
            rule(name)
    check(seccomp.seccomp_attr_set(context, 3, 0), 'no_new_privs')           # set by ourselves
    return lambda: check(seccomp.seccomp_load(context), 'seccomp_load')


# --- rights

def play_rights(unit, uid, groups):
    keep = {NET_ADMIN} if 'CAP_NET_ADMIN' in unit['CapabilityBoundingSet'] else set()
    for capability in range(64):
        if capability not in keep and libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    os.setgroups(groups)
    check(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 'keepcaps')
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    bits = sum(1 << capability for capability in keep)
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(bits, bits, bits, 0, 0, 0)
    check(libc.capset(header, data), 'capset')
    for capability in keep:
        check(libc.prctl(PR_CAP_AMBIENT, 2, capability, 0, 0), 'ambient')
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 'no_new_privs')


def main():
    unit, uid = directives(sys.argv[1]), int(sys.argv[3])
    unknown = set(unit) - PLAYED - NOT_PLAYED
    if unknown:
        sys.exit(f'{sys.argv[1]}: nobody has thought of how to play {sorted(unknown)}')
    load = make_filter(unit)
    with open(f'/run/netns/{sys.argv[2]}') as there:
        check(libc.setns(there.fileno(), 0x40000000), 'setns')
    play_mounts(unit, uid)
    os.chdir('/')
    os.umask(int(unit['UMask'][0], 8))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    play_rights(unit, uid, [int(word) for word in sys.argv[4].split(',') if word])
    load()
    os.execv(sys.argv[5], sys.argv[5:])


if __name__ == '__main__':
    main()
