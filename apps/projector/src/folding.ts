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
   * The definitions of a file, or those built in. Throws an `Error` whose message says why there are none: {@link Late}
   * or {@link Stuck} when there may be another time.
   */
  load(source: Source): Promise<LoadedDefinition[]>
  /** Keeps the thread for `work` alone: while its transaction is open, it must not wait for the import of another file. */
  hold<T>(work: (thread: FoldThread) => Promise<T>): Promise<T>
}

/** The thread, for whoever holds it. */
export interface FoldThread {
  readonly load: Folding['load']
  /** The keys whose states a fold of these events needs. Throws {@link NotLoaded} or {@link Stuck}. */
  prepare(definition: LoadedDefinition, events: readonly StoredEvent[]): Promise<readonly string[]>
  /** Folds what was prepared last. Throws {@link Stuck}. */
  fold(before: ReadonlyMap<string, string>): Promise<Folded>
}

/** A definition gave no answer in time, or ended its thread; or no thread could be started. */
export class Stuck extends SekaliError {
  readonly code = 'definition_stuck'
  readonly retryable = true
}

/** A file was not imported in time. */
class Late extends SekaliError {
  readonly code = 'definition_late'
  readonly retryable = true
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
const endedItsThread = 'the definition ended its thread'

export function startFolding(
  { foldMs, importMs }: { readonly foldMs: number; readonly importMs: number },
  log: Logger,
): Folding {
  let thread: Worker | undefined
  let has = new Set<string>()
  let last: Promise<unknown> = Promise.resolve()
  let saidAt = -Infinity

  /** Waits until the thread listens: on a busy machine that takes longer than a fold may, and is nobody's fault. */
  async function startThread(): Promise<Worker> {
    has = new Set()
    const started = new Worker(new URL('./fold-thread.ts', import.meta.url))
    const ready = Promise.withResolvers<Worker>()
    const onFailure = () => ready.reject(new Stuck('the thread for definitions did not start'))
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

  async function load(source: Source): Promise<LoadedDefinition[]> {
    thread ??= await startThread()
    const request = { do: 'load', source, importMs } as const
    const definitions = await ask<Omit<Definition, 'projection'>[]>(request, importMs + foldMs)
    has.add(keyOf(source))
    return definitions.map((definition) => ({ ...definition, source }))
  }

  const held: FoldThread = {
    load,
    async prepare({ source, name }, events) {
      if (thread === undefined || !has.has(keyOf(source))) throw new NotLoaded(source)
      return await ask<readonly string[]>({ do: 'prepare', source, name, events }, foldMs)
    },
    fold: (before) => ask<Folded>({ do: 'fold', before }, foldMs),
  }
  return {
    load: (source) => hold(() => load(source)),
    hold,
    [Symbol.asyncDispose]: async () => {
      await last
      await thread?.terminate()
    },
  }
}
