#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The sample hooks of hooks/, as the daemon runs them: environment of HAIRPIN_* and PATH only, the
# event as first argument, JSON on standard input. What they would speak to is played by stubs in a
# folder that stands first in PATH; dnsmasq is asked itself where it is installed.
set -u
cd "$(dirname "$0")/../.." || exit 1
hooks=$PWD/hooks
work=$(mktemp -d)
dnsmasq_pid=
cleanup() {
	[ -z "$dnsmasq_pid" ] || kill "$dnsmasq_pid"
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
: >"$work/out"
mkdir "$work/bin" "$work/hooks" "$work/dnsmasq" "$work/unbound" "$work/metrics"
count=0

# --- harness: TAP, stubs, and a run as the daemon makes it ---------------------------------------

check() {	# check WHAT COMMAND...
	what=$1
	shift
	count=$((count + 1))
	if "$@" >"$work/check" 2>&1; then
		echo "ok $count - $what"
	else
		echo "not ok $count - $what"
		sed 's/^/# /' "$work/check" "$work/out"
	fi
}

is() { [ "$1" = "$2" ] || { printf 'got:    %s\nwanted: %s\n' "$1" "$2"; return 1; }; }
not() { ! "$@"; }
content() { is "$(cat "$1")" "$2"; }
contains() { grep -qF -e "$2" "$1" || { cat "$1"; return 1; }; }
lacks() { ! grep -F -e "$2" "$1"; }
empty() { [ ! -s "$1" ] || { cat "$1"; return 1; }; }
silent() { : >"$work/log"; "$@" && empty "$work/log"; }

# stub NAME: keeps its arguments, one call a line, each argument in <>; fails where $work/fail-NAME is.
stub() {
	cat >"$work/bin/$1" <<-EOF
		#!/bin/sh
		printf '$1' >>"$work/log"
		for argument; do printf ' <%s>' "\$argument" >>"$work/log"; done
		echo >>"$work/log"
		[ ! -f "$work/fail-$1-\${3:-}" ] || exit 1
		${2:-:}
		[ ! -f "$work/fail-$1" ] || { echo 'the stub fails' >&2; exit 1; }
	EOF
	chmod 755 "$work/bin/$1"
}

# sample NAME [SED...]: a copy as a user would install it, with settings of his own.
sample() {
	cp "$hooks/$1" "$work/hooks/$1"
	name=$1
	shift
	for edit; do sed -i "$edit" "$work/hooks/$name"; done
}

# hook NAME EVENT [VARIABLE=VALUE...]
hook() {
	name=$1 event=$2
	shift 2
	printf '{"event":"%s"}\n' "$event" | env -i PATH="$work/bin:$PATH" LANG=C.UTF-8 \
		HAIRPIN_EVENT="$event" HAIRPIN_WAN=fibre HAIRPIN_INTERFACE=ppp0 HAIRPIN_FAMILY=ipv4 \
		HAIRPIN_IPV4= HAIRPIN_IPV6= HAIRPIN_OLD= HAIRPIN_NEW= HAIRPIN_RULES= HAIRPIN_HOSTNAME= \
		HAIRPIN_PROVIDER= HAIRPIN_MESSAGE= HAIRPIN_REASON= HAIRPIN_GENERATION=7 "$@" \
		"$work/hooks/$name" "$event" >"$work/out" 2>&1
}

# others NAME EVENT...: these do nothing and succeed
others() {
	name=$1
	shift
	for event; do
		hook "$name" "$event" HAIRPIN_OLD=81.2.69.1 HAIRPIN_NEW=81.2.69.9 HAIRPIN_HOSTNAME=x.example.org \
			HAIRPIN_IPV4=81.2.69.9 || return 1
	done
}

home='HAIRPIN_HOSTNAME=home.example.org'
nas='HAIRPIN_HOSTNAME=nas.example.org'
old='HAIRPIN_OLD=81.2.69.1'
new='HAIRPIN_NEW=81.2.69.7'

for file in "$hooks"/*; do
	check "${file##*/}: executable" test -x "$file"
	# shellcheck disable=SC2016 # the inner shell expands
	check "${file##*/}: a name the daemon takes" sh -c 'case $0 in *[!A-Za-z0-9_-]*) exit 1 ;; esac' "${file##*/}"
