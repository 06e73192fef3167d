#!/bin/sh
# Installs redis-server or valkey-server 7 or newer with apt, as root, and nothing that runs: Debian's
# package would start a service of its own on port 6379, now and at every boot. A policy-rc.d that says no
# keeps it from starting now; one that is there already is the machine's own decision, and stays. Disabling
# keeps it from later.
set -u
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d

if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
fi

# One repository out of order is no reason to give up: the one with Redis may be well.
apt-get -q -o DPkg::Lock::Timeout=120 update || echo 'apt-get update had trouble; trying all the same' >&2

for package in redis-server valkey-server; do
  version=$(LC_ALL=C apt-cache policy "$package" |
    sed -n 's/^ *Candidate: \([0-9]*:\)\{0,1\}\([0-9]*\)\..*/\2/p')
  [ "${version:-0}" -ge 7 ] || continue
  apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 install "$package" || exit 1
  if command -v systemctl > /dev/null; then systemctl --quiet disable "$package" || true; fi
  if command -v update-rc.d > /dev/null; then update-rc.d "$package" disable || true; fi
  exit 0
done
echo 'apt offers neither redis-server nor valkey-server in version 7 or newer' >&2
exit 1
