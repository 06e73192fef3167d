/**
 * The process in which definitions run: their code, and nothing of ours that could be hurt by it. fold-process.ts is
 * the other end. A definition that blocks, exhausts the memory or ends its process ends this one, and is found out by that.
 *
 * All definitions of a projector share it, so none may change what the others and we ourselves are made of: Node has
 * frozen JavaScript's own objects before anything is imported (`--frozen-intrinsics`), and what else we use is locked here.
 */
import { accessSync, constants, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { builtIn } from '@sekali/projection/built-in/all'
import { type Batch, fold, prepare } from '@sekali/projection/fold'
import { type Definition, isProjection, validate } from '@sekali/projection/validate'
import { type Answer, type Asked, type Hello, noteBytes, noteFd, type Request } from './fold-protocol.ts'
import { guardImports, importPure } from './guard-imports.ts'
import { keepMessages, takeSend } from './keep-channel.ts'
import { lockGlobals } from './lock-globals.ts'
import { builtInSource, hashOf, keyOf, type Source } from './source.ts'

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
    batch = { of, prepared: prepare(of.projection, request.events, note) }
    return batch.prepared.keys
  }
  if (batch === undefined) throw new Error('nothing is prepared')
  return fold(batch.of.projection, batch.prepared, request.before, note)
}

const place = Buffer.alloc(noteBytes)

/** Returns when the note is out of this process. */
function note(at: number): void {
  place.writeUInt32LE(at)
  writeSync(noteFd, place, 0, noteBytes, 0)
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
  const late = Promise.withResolvers<never>()
  const words = `it is not ready after ${importMs} ms: a definition waits for nothing (top-level await)`
  const timer = setTimeout(() => late.reject(new Late(words)), importMs)
  try {
    return await Promise.race([import(url), late.promise])
  } finally {
    clearTimeout(timer)
  }
}

// The file is the operator's own, so the words of whoever refuses it are for the operator to see.
const describe = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error))
    .split('\n', 1)[0]
    ?.slice(0, 500) ?? ''

/** If this user may not read the folder, others may try; one that is not there may come. */
function requireReadable(dir: string | undefined): void {
  try {
    if (dir !== undefined) accessSync(dir, constants.R_OK | constants.X_OK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function listen(key: string, send: (said: Answer) => void): void {
  // What a definition starts and forgets, a timer or a promise, may fail when nobody waits for it. Its message may hold
  // a payload, so it is told by name.
  const stray = (error: unknown) =>
    send({ stray: error instanceof Error ? error.name.slice(0, 64) : typeof error })
  process.on('unhandledRejection', stray)
  process.on('uncaughtException', stray)
  // Whoever ends a projector may end all its processes at once: it needs this one to finish its turn.
  process.on('SIGTERM', () => undefined)
  process.on('SIGINT', () => undefined)
  keepMessages((asked) => {
    if ((asked as Asked | undefined)?.key !== key) return // a definition's own
    const { id, request } = asked as Asked
    void answer(request).then(
      (result) => send({ id, result }),
      (error: unknown) => send({ id, refusal: describe(error), isLate: error instanceof Late }),
    )
  })
}

if (process.send !== undefined) {
  requireReadable(process.argv[2])
  guardImports()
  process.once('message', async ({ key }: Hello) => {
    const send = takeSend()
    const modules = await importPure()
    listen(key, send)
    lockGlobals(modules)
    send({ isReady: true })
  })
}
