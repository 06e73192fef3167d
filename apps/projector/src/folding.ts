/**
 * Runs definitions in a thread of their own and waits for it no longer than is due. A thread that gives no answer, or
 * ends, is replaced by a new one, so that one definition cannot keep the others from being folded. Which event was to
 * blame is found as for states that PostgreSQL refuses: by folding one by one.
 */
import { Worker } from 'node:worker_threads'
import { SekaliError } from '@sekali/core/errors'
import type { StoredEvent } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import type { Folded } from '@sekali/projection/fold'
import type { Definition } from '@sekali/projection/validate'
import type { Answer, Request } from './fold-thread.ts'
import { keyOf, type Source } from './source.ts'

/** What is known of a definition outside of its thread. */
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
   * Keeps the thread for `work` alone: while its transaction is open, it must not wait for the import of
   * another file.
   */
  hold<T>(work: (thread: FoldThread) => Promise<T>): Promise<T>
}

/** The thread, for whoever holds it. */
export interface FoldThread {
  readonly load: Folding['load']
  /** Throws {@link NotLoaded}. */
  mustHave(source: Source): void
  /** The keys whose states a fold of these events needs. Throws {@link NotLoaded} or {@link Stuck}. */
  prepare(definition: LoadedDefinition, events: readonly StoredEvent[]): Promise<readonly string[]>
  /** Folds what was prepared last. Throws {@link Stuck}. */
  fold(before: ReadonlyMap<string, string>): Promise<Folded>
}

/** A definition gave no answer in time, or ended its thread. */
export class Stuck extends SekaliError {
  readonly code = 'definition_stuck'
  readonly retryable = true
}

/** A file was not imported in time. */
class Late extends SekaliError {
  readonly code = 'definition_late'
  readonly retryable = true
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

/** The thread is new, and does not have this definition yet. */
export class NotLoaded extends SekaliError {
  readonly code = 'definition_not_loaded'
  readonly retryable = true
  readonly source: Source

  constructor(source: Source) {
    super('the definition is not loaded')
    this.source = source
  }
}

/** The time is counted in ticks, so that a process that was itself stopped meanwhile blames nobody for it. */
const tickMs = 25
/** Errors that nobody waits for are said at most so often: a definition may make one at each event. */
const sayMs = 60_000
/** A text that was late is left alone for so long at most. */
const leftAloneMsMax = 600_000
const endedItsThread = 'the definition ended its thread'

export function startFolding(
  { foldMs, importMs }: { readonly foldMs: number; readonly importMs: number },
  log: Logger,
): Folding {
  let thread: Worker | undefined
  let has = new Set<string>()
  let last: Promise<unknown> = Promise.resolve()
  let saidAt = -Infinity
  /** By the key of the text. */
  const late = new Map<
    string,
    { readonly error: NotImported; readonly tries: number; readonly until: number }
  >()

  /** Waits until the thread listens: that may take longer than a fold may, and is nobody's fault. */
  async function startThread(): Promise<Worker> {
    has = new Set()
    const started = new Worker(new URL('./fold-thread.ts', import.meta.url))
    const ready = Promise.withResolvers<Worker>()
    const onFailure = () =>
      ready.reject(new NotImported(new Stuck('the thread for definitions did not start')))
    started.on('message', (said: Answer) => {
      if ('isReady' in said) ready.resolve(started)
      if (!('stray' in said) || performance.now() - saidAt < sayMs) return
      saidAt = performance.now()
      const { stray } = said
      log.error(
        { error: stray },
        'a definition left something behind that failed; key and apply must be pure and wait for nothing',
      )
    })
    started.on('error', onFailure) // whoever waits for an answer hears of it as well
    started.on('exit', () => {
      onFailure()
      if (thread === started) thread = undefined
    })
    return await ready.promise
  }

  /** One at a time, so that nobody is blamed for another one's time. */
  function hold<T>(work: (thread: FoldThread) => Promise<T>): Promise<T> {
    const done = last.then(() => work(held))
    last = done.catch(() => undefined)
    return done
  }

  async function ask<T>(request: Request, ms: number): Promise<T> {
    const asked = thread
    if (asked === undefined) throw new Stuck(endedItsThread)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const onMessage = (said: Answer) => {
      if ('result' in said) resolve(said.result as T)
      else if ('refusal' in said) reject(said.isLate ? new Late(said.refusal) : new Error(said.refusal))
    }
    const onEnd = (error: unknown) => {
      const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      reject(new Stuck(isMemory ? 'the definition took all memory there is' : endedItsThread))
    }
    let ticks = 0
    const timer = setInterval(() => {
      ticks += 1
      if (ticks * tickMs >= ms) reject(new Stuck(`the definition gave no answer within ${ms} ms`))
    }, tickMs)
    asked.on('message', onMessage).once('error', onEnd).once('exit', onEnd)
    asked.postMessage(request)
    try {
      return await promise
    } catch (error) {
      if (error instanceof Stuck) {
        thread = undefined
        await asked.terminate()
      }
      throw error
    } finally {
      clearInterval(timer)
      asked.off('message', onMessage).off('error', onEnd).off('exit', onEnd)
    }
  }

  const isLeftAlone = (source: Source) => performance.now() < (late.get(keyOf(source))?.until ?? 0)

  function refuseLate(source: Source): void {
    const before = late.get(keyOf(source))
    if (before && isLeftAlone(source)) throw before.error
  }

  async function load(source: Source): Promise<LoadedDefinition[]> {
    refuseLate(source)
    const key = keyOf(source)
    thread ??= await startThread()
    const request = { do: 'load', source, importMs } as const
    try {
      const definitions = await ask<Omit<Definition, 'projection'>[]>(request, importMs + foldMs)
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

  function mustHave(source: Source): void {
    if (thread === undefined || !has.has(keyOf(source))) throw new NotLoaded(source)
  }

  const held: FoldThread = {
    load,
    mustHave,
    async prepare({ source, name }, events) {
      mustHave(source) // the thread may have ended meanwhile
      return await ask<readonly string[]>({ do: 'prepare', source, name, events }, foldMs)
    },
    fold: (before) => ask<Folded>({ do: 'fold', before }, foldMs),
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
      await thread?.terminate()
    },
  }
}
