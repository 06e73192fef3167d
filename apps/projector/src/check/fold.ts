import type { StoredEvent } from '@sekali/core/event'
import { Stuck } from '../confined/fold-process.ts'
import type { Folding } from '../definitions/folding.ts'
import type { LoadedDefinition } from '../definitions/held-process.ts'
import type { Finding } from './finding.ts'

interface Fold {
  /** Folds those of the events that are of its topics; none any more once one could not be folded. */
  add(events: readonly StoredEvent[]): Promise<void>
  /** Its states, and the event at which it stopped, or the last one that it skipped. */
  results(): readonly Finding[]
}

/** The states that a definition makes of events, by the same functions as a projector's turn. */
export function createFold(folding: Folding, definition: LoadedDefinition): Fold {
  const { name, topicRegex, keyed, initial, source } = definition
  const states = new Map<string, string>(keyed ? [] : [['', initial]])
  let failure: Finding | undefined
  let skipped: (Finding & { readonly count: number }) | undefined

  /** How many events were folded; fewer than all when one of them cannot be. */
  async function fold(events: readonly StoredEvent[]): Promise<void> {
    const folded = await folding.hold(async (process) => {
      const prepared = await process.prepare(definition, events)
      return await prepared.fold(new Map(prepared.keys.flatMap((key) => pairOf(states, key))))
    })
    for (const [key, state] of folded.states) states.set(key, state)
    if (folded.skipped !== undefined) {
      const { count, last } = folded.skipped
      skipped = {
        ...findingOf('skipped', name, last.event, last.message),
        count: (skipped?.count ?? 0) + count,
      }
    }
    if (folded.failure !== undefined) {
      failure = findingOf('failure', name, folded.failure.event, folded.failure.message)
    }
  }

  /** After it got stuck: one by one, to find at which event. Its process is a new one, which has yet to import it. */
  async function foldOneByOne(events: readonly StoredEvent[]): Promise<void> {
    for (const event of events) {
      if (failure !== undefined) return
      try {
        await folding.load(source)
        await fold([event])
      } catch (error) {
        if (!(error instanceof Stuck)) throw error
        failure = findingOf('failure', name, event, error.message)
      }
    }
  }

  return {
    async add(events) {
      const ours = events.filter(({ topic }) => topicRegex.test(topic))
      if (ours.length === 0 || failure !== undefined) return
      try {
        await folding.load(source) // another definition may have ended the process
        await fold(ours)
      } catch (error) {
        if (!(error instanceof Stuck)) throw error
        await foldOneByOne(ours)
      }
    },
    results: () => [
      ...[...states]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, state]) => ({ found: 'state', name, key, state }) as const),
      ...(skipped === undefined ? [] : [skipped]),
      ...(failure === undefined ? [] : [failure]),
    ],
  }
}

const pairOf = (states: ReadonlyMap<string, string>, key: string): [string, string][] => {
  const state = states.get(key)
  return state === undefined ? [] : [[key, state]]
}

function findingOf(found: 'failure' | 'skipped', name: string, event: StoredEvent, message: string) {
  const { topic, seq, eventId } = event
  return { found, name, topic, seq, eventId, message, count: 1 } as const
}
