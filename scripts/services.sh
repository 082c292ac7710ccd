#!/bin/sh
# Makes what tests need besides Python: PostgreSQL on 127.0.0.1:5432 with a role for the tests, the
# programs redis-server, nginx and chromium, and the npm packages of tests and frontend. Installs
# Debian's packages where that is possible (root, apt). Exits 1 when something is missing.
# `services.sh node`: only the npm packages.
set -u
cd "$(dirname "$0")/.."
missing=0

install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    echo "Installing $* ..."
    # The package lists are fetched only when the ones here do not do.
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$@" >/dev/null 2>&1 || {
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$@" >/dev/null
    }
}

role_works() {
    PGPASSWORD=clawsite PGCONNECT_TIMEOUT=5 psql -qAt -h 127.0.0.1 -U clawsite -d postgres \
        -c "SELECT 1" </dev/null >/dev/null 2>&1
}

postgres() {
    role_works && return
    command -v pg_ctlcluster >/dev/null || install postgresql || return
    [ "$(id -u)" = 0 ] || return
    pg_lsclusters --no-header | while read -r version name port status rest; do
        [ "$port" = 5432 ] && [ "$status" != online ] && pg_ctlcluster "$version" "$name" start
    done
    su postgres -c "psql -q -p 5432" <<-'SQL'
	CREATE ROLE clawsite LOGIN CREATEDB PASSWORD 'clawsite';
	SQL
    role_works
}

redis_server() {
    command -v redis-server >/dev/null || install redis-server
}

nginx_program() {
    # RUNLEVEL: Debian does not start its own one, on port 80, for having installed it.
    command -v nginx >/dev/null || RUNLEVEL=1 install nginx
}

chromium_program() {
    [ -x /usr/bin/chromium ] || install chromium
}

# Usage: node_packages FOLDER
node_packages() {
    command -v npm >/dev/null || install nodejs npm || return
    cd "$1" || return
    cmp -s package-lock.json node_modules/.installed-lock && return
    npm ci --ignore-scripts --silent --no-audit --no-fund </dev/null || return
    cp package-lock.json node_modules/.installed-lock
}

all_node_packages() {
    for folder in tests frontend; do
        (node_packages $folder) || { echo "The npm packages of $folder are not available." >&2; return 1; }
    done
}

[ "${1:-}" != node ] || { all_node_packages; exit; }

postgres || { echo "PostgreSQL is not available." >&2; missing=1; }
redis_server || { echo "redis-server is not available." >&2; missing=1; }
nginx_program || { echo "nginx is not available." >&2; missing=1; }
chromium_program || { echo "Chromium is not available." >&2; missing=1; }
all_node_packages || missing=1
exit $missing