done

# --- dnsmasq -------------------------------------------------------------------------------------

published=$work/dnsmasq/published
sample dnsmasq-split-horizon "s|^hosts=.*|hosts='$published'|"
check 'dnsmasq: a record' hook dnsmasq-split-horizon record $home HAIRPIN_NEW=81.2.69.1
check 'dnsmasq: its line' content "$published" '81.2.69.1 home.example.org'
hook dnsmasq-split-horizon record $nas HAIRPIN_NEW=81.2.69.1
hook dnsmasq-split-horizon record $nas HAIRPIN_NEW=2a02::10 HAIRPIN_FAMILY=ipv6
all='81.2.69.1 home.example.org
81.2.69.1 nas.example.org
2a02::10 nas.example.org'
check 'dnsmasq: names and families beside each other' content "$published" "$all"
check 'dnsmasq: dnsmasq may read it' test "$(stat -c %a "$published")" = 644
inode=$(stat -c %i "$published")
hook dnsmasq-split-horizon record $nas HAIRPIN_NEW=2a02::10 HAIRPIN_FAMILY=ipv6
check 'dnsmasq: the same again changes nothing' content "$published" "$all"
check 'dnsmasq: and does not touch the file' test "$(stat -c %i "$published")" = "$inode"
hook dnsmasq-split-horizon record HAIRPIN_HOSTNAME=NAS.example.org HAIRPIN_NEW=2a02::11 HAIRPIN_FAMILY=ipv6
check 'dnsmasq: one line for a name, whatever its case' is "$(grep -c ' nas.*' "$published")" 2
hook dnsmasq-split-horizon address $old $new
check 'dnsmasq: an address moves all names' content "$published" '81.2.69.7 home.example.org
81.2.69.7 nas.example.org
2a02::11 nas.example.org'
check 'dnsmasq: first address: nothing to move' hook dnsmasq-split-horizon address $new
before=$(cat "$published")
check 'dnsmasq: other events' others dnsmasq-split-horizon startup lost failed rules unknown
check 'dnsmasq: wildcards are left out' hook dnsmasq-split-horizon record 'HAIRPIN_HOSTNAME=*.example.org' $new
# shellcheck disable=SC2016 # such values must not be expanded
for strange in '' '-x.example' 'a b' 'a\nb' '$(touch x)' '`id`' "a'b" 'a"b' 'a;b' 'a/b' '*' "a
81.2.69.1 b"; do
	check 'dnsmasq: refuses a strange name' not hook dnsmasq-split-horizon record "HAIRPIN_HOSTNAME=$strange" $new
	check 'dnsmasq: refuses a strange address' not hook dnsmasq-split-horizon record $home "HAIRPIN_NEW=$strange"
done
check 'dnsmasq: none of these changed it' content "$published" "$before"
check 'dnsmasq: nothing is left beside it' is "$(ls -A "$work/dnsmasq")" published
sample dnsmasq-split-horizon "s|^hosts=.*|hosts='$work/nowhere/published'|"
check 'dnsmasq: says that it cannot write' not hook dnsmasq-split-horizon record $home $new
check 'dnsmasq: names the place' contains "$work/out" "$work/nowhere"
stub systemctl
sample dnsmasq-split-horizon "s|^hosts=.*|hosts='$published'|" "s|^lan_ipv4=''|lan_ipv4='192.168.1.2'|" \
	's|^	:$|	systemctl kill --signal=HUP dnsmasq|'
hook dnsmasq-split-horizon record $home $new
check 'dnsmasq: split horizon' contains "$published" '192.168.1.2 home.example.org'
check 'dnsmasq: and only that' lacks "$published" '81.2.69.7 home.example.org'
check 'dnsmasq: reload' content "$work/log" 'systemctl <kill> <--signal=HUP> <dnsmasq>'
touch "$work/fail-systemctl"
check 'dnsmasq: a failed reload is a failure' not hook dnsmasq-split-horizon record $home $new
rm "$work/fail-systemctl"

