// The endpoints of a run: what each subscribes to, and how its receiver behaves.
import { hash } from 'node:crypto'
import type { TargetWith } from '../targets/target.ts'
import type { TopicKind } from '../topics.ts'

/** What becomes of one request: its answer, or none. */
export type Behaviour =
  | 'ok'
  | 'error'
  | 'busy'
  | 'hang'
  | 'half'
  | 'garbage'
  | 'redirect'
  | 'endless'
  | 'cut'
  | 'gone'

export interface EndpointPlan {
  /** The subscription's name, and the path of its URL. */
  readonly name: string
  /** What it is made with. */
  readonly config: Readonly<Record<string, unknown>>
  /** What comes one event at a time: all of a source, or all of a topic. */
  readonly order: 'none' | 'source' | 'topic'
  /** The only topic that matches; all if it is left out. */
  readonly topic?: string
  /** The only sources that match. */
  readonly sources: readonly string[]
  readonly body: 'standard' | 'event'
  /** Whether events come in arrays. */
  readonly isBatched?: boolean
  /** `now and then`: its receiver misbehaves as the seed has it. `refuses`: it refuses some events for ever, and shows what it was sent. */
  readonly kind: 'now and then' | 'refuses' | 'inside'
  /** Sent along with each request, as its value of `x-own`. */
  readonly own: string
}

/** The shortest there is: what nobody answers is given up soon. */
const timeoutSeconds = 1
/** What a dispatcher that is killed was sending goes out again after this. */
export const leaseMs = (timeoutSeconds + 10) * 1_000
/** As many steps as there may be, so that only what receivers refuse is given up. */
const patient = Array<number>(19).fill(1)
const short = [1, 1]

/** How often an event that is refused, or cannot be sent, is tried. */
export const attemptsMax = ({ config }: EndpointPlan): number => (config.retry_s as number[]).length + 1

interface Options {
  readonly seed: number
  readonly pattern: string
  readonly port: number
  readonly webhooks: TargetWith<'webhooks'>['webhooks']
}

/**
 * Of few sources each, and all but one of one topic that is not the hot one: every delivery is a request more, beside those of
 * the load, and every event of its topics a look for an endpoint.
 */
export function endpointPlansOf({ seed, pattern, port, webhooks }: Options): readonly EndpointPlan[] {
  const prefix = pattern.slice(0, -'.>'.length)
  const of = (kind: TopicKind) => `${prefix}.${kind}`
  const plan = (
    name: string,
    sources: readonly string[],
    { host = webhooks.open, retry = patient, concurrency = 10, batch = 1, ...changes }: PlanChanges = {},
  ): EndpointPlan => {
    const own = hash('sha1', `${seed} own ${name}`, 'hex')
    const usual = { order: 'none', body: 'standard', kind: 'now and then' } as const
    const full = { ...usual, name: `${prefix}.to-${name}`, sources, own, isBatched: batch > 1, ...changes }
    const config = {
      ...{
        kind: 'push',
        topics: full.topic ?? pattern,
        from: 'start',
        timeout_s: timeoutSeconds,
        retry_s: retry,
      },
      ...{ concurrency, order: full.order, body: full.body, filter: { sources } },
      batch_max: batch,
      url: `http://${host}:${port}/${full.name}`,
      headers: { 'x-own': own },
    }
    return { ...full, config }
  }
  return [
    plan('any', ['s03', 's04', 's06']),
    plan('source', ['s02', 's05', 's07', 's08', 's14'], { order: 'source', topic: of('payments.eu') }),
    plan('topic', ['s08', 's02', 's05'], { order: 'topic', body: 'event', batch: 20, topic: of('logins') }),
    plan('refusing', ['s09', 's10', 's11', 's14', 's15'], {
      kind: 'refuses',
      retry: short,
      topic: of('mail'),
    }),
    // A name that leads elsewhere the next time, and an address to which nothing may go.
    plan('turning', ['s12', 's13'], { host: webhooks.turning, topic: of('sensors.temperature') }),
    plan('inside', ['s13'], { host: webhooks.inside, kind: 'inside', retry: short, topic: of('logins') }),
  ]
}

interface PlanChanges extends Partial<Pick<EndpointPlan, 'topic' | 'order' | 'body' | 'kind'>> {
  readonly host?: string
  readonly retry?: readonly number[]
  readonly concurrency?: number
  readonly batch?: number
}

export const isFor = (
  { topic, sources }: Pick<EndpointPlan, 'topic' | 'sources'>,
  event: { readonly topic: string; readonly source: string },
): boolean => (topic === undefined || topic === event.topic) && sources.includes(event.source)

/** The id that a delivery of an event must have: as docs/webhooks.md has it, and not by the product's own function. */
export const hookIdOf = (topic: string, id: string): string =>
  `evt_${hash('sha256', `${topic}\0${id}`, 'base64url').slice(0, 27)}`

/** The id that a request with these events must have. */
export const batchIdOf = (hooks: readonly string[]): string =>
  hooks.length === 1
    ? String(hooks[0])
    : `batch_${hash('sha256', hooks.join('\0'), 'base64url').slice(0, 27)}`

const refusedEvery = 100
const numberOf = (text: string): number => Number.parseInt(hash('sha1', text, 'hex').slice(0, 8), 16)

/** Whether the receiver of an endpoint that refuses does so with this event: about one in a hundred, always the same. */
export const isRefusedHook = ({ kind }: Pick<EndpointPlan, 'kind'>, hook: string): boolean =>
  kind === 'refuses' && numberOf(hook) % refusedEvery === 0

/** Of a thousand requests. What holds the endpoint, or a connection, for a second is rare: what is behind must keep up. */
const shares: readonly (readonly [Behaviour, number])[] = [
  ['error', 20],
  ['busy', 2],
  ['hang', 3],
  ['half', 3],
  ['garbage', 6],
  ['redirect', 6],
  ['endless', 6],
  ['cut', 6],
]
/** From this attempt on it is well. */
const behavesFrom = 5

/** What the seed has the receiver do with an attempt, whenever it comes. */
export function behaviourOf(
  seed: number,
  plan: Pick<EndpointPlan, 'name' | 'kind'>,
  { hook, attempt }: { readonly hook: string; readonly attempt: number },
): Behaviour {
  if (isRefusedHook(plan, hook)) return 'error'
  if (plan.kind !== 'now and then' || attempt >= behavesFrom) return 'ok'
  let drawn = numberOf(`${seed} ${plan.name} ${hook} ${attempt}`) % 1_000
  for (const [behaviour, share] of shares) {
    if (drawn < share) return behaviour
    drawn -= share
  }
  return 'ok'
}
