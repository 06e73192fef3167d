#!/bin/sh
# Starts Redis with one user for each kind of client, made anew from the environment at every start: a changed
# password needs no more than `docker compose up`. The file lies in memory and is gone with the container.
#
# It starts redis-server itself, because the entrypoint of the image would load every module it brings along
# (search, JSON, time series, Bloom): memory and attack surface that nothing here uses.
set -eu
umask 077
acl=$(mktemp)

# What a connection needs before it does anything, and what health checks ask.
connection='+hello +ping +quit +client|setname +client|setinfo +info +config|get'
scripts='+eval +evalsha'

gateway="$connection $scripts +xadd +xsetid +xgroup|create +xinfo|stream +xinfo|groups +xinfo|consumers
  +xrange +time +sadd +srem +smembers +smismember +scard +exists +mget +hget +hset +hdel +publish +subscribe +unsubscribe"
consumer="$connection $scripts +multi +exec +xreadgroup +xrange +xack +xautoclaim +xtrim
  +xsetid +xgroup|create +xgroup|setid +xgroup|delconsumer +xinfo|stream +xinfo|groups +xinfo|consumers
  +sadd +srem +smembers +scard +exists +mget +set +hget +hgetall +hset +hdel +del
  +time +publish +subscribe +unsubscribe"

projector="$connection +subscribe +unsubscribe"

# user NAME PASSWORD COMMANDS: one line of the file, for Sekali's own keys and channels only.
user() {
  echo "user $1 on >$2 ~sekali:* &sekali:* -@all $(echo "$3" | tr -s ' \n' ' ')"
}

{
  # Nobody can log in as default, yet it may do everything: when Redis reads its append-only file back, it
  # checks what scripts and transactions wrote against this user's permissions, and silently skips what they
  # forbid. With fewer of them a restarted Redis had lost every entry (redis#14541, valkey#3983).
  echo 'user default off resetpass ~* &* +@all'
  # Without a password, and of no use beyond the health check.
  echo 'user health on nopass -@all +ping'
  echo "user operator on >$REDIS_OPERATOR_PASSWORD ~* &* +@all"
  user gateway "$REDIS_GATEWAY_PASSWORD" "$gateway"
  user consumer "$REDIS_CONSUMER_PASSWORD" "$consumer"
  user projector "$REDIS_PROJECTOR_PASSWORD" "$projector"
} >"$acl"
unset REDIS_OPERATOR_PASSWORD REDIS_GATEWAY_PASSWORD REDIS_CONSUMER_PASSWORD REDIS_PROJECTOR_PASSWORD

exec redis-server --aclfile "$acl" "$@"
