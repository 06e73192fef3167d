#!/bin/sh
# For those who keep the secrets of docker compose themselves, to choose or back them up; without it `docker compose up`
# makes its own, in volumes. Gives every secret a random value: a file of its own in .secrets, whose folder nobody but you
# may enter. What is there already stays as it is, so it can be run as often as you like, after an update too.
# Passwords in .env, where they were before, move to those files.
#
#   infra/docker/make-env.sh && docker compose up --build --scale consumer=4
#   infra/docker/make-env.sh --keys     the same, and whoever comes needs a key: the first one is put into .secrets/first_key
#
# docker compose mounts the files as they are, with owner and mode, and its job `secrets` reads them as a user of its
# own. So anybody may read the files, and the folder is what keeps others on this machine out.
set -eu
umask 077
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
env_file=$root/.env

fail() {
  echo "make-env: $1" >&2
  exit "${2:-1}"
}

case $* in
  '' | --keys) ;;
  *) fail 'takes --keys, or nothing' 2 ;;
esac

# 32 hexadecimal digits: 128 bits, and nothing that a URL or a shell would have to escape.
secret() {
  openssl rand -hex 16 2>/dev/null || od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# What a variable is in .env, as docker compose reads it; nothing when it is not there.
from_env() {
  sed -n "s/^$1=//p" "$env_file" | tail -n 1 | tr -d '\r' |
    sed -e "s/^'\(.*\)'[[:space:]]*\$/\1/" -e t -e 's/^"\(.*\)"[[:space:]]*$/\1/' -e t \
      -e 's/[[:space:]]\{1,\}#.*$//' -e 's/[[:space:]]*$//'
}

# A password as it may stand in a URL.
encode() {
  case $1 in
    *[!A-Za-z0-9._~-]*) printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g' ;;
    *) printf %s "$1" ;;
  esac
}

# put NAME VALUE: whole or not at all, and left alone if it is there and the same.
put() {
  [ "$(cat "$secrets/$1" 2>/dev/null)" != "$2" ] || return 0
  printf '%s\n' "$2" >"$secrets/.$1"
  chmod 444 "$secrets/.$1"
  mv -f "$secrets/.$1" "$secrets/$1"
}

touch "$env_file"
chmod 600 "$env_file"
[ -z "$(tail -c 1 "$env_file")" ] || echo >>"$env_file" # an editor left the last line open

# Where it is not set, compose makes secrets of its own.
[ -n "$(from_env SEKALI_SECRETS)" ] || echo 'SEKALI_SECRETS=./.secrets' >>"$env_file"
secrets=$(from_env SEKALI_SECRETS)
case $secrets in /*) ;; *) secrets=$root/$secrets ;; esac
mkdir -p "$secrets"
chmod 700 "$secrets"

added=0
moved=0
for name in POSTGRES POSTGRES_OWNER POSTGRES_CONSUMER POSTGRES_GATEWAY POSTGRES_PROJECTOR \
  POSTGRES_DISPATCHER REDIS_OPERATOR REDIS_CONSUMER REDIS_GATEWAY REDIS_PROJECTOR REDIS_DISPATCHER; do
  file=$(echo "${name}_password" | tr '[:upper:]' '[:lower:]')
  value=$(from_env "${name}_PASSWORD")
  if [ -s "$secrets/$file" ]; then
    [ -z "$value" ] || [ "$value" = "$(cat "$secrets/$file")" ] ||
      fail "${name}_PASSWORD in .env is not what $secrets/$file says: take one of them away"
  elif [ -n "$value" ]; then
    put "$file" "$value"
    moved=$((moved + 1))
  else
    value=$(secret)
    [ "${#value}" -ge 32 ] || fail 'found neither openssl nor a working /dev/urandom'
    put "$file" "$value"
    added=$((added + 1))
  fi
done

# What webhooks' secrets are sealed with: 256 bits.
if [ ! -s "$secrets/webhook_key" ]; then
  put webhook_key "$(secret)$(secret)"
  added=$((added + 1))
fi

# url NAME PROTOCOL USER PASSWORD_FILE SERVER
url() {
  password=$(cat "$secrets/$4")
  put "$1" "$2://$3:$(encode "$password")@$5"
}
for app in gateway consumer projector dispatcher; do
  url "${app}_redis_url" redis "$app" "redis_${app}_password" redis:6379
  url "${app}_database_url" postgresql "sekali_$app" "postgres_${app}_password" postgres:5432/sekali
done
url owner_database_url postgresql sekali_owner postgres_owner_password postgres:5432/sekali

# Only now that all of them lie elsewhere.
if grep -Eq '^(POSTGRES|REDIS)(_[A-Z]+)?_PASSWORD=' "$env_file"; then
  grep -Ev '^(POSTGRES|POSTGRES_(OWNER|CONSUMER|GATEWAY|PROJECTOR|DISPATCHER)|REDIS_(OPERATOR|CONSUMER|GATEWAY|PROJECTOR|DISPATCHER))_PASSWORD=' \
    "$env_file" >"$env_file.new" || [ $? = 1 ]
  mv -f "$env_file.new" "$env_file"
fi

# The projector reads the folder that it gets unless SEKALI_PROJECTIONS names another, whatever umask the clone was made with.
[ ! -d "$root/examples" ] || chmod -R a+rX "$root/examples"
# And Prometheus and Grafana their configurations.
[ ! -d "$root/infra/observability" ] || chmod -R a+rX "$root/infra/observability"
# SELinux lets containers read what is labelled so; compose labels volumes, but no secrets.
! command -v selinuxenabled >/dev/null 2>&1 || ! selinuxenabled || chcon -R -t container_file_t "$secrets"
echo "make-env: $added secrets added to $secrets, $moved moved there out of .env"

[ "$*" = --keys ] || exit 0
# The database is asked also where there is a file: it may be of volumes that were deleted. The key alone goes to standard
# output; a build does, too, so it comes before. .env says nothing of keys until there is one in the file.
key=$(cd "$root" && export SEKALI_AUTH=keys SEKALI_TOKEN_FILE= && docker compose build secrets >&2 &&
  docker compose run --rm -T first-key --if-none) && [ "$(printf '%s\n' "$key" | wc -l)" -eq 1 ] ||
  fail 'the first key could not be made, for the reason above'
[ -z "$key" ] || put first_key "$key"
[ -s "$secrets/first_key" ] ||
  fail "there is a first key already, and $secrets/first_key does not have it: put it there and run this again; \
if it is lost, docker compose run --rm first-key --replace prints another, and revokes those that may do everything"
[ "$(from_env SEKALI_AUTH)" = keys ] || echo 'SEKALI_AUTH=keys' >>"$env_file"
[ -n "$(from_env SEKALI_TOKEN_FILE)" ] || echo "SEKALI_TOKEN_FILE=$(from_env SEKALI_SECRETS)/first_key" >>"$env_file"
echo "make-env: $secrets/first_key has the first key, which may do everything; docker compose up --build starts with it"
