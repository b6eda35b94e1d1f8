# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a sanitizer reports fails a test that passes otherwise, also where nobody reads the process's stderr or asks for its
# status, and where it may open nothing (tests/reports.c, tests/hostile/broken.c).
set -u
cd "$(dirname "$0")/../.." || exit 1
mkdir -p build/figures
TEST_OUT=$(mktemp -d build/test-reports.XXXXXX) && export TEST_OUT ASAN_OPTIONS=detect_leaks=1
trap 'rm -rf "$TEST_OUT"' EXIT
chmod 711 "$TEST_OUT"
n=0

# $1: what breaks, the rest: what tests/run is to say of it, in this order
shows() {
	n=$((n + 1)); what=$1; shift
	said=$(tests/run --one "reports $what" sh -c "build/asan/tests/hostile/broken $what 2>/dev/null
		[ \$? -lt 77 ] && echo ok 1; echo 1..1")
	left=$said.
	for words; do
		case $left in *"$words"*) left=${left#*"$words"} ;; *) left=''; break ;; esac
	done
	[ -n "$left" ] || { echo "$said" | sed 's/^/# /'; printf 'not '; }
	echo "ok $n - $what: $*"
}

shows 'nothing' '1 passed ' 'ok'
shows 'memory' '1 passed, 1 failed' 'heap-use-after-free'
shows 'undefined' '1 passed, 1 failed' 'signed integer overflow'
shows 'leak' '1 passed, 1 failed' 'Direct leak'
shows 'memory confined' '1 passed, 1 failed' 'heap-use-after-free'
shows 'undefined confined' '1 passed, 1 failed' 'signed integer overflow'
echo "1..$n"
