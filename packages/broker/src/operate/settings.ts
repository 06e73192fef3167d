import { ask, type Broker } from '../redis/connect.ts'
import { field } from '../redis/info.ts'

/** What Redis says of itself; `undefined` is what it does not say. */
export interface Settings {
  readonly name: 'Redis' | 'Valkey'
  readonly version: string
  /** `standalone`, `sentinel` or `cluster`. */
  readonly mode: string | undefined
  readonly role: string | undefined
  /** How many replicas are connected and level with it, or nearly. */
  readonly replicas: number
  readonly isLoading: boolean
  readonly policy: string | undefined
  /** 0 is no limit. */
  readonly memoryBytesMax: number | undefined
  readonly memoryBytes: number | undefined
  /** Whether its last write to the append-only file succeeded. */
  readonly lastWrite: string | undefined
  /** Both undefined where CONFIG GET is not allowed. */
  readonly appendonly: string | undefined
  readonly appendfsync: string | undefined
}

/** Rejects with `BrokerUnavailable` when Redis cannot be asked. */
export async function readSettings(broker: Broker): Promise<Settings> {
  const info = await ask(broker, 'health check', (redis) => redis.info())
  const config = await ask(broker, 'health check', (redis) =>
    redis.config('GET', 'append*').catch(() => undefined),
  )
  const valueOfLine = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
  const valkey = valueOfLine('valkey_version')
  return {
    name: valkey === undefined ? 'Redis' : 'Valkey',
    version: valkey ?? valueOfLine('redis_version') ?? 'unknown',
    mode: valueOfLine('redis_mode') ?? valueOfLine('server_mode'),
    role: valueOfLine('role'),
    replicas: info.match(/^slave\d+:.*state=online/gm)?.length ?? 0,
    isLoading: valueOfLine('loading') === '1',
    policy: valueOfLine('maxmemory_policy'),
    memoryBytesMax: numberOf(valueOfLine('maxmemory')),
    memoryBytes: numberOf(valueOfLine('used_memory')),
    lastWrite: valueOfLine('aof_last_write_status'),
    appendonly: textOf(field(config, 'appendonly')),
    appendfsync: textOf(field(config, 'appendfsync')),
  }
}

const numberOf = (text: string | undefined) => (text === undefined ? undefined : Number(text))
const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)
