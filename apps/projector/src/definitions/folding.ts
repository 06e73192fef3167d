/**
 * Runs definitions in a process of their own and waits for it no longer than is due. A process that gives no answer, or
 * ends, is replaced by a new one, so that one definition cannot keep the others from being folded. Which events it was
 * at is noted before it gets them, and which of them is to blame is found by folding these one by one.
 */
import { SekaliError } from '@sekali/core/errors'
import type { StoredEvent } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import type { Folded } from '@sekali/projection/fold'
import type { Definition } from '@sekali/projection/validate'
import { createStarter, type FoldProcess, Stuck } from '../confined/fold-process.ts'
import { keyOf, type Source } from '../confined/source.ts'
import { isAnswerTo } from './is-answer.ts'

/** What is known of a definition outside of its process. */
export interface LoadedDefinition extends Omit<Definition, 'projection'> {
  readonly source: Source
}

export interface Folding extends AsyncDisposable {
  /**
   * The definitions of a file, or those built in. Throws {@link NotImported}, whose message says why there
   * are none. A text that was late is left alone for as long as it may take, then twice as long …: meanwhile
   * it is refused at once. While it is tried nobody's definitions run, and if it gets stuck all must be
   * imported anew.
   */
  load(source: Source): Promise<LoadedDefinition[]>
  isLeftAlone(source: Source): boolean
  /**
   * Keeps the process for `work` alone: while its transaction is open, it must not wait for the import of
   * another file.
   */
  hold<T>(work: (process: HeldProcess) => Promise<T>): Promise<T>
}

/** The process, for whoever holds it. */
export interface HeldProcess {
  readonly load: Folding['load']
  /** Throws {@link NotLoaded}. */
  mustHave(source: Source): unknown
  /** Throws {@link NotLoaded} or `Stuck`. */
  prepare(
    definition: LoadedDefinition,
    events: readonly StoredEvent[],
  ): Promise<{
    /** The keys whose states the fold needs. */
    readonly keys: readonly string[]
    /** Throws `Stuck`. */
    fold(before: ReadonlyMap<string, string>): Promise<Folded>
  }>
}

/**
 * A file could not be imported. When it was late or got stuck, it may have been the machine that was slow.
 */
export class NotImported extends SekaliError {
  readonly code = 'definition_not_imported'
  readonly retryable: boolean

  constructor(cause: unknown) {
    super((cause as Error).message, { cause })
    this.retryable = cause instanceof SekaliError && cause.retryable
  }
}

/** The process is new, and does not have this definition yet. */
export class NotLoaded extends SekaliError {
  readonly code = 'definition_not_loaded'
  readonly retryable = true
  readonly source: Source

  constructor(source: Source) {
    super('the definition is not loaded')
    this.source = source
  }
}

/** A text that was late is left alone for so long at most. */
const leftAloneMsMax = 600_000

export interface FoldingConfig {
  readonly foldMs: number
  readonly importMs: number
  /** The folder that definitions are read from. */
  readonly dir?: string | undefined
  /** What their process may take for JavaScript. */
  readonly memoryMb: number
}

export function startFolding({ foldMs, importMs, ...options }: FoldingConfig, log: Logger): Folding {
  const start = createStarter({ dir: options.dir, memoryMb: options.memoryMb }, log)
  let process: FoldProcess | undefined
  let has = new Set<string>()
  let last: Promise<unknown> = Promise.resolve()
  /** By the key of the text. */
  const late = new Map<
    string,
    { readonly error: NotImported; readonly tries: number; readonly until: number }
  >()

  /** The process that there is, or a new one, which has yet to import everything. */
  async function running(): Promise<FoldProcess> {
    if (process !== undefined && !process.isEnded()) return process
    has = new Set()
    process = undefined
    try {
      process = await start()
      return process
    } catch (error) {
      throw new NotImported(error)
    }
  }

  /** One at a time, so that nobody is blamed for another one's time. */
  function hold<T>(work: (process: HeldProcess) => Promise<T>): Promise<T> {
    const done = last.then(() => work(held))
    last = done.catch(() => undefined)
    return done
  }

  const isLeftAlone = (source: Source) => performance.now() < (late.get(keyOf(source))?.until ?? 0)

  function refuseLate(source: Source): void {
    const before = late.get(keyOf(source))
    if (before && isLeftAlone(source)) throw before.error
  }

  async function load(source: Source): Promise<LoadedDefinition[]> {
    refuseLate(source)
    const key = keyOf(source)
    const request = { do: 'load', source, importMs } as const
    const asked = await running()
    try {
      const definitions = await asked.ask<Omit<Definition, 'projection'>[]>(request, importMs + foldMs)
      late.delete(key)
      has.add(key)
      return definitions.map((definition) => ({ ...definition, source }))
    } catch (cause) {
      const error = new NotImported(cause)
      const tries = late.get(key)?.tries ?? 0
      const until = performance.now() + Math.min(leftAloneMsMax, importMs * 2 ** tries)
      if (error.retryable) late.set(key, { error, tries: tries + 1, until })
      throw error
    }
  }

  function mustHave(source: Source): FoldProcess {
    if (process === undefined || process.isEnded() || !has.has(keyOf(source))) throw new NotLoaded(source)
    return process
  }

  const held: HeldProcess = {
    load,
    mustHave,
    async prepare({ source, name }, events) {
      const asked = mustHave(source) // it may have ended meanwhile
      const request = { do: 'prepare', source, name, events } as const
      const keys = await asked.ask<readonly string[]>(request, foldMs)
      const isOne = isAnswerTo(events, new Set(keys))
      return {
        keys,
        async fold(before) {
          const folded = await asked.ask<Folded>({ do: 'fold', before }, foldMs)
          if (isOne(folded)) return folded
          await asked.end()
          throw new Stuck('the definition gave an answer that no fold of these events gives')
        },
      }
    },
  }
  return {
    async load(source) {
      refuseLate(source)
      return await hold(() => load(source))
    },
    isLeftAlone,
    hold,
    [Symbol.asyncDispose]: async () => {
      await last
      await process?.end()
    },
  }
}