dig=$(command -v dig || command -v kdig)
ask() { "$dig" +short +time=1 +retry=0 -p "$port" @127.0.0.1 "$1" "$2" 2>/dev/null; }
answers() {	# within 5 seconds: dnsmasq learns of the file by inotify
	for _ in $(seq 50); do
		[ "$(ask "$1" "$2")" != "$3" ] || return 0
		sleep 0.1
	done
	is "$(ask "$1" "$2")" "$3"
}
if command -v dnsmasq >/dev/null && [ -n "$dig" ]; then
	sample dnsmasq-split-horizon "s|^hosts=.*|hosts='$published'|"
	rm -f "$published"
	hook dnsmasq-split-horizon record $home HAIRPIN_NEW=81.2.69.1
	port=$((20000 + $$ % 20000))
	chmod 755 "$work"
	dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --port="$port" --pid-file= \
		--listen-address=127.0.0.1 --bind-interfaces --user="$(id -un)" --hostsdir="$work/dnsmasq" \
		>"$work/dnsmasq.log" 2>&1 &
	dnsmasq_pid=$!
	check 'real dnsmasq: answers a record' answers home.example.org A 81.2.69.1
	hook dnsmasq-split-horizon address $old $new
	check 'real dnsmasq: follows an address' answers home.example.org A 81.2.69.7
	hook dnsmasq-split-horizon record $nas HAIRPIN_NEW=2a02::10 HAIRPIN_FAMILY=ipv6
	check 'real dnsmasq: learns a new name' answers nas.example.org AAAA 2a02::10
	kill "$dnsmasq_pid"
	wait "$dnsmasq_pid"
	dnsmasq_pid=
else
	count=$((count + 1))
	echo "ok $count # SKIP real dnsmasq: dnsmasq or dig or kdig is not installed"
fi

# --- unbound -------------------------------------------------------------------------------------

published=$work/unbound/published.conf
stub unbound-control 'echo ok'
sample unbound-split-horizon "s|^file=.*|file='$published'|"
: >"$work/log"
check 'unbound: a record' hook unbound-split-horizon record $home HAIRPIN_NEW=81.2.69.1
tab=$(printf '\t')
check 'unbound: its lines' content "$published" "# written by a hook of hairpind
server:
${tab}local-zone: \"home.example.org.\" typetransparent
${tab}local-data: \"home.example.org. 60 IN A 81.2.69.1\""
check 'unbound: told at once' content "$work/log" \
	'unbound-control <local_zone> <home.example.org.> <typetransparent>
unbound-control <local_data_remove> <home.example.org.>
unbound-control <local_data> <home.example.org. 60 IN A 81.2.69.1>'
check 'unbound: nothing for the log' empty "$work/out"
hook unbound-split-horizon record $home HAIRPIN_NEW=2a02::10 HAIRPIN_FAMILY=ipv6
hook unbound-split-horizon record $nas HAIRPIN_NEW=81.2.69.1
: >"$work/log"
check 'unbound: an address' hook unbound-split-horizon address $old $new
check 'unbound: both names with all their addresses' content "$work/log" \
	'unbound-control <local_zone> <home.example.org.> <typetransparent>
unbound-control <local_data_remove> <home.example.org.>
unbound-control <local_data> <home.example.org. 60 IN AAAA 2a02::10>
unbound-control <local_data> <home.example.org. 60 IN A 81.2.69.7>
unbound-control <local_zone> <nas.example.org.> <typetransparent>
unbound-control <local_data_remove> <nas.example.org.>
unbound-control <local_data> <nas.example.org. 60 IN A 81.2.69.7>'
check 'unbound: one zone a name in the file' is "$(grep -c local-zone "$published")" 2
check 'unbound: three addresses in the file' is "$(grep -c local-data "$published")" 3
check 'unbound: nothing old in the file' lacks "$published" 81.2.69.1
before=$(cat "$published")
check 'unbound: other events say nothing' silent others unbound-split-horizon startup lost failed rules unknown
check 'unbound: the same again is announced again' hook unbound-split-horizon record $home $new
check 'unbound: three calls and both families' is "$(grep -c home "$work/log")" 4
# shellcheck disable=SC2016 # such values must not be expanded
for strange in '' '-x' 'a b' '$(touch x)' 'a"b' 'a" static' "a
b" 'a\b'; do
	check 'unbound: refuses a strange name' \
		not hook unbound-split-horizon record "HAIRPIN_HOSTNAME=$strange" $new
	check 'unbound: refuses a strange address' not hook unbound-split-horizon record $home "HAIRPIN_NEW=$strange"
