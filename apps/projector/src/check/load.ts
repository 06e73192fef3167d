import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { basename } from 'node:path'
import { hashOf } from '../confined/source.ts'
import type { Folding } from '../definitions/folding.ts'
import type { LoadedDefinition } from '../definitions/held-process.ts'
import type { Finding } from './finding.ts'

interface Loaded {
  readonly definitions: readonly LoadedDefinition[]
  readonly problems: readonly Finding[]
}

/** Loads a file. `names` has the names so far, with the file of each, and grows. */
export async function loadFile(folding: Folding, file: string, names: Map<string, string>): Promise<Loaded> {
  const problems: Finding[] = []
  const refuse = (message: string, line?: number) =>
    problems.push({ found: 'problem', file, message, ...(line !== undefined && { line }) })
  let text: Buffer
  try {
    text = await readFile(file)
  } catch (error) {
    refuse(`cannot be read (${(error as NodeJS.ErrnoException).code})`)
    return { definitions: [], problems }
  }
  try {
    const loaded = await folding.load({ file, hash: hashOf(text) })
    if (loaded.length === 0) {
      refuse('exports no projection; write: export const name = defineProjection({ … })')
    }
    const definitions = loaded.filter(({ name }) => {
      const other = names.get(name)
      if (other === undefined) names.set(name, file)
      else refuse(`there is a projection ${name} already, in ${basename(other)}; give this one another name`)
      return other === undefined
    })
    return { definitions, problems }
  } catch (error) {
    const { message } = error as Error
    refuse(message, lineOfSyntaxError(message, text.toString()))
    return { definitions: [], problems }
  }
}

/** Of a syntax error Node's parser of TypeScript tells the line, also where the file is JavaScript. It runs nothing. */
function lineOfSyntaxError(message: string, text: string): number | undefined {
  if (!message.startsWith('SyntaxError')) return undefined
  try {
    stripTypeScriptTypes(text)
    return undefined
  } catch (error) {
    const line = /^:(\d+)$/m.exec(String((error as Error).stack))?.[1]
    return line === undefined ? undefined : Number(line)
  }
}
