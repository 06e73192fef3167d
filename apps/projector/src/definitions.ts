/**
 * The projections of a folder: every file of TypeScript or JavaScript in it that exports some. Node strips the types,
 * as it does for us. The files are read again and again, so that a change is seen without a restart. A file that cannot
 * be used is named, with what is wrong and what to do, and does not keep the others from running.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { SekaliError } from '@sekali/core/errors'
import type { Logger } from '@sekali/process/log'
import type { Folding, LoadedDefinition } from './folding.ts'
import { builtInSource, hashOf } from './source.ts'

interface LoadedFile {
  readonly hash: string
  readonly definitions: readonly LoadedDefinition[]
  /** It was not ready in time, so often in a row; and from when on, by `performance.now()`, it is tried again. */
  readonly late?: { readonly tries: number; readonly until: number }
}

interface DefinitionsConfig {
  /** How long a file is left alone that was not ready in time; twice as long after each further try. */
  readonly lateMs: number
  readonly dir: string | undefined
  readonly builtIn: boolean
}

const lateMsMax = 600_000

const isSource = (file: string) => /\.[mc]?[jt]s$/.test(file) && !/\.(d|test)\.[mc]?ts$/.test(file)

/** A function that gives the definitions as they are now. What is wrong with a file is logged once for each text of it. */
export function createDefinitions(
  { dir, builtIn, lateMs }: DefinitionsConfig,
  load: Folding['load'],
  log: Logger,
): () => Promise<LoadedDefinition[]> {
  let ours: LoadedDefinition[] | undefined = builtIn ? undefined : []
  const files = new Map<string, LoadedFile>()
  const said = new Set<string>()
  const sayOnce = (text: string) => {
    if (said.has(text)) return
    said.add(text)
    log.error(text)
  }

  return async () => {
    ours ??= await load(builtInSource)
    const found = [...ours]
    const names = dir === undefined ? [] : await listFiles(resolve(dir), sayOnce)
    const all = await Promise.all(
      names.map(async (file) => ({ file, loaded: await loadFile(file, files.get(file)) })),
    )
    for (const { file, loaded } of all) {
      files.set(file, loaded)
      for (const definition of loaded.definitions) {
        if (found.some(({ name }) => name === definition.name)) {
          sayOnce(`${file}: there is a projection ${definition.name} already; give this one another name`)
        } else found.push(definition)
      }
    }
    return found
  }

  async function loadFile(file: string, before: LoadedFile | undefined): Promise<LoadedFile> {
    let hash = ''
    try {
      hash = hashOf(await readFile(file))
      if (before?.hash === hash && performance.now() < (before.late?.until ?? Infinity)) return before
      const definitions = await load({ file, hash })
      if (definitions.length === 0) {
        sayOnce(`${file} exports no projection; write: export const name = defineProjection({ … })`)
      }
      return { hash, definitions }
    } catch (error) {
      sayOnce(
        `${file} cannot be used: ${(error as Error).message}. Mend the file; it is read again by itself`,
      )
      // As it was before, if it was any good then. This text of it is not tried again, unless it was only late.
      const unusable = { hash, definitions: before?.definitions ?? [] }
      if (!(error instanceof SekaliError && error.retryable)) return unusable
      const tries = before?.hash === hash ? (before.late?.tries ?? 0) : 0
      const until = performance.now() + Math.min(lateMsMax, lateMs * 2 ** tries)
      return { ...unusable, late: { tries: tries + 1, until } }
    }
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

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
