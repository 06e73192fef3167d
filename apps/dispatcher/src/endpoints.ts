/**
 * The endpoints that this process sees to. Once a second it says that it runs, learns who else does, and takes up what is its own
 * by that (shares.ts): so any number of dispatchers share the work, and what one that dies has had is taken over within seconds.
 */
import type { TopicName } from '@sekali/core/event'
import { parsePattern } from '@sekali/core/pattern'
import type { PushTarget } from '@sekali/store/push-dispatch'
import { type EndpointDeps, type RunningEndpoint, runEndpoint } from './endpoint/endpoint.ts'
import { isMine } from './shares.ts'

export interface Endpoints {
  /** All that there are, and the dispatchers that run. */
  update(targets: readonly PushTarget[], dispatchers: readonly string[]): void
  /** Something of that topic is stored. */
  onStored(topic: TopicName): void
  /** The target of that id, whoever sees to it. */
  find(id: number): PushTarget | undefined
  readonly own: Iterable<PushTarget>
  /** Resolves once nothing is on its way, and all of it is written down; or all is abandoned. */
  drain(): Promise<void>
  /** Does nothing more. */
  abandon(): void
}

interface Own {
  readonly endpoint: RunningEndpoint
  readonly topics: RegExp
}

export function createEndpoints(deps: EndpointDeps, me: string): Endpoints {
  const running = new Map<number, Own>()
  /** Those that are others' now, and still have something on its way. */
  const leaving = new Map<RunningEndpoint, Promise<void>>()
  let all: ReadonlyMap<number, PushTarget> = new Map()
  /** Whose a topic is, as long as the endpoints are the same: there may be many of either. */
  const ofTopic = new Map<TopicName, readonly RunningEndpoint[]>()

  function leave(id: number, { endpoint }: Own): void {
    running.delete(id)
    ofTopic.clear()
    leaving.set(
      endpoint,
      endpoint.drain().finally(() => leaving.delete(endpoint)),
    )
  }

  function join(target: PushTarget): void {
    const topics = parsePattern(target.topics).regExp
    running.set(target.id, { endpoint: runEndpoint(deps, target), topics })
    ofTopic.clear()
  }

  const findOf = (topic: TopicName): readonly RunningEndpoint[] =>
    [...running.values()].filter(({ topics }) => topics.test(topic)).map(({ endpoint }) => endpoint)

  return {
    update(targets, dispatchers) {
      all = new Map(targets.map((target) => [target.id, target]))
      const mine = new Set(all.keys().filter((id) => isMine(me, dispatchers, id)))
      for (const [id, own] of running) if (!mine.has(id)) leave(id, own)
      for (const id of mine) {
        const target = all.get(id) as PushTarget
        const own = running.get(id)
        if (own === undefined) join(target)
        else own.endpoint.update(target)
      }
    },
    onStored(topic) {
      const those = ofTopic.get(topic) ?? findOf(topic)
      ofTopic.set(topic, those)
      for (const endpoint of those) endpoint.onStored()
    },
    find: (id) => all.get(id),
    get own() {
      return running.values().map(({ endpoint }) => endpoint.target)
    },
    async drain() {
      for (const [id, own] of running) leave(id, own)
      await Promise.all(leaving.values())
    },
    abandon() {
      for (const endpoint of leaving.keys()) endpoint.abandon()
    },
  }
}
