import { type Finding, ok, problem, unknown, warning } from '@sekali/core/finding'
import type { Trouble } from '@sekali/core/trouble'
import { readKeep } from '../keep/keep.ts'
import type { Broker } from '../redis/connect.ts'
import { bereftOf, connected, isWorthTrying, misplacedAt } from './health.ts'
import { keepFinding } from './keep-finding.ts'
import { readSettings, type Settings } from './settings.ts'
import { findRefusal } from './writable.ts'

/** Looks at everything about Redis that the promises hang on. Rejects with `BrokerUnavailable`. */
export async function examineBroker(broker: Broker): Promise<Finding[]> {
  const settings = await readSettings(broker)
  const isTried = isWorthTrying(settings)
  const refusal = isTried ? await findRefusal(broker) : undefined
  return [
    version(settings),
    role(settings, broker.primary()),
    replicas(settings, broker.replicasMin),
    appendonly(settings),
    appendfsync(settings),
    lastWrite(settings),
    policy(settings),
    memory(settings),
    ...(isTried ? [keepFinding(await readKeep(broker)), writes(refusal)] : []),
  ]
}

function writes(refusal: Trouble | undefined): Finding {
  const check = 'redis.writes'
  if (refusal === undefined) return ok(check, 'takes what an append writes')
  return problem(check, `${refusal.what} (${refusal.code})`, refusal.remedy)
}

const restart = 'set it in redis.conf, so that it is still set after a restart'

function version({ name, version }: Settings): Finding {
  const check = 'redis.version'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = name === 'Redis' ? major < 7 : major < 7 || (major === 7 && minor < 2)
  if (!isOld) return ok(check, `${name} ${version}`)
  return problem(check, `${name} ${version} is too old`, 'upgrade to Redis 7.0 or Valkey 7.2, or newer')
}

function role(settings: Settings, primary: string | undefined): Finding {
  const check = 'redis.role'
  if (settings.isLoading) return warning(check, 'it is still loading its data', 'wait until it has')
  const misplaced = misplacedAt(settings)
  const named = primary === undefined ? '' : `, at ${primary}: the Sentinels name it`
  if (misplaced === undefined) return ok(check, `a primary${named}`)
  return problem(check, misplaced.what, misplaced.remedy)
}

function replicas(settings: Settings, min: number): Finding {
  const check = 'redis.replicas'
  const { replicas } = settings
  const bereft = misplacedAt(settings) === undefined ? bereftOf(settings, min) : undefined
  if (bereft !== undefined) return problem(check, `${bereft.what}: every event is refused`, bereft.remedy)
  if (min > 0)
    return ok(check, `${connected(replicas)}, and ${min} must have an event before it is acknowledged`)
  if (replicas === 0) return ok(check, 'none')
  return warning(
    check,
    `${connected(replicas)}, and none must have an event before it is acknowledged: a failover can lose some`,
    'set REDIS_REPLICAS_MIN=1 for all gateways if Redis is to fail over; docs/scaling.md says more',
  )
}

function appendonly({ appendonly }: Settings): Finding {
  const check = 'redis.appendonly'
  if (appendonly === undefined) return notKnown(check)
  if (appendonly === 'yes') return ok(check, 'yes')
  return problem(
    check,
    'no: a crash or a restart loses accepted events',
    `CONFIG SET appendonly yes; ${restart}`,
  )
}

function appendfsync({ appendonly, appendfsync }: Settings): Finding {
  const check = 'redis.appendfsync'
  if (appendfsync === undefined) return notKnown(check)
  if (appendfsync === 'always') return ok(check, 'always')
  const lost = appendfsync === 'everysec' ? 'about a second of' : 'many'
  const state = `${appendfsync}: a crash of the machine loses ${lost} accepted events`
  const remedy = `CONFIG SET appendfsync always; ${restart}`
  return appendonly === 'yes' ? warning(check, state, remedy) : problem(check, state, remedy)
}

const notKnown = (check: string): Finding =>
  unknown(check, 'Redis does not allow CONFIG GET', 'allow it to this user: ACL SETUSER … +config|get')

function lastWrite({ lastWrite }: Settings): Finding {
  const check = 'redis.last_write'
  if (lastWrite === undefined || lastWrite === 'ok') return ok(check, 'its last write to disk succeeded')
  return problem(
    check,
    'its last write to disk failed; it refuses events until one succeeds',
    'make room on its disk, and see its log',
  )
}

function policy({ policy }: Settings): Finding {
  const check = 'redis.maxmemory_policy'
  if (policy === undefined) return unknown(check, 'Redis does not say', 'make sure that it is noeviction')
  if (policy === 'noeviction') return ok(check, policy)
  return problem(
    check,
    `${policy}: Redis may throw away events that were accepted`,
    `CONFIG SET maxmemory-policy noeviction; ${restart}`,
  )
}

/** A share of maxmemory beyond which little is missing until Redis refuses events. */
const memoryShareMax = 0.8

function memory({ memoryBytes, memoryBytesMax }: Settings): Finding {
  const check = 'redis.memory'
  if (memoryBytes === undefined || memoryBytesMax === undefined) {
    return unknown(check, 'Redis does not say how much it uses')
  }
  const used = `${mebibytes(memoryBytes)} used`
  if (memoryBytesMax === 0) return ok(check, `${used}, no limit set`)
  const fill = `${used} of ${mebibytes(memoryBytesMax)}`
  if (memoryBytes < memoryBytesMax * memoryShareMax) return ok(check, fill)
  return warning(
    check,
    `${fill}: when it is full, events are refused`,
    'see what is in flight; start consumers, or raise maxmemory',
  )
}

const mebibytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024).toLocaleString('en-US')} MiB`
