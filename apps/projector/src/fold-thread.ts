/**
 * The thread in which definitions run: their code, and nothing of ours that could be hurt by it. folding.ts is
 * the other end. A definition that blocks, exhausts the memory or ends its process ends this thread, and is found out by that.
 */
import { readFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { parentPort } from 'node:worker_threads'
import type { StoredEvent } from '@sekali/core/event'
import { pause } from '@sekali/process/backoff'
import { builtIn } from '@sekali/projection/built-in/all'
import { type Batch, fold, prepare } from '@sekali/projection/fold'
import { type Definition, isProjection, validate } from '@sekali/projection/validate'
import { builtInSource, hashOf, keyOf, type Source } from './source.ts'

/** What is asked of the thread; it answers one after the other. */
export type Request =
  | { readonly do: 'load'; readonly source: Source; readonly importMs: number }
  | {
      readonly do: 'prepare'
      readonly source: Source
      readonly name: string
      readonly events: readonly StoredEvent[]
    }
  | { readonly do: 'fold'; readonly before: ReadonlyMap<string, string> }

/** `isReady` comes once, before anything is asked. `stray` is the name of an error that nobody waits for. */
export type Answer =
  | { readonly isReady: true }
  | { readonly result: unknown }
  | { readonly refusal: string; readonly isLate: boolean }
  | { readonly stray: string }

class Late extends Error {}

const loaded = new Map<string, readonly Definition[]>([[keyOf(builtInSource), builtIn.map(validate)]])
let batch: { readonly of: Definition; readonly prepared: Batch } | undefined

async function answer(request: Request): Promise<unknown> {
  if (request.do === 'load') {
    const definitions = await load(request.source, request.importMs)
    return definitions.map(({ projection: _, ...rest }) => rest)
  }
  if (request.do === 'prepare') {
    const of = loaded.get(keyOf(request.source))?.find(({ name }) => name === request.name)
    if (of === undefined) throw new Error(`${request.name} is not loaded`)
    batch = { of, prepared: prepare(of.projection, request.events) }
    return batch.prepared.keys
  }
  if (batch === undefined) throw new Error('nothing is prepared')
  return fold(batch.of.projection, batch.prepared, request.before)
}

async function load(source: Source, importMs: number): Promise<readonly Definition[]> {
  const { file, hash } = source
  const known = loaded.get(keyOf(source))
  if (known !== undefined || file === undefined) return known ?? []
  if (hashOf(await readFile(file)) !== hash)
    throw new Error('it has changed since; mend it if that is not taken up soon')
  // The query makes it another module to Node, which would otherwise give the first one back for ever.
  const exported = await importInTime(`${pathToFileURL(file).href}?${hash}`, importMs)
  const definitions = Object.values(exported).filter(isProjection).map(validate)
  loaded.set(keyOf(source), definitions)
  return definitions
}

async function importInTime(url: string, importMs: number): Promise<Record<string, unknown>> {
  const timer = new AbortController()
  const late = pause(importMs, timer.signal).then(() => {
    throw new Late(`it is not ready after ${importMs} ms: a definition waits for nothing (top-level await)`)
  })
  try {
    return await Promise.race([import(url), late])
  } finally {
    late.catch(() => undefined) // nobody waits for it any more
    timer.abort()
  }
}

/** `import … from '@sekali/projection/define'` works in a folder outside of the repository, too. */
function resolveOurselves(): void {
  registerHooks({
    resolve: (specifier, context, next) =>
      next(
        specifier,
        specifier.startsWith('@sekali/projection/') ? { ...context, parentURL: import.meta.url } : context,
      ),
  })
}

// The file is the operator's own, so the words of whoever refuses it are for the operator to see.
const describe = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error))
    .split('\n', 1)[0]
    ?.slice(0, 500) ?? ''

const port = parentPort
if (port !== null) {
  const say = (said: Answer) => port.postMessage(said)
  resolveOurselves()
  // What a definition starts and forgets, a timer or a promise, may fail when nobody waits for it. Its message may hold
  // a payload, so it is told by name.
  const stray = (error: unknown) =>
    say({ stray: error instanceof Error ? error.name.slice(0, 64) : typeof error })
  process.on('unhandledRejection', stray)
  process.on('uncaughtException', stray)
  port.on('message', (request: Request) => {
    void answer(request).then(
      (result) => say({ result }),
      (error: unknown) => say({ refusal: describe(error), isLate: error instanceof Late }),
    )
  })
  say({ isReady: true })
}
