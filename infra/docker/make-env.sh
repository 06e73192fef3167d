#!/bin/sh
# Gives every secret that docker-compose.yml asks for a random value in .env, readable by you alone.
# What is in .env already stays as it is, so it can be run as often as you like, after an update too.
#
#   infra/docker/make-env.sh && docker compose up --build --scale consumer=4
set -eu
umask 077
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
env_file=$here/../../.env

# 32 hexadecimal digits: 128 bits, and nothing that a URL or a shell would have to escape.
secret() {
  openssl rand -hex 16 2>/dev/null || od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

touch "$env_file"
chmod 600 "$env_file"
[ -z "$(tail -c 1 "$env_file")" ] || echo >>"$env_file" # an editor left the last line open

added=0
for name in POSTGRES_PASSWORD POSTGRES_OWNER_PASSWORD POSTGRES_CONSUMER_PASSWORD POSTGRES_GATEWAY_PASSWORD \
  POSTGRES_PROJECTOR_PASSWORD REDIS_OPERATOR_PASSWORD REDIS_CONSUMER_PASSWORD REDIS_GATEWAY_PASSWORD REDIS_PROJECTOR_PASSWORD; do
  ! grep -q "^$name=" "$env_file" || continue
  value=$(secret)
  [ "${#value}" -ge 32 ] || { echo 'make-env: found neither openssl nor a working /dev/urandom' >&2; exit 1; }
  echo "$name=$value" >>"$env_file"
  added=$((added + 1))
done

# redis and postgres read these as their own users, whatever umask the clone was made with.
chmod a+r "$here/redis.sh" "$here/roles.sql"
echo "make-env: $added secrets added to .env"
