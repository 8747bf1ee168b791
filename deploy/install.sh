#!/usr/bin/env bash
# Installs Boxroom on Debian 12, 64-bit Raspberry Pi OS 12, or newer; run it again to upgrade. From the unpacked source:
#
#   sudo deploy/install.sh https://studio.example ada
#
# That name has to lead to this machine already, with ports 80 and 443: Caddy fetches a certificate for it.
# What is done is said as it is done. With DESTDIR=folder the files are laid out in that folder, and nothing else happens.
set -euo pipefail
umask 022 # what is installed is for its own user to run, too

source=$(cd "$(dirname "$0")/.." && pwd)
root=${DESTDIR:-}
place=$root/usr/local/lib/boxroom

main() {
    check "$@"
    packages
    user
    program
    passphrase
    if [[ -n $root ]]; then
        say "Laid out in $root"
        return
    fi
    studio "$@"
    door "$1"
    start "$1"
}

check() {
    [[ $# -eq 2 && $1 == https://* && $1 != *://*/* ]] || fail "usage: sudo deploy/install.sh https://studio.example ada"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Boxroom needs Python 3.11 or newer"
    [[ -z $root ]] || return 0
    local settings=/var/lib/boxroom/boxroom.toml
    [[ ! -e $settings ]] || grep -qxF "url = \"${1,,}\"" $settings ||
        fail "there is a studio on this machine already, whose address is another, for ever: see $settings"
    [[ $EUID -eq 0 ]] || fail "this has to be run as root: sudo deploy/install.sh $*"
    case $(dpkg --print-architecture) in
        amd64 | arm64) ;;
        *) fail "this needs a 64-bit system: for others there are no ready-made libraries" ;;
    esac
}

packages() {
    [[ -z $root ]] || return 0
    say "Packages: python3-venv, caddy"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y python3-venv caddy
}

user() {
    [[ -z $root ]] || return 0
    if ! id boxroom >/dev/null 2>&1; then
        say "A user of its own: boxroom"
        useradd --system --user-group --home-dir /var/lib/boxroom --no-create-home --shell /usr/sbin/nologin boxroom
    fi
    install -d -m 700 -o boxroom -g boxroom /var/lib/boxroom /var/backups/boxroom
}

# The new one is made beside the old one, which serves until all is there; the old one stays, to go back to.
program() {
    say "The program: $place"
    rm -rf "$place.new"
    mkdir -p "$place.new/app" "$root/usr/local/bin" "$root/etc/systemd/system"
    cp -R "$source"/{activitypub,federation,coop,web,boxroom} "$place.new/app"
    cp "$source/requirements.txt" "$place.new"
    libraries
    PYTHONPATH=$place.new/app "$place.new/venv/bin/python" -m compileall -q "$place.new/app"
    if [[ -z $root ]]; then
        systemctl stop --quiet boxroom.service boxroom-backup.service 2>/dev/null || true
    fi
    rm -rf "$place.old"
    [[ ! -e $place ]] || mv "$place" "$place.old"
    mv "$place.new" "$place"
    install -m 755 "$source/deploy/boxroom" "$root/usr/local/bin/boxroom"
    install -m 644 "$source"/deploy/boxroom{,-backup}.service "$source/deploy/boxroom-backup.timer" "$root/etc/systemd/system"
}

libraries() {
    # of the same libraries for the same Python there is no need to make them anew
    if cmp -s "$place/requirements.txt" "$source/requirements.txt" && "$place/venv/bin/python" -c 'import uvloop' 2>/dev/null; then
        cp -R "$place/venv" "$place.new/venv"
        return
    fi
    say "Its libraries; on a small machine that takes some minutes"
    python3 -m venv "$place.new/venv"
    "$place.new/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes \
        -r "$source/requirements.txt"
}

passphrase() {
    local file=$root/etc/boxroom/passphrase
    [[ ! -e $file ]] || return 0
    install -d -m 700 "$root/etc/boxroom"
    (umask 077 && head -c 20 /dev/urandom | base32 >"$file")
    say "Backups are made every night into /var/backups/boxroom. Their passphrase, to be written down and kept elsewhere:"
    cat "$file"
}

studio() {
    if [[ -e /var/lib/boxroom/boxroom.toml ]]; then
        say "The studio in /var/lib/boxroom stays as it is"
    else
        say "The studio: $1"
        /usr/local/bin/boxroom init --url "$1" --handle "$2"
    fi
}

# Whatever else Caddy serves on this machine it serves on.
door() {
    say "The front door: /etc/caddy/boxroom.caddy"
    sed "s|{\$STUDIO}|${1#https://}|" "$source/deploy/Caddyfile" >/etc/caddy/boxroom.caddy
    if ! grep -qxF 'import boxroom.caddy' /etc/caddy/Caddyfile; then
        printf '\nimport boxroom.caddy\n' >>/etc/caddy/Caddyfile
    fi
}

start() {
    say "Starting"
    systemctl daemon-reload
    systemctl enable --quiet caddy.service boxroom.service boxroom-backup.timer
    systemctl restart boxroom.service boxroom-backup.timer
    systemctl reload-or-restart caddy.service
    say "Whether others can reach it is told by: sudo boxroom doctor"
    say "A password to log in with at $1/login is set by: sudo boxroom password"
}

say() { printf '== %s\n' "$*"; }

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

main "$@"
