/**
 * Gives every container of docker-compose.yml its secrets: to each a volume of its own, in which no other container
 * looks. docker compose runs it before all others at each `up`.
 *
 *   node infra/docker/secrets.ts VOLUMES [GIVEN]
 *
 * VOLUMES holds a folder for each volume. GIVEN is the folder with what make-env.sh made, when SEKALI_SECRETS names one;
 * what is given there wins. Otherwise a password that is in its server's volume stays, so that a second `up` changes
 * nothing, and one that is nowhere is made. URLs are made of the passwords. Running it again mends whatever an
 * interrupted run, or a volume that somebody has deleted, has left. It prints counts, and never a secret.
 *
 * Before that it refuses what the gateway would refuse, in the same words: whoever starts everything with `up -d` sees how
 * this job ends, and not how the gateway does.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { InvalidConfig } from '@sekali/core/errors'
import { readAuth, requireAuth } from '@sekali/process/auth'

/** By volume, the passwords in it: that of the server which asks for them. */
const passwordsOf = {
  postgres: ['postgres_password'],
  roles: [
    'postgres_owner_password',
    'postgres_consumer_password',
    'postgres_gateway_password',
    'postgres_projector_password',
    'postgres_dispatcher_password',
  ],
  redis: [
    'redis_operator_password',
    'redis_consumer_password',
    'redis_gateway_password',
    'redis_projector_password',
    'redis_dispatcher_password',
  ],
} as const

const apps = ['gateway', 'consumer', 'projector', 'dispatcher'] as const

/** The volumes with the key that webhooks' secrets are sealed with: whoever makes them, and whoever signs with them. */
const sealing = ['gateway', 'dispatcher'] as const

const [volumes = '', given = ''] = process.argv.slice(2)

class Refused extends Error {}

/** The text of a file without the line break at its end; nothing when there is no such file. */
function readSecret(folder: string, name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && folder !== given) return undefined
    throw new Refused(`${name} cannot be read (${code}); run infra/docker/make-env.sh again`)
  }
}

/** What the user brought; nothing when he brought none. */
function readGiven(name: string): string | undefined {
  if (given === '') return undefined
  const value = readSecret(given, name)
  if (value === '' || value?.includes('\n'))
    throw new Refused(`${name} must hold one line, and not an empty one`)
  return value
}

/** Whole or not at all: a container may be reading. Everyone may read it, because only one container sees the volume. */
function put(volume: string, name: string, value: string): void {
  const folder = join(volumes, volume)
  if (readSecret(folder, name) === value) return
  const unfinished = join(folder, `.${name}`)
  rmSync(unfinished, { force: true }) // of a run that was interrupted: not to be written any more
  writeFileSync(unfinished, `${value}\n`, { flush: true })
  chmodSync(unfinished, 0o444)
  renameSync(unfinished, join(folder, name))
}

/** 128 bits in hexadecimal digits: nothing that a URL or a shell would have to escape. */
const newPassword = () => randomBytes(16).toString('hex')
const newKey = () => randomBytes(32).toString('hex')

function handOut(): void {
  const passwords = new Map<string, string>()
  let [made, kept] = [0, 0]
  /** What is given, else what one of the volumes has, else a new one. */
  function secretOf(name: string, among: readonly string[], make: () => string): string {
    const brought = readGiven(name)
    const found = among.map((volume) => readSecret(join(volumes, volume), name) || undefined)
    const known = brought ?? found.find((one) => one !== undefined)
    if (known === undefined) made += 1
    else if (brought === undefined) kept += 1
    const secret = known ?? make()
    for (const volume of among) put(volume, name, secret)
    return secret
  }
  for (const [volume, names] of Object.entries(passwordsOf)) {
    for (const name of names) passwords.set(name, secretOf(name, [volume], newPassword))
  }
  secretOf('webhook_key', sealing, newKey)
  const url = (protocol: string, user: string, secret: string, server: string) =>
    `${protocol}://${user}:${encodeURIComponent(passwords.get(secret) ?? '')}@${server}`
  const database = (role: string) =>
    url('postgresql', `sekali_${role}`, `postgres_${role}_password`, 'postgres:5432/sekali')
  for (const app of apps) {
    const redis = url('redis', app, `redis_${app}_password`, 'redis:6379')
    put(app, `${app}_redis_url`, readGiven(`${app}_redis_url`) ?? redis)
    put(app, `${app}_database_url`, readGiven(`${app}_database_url`) ?? database(app))
  }
  put('owner', 'owner_database_url', readGiven('owner_database_url') ?? database('owner'))
  console.log(`secrets: ${passwords.size + 1 - made - kept} given, ${made} made, ${kept} kept`)
}

try {
  const { SEKALI_BIND: bind = '' } = process.env
  const auth = readAuth(process.env)
  if (bind !== '') requireAuth(auth, 'SEKALI_BIND', bind)
  handOut()
  // From here, because the clone of the repository may be closed to the user of Redis's container.
  put('redis', 'redis.sh', readFileSync(new URL('redis.sh', import.meta.url), 'utf8').trimEnd())
} catch (error) {
  if (!(error instanceof Refused || error instanceof InvalidConfig)) throw error
  console.error(`secrets: ${error.message}`)
  process.exitCode = 1
}
