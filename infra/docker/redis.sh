#!/bin/sh
# Starts Redis with one user for each kind of client, made anew from the files with their passwords at every start: a
# changed password needs no more than `docker compose restart`. The file lies in memory and is gone with the container.
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
  +memory|usage +xrange +time +sadd +srem +smembers +smismember +scard +exists +mget +hget +hmget +hgetall +hset +hdel +del
  +xtrim +publish +subscribe +unsubscribe +wait"
consumer="$connection $scripts +multi +exec +xreadgroup +xrange +xack +xautoclaim +xtrim
  +xsetid +xgroup|create +xgroup|setid +xgroup|delconsumer +xinfo|stream +xinfo|groups +xinfo|consumers
  +sadd +srem +smembers +scard +exists +mget +set +hget +hmget +hgetall +hset +hincrby +hdel +del +xdel
  +time +publish +subscribe +unsubscribe"

projector="$connection +hget +subscribe +unsubscribe"
dispatcher="$connection +hget +subscribe +unsubscribe"

password() {
  cat "/run/secrets/redis_$1_password"
}
# Read before they are used: what fails in the midst of a text does not end the script.
operator_password=$(password operator)
gateway_password=$(password gateway)
consumer_password=$(password consumer)
projector_password=$(password projector)
dispatcher_password=$(password dispatcher)

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
  echo "user operator on >$operator_password ~* &* +@all"
  user gateway "$gateway_password" "$gateway"
  user consumer "$consumer_password" "$consumer"
  user projector "$projector_password" "$projector"
  user dispatcher "$dispatcher_password" "$dispatcher"
} >"$acl"

exec redis-server --aclfile "$acl" "$@"
