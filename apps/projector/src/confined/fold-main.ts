/**
 * The process in which definitions run: their code, and nothing of ours that it could harm. fold-process.ts is the other
 * end. A definition that blocks, exhausts the memory or exits ends this process alone, and is found out by that.
 *
 * All definitions of a projector share the process, so none may change the objects that the others and we use. Node freezes
 * JavaScript's own objects before any import (`--frozen-intrinsics`); the other objects are locked here.
 */
import { accessSync, constants, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { withDeadline } from '@sekali/core/deadline'
import { builtIn } from '@sekali/projection/built-in/all'
import { type Batch, fold, prepare } from '@sekali/projection/fold'
import { type Definition, isProjection, validate } from '@sekali/projection/validate'
import { isFileOutside, outsideWords } from './file-outside.ts'
import { type Answer, type Call, type Hello, noteBytes, noteFd, type Request } from './fold-protocol.ts'
import { guardImports, importPure } from './guard-imports.ts'
import { keepMessages, takeSend } from './keep-channel.ts'
import { lockGlobals } from './lock-globals.ts'
import { nearMiss } from './near-miss.ts'
import { type Place, placeOfError } from './place-of-error.ts'
import { builtInSource, hashOf, keyOf, type Source } from './source.ts'

class Late extends Error {}

/** What a file exports is meant as a projection, and is none. Its message is for people as it is. */
class NearMiss extends Error {}

/** An error of an import, with its place. */
class Failed extends Error {
  readonly place: Place | undefined

  constructor(cause: unknown, file: string, text: string) {
    super(describe(cause))
    this.place = placeOfError(cause, file, text)
  }
}

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

const noteBuffer = Buffer.alloc(noteBytes)

/** Notes the index of the next event. Returns when the kernel has the note. */
function note(at: number): void {
  noteBuffer.writeUInt32LE(at)
  writeSync(noteFd, noteBuffer, 0, noteBytes, 0)
}

async function load(source: Source, importMs: number): Promise<readonly Definition[]> {
  const { file, hash } = source
  const known = loaded.get(keyOf(source))
  if (known !== undefined || file === undefined) return known ?? []
  const text = await readFile(file)
  if (hashOf(text) !== hash) throw new Error('it has changed since; mend it if that is not taken up soon')
  // The query makes it another module to Node, which would otherwise give the first one back for ever.
  const exported = await importInTime(`${pathToFileURL(file).href}?${hash}`, importMs).catch(
    (error: unknown) => {
      throw error instanceof Late ? error : new Failed(error, file, text.toString())
    },
  )
  const definitions = Object.values(exported).filter(isProjection).map(validate)
  const missed = definitions.length === 0 ? nearMiss(exported) : undefined
  if (missed !== undefined) throw new NearMiss(missed)
  loaded.set(keyOf(source), definitions)
  return definitions
}

const importInTime = (url: string, importMs: number): Promise<Record<string, unknown>> =>
  withDeadline(import(url), importMs, () => {
    throw new Late(`it is not ready after ${importMs} ms: a definition waits for nothing (top-level await)`)
  })

// The operator may read the message: the file is the operator's own.
function describe(error: unknown): string {
  if (error instanceof Failed || error instanceof NearMiss) return error.message
  if (isFileOutside(error)) return outsideWords
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.split('\n', 1)[0]?.slice(0, 500) ?? ''
}

/** Throws when this user may not read the folder: another way to start may have another user. It may be made later. */
function requireReadable(dir: string | undefined): void {
  try {
    if (dir !== undefined) accessSync(dir, constants.R_OK | constants.X_OK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function listen(key: string, send: (answer: Answer) => void): void {
  // A timer or a promise that a definition has left behind may fail when no request waits for it. The error's message may
  // hold a payload, so only its name is sent.
  const stray = (error: unknown) =>
    send({ stray: error instanceof Error ? error.name.slice(0, 64) : typeof error })
  process.on('unhandledRejection', stray)
  process.on('uncaughtException', stray)
  // A signal may go to all processes of a projector at once: the projector needs this one to finish its turn.
  process.on('SIGTERM', () => undefined)
  process.on('SIGINT', () => undefined)
  keepMessages((message) => {
    if ((message as Call | undefined)?.key !== key) return // from a definition
    const { id, request } = message as Call
    void answer(request).then(
      (result) => send({ id, result }),
      (error: unknown) =>
        send({
          id,
          refusal: describe(error),
          isLate: error instanceof Late,
          place: error instanceof Failed ? error.place : undefined,
        }),
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