done
check 'unbound: none of these changed it' is "$(grep -c local-data "$published")" "$(echo "$before" | grep -c local-data)"
check 'unbound: nothing is left beside it' is "$(ls -A "$work/unbound")" published.conf
sample unbound-split-horizon "s|^file=.*|file='$published'|" "s|^lan_ipv4=''|lan_ipv4='192.168.1.2'|"
hook unbound-split-horizon record $home $new
check 'unbound: split horizon' contains "$published" '"home.example.org. 60 IN A 192.168.1.2"'
touch "$work/fail-unbound-control"
check 'unbound: an Unbound that does not answer is a failure' not hook unbound-split-horizon record $nas HAIRPIN_NEW=81.2.69.8
check 'unbound: which its next start mends' contains "$published" '"nas.example.org. 60 IN A 192.168.1.2"'
rm "$work/fail-unbound-control"
if command -v unbound-checkconf >/dev/null; then
	check 'real unbound: takes the file' unbound-checkconf "$published"
else
	count=$((count + 1))
	echo "ok $count # SKIP real unbound: unbound-checkconf is not installed"
fi

# --- notify --------------------------------------------------------------------------------------

stub curl "cat >'$work/curl.in'"
stub sendmail "cat >'$work/mail.in'"
printf 'tk_secret\n' >"$work/token"
sample notify "s|^ntfy_url=''|ntfy_url='https://ntfy.example/topic'|" "s|^ntfy_token_file=''|ntfy_token_file='$work/token'|" \
	"s|^mail_to=''|mail_to='root'|" "s|^events=.*|events='startup address lost record failed rules'|"
check 'notify: an address' hook notify address $old $new HAIRPIN_RULES=12
check 'notify: as ntfy wants it' content "$work/curl.in" 'url = "https://ntfy.example/topic"
header = "Authorization: Bearer tk_secret"
header = "Title: fibre (ppp0): 81.2.69.7"
header = "Priority: default"
data-raw = "was 81.2.69.1; 12 rules rewritten"'
check 'notify: the token is no argument' lacks "$work/log" tk_secret
check 'notify: as mail' contains "$work/mail.in" 'Subject: [hairpind] fibre (ppp0): 81.2.69.7'
check 'notify: its text' contains "$work/mail.in" 'was 81.2.69.1; 12 rules rewritten'
for told in startup:'fibre (ppp0): started' lost:'fibre (ppp0): no ipv4 address' record:'home.example.org: 81.2.69.7' \
	failed:'home.example.org: not published' rules:'fibre (ppp0): 3 rules put in step'; do
	check "notify: ${told%%:*}" hook notify "${told%%:*}" $home $old $new HAIRPIN_RULES=3 HAIRPIN_MESSAGE=badauth
	check "notify: ${told%%:*} has its title" contains "$work/curl.in" "Title: ${told#*:}"
done
check 'notify: an unknown event says nothing' silent others notify unknown
# shellcheck disable=SC2016 # such values must not be expanded
strange='a"b\c $(touch x) `id` %s
url = "file:///etc/passwd" <b>'
check 'notify: strange values' hook notify failed $home "HAIRPIN_MESSAGE=$strange" "HAIRPIN_PROVIDER=@/etc/passwd"
# shellcheck disable=SC2016 # quoted as curl reads it, expanded by nobody
check 'notify: stay one string of one line' contains "$work/curl.in" \
	'data-raw = "@/etc/passwd: a\"b\\c $(touch x) `id` %s url = \"file:///etc/passwd\" <b>"'
