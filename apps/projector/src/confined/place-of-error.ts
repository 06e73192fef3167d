import { stripTypeScriptTypes } from 'node:module'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where an import failed: a file in the folder of definitions, by its path in it, and a line from 1. */
export interface Place {
  readonly file: string
  readonly line: number
}

/** A place in a stack: an absolute path or a URL of one, perhaps a query, and a line. */
const places = /(?<=^|[\s(])(file:\/\/\/[^\n?:()]+|\/[^\n?:()]+)(?:\?\w*)?:(\d+)/gm

/**
 * The first place in the folder of `file` that the error's stack names. `text` is that of the file: of a syntax error in
 * JavaScript Node tells no line, and its parser of TypeScript does.
 */
export function placeOfError(error: unknown, file: string, text: string): Place | undefined {
  const stack = error instanceof Error ? String(error.stack) : ''
  for (const [, found = '', line] of stack.matchAll(places)) {
    const path = pathOf(found)
    const within = `${dirname(file)}/`
    if (path.startsWith(within)) return { file: path.slice(within.length), line: Number(line) }
    // Node follows links: the file may have been found under another path.
    if (basename(path) === basename(file)) return { file: basename(file), line: Number(line) }
  }
  const line = error instanceof SyntaxError ? lineOfSyntaxError(text) : undefined
  return line === undefined ? undefined : { file: basename(file), line }
}

function pathOf(found: string): string {
  try {
    return found.startsWith('/') ? found : fileURLToPath(found)
  } catch {
    return found // no URL that Node would make
  }
}

function lineOfSyntaxError(text: string): number | undefined {
  try {
    stripTypeScriptTypes(text)
    return undefined
  } catch (error) {
    const line = /^:(\d+)$/m.exec(String((error as Error).stack))?.[1]
    return line === undefined ? undefined : Number(line)
  }
}
