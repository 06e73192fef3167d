import { sentenceOf, type Trouble } from '@sekali/core/trouble'
import type { Broker } from '../redis/connect.ts'
import { readSettings, type Settings } from './settings.ts'
import { findRefusal } from './writable.ts'

export interface BrokerHealth {
  readonly version: string
  /** Whether an append is on disk before it is acknowledged; `null` when nobody knows, because CONFIG is forbidden. */
  readonly durable: boolean | null
  /** What makes this Redis unfit: while there is any, the gateway is not ready. */
  readonly problems: readonly string[]
  /** What weakens promise 1 although events can be taken. */
  readonly warnings: readonly string[]
}

const majorMin = 7

/** Looks at version and settings. Rejects with `BrokerUnavailable` when Redis cannot be asked. */
export const checkBroker = async (broker: Broker): Promise<BrokerHealth> =>
  healthOf(await readSettings(broker), broker.replicasMin)

/** The same for who writes: whether Redis takes what an append writes is tried, where it can be at all. */
export async function checkWritable(broker: Broker): Promise<BrokerHealth> {
  const settings = await readSettings(broker)
  const health = healthOf(settings, broker.replicasMin)
  if (!isWorthTrying(settings)) return health
  const refusal = await findRefusal(broker)
  return refusal === undefined ? health : { ...health, problems: [...health.problems, sentenceOf(refusal)] }
}

function healthOf(settings: Settings, replicasMin: number): BrokerHealth {
  const { version, policy, isLoading, appendonly, appendfsync } = settings
  const isKnown = appendonly !== undefined && appendfsync !== undefined
  const durable = isKnown ? appendonly === 'yes' && appendfsync === 'always' : null
  const misplaced = misplacedAt(settings)
  const bereft = misplaced === undefined && bereftOf(settings, replicasMin)
  const problems = [
    Number.parseInt(version, 10) < majorMin && `version ${version} is older than ${majorMin}.0: upgrade it`,
    policy !== undefined &&
      policy !== 'noeviction' &&
      `maxmemory-policy is ${policy}, must be noeviction: CONFIG SET maxmemory-policy noeviction`,
    misplaced && sentenceOf(misplaced),
    bereft && sentenceOf(bereft),
    isLoading && 'still loading its data',
  ]
  const warnings = [
    durable === false &&
      'appendonly yes and appendfsync always are not both set: a crash can lose accepted events',
    durable === null &&
      'whether appendonly and appendfsync are set cannot be told: CONFIG GET is not allowed',
  ]
  return { version, durable, problems: present(problems), warnings: present(warnings) }
}

/** Whether so few replicas follow it that no event is acknowledged. */
export function bereftOf({ replicas }: Settings, replicasMin: number): Trouble | undefined {
  if (replicas >= replicasMin) return undefined
  return {
    code: 'not_replicated',
    what: `${connected(replicas)}, and ${replicasMin} must have an event before it is acknowledged`,
    remedy: 'bring its replicas back, or lower REDIS_REPLICAS_MIN',
  }
}

export const connected = (replicas: number): string =>
  replicas === 1 ? '1 replica is connected' : `${replicas} replicas are connected`

/** Whether a trial write can tell anything: a server that cannot take one is not given one. */
export const isWorthTrying = (settings: Settings): boolean =>
  misplacedAt(settings) === undefined && !settings.isLoading

/** What REDIS_URL leads to if that is not a primary of its own. */
export function misplacedAt({ mode, role }: Settings): Trouble | undefined {
  if (mode === 'sentinel') {
    return {
      code: 'redis_mode sentinel',
      what: 'REDIS_URL leads to a Sentinel, which holds no data',
      remedy:
        'name Sentinels as redis+sentinel://HOST:PORT,HOST:PORT/NAME; or point it at the primary, of which ' +
        'SENTINEL GET-MASTER-ADDR-BY-NAME tells where it is',
    }
  }
  if (mode === 'cluster') {
    return {
      code: 'redis_mode cluster',
      what: 'REDIS_URL leads to a node of a Redis Cluster, which Sekali does not support',
      remedy: 'point it at a Redis of its own, with cluster-enabled no',
    }
  }
  if (role !== undefined && role !== 'master') {
    return {
      code: `role ${role}`,
      what: 'REDIS_URL leads to a replica, which takes no writes',
      remedy: 'point it at the primary',
    }
  }
  return undefined
}

const present = (findings: readonly (string | false | undefined)[]): string[] =>
  findings.flatMap((finding) => finding || [])
