import { statSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'

/** A commander parser: a whole number in a range. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,9}$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}

/** A commander parser: a folder that exists. */
export function existingFolder(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path
  throw new InvalidArgumentError('It must be an existing folder.')
}

/** Words with commas between them, in indented lines of at most `columns`. */
export function inLines(words: readonly string[], columns: number): string {
  const lines: string[] = []
  let line = ' '
  for (const [index, word] of words.entries()) {
    const next = index === words.length - 1 ? word : `${word},`
    if (`${line} ${next}`.length > columns) {
      lines.push(line)
      line = ' '
    }
    line += ` ${next}`
  }
  return [...lines, line].join('\n')
}
