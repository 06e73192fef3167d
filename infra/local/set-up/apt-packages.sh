#!/bin/sh
# apt-packages.sh PACKAGE…: installs with apt, as root, those that are not there yet, and nothing that runs.
. "$(dirname "$0")/apt.sh"

missing=''
for package in "$@"; do
  is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
update_lists
# shellcheck disable=SC2086 # one word each
install_idle $missing
