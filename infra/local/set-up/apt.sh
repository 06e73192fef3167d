# To be sourced by a script that installs with apt, as root: what is installed does not run. Debian's packages would
# start services of their own on ports that everybody knows, now and at every boot. A policy-rc.d that says no keeps them
# from starting now; one that is there already is the machine's own decision, and stays. Disabling keeps them from later.
# One of us at a time: the first to end would take the policy away from the others.
set -u
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
mark='# Made by an installation for Sekali, which takes it away again.'
apt='apt-get -q -o DPkg::Lock::Timeout=120'

exec 9> /run/sekali-apt.lock
flock 9
# Ours when the one before us was killed.
if [ ! -e "$policy" ] || grep -qxF "$mark" "$policy"; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '#!/bin/sh\n%s\nexit 101\n' "$mark" > "$policy"
  chmod 755 "$policy"
fi

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

update_lists() {
  # One repository out of order is no reason to give up: the one that is needed may be well.
  $apt update 9>&- || echo 'apt-get update had trouble; trying all the same' >&2
}

# Installs packages, and disables the services of all that came with them.
install_idle() {
  before=$(mktemp)
  dpkg-query -W -f='${Package}\n' | sort > "$before"
  $apt -y --no-install-recommends install "$@" 9>&- || { rm -f "$before"; return 1; }
  new=$(dpkg-query -W -f='${Package}\n' | sort | comm -13 "$before" -)
  rm -f "$before"
  for package in $new; do
    for service in $(dpkg-query -L "$package" | sed -n 's|^.*/systemd/system/\([^/@]*\.\(service\|timer\|socket\)\)$|\1|p'); do
      if command -v systemctl > /dev/null; then systemctl --quiet disable "$service" || true; fi
    done
    for script in $(dpkg-query -L "$package" | sed -n 's|^/etc/init\.d/\([^/]*\)$|\1|p'); do
      if command -v update-rc.d > /dev/null; then update-rc.d "$script" disable || true; fi
    done
  done
}
