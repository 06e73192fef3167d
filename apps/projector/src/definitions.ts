/**
 * The projections of a folder: every file of TypeScript or JavaScript in it that exports some. Node strips the types,
 * as it does for us. The files are read again and again, so that a change is seen without a restart. A file that cannot
 * be used is named, with what is wrong and what to do, and does not keep the others from running.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pause } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import { builtIn } from '@sekali/projection/built-in/all'
import { type Definition, isProjection, validate } from '@sekali/projection/validate'

export interface LoadedDefinition extends Definition {
  /** Of the file's text. */
  readonly hash: string
}

interface LoadedFile {
  readonly hash: string
  readonly definitions: readonly LoadedDefinition[]
}

interface DefinitionsConfig {
  readonly dir: string | undefined
  readonly builtIn: boolean
  /** A file that waits for something, at its top level, must not keep the others from being read. */
  readonly importMs: number
}

const isSource = (file: string) => /\.[mc]?[jt]s$/.test(file) && !/\.(d|test)\.[mc]?ts$/.test(file)

/** A function that gives the definitions as they are now. What is wrong with a file is logged once for each text of it. */
export function createDefinitions(
  { dir, builtIn: hasBuiltIn, importMs }: DefinitionsConfig,
  log: Logger,
): () => Promise<LoadedDefinition[]> {
  resolveOurselves()
  const ours = hasBuiltIn ? builtIn.map((one) => ({ ...validate(one), hash: 'built-in' })) : []
  const files = new Map<string, LoadedFile>()
  const said = new Set<string>()
  const sayOnce = (text: string) => {
    if (said.has(text)) return
    said.add(text)
    log.error(text)
  }

  return async () => {
    const found: LoadedDefinition[] = [...ours]
    const names = dir === undefined ? [] : await listFiles(resolve(dir), sayOnce)
    const all = await Promise.all(
      names.map(async (file) => ({ file, loaded: await loadFile(file, files.get(file), importMs, sayOnce) })),
    )
    for (const { file, loaded } of all) {
      if (loaded !== undefined) files.set(file, loaded)
      for (const definition of loaded?.definitions ?? []) {
        if (found.some(({ name }) => name === definition.name)) {
          sayOnce(`${file}: there is a projection ${definition.name} already; give this one another name`)
        } else found.push(definition)
      }
    }
    return found
  }
}

async function listFiles(dir: string, say: (text: string) => void): Promise<string[]> {
  try {
    const names = await readdir(dir)
    return names
      .filter(isSource)
      .sort()
      .map((name) => join(dir, name))
  } catch (error) {
    say(`${dir} cannot be read (${codeOf(error)}); PROJECTIONS_DIR must name a folder of definitions`)
    return []
  }
}

async function loadFile(
  file: string,
  before: LoadedFile | undefined,
  importMs: number,
  say: (text: string) => void,
): Promise<LoadedFile | undefined> {
  let hash = before?.hash ?? ''
  try {
    hash = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
      .slice(0, 16)
    if (hash === before?.hash) return before
    // The query makes it another module to Node, which would otherwise give the first one back for ever.
    const exported = await importInTime(`${pathToFileURL(file).href}?${hash}`, importMs)
    const projections = Object.values(exported).filter(isProjection)
    if (projections.length === 0) {
      say(`${file} exports no projection; write: export const name = defineProjection({ … })`)
    }
    return { hash, definitions: projections.map((one) => ({ ...validate(one), hash })) }
  } catch (error) {
    say(`${file} cannot be used: ${describe(error)}. Mend the file; it is read again by itself`)
    // As it was before, if it was any good then; and this text of it is not tried again.
    return { hash, definitions: before?.definitions ?? [] }
  }
}

async function importInTime(url: string, importMs: number): Promise<Record<string, unknown>> {
  const timer = new AbortController()
  const late = pause(importMs, timer.signal).then(() => {
    throw new Error(`it is not ready after ${importMs} ms: a definition waits for nothing (top-level await)`)
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

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown'

// The file is the operator's own, so the words of whoever refuses it are for the operator to see.
const describe = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error))
    .split('\n', 1)[0]
    ?.slice(0, 500) ?? ''
