// What a run is made against, and what a fault can get at there. A target has only the facets that it can offer;
// a fault is run where all that it needs is there.
import type { Keys } from './keys.ts'
import type { TcpProxy } from './proxy.ts'

export type PartKind = 'gateway' | 'consumer' | 'projector' | 'dispatcher' | 'redis' | 'postgres'

export interface Part {
  readonly name: string
  readonly kind: PartKind
  readonly pid: number
}

export interface Processes {
  /** Those that run now. */
  parts(): Promise<readonly Part[]>
  /** Signals a part. What ends by it does not count as ended by itself. */
  signal(part: Part, signal: NodeJS.Signals): Promise<void>
  /** What it has in memory; undefined when it has just ended. */
  memoryKb(part: Part): Promise<number | undefined>
}

/** A process beside those that are kept up: it may end, and is not started again. */
export interface Extra {
  readonly pid: number
  readonly name: string
  readonly exited: Promise<void>
  readonly hasEnded: () => boolean
  readonly log: () => Promise<string>
  signal(name: NodeJS.Signals): void
}

export interface Extras {
  startProjector(env: Readonly<Record<string, string>>): Promise<Extra>
  startDispatcher(env: Readonly<Record<string, string>>): Promise<Extra>
  /** Under one of a few names that are used again and again, unless it is to be a new one. */
  startConsumer(env: Readonly<Record<string, string>>, options?: { isNew?: boolean }): Promise<Extra>
  /** Resolves once it answers at `url`. */
  startGateway(env: Readonly<Record<string, string>>): Promise<Extra & { readonly url: string }>
}

export interface RedisAccess {
  readonly prefix: string
  call(...args: (string | number)[]): Promise<unknown>
}

export interface SqlAccess {
  /** Every value as text, or null. */
  rows(query: string): Promise<Record<string, string | null>[]>
}

/** Sessions of one's own, for what must be held open. */
export type OpenSession = () => Promise<AsyncDisposable & { rows(query: string): Promise<unknown> }>

export interface Networks {
  disconnect(part: Part): Promise<void>
  connect(part: Part): Promise<void>
}

export const edges = ['client', 'gateway-redis', 'consumer-redis', 'consumer-postgres'] as const
export type Edge = (typeof edges)[number]

/** Files and settings of our own servers. */
interface Servers {
  /** Where Redis keeps its append-only files. */
  readonly redisDir: string
  /** Where PostgreSQL has its folder `data`. */
  readonly postgresDir: string
  /** Another system on the same servers: an empty database and keys of its own, and all processes at once. */
  startEmpty(sizes: { readonly migrations: number; readonly consumers: number }): Promise<EmptySystem>
}

/** Where dispatchers send to, and where they may not: all of it is this machine's own. */
export interface Webhooks {
  /** The only address to which they may send. */
  readonly open: string
  /** One to which they may not, although the gateway lets it be saved. */
  readonly inside: string
  /** A name that leads to either by turns. */
  readonly turning: string
  /** Has the name lead inside alone, or by turns again. */
  lead(where: 'inside' | 'by turns'): Promise<void>
  /** What may be in no log. */
  readonly key: string
}

export interface EmptySystem extends AsyncDisposable {
  readonly url: string
  /** Migrations that failed and consumers that ended, in words; waits for the migrations. */
  failures(): Promise<readonly string[]>
}

export interface Target extends AsyncDisposable {
  readonly name: string
  /** For the load; through a proxy where there is one. */
  readonly url: string
  /** After so long service must be back, the start of what was killed included. */
  readonly recoveryMsMax: number
  /** For reading and looking. */
  readonly quietUrl: string
  /** The key that its gateway asks for, if it asks for one. */
  readonly keyNow?: () => string | undefined
  readonly keys?: Keys
  readonly processes?: Processes
  readonly extras?: Extras
  readonly proxies?: Readonly<Record<Edge, TcpProxy>>
  readonly redis?: RedisAccess
  readonly sql?: SqlAccess
  readonly session?: OpenSession
  readonly networks?: Networks
  readonly servers?: Servers
  /** Addresses of clients that the gateway can tell apart at `quietUrl`: the load has another one than these. */
  readonly addresses?: readonly string[]
  /** Where there are dispatchers. */
  readonly webhooks?: Webhooks
  /** How many processes were ended as by kill -9, failpoints included. */
  kills(): number
  /** How many more names may be in the groups: of consumers that are gone, and need not have been removed yet. */
  strayNames(): number
  /** Processes that ended although nobody signalled them, in words. */
  ended(): readonly string[]
  /** Lines of the apps' logs since a moment (wall clock, ms) that match; undefined where nobody can read them. */
  logged(words: RegExp, sinceMs: number): Promise<readonly string[] | undefined>
}

export type Facet =
  | 'processes'
  | 'extras'
  | 'proxies'
  | 'redis'
  | 'sql'
  | 'session'
  | 'networks'
  | 'servers'
  | 'addresses'
  | 'webhooks'
  | 'keys'

/** A target that surely has some facets. */
export type TargetWith<F extends Facet> = Target & Required<Pick<Target, F>>
