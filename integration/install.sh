#!/bin/sh
# Installs what the tests need and this machine lacks: Debian packages (as root, or with
# sudo), a newer Node than Debian's for this folder only, and npm packages. Does nothing,
# and needs neither root nor a network, when everything is there. With the argument bench
# it installs also what the benchmarks compare Encke with.
set -eu
cd "$(dirname "$0")"
PATH="$PWD/.tools/node/bin:$PATH"

# command:package
wanted="
gcc:gcc
/usr/include/stdio.h:libc6-dev
spin:spin
chromium:chromium
firefox-esr:firefox-esr
node:nodejs
npm:npm
ngircd:ngircd
prosody:prosody
mosquitto:mosquitto
redis-server:redis-server
haproxy:haproxy
nginx:nginx-light
ip:iproute2
nft:nftables
slowhttptest:slowhttptest
java:activemq
/usr/share/activemq/bin/activemq.jar:activemq
"

folders="browser clients wsclients jsio ../static/client ../static/demos"
if [ "${1-}" = bench ]; then
    wanted="$wanted
/usr/lib/nginx/modules/ngx_stream_module.so:libnginx-mod-stream
websockify:websockify
/usr/lib/python3/dist-packages/numpy:python3-numpy
"
    folders="$folders ../bench/peers/node"
fi

missing=""
for entry in $wanted; do
    command=${entry%%:*}
    package=${entry#*:}
    # The daemons lie in sbin, which is not in everybody's PATH.
    if ! PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null 2>&1 && ! [ -e "$command" ]; then
        case " $missing " in
        *" $package "*) ;;
        *) missing="$missing $package" ;;
        esac
    fi
done

if [ -n "$missing" ]; then
    echo "installing:$missing"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "no apt-get here: install these, or what your system calls them:$missing" >&2
        exit 1
    fi
    if [ "$(id -u)" = 0 ]; then
        root=""
    elif command -v sudo >/dev/null 2>&1; then
        root="sudo"
    else
        echo "run as root, once: apt-get install$missing" >&2
        exit 1
    fi
    # Debian starts a daemon as soon as it is installed, on its standard port. Only the
    # programs are wanted: policy-rc.d says so, unless the machine has a policy already.
    policy=/usr/sbin/policy-rc.d
    if ! [ -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
        $root chmod 755 "$policy"
        trap '$root rm -f "$policy"' EXIT
        trap 'exit 1' HUP INT TERM
    fi
    apt="$root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300"
    $apt update
    # shellcheck disable=SC2086 # a list of names
    $apt install --yes --no-install-recommends $missing
fi

# Debian's Node may be too old for the drivers of the browsers. Then one comes from npm,
# for these tests alone; the Makefile and package browser look for it there.
wanted_node=20.20.2
node_major() { node --version 2>/dev/null | sed 's/^v//; s/[.].*//'; }
if [ "$(node_major)" -lt 20 ] && ! [ -x .tools/node/bin/node ]; then
    case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) echo "install Node 20 or newer: there is no package of it for $(uname -m)" >&2; exit 1 ;;
    esac
    mkdir -p .tools/npm
    npm install --prefix .tools/npm --no-save --ignore-scripts --no-audit --no-fund "node-linux-$arch@$wanted_node"
    ln -sfn "npm/node_modules/node-linux-$arch" .tools/node
fi
if [ -x .tools/node/bin/node ]; then
    PATH="$PWD/.tools/node/bin:$PATH"
    export PATH
fi

for folder in $folders; do
    # npm writes .package-lock.json last; it is newer than the lock file once that is installed.
    if ! [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then
        (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund)
    fi
done
