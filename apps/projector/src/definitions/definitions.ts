/**
 * The projections that the files of a folder export, in TypeScript or JavaScript. Node strips the types, as it does for us.
 * The files are read again at every sweep, so that a change is seen without a restart. When a file cannot be used, the log
 * names it, with the error and the remedy; the other files are used all the same. It is tried again also when its text stays
 * the same: what it lacks may be elsewhere, in a file or a package that it imports.
 */
import { access, readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { SekaliError } from '@sekali/core/errors'
import type { NotLoaded } from '@sekali/core/not-loaded'
import type { Logger } from '@sekali/process/log'
import { builtInSource, hashOf } from '../confined/source.ts'
import type { Afresh, Folding } from './folding.ts'
import type { LoadedDefinition } from './held-process.ts'
import { notLoadedOf } from './not-loaded.ts'
import { exportsNone, takeNames } from './problems.ts'

interface LoadedFile {
  readonly hash: string
  readonly definitions: readonly LoadedDefinition[]
  /** Its import took too long, and is tried again. */
  readonly isLate?: boolean
  /** Why this text gives no definition. */
  readonly problem?: NotLoaded
  /** How often in a row this text has failed, and when it is tried again. */
  readonly failures?: number
  readonly againAt?: number
}

interface DefinitionsConfig {
  readonly dir: string | undefined
  readonly builtIn: boolean
  /** After this time a call reads no further file: the definitions that it has must be announced. */
  readonly importsMs: number
}

/** Reported at most: whoever has more of them sees the others when these are mended. */
const notLoadedMax = 100

/** Each try is a new process. The first comes after the pause, which doubles up to the longest. */
const againMs = 1_000
const againMsMax = 4_000

/** Whether it is called as a file of definitions is. */
export const isSource = (file: string) => /\.[mc]?[jt]s$/.test(file) && !/\.(d|test)\.[mc]?ts$/.test(file)

/**
 * Returns a function that reads the current definitions. An error is logged once for each text of a file. `onNotLoaded`
 * gets, each time, all that cannot be used now.
 */
export function createDefinitions(
  { dir, builtIn, importsMs }: DefinitionsConfig,
  folding: Pick<Folding, 'load' | 'startAfresh'>,
  log: Logger,
  onNotLoaded: (files: readonly NotLoaded[]) => void = () => {},
): () => Promise<LoadedDefinition[]> {
  let ours: LoadedDefinition[] | undefined = builtIn ? undefined : []
  const files = new Map<string, LoadedFile>()
  const logged = new Set<string>()
  const logOnce = (text: string, hash = '') => {
    const key = `${hash} ${text}`
    if (logged.has(key)) return
    logged.add(key)
    log.error(text)
  }

  return async () => {
    ours ??= await folding.load(builtInSource).catch((error: unknown) => {
      // No definition of a file can be loaded either.
      onNotLoaded([notLoadedOf('.', new Error(`no definition is loaded: ${wordsOf(error)}`))])
      throw error
    })
    const found = [...ours]
    const notLoaded: NotLoaded[] = []
    const names = dir === undefined ? [] : await listFiles(resolve(dir), logOnce, notLoaded)
    const until = performance.now() + importsMs
    let afresh: Afresh | undefined
    const startAfresh = () => {
      afresh ??= folding.startAfresh()
      return afresh
    }
    // Files that were late come last, or they would keep the others waiting again and again.
    const isLate = (file: string) => Number(files.get(file)?.isLate ?? false)
    for (const file of names.toSorted((a, b) => isLate(a) - isLate(b))) {
      if (performance.now() < until) files.set(file, await loadFile(file, files.get(file), startAfresh))
    }
    await afresh?.settle()
    const taken = new Map(found.map(({ name, source }) => [name, source]))
    for (const file of names) {
      const { hash = '', definitions = [], problem } = files.get(file) ?? {}
      const { free, problem: words } = takeNames(definitions, taken)
      found.push(...free)
      if (words !== undefined) logOnce(`${file}: ${words}`, hash)
      if (problem !== undefined) notLoaded.push(problem)
      else if (words !== undefined) notLoaded.push(notLoadedOf(file, new Error(words)))
    }
    onNotLoaded(notLoaded.slice(0, notLoadedMax))
    return found
  }

  async function loadFile(
    file: string,
    before: LoadedFile | undefined,
    startAfresh: () => Afresh,
  ): Promise<LoadedFile> {
    let hash = ''
    let failures = 0
    try {
      hash = hashOf(await readFile(file))
      if (before?.hash === hash) {
        failures = before.failures ?? 0
        if (!before.isLate && performance.now() < (before.againAt ?? Infinity)) return before
      }
      const { load } = before?.problem === undefined || before.isLate ? folding : startAfresh()
      const definitions = await load({ file, hash })
      if (definitions.length > 0) return { hash, definitions }
      logOnce(`${file}: ${exportsNone}`, hash)
      return { hash, definitions, problem: notLoadedOf(file, new Error(exportsNone)), ...again(failures) }
    } catch (error) {
      // Somebody has removed it meanwhile: the next look does not find it.
      if (await isGone(file)) return { hash, definitions: [] }
      const isLate = error instanceof SekaliError && error.retryable
      const problem = notLoadedOf(file, error)
      const remedy = isLate ? 'It is tried again by itself' : 'Mend it; it is read again by itself'
      logOnce(`${file} cannot be used: ${problem.message}. ${remedy}`, hash)
      // Its definitions stay as they were; but only for as long as the process lives that has imported that text.
      return { hash, definitions: before?.definitions ?? [], isLate, problem, ...again(failures) }
    }
  }
}

const again = (failures: number) => ({
  failures: failures + 1,
  againAt: performance.now() + Math.min(againMsMax, againMs * 2 ** failures),
})

const isGone = (file: string): Promise<boolean> =>
  access(file).then(
    () => false,
    (error: unknown) => codeOf(error) === 'ENOENT',
  )

async function listFiles(
  dir: string,
  say: (text: string) => void,
  notLoaded: NotLoaded[],
): Promise<string[]> {
  try {
    const names = await readdir(dir)
    return names
      .filter(isSource)
      .sort()
      .map((name) => join(dir, name))
  } catch (error) {
    const words = `cannot be read (${codeOf(error)}); PROJECTIONS_DIR must name a folder of definitions`
    say(`${dir} ${words}`)
    notLoaded.push({ file: '.', line: null, message: `the folder ${words}` })
    return []
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
