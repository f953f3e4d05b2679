#!/bin/sh
# Checks the model: no error in small configurations, no endless run, and every
# seeded bug is found. With the argument "large" it checks the large configurations
# instead. Needs spin and a C compiler; leaves nothing behind.
set -eu
model=$(cd "$(dirname "$0")" && pwd)/session.pml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"

# build GCC-FLAGS MODEL-FLAGS: makes ./pan
build() {
    rm -f pan ./*.trail
    # shellcheck disable=SC2086 # lists of flags
    spin -a $2 "$model" >spin.out || { cat spin.out >&2; exit 1; }
    # shellcheck disable=SC2086
    gcc -w $optimize $1 -DCOLLAPSE -DMEMLIM=5900 -o pan pan.c
}

# report: what a run of pan said. A run that was not complete is an error too.
report() {
    states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' pan.out)
    if [ -z "$states" ] || ! grep -q 'errors: 0' pan.out || grep -q 'Search not completed\|max search depth too small\|out of memory' pan.out; then
        cat pan.out >&2
        [ ! -e session.pml.trail ] || spin -t -p -k session.pml.trail $2 "$model" | tail -n 200 >&2
        echo "model: $1: failed" >&2
        exit 1
    fi
    echo "model: $1: $states states, no error"
}

# holds WHAT MODEL-FLAGS [HASH]: no assertion fails, and no run ends too early.
holds() {
    build -DSAFETY "$2"
    ./pan -m100000 "-w${3:-24}" >pan.out 2>&1 || true
    report "$1" "$2"
}

# ends WHAT MODEL-FLAGS: no run is endless.
ends() {
    build -DNP "$2"
    ./pan -l -m100000 -w24 >pan.out 2>&1 || true
    report "$1" "$2"
}

# finds BUG WHAT MODEL-FLAGS: the run must fail.
finds() {
    build "$([ "$1" = BUG_IMPATIENT_POLL ] && echo -DNP || echo -DSAFETY)" "-D$1 $3"
    # shellcheck disable=SC2046
    ./pan $([ "$1" = BUG_IMPATIENT_POLL ] && echo -l) -m100000 -w24 >pan.out 2>&1 || true
    found=$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' pan.out)
    if [ -z "$found" ]; then
        cat pan.out >&2
        echo "model: $1 ($2) was not found" >&2
        exit 1
    fi
    echo "model: $1 ($2): found, $found"
}

calm="-DLOSSES=0 -DEARLY=0 -DREPEATS=0"
loss="-DLOSSES=1 -DEARLY=0 -DREPEATS=0"
early="-DLOSSES=0 -DEARLY=1 -DREPEATS=0"
repeat="-DLOSSES=0 -DEARLY=0 -DREPEATS=1"

optimize=-O1 # compiling takes longer than most runs
if [ "${1:-small}" = large ]; then
    optimize=-O2
    holds "a loss, and something given up early" "-DUP=1 -DDOWN=1 -DLOSSES=1 -DEARLY=1 -DREPEATS=0" 27
    holds "a loss, and a request carried twice" "-DUP=1 -DDOWN=2 -DLOSSES=1 -DEARLY=0 -DREPEATS=1" 27
    exit
fi

holds "reordered requests" "-DUP=2 -DDOWN=0 $calm"
holds "a loss" "-DUP=1 -DDOWN=1 $loss"
holds "a link given up early" "-DUP=0 -DDOWN=1 $early"
holds "a request carried twice" "-DUP=1 -DDOWN=0 $repeat"
ends "no endless run, with a loss" "-DUP=0 -DDOWN=1 $loss"
ends "no endless run, with a request carried twice" "-DUP=1 -DDOWN=0 $repeat"

finds BUG_NO_DUPLICATE_CHECK "a receiver delivers again what it has" "-DUP=1 -DDOWN=0 $loss"
finds BUG_ACK_ABOVE_GAP "a receiver acknowledges what it holds above a gap" "-DUP=2 -DDOWN=0 $calm"
finds BUG_ACK_GOES_BACK "a sender believes an older acknowledgement" "-DUP=2 -DDOWN=0 $calm"
finds BUG_FORGET_ON_SEND "a sender forgets what a link took" "-DUP=0 -DDOWN=1 $loss"
finds BUG_NEWEST_ONLY "a new link carries the newest packet only" "-DUP=0 -DDOWN=2 $loss"
finds BUG_NO_REWIND "a new link goes on where the old one stopped" "-DUP=0 -DDOWN=1 $loss"
finds BUG_RESUME_FROM_WRONG_ID "a client resumes behind what it has" "-DUP=0 -DDOWN=2 $loss"
finds BUG_NOT_REPEATED "a client does not repeat a request" "-DUP=1 -DDOWN=0 $loss"
finds BUG_KEY_FORGOTTEN "a late NEW opens a second session" "-DUP=1 -DDOWN=1 $repeat"
finds BUG_DISPLACED_LINK_TAKES "a displaced link goes on taking packets" "-DUP=0 -DDOWN=1 $early"
finds BUG_DISPLACED_LINK_COUNTED "an answer of a displaced link counts as the new one's" "-DUP=0 -DDOWN=2 $early"
finds BUG_SEQ_IGNORED "a client counts on where SEQ says otherwise" "-DUP=0 -DDOWN=3 $early"
finds BUG_END_OVERTAKES "END overtakes a packet" "-DUP=1 -DDOWN=0 $calm"
finds BUG_IMPATIENT_POLL "a poll is answered though there is nothing to say" "-DUP=0 -DDOWN=1 $calm"
