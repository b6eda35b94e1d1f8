# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What compiler and linker were to do for the plain programs is seen in them. build/flags says with what they were
# compiled; objects tell what the start files of the C library, which are linked too, may hide.
set -u
cd "$(dirname "$0")/../.." || exit 1
command -v readelf >/dev/null || { echo 'readelf is missing' >&2; exit 77; }
n=0
programs='hairpind hairpin-publish hairpinctl'

# $1: what holds, the rest: the programs and objects for which it does not.
holds() {
	n=$((n + 1)); what=$1; shift
	if [ $# = 0 ]; then
		echo "# figure S39 | $what | yes | yes"
		echo "ok $n - $what"
	else
		printf '# %s\n' "$@"
		echo "not ok $n - $what"
	fi
}

# $1: a word for a test of a program: those that fail it.
programs_not() { for program in $programs; do "$1" "build/$program" || echo "$program"; done; }

pie() { readelf -hW "$1" | grep -q 'DYN (Position-Independent' && readelf -dW "$1" | grep -q 'Flags:.* PIE'; }
relro() { readelf -lW "$1" | grep -q GNU_RELRO && readelf -dW "$1" | grep -q 'BIND_NOW\|Flags:.* NOW'; }
stack_without_code() { readelf -lW "$1" | awk '$1 == "GNU_STACK" { seen = 1; bad = $7 ~ /E/ || $8 == "E" } END { exit !seen || bad }'; }
nothing_written_runs() { ! readelf -lW "$1" | grep -q 'RWE\|RW E'; }
no_text_relocations() { ! readelf -dW "$1" | grep -q TEXTREL; }
no_path_of_libraries() { ! readelf -dW "$1" | grep -q 'RPATH\|RUNPATH'; }
guarded() { imports "$1" | grep -qx __stack_chk_fail; }
checked() { imports "$1" | grep -q '_chk$' || ! readelf -dW "$1" | grep -q 'libc\.so\.6'; }
imports() { readelf --dyn-syms -W "$1" | awk '$7 == "UND" { sub(/@.*/, "", $8); print $8 }'; }
bounded() { ! imports "$1" | grep -xE '(gets|strcpy|strcat|v?sprintf|system|popen|mktemp|tmpnam|tempnam|wordexp)'; }

# The process with rights in the network speaks no HTTP, DNS or TLS: the libraries for it are the publisher's alone.
known_libraries() {
	case $1 in
	*/hairpin-publish) allowed='curl|cares|cjson|ssl|crypto|ldns|miniupnpc|ev' ;;
	*/hairpind) allowed='mnl|nftnl|cjson|ev' ;;
	*) allowed='mnl|nftnl|cjson|resolv' ;;
	esac
	! readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
		grep -vE "^(lib($allowed|c)\.so(\.[0-9]+)*|libc\.musl-.*|ld-.*)$" >&2
}

machine=$(readelf -hW build/hairpind | sed -n 's/.*Machine: *//p')
case $machine in
*X86-64*) note='x86 feature: IBT, SHSTK' ;;
*AArch64*) note='AArch64 feature: BTI, PAC' ;;
*) note= ;;
esac
objects=$(find build/obj -name '*.o')
jumps_unmarked() { for object in $objects; do readelf -nW "$object" | grep -q "$note" || echo "$object"; done; }

# The level that the C library says it works at; the compiler's highest, unless who builds set one.
fortified() {
	level=$(printf '#include <string.h>\n__USE_FORTIFY_LEVEL\n' | eval "$(cat build/flags) -E -P -" | tail -n 1)
	case $level in [0-9]) ;; *) return ;; esac	# a C library that has no levels
	case $(cat build/flags) in
	*'-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3'*) wanted=3 ;;
	*) wanted=2 ;;
	esac
	n=$((n + 1))
	[ "$level" -ge "$wanted" ] || { echo "not ok $n - FORTIFY: level $level, not $wanted"; return; }
	echo "# figure S39 | level of FORTIFY | $level | >= $wanted"
	echo "ok $n - level of FORTIFY"
}

# shellcheck disable=SC2046
{
holds 'position-independent programs' $(programs_not pie)
holds 'everything is bound at the start and then read-only (full RELRO)' $(programs_not relro)
holds 'no code on the stack' $(programs_not stack_without_code)
holds 'no segment can be written and run' $(programs_not nothing_written_runs)
holds 'no relocation in code' $(programs_not no_text_relocations)
holds 'no RPATH, no RUNPATH' $(programs_not no_path_of_libraries)
holds 'the stack is guarded' $(programs_not guarded)
holds 'copies are checked for their size (FORTIFY)' $(programs_not checked)
holds 'no function is called that knows no bounds, or asks a shell' $(programs_not bounded)
holds 'only the libraries that are known: those of the internet in the publisher alone' $(programs_not known_libraries)
[ -z "$note" ] || holds 'every object is marked for checked jumps (CET, BTI)' $(jumps_unmarked)
fortified
}
echo "1..$n"
