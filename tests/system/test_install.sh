# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# make install puts everything where it belongs under DESTDIR, and make uninstall takes all of it away.
set -u
cd "$(dirname "$0")/../.." || exit 1
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
n=0
ok() { n=$((n + 1)); if eval "$2"; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi; }

make --no-print-directory install DESTDIR="$there" PREFIX=/usr >/dev/null 2>"$there.log"
ok 'make install succeeds' "[ $? = 0 ]"
for file in usr/sbin/hairpind usr/bin/hairpinctl usr/libexec/hairpind/hairpin-publish \
	usr/share/hairpind/providers/dyndns2.json usr/share/hairpind/hairpind.schema.json \
	usr/share/man/man8/hairpind.8 usr/share/man/man8/hairpinctl.8 usr/share/man/man5/hairpind.json.5 \
	lib/systemd/system/hairpind.service; do
	ok "$file is installed" "[ -s '$there/$file' ]"
done
ok 'the unit names the installed program' "grep -q '^ExecStart=/usr/sbin/hairpind' '$there/lib/systemd/system/hairpind.service'"
ok 'no placeholder is left in the unit' "! grep -q '@[A-Z]*@' '$there/lib/systemd/system/hairpind.service'"
ok 'the configuration is not overwritten or made' "[ ! -e '$there/etc/hairpind/hairpind.json' ]"
ok 'the installed program finds its version' "'$there/usr/sbin/hairpind' --version >/dev/null"
make --no-print-directory uninstall DESTDIR="$there" PREFIX=/usr >/dev/null 2>&1
ok 'make uninstall leaves no file' "[ -z \"\$(find '$there' -type f)\" ]"
for init in openrc procd none; do
	make --no-print-directory install DESTDIR="$there" PREFIX=/usr INIT=$init >/dev/null 2>"$there.log"
	ok "make install INIT=$init succeeds" "[ $? = 0 ]"
	ok "it brings no unit" "[ -z \"\$(find '$there' -name '*.service')\" ]"
	[ $init = none ] ||
		ok 'its script names the installed program' "grep -q '=/usr/sbin/hairpind' '$there/etc/init.d/hairpind' && [ -x '$there/etc/init.d/hairpind' ]"
	[ $init = none ] || ok 'and is one that a shell reads' "sh -n '$there/etc/init.d/hairpind'"
	make --no-print-directory uninstall DESTDIR="$there" PREFIX=/usr INIT=$init >/dev/null 2>&1
	ok 'make uninstall leaves no file' "[ -z \"\$(find '$there' -type f)\" ]"
done
rm -f "$there.log"
echo "1..$n"
