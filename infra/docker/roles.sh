#!/bin/sh
# Makes PostgreSQL's roles, with the passwords in the files of docker compose. PostgreSQL's image runs this once, when the
# volume is new. It may be run again, which is the way to new passwords after a change of those files:
#   docker compose up -d --force-recreate postgres
#   docker compose exec postgres sh /docker-entrypoint-initdb.d/roles.sh
# In a shell of its own, because the image sources it where it is not executable: nothing of it stays in the server's
# environment.
(
  set -eu
  password() {
    cat "/run/secrets/postgres$1_password"
  }
  POSTGRES_PASSWORD=$(password '')
  POSTGRES_OWNER_PASSWORD=$(password _owner)
  POSTGRES_CONSUMER_PASSWORD=$(password _consumer)
  POSTGRES_GATEWAY_PASSWORD=$(password _gateway)
  POSTGRES_PROJECTOR_PASSWORD=$(password _projector)
  export POSTGRES_PASSWORD POSTGRES_OWNER_PASSWORD POSTGRES_CONSUMER_PASSWORD POSTGRES_GATEWAY_PASSWORD \
    POSTGRES_PROJECTOR_PASSWORD
  psql --quiet --username postgres --dbname sekali \
    --file /usr/local/share/sekali-role-passwords.sql --file /usr/local/share/sekali-roles.sql
)
