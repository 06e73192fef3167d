import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findRedisBinary } from '../../../packages/servers/src/redis/binary.mjs'
import { SetUpFailed } from './failure.mjs'
import { say } from './say.mjs'

// In the package all is built into files of other names, and there is no docker-compose.yml.
const isClone = import.meta.url.endsWith('/set-up/redis.mjs')
const start = isClone ? 'npm start' : 'npx @sekali/cli start'
const script = fileURLToPath(new URL('apt-redis.sh', import.meta.url))

function waysOut() {
  // Ours installs it without the service that Debian's package would start.
  const byApt = works('apt-get', '--version')
    ? `     Here: sudo sh '${script.replaceAll("'", "'\\''")}'\n`
    : ''
  return (
    'Ways out:\n' +
    '  1. Install Redis 7.0 or newer (or Valkey) so that redis-server is on the PATH, and run this again.\n' +
    byApt +
    `     REDIS_SERVER may name one that is not on the PATH; ${start} takes a REDIS_URL instead.` +
    (isClone ? '\n  2. Run everything in containers: docker compose up --build' : '')
  )
}

/** The path of a redis-server that will do, installed if need be and possible. */
export async function ensureRedis(relay) {
  const found = findRedisBinary()
  if (found.path !== undefined) return found.path
  const why = found.refused.join('; ')
  const installer = process.env.REDIS_SERVER ? undefined : findInstaller()
  if (installer === undefined) throw new SetUpFailed(`Sekali needs a Redis server: ${why}.\n${waysOut()}`)
  say(`Sekali needs a Redis server: ${why}. Installing one: ${installer.what}.`)
  const ending = await relay.run(installer.command, installer.args, {
    stdio: ['ignore', 2, 2],
    env: installer.env,
  })
  relay.endIfInterrupted()
  const installed = findRedisBinary()
  if (installed.path !== undefined) return installed.path
  const outcome = ending.code === 0 ? installed.refused.join('; ') : 'it failed; its words are above'
  throw new SetUpFailed(`Installing Redis (${installer.what}) did not help: ${outcome}.\n${waysOut()}`)
}

function findInstaller() {
  if (works('apt-get', '--version')) {
    const apt = { what: 'redis-server through apt, without its service', env: process.env }
    if (process.getuid() === 0) return { ...apt, command: 'sh', args: [script] }
    if (works('sudo', '-n', 'true')) return { ...apt, command: 'sudo', args: ['-n', 'sh', script] }
  }
  if (process.getuid() !== 0 && works('brew', '--version')) {
    const env = { ...process.env, HOMEBREW_NO_AUTO_UPDATE: '1' }
    return {
      what: 'redis through Homebrew, without its service',
      env,
      command: 'brew',
      args: ['install', 'redis'],
    }
  }
  return undefined
}

function works(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}
