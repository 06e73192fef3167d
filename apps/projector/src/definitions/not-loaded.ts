import { basename } from 'node:path'
import type { NotLoaded } from '@sekali/core/not-loaded'
import { NotImported } from './errors.ts'

const messageCharsMax = 300

/** The file, or the folder, that cannot be used, and why: in words that may leave this machine. */
export function notLoadedOf(path: string, error: unknown): NotLoaded {
  const file = basename(path)
  const text = error instanceof Error ? error.message : String(error)
  const place = error instanceof NotImported ? error.place : undefined
  const line = place === undefined ? undefined : lineOf(place)
  // In a file that it imports.
  const isElsewhere = place !== undefined && line !== undefined && place.file !== file
  const where = isElsewhere ? ` (${place.file} line ${line})` : ''
  return {
    file,
    line: isElsewhere ? null : (line ?? null),
    message: `${presentable(withRemedy(text))}${presentable(where)}`,
  }
}

// It comes from the process in which definitions run.
const lineOf = ({ line }: { readonly line: number }): number | undefined =>
  Number.isInteger(line) && line > 0 && line < 2 ** 31 ? line : undefined

/** An absolute path but for its last part. What stands behind a scheme, as in `https://…`, is none. */
const folders = /(?:file:\/\/|(?<![\w.:/-]))\/(?:[^\s/:'"`()<>?|]+\/)+/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g

/** What to do about an error that Node names and cures in no word. */
const remedies: readonly (readonly [RegExp, (name: string) => string])[] = [
  [/Cannot find (?:package|module) '((?:@[^/']+\/)?[^./'][^/']*)/, (name) => `npm install ${name}`],
  [/TypeScript (enum) is not supported/, () => 'write an object as const in its place'],
]

function withRemedy(text: string): string {
  const words = text.replace(/\.+$/, '')
  for (const [form, remedy] of remedies) {
    const found = form.exec(words)
    if (found !== null) return `${words}; ${remedy(found[1] ?? '')}`
  }
  return words
}

/** On one line, cut, and without the folders of a path: those are the machine's. */
export function presentable(text: string): string {
  const line = text.toWellFormed().replaceAll(controls, ' ').replaceAll(folders, '')
  return line.length <= messageCharsMax ? line : `${line.slice(0, messageCharsMax).toWellFormed()}…`
}
