#!/bin/sh
# Installs redis-server or valkey-server 7 or newer with apt, as root, and nothing that runs.
. "$(dirname "$0")/apt.sh"

update_lists
for package in redis-server valkey-server; do
  version=$(LC_ALL=C apt-cache policy "$package" |
    sed -n 's/^ *Candidate: \([0-9]*:\)\{0,1\}\([0-9]*\)\..*/\2/p')
  [ "${version:-0}" -ge 7 ] || continue
  install_idle "$package"
  exit
done
echo 'apt offers neither redis-server nor valkey-server in version 7 or newer' >&2
exit 1
