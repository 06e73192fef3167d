import { readFile } from 'node:fs/promises'
import { hashOf, type Source } from '../confined/source.ts'
import { NotImported } from '../definitions/errors.ts'
import type { Folding } from '../definitions/folding.ts'
import type { LoadedDefinition } from '../definitions/held-process.ts'
import { notLoadedOf } from '../definitions/not-loaded.ts'
import { exportsNone, takeNames } from '../definitions/problems.ts'
import type { Finding } from './finding.ts'

interface Loaded {
  readonly definitions: readonly LoadedDefinition[]
  readonly problems: readonly Finding[]
}

/** Loads a file. `names` has the names so far, with the source of each, and grows. */
export async function loadFile(folding: Folding, file: string, names: Map<string, Source>): Promise<Loaded> {
  const problems: Finding[] = []
  const refuse = (error: Error) => {
    const { message, line } = notLoadedOf(file, error)
    problems.push({ found: 'problem', file, message, ...(line !== null && { line }) })
  }
  try {
    const loaded = await folding.load({ file, hash: hashOf(await readFile(file)) })
    if (loaded.length === 0) refuse(new Error(exportsNone))
    const { free, problem } = takeNames(loaded, names)
    if (problem !== undefined) refuse(new Error(problem))
    return { definitions: free, problems }
  } catch (error) {
    refuse(error instanceof NotImported ? error : new Error(`cannot be read (${codeOf(error)})`))
    return { definitions: [], problems }
  }
}

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code)
