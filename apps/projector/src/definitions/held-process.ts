/**
 * The process for definitions as its holder sees it: it imports files, and folds with what it has imported. One that gives
 * no answer in time, or ends, is replaced by a new one, which has yet to import everything.
 */
import type { StoredEvent } from '@sekali/core/event'
import type { Folded } from '@sekali/projection/fold'
import type { Definition } from '@sekali/projection/validate'
import { type FoldProcess, Stuck } from '../confined/fold-process.ts'
import { keyOf, type Source } from '../confined/source.ts'
import { NotImported, NotLoaded } from './errors.ts'
import { isAnswerTo } from './is-answer.ts'
import type { LateTexts } from './late-texts.ts'

/** What is known of a definition outside of its process. */
export interface LoadedDefinition extends Omit<Definition, 'projection'> {
  readonly source: Source
}

export interface HeldProcess {
  /** The definitions of a file, or those built in. Throws {@link NotImported}; its message says why there are none. */
  load(source: Source): Promise<LoadedDefinition[]>
  /** Throws {@link NotLoaded}. */
  mustHave(source: Source): unknown
  /** Throws {@link NotLoaded} or `Stuck`. */
  prepare(definition: LoadedDefinition, events: readonly StoredEvent[]): Promise<Prepared>
}

interface Prepared {
  /** The keys whose states the fold needs. */
  readonly keys: readonly string[]
  /** Throws `Stuck`. */
  fold(before: ReadonlyMap<string, string>): Promise<Folded>
}

interface Limits {
  readonly foldMs: number
  readonly importMs: number
}

export function createHeldProcess(
  { foldMs, importMs }: Limits,
  start: () => Promise<FoldProcess>,
  late: LateTexts,
): HeldProcess & { end(): Promise<void> } {
  let process: FoldProcess | undefined
  /** The keys of the texts that it has imported. */
  let imported = new Set<string>()

  async function running(): Promise<FoldProcess> {
    if (process !== undefined && !process.isEnded()) return process
    imported = new Set()
    process = undefined
    try {
      process = await start()
      return process
    } catch (error) {
      throw new NotImported(error)
    }
  }

  async function load(source: Source): Promise<LoadedDefinition[]> {
    late.refuse(source)
    const request = { do: 'load', source, importMs } as const
    const started = await running()
    try {
      const definitions = await started.call<Omit<Definition, 'projection'>[]>(request, importMs + foldMs)
      late.delete(source)
      imported.add(keyOf(source))
      return definitions.map((definition) => ({ ...definition, source }))
    } catch (cause) {
      const error = new NotImported(cause)
      late.add(source, error)
      throw error
    }
  }

  function mustHave(source: Source): FoldProcess {
    if (process === undefined || process.isEnded() || !imported.has(keyOf(source))) {
      throw new NotLoaded(source)
    }
    return process
  }

  return {
    load,
    mustHave,
    // The process may have ended since the holder asked for it.
    prepare: async (definition, events) => prepare(mustHave(definition.source), definition, events, foldMs),
    end: async () => await process?.end(),
  }
}

async function prepare(
  process: FoldProcess,
  { source, name }: LoadedDefinition,
  events: readonly StoredEvent[],
  foldMs: number,
): Promise<Prepared> {
  const keys = await process.call<readonly string[]>({ do: 'prepare', source, name, events }, foldMs)
  const isAnswer = isAnswerTo(events, new Set(keys))
  return {
    keys,
    async fold(before) {
      const folded = await process.call<Folded>({ do: 'fold', before }, foldMs)
      if (isAnswer(folded)) return folded
      await process.end()
      throw new Stuck('the definition gave an answer that no fold of these events gives')
    },
  }
}