check 'notify: no line more' is "$(wc -l <"$work/curl.in")" 5
check 'notify: no header more' hook notify failed "HAIRPIN_HOSTNAME=x
Bcc: all@example.org" HAIRPIN_MESSAGE=x
check 'notify: in the mail neither' not grep '^Bcc' "$work/mail.in"
touch "$work/fail-curl"
check 'notify: ntfy that fails is a failure' not hook notify address $old $new
check 'notify: the mail goes out all the same' contains "$work/mail.in" 'fibre (ppp0): 81.2.69.7'
rm "$work/fail-curl" "$work/token"
check 'notify: so is a token that cannot be read' not hook notify address $old $new
sample notify "s|^ntfy_url=''|ntfy_url='https://ntfy.example/topic'|"
check 'notify: by default a record is not worth a message' silent others notify startup record rules
check 'notify: without token' hook notify lost $old
check 'notify: sends no authorization' lacks "$work/curl.in" Authorization
check 'notify: a lost address is urgent' contains "$work/curl.in" 'Priority: high'
sample notify
check 'notify: without settings it says so' not hook notify address $old $new
check 'notify: in words' contains "$work/out" 'neither ntfy_url nor mail_to is set'

# --- wireguard -----------------------------------------------------------------------------------

stub wg
peers="s|^# wg0 .*|wg0 KEY+/1= office.example.net:51820 25\n\nwg0 KEY2= [2a02::1]:51820 0\n# wg9 X y:1 0|"
sample wireguard-endpoint "s|^request=.*|request='$work/request'|" "$peers"
check 'wireguard: as a hook' silent hook wireguard-endpoint address $old $new
check 'wireguard: asks root' content "$work/request" 7
: >"$work/log"
check 'wireguard: as root' hook wireguard-endpoint apply
calls='wg <set> <wg0> <peer> <KEY+/1=> <persistent-keepalive> <0>
wg <set> <wg0> <peer> <KEY+/1=> <endpoint> <office.example.net:51820> <persistent-keepalive> <25>
wg <set> <wg0> <peer> <KEY2=> <endpoint> <[2a02::1]:51820>'
check 'wireguard: every peer' content "$work/log" "$calls"
rm "$work/request"
check 'wireguard: other events' silent others wireguard-endpoint lost record failed rules unknown
check 'wireguard: ask nothing' not test -e "$work/request"
sample wireguard-endpoint "s|^request=.*|request=''|" "$peers"
: >"$work/log"
check 'wireguard: with sudo at once' hook wireguard-endpoint startup HAIRPIN_IPV4=81.2.69.7
check 'wireguard: every peer at once' content "$work/log" "$calls"
# shellcheck disable=SC2016 # such values must not be expanded
sample wireguard-endpoint "s|^request=.*|request=''|" 's|^# wg0 .*|wg0 $(id) * 0\nwg0 KEY\nwg0 K e:1 0 more\nwg0 KEY2= e:1 0|'
: >"$work/log"
check 'wireguard: lines that are no peers are a failure' not hook wireguard-endpoint address $old $new
# shellcheck disable=SC2016
check 'wireguard: the others are set, nothing is expanded' content "$work/log" 'wg <set> <wg0> <peer> <$(id)> <endpoint> <*>
wg <set> <wg0> <peer> <KEY2=> <endpoint> <e:1>'
touch "$work/fail-wg"
sample wireguard-endpoint "s|^request=.*|request=''|" "$peers"
: >"$work/log"
check 'wireguard: a name that is not found is a failure' not hook wireguard-endpoint address $old $new
check 'wireguard: the next peer is tried' contains "$work/log" 'KEY2='
rm "$work/fail-wg"
sample wireguard-endpoint "s|^request=.*|request='$work/nowhere/x'|"
check 'wireguard: says that it cannot ask' not hook wireguard-endpoint address $old $new

# --- prometheus ----------------------------------------------------------------------------------

