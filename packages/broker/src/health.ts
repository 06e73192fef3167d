import type { Broker } from './connect.ts'
import { readSettings } from './settings.ts'

export interface BrokerHealth {
  readonly version: string
  /** Whether an append is on disk before it is acknowledged; `null` when Redis does not tell (CONFIG forbidden). */
  readonly durable: boolean | null
  /** What makes this Redis unfit: while there is any, the gateway is not ready. */
  readonly problems: readonly string[]
  /** What weakens promise 1 although events can be taken. */
  readonly warnings: readonly string[]
}

const majorMin = 7

/** Looks at version and settings. Rejects with `BrokerUnavailable` when Redis cannot be asked. */
export async function checkBroker(broker: Broker): Promise<BrokerHealth> {
  const { version, policy, role, isLoading, appendonly, appendfsync } = await readSettings(broker)
  const isTold = appendonly !== undefined && appendfsync !== undefined
  const durable = isTold ? appendonly === 'yes' && appendfsync === 'always' : null
  const problems = [
    Number.parseInt(version, 10) < majorMin && `version ${version} is older than ${majorMin}.0`,
    policy !== undefined && policy !== 'noeviction' && `maxmemory-policy is ${policy}, must be noeviction`,
    role !== undefined && role !== 'master' && 'this is a replica and takes no writes',
    isLoading && 'still loading its data',
  ]
  const warnings = [
    durable === false &&
      'appendonly yes and appendfsync always are not both set: a crash can lose accepted events',
    durable === null &&
      'whether appendonly and appendfsync are set cannot be told: CONFIG GET is not allowed',
  ]
  return { version, durable, problems: said(problems), warnings: said(warnings) }
}

const said = (findings: (string | false)[]): string[] => findings.filter((finding) => finding !== false)