metrics=$work/metrics/hairpind_hooks.prom
stub date 'echo 1767225600'
sample prometheus-textfile "s|^file=.*|file='$metrics'|"
wan='wan="fibre"'
check 'prometheus: startup' hook prometheus-textfile startup HAIRPIN_IPV4=81.2.69.1 HAIRPIN_IPV6=2a02::1
address='hairpind_hook_address_info{wan="fibre",interface="ppp0",family='
check 'prometheus: IPv4' contains "$metrics" "$address\"ipv4\",address=\"81.2.69.1\"} 1"
check 'prometheus: IPv6' contains "$metrics" "$address\"ipv6\",address=\"2a02::1\"} 1"
check 'prometheus: address' hook prometheus-textfile address $old $new
check 'prometheus: the new one' contains "$metrics" "$address\"ipv4\",address=\"81.2.69.7\"} 1"
check 'prometheus: the old one is gone' lacks "$metrics" 81.2.69.1
check 'prometheus: the other family stays' contains "$metrics" 2a02::1
hook prometheus-textfile address $old $new
check 'prometheus: counts' contains "$metrics" "hairpind_hook_events_total{$wan,event=\"address\"} 2"
check 'prometheus: when' contains "$metrics" "hairpind_hook_event_timestamp_seconds{$wan,event=\"address\"} 1767225600"
hook prometheus-textfile address $old $new HAIRPIN_WAN=lte HAIRPIN_INTERFACE=wwan0
check 'prometheus: another WAN' is "$(grep -c 'address="81.2.69.7"' "$metrics")" 2
check 'prometheus: lost' hook prometheus-textfile lost $old
check 'prometheus: is down' contains "$metrics" "hairpind_hook_up{$wan,family=\"ipv4\"} 0"
check 'prometheus: has no address' lacks "$metrics" "$address\"ipv4\""
check 'prometheus: the other WAN has' contains "$metrics" 'hairpind_hook_up{wan="lte",family="ipv4"} 1'
hook prometheus-textfile failed $home HAIRPIN_PROVIDER=cf $new
record='hairpind_hook_record_ok{hostname="home.example.org",provider="cf",family="ipv4"}'
check 'prometheus: failed' contains "$metrics" "$record 0"
hook prometheus-textfile record $home HAIRPIN_PROVIDER=cf $new
check 'prometheus: record' contains "$metrics" "$record 1"
check 'prometheus: only once' is "$(grep -cF "$record" "$metrics")" 1
check 'prometheus: rules' hook prometheus-textfile rules HAIRPIN_RULES=3
check 'prometheus: strange values' hook prometheus-textfile record 'HAIRPIN_HOSTNAME=a"b\c&d {x} 9
e' 'HAIRPIN_PROVIDER=\\n"'
quoted='hairpind_hook_record_ok{hostname="a\"b\\c&d {x} 9 e",provider="\\\\n\"",family="ipv4"} 1'
check 'prometheus: are quoted' contains "$metrics" "$quoted"
hook prometheus-textfile rules
check 'prometheus: and survive' is "$(grep -cF "$quoted" "$metrics")" 1
check 'prometheus: every metric has one type' is "$(grep -c '^# TYPE' "$metrics")" \
	"$(grep -v '^#' "$metrics" | sed 's/{.*//' | uniq | wc -l)"
check 'prometheus: every line is a metric' not grep -vE '^(# (HELP|TYPE) .*|[a-z_]+\{.*\} [0-9]+)$' "$metrics"
check 'prometheus: the collector may read it' is "$(stat -c %a "$metrics")" 644
before=$(cat "$metrics")
check 'prometheus: an unknown event' hook prometheus-textfile unknown
check 'prometheus: counts for nothing' content "$metrics" "$before"
printf 'garbage\nhairpind_hook_events_total{wan="fibre",event="rules"} 7\nhairpind_hook_up{ 1\n\001\n' >"$metrics"
hook prometheus-textfile rules
check 'prometheus: a damaged file mends itself' lacks "$metrics" garbage
check 'prometheus: keeps what was good' contains "$metrics" 'event="rules"} 8'
check 'prometheus: nothing is left beside it' is "$(ls -A "$work/metrics")" hairpind_hooks.prom
sample prometheus-textfile "s|^file=.*|file='$work/nowhere/x.prom'|"
check 'prometheus: says that it cannot write' not hook prometheus-textfile rules

check 'no value was run as a command' not test -e x
echo "1..$count"
