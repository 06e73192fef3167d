import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { endUsage } from '@sekali/process/usage'
import { Command, InvalidArgumentError } from 'commander'

/** A command whose faulty command line is refused with status 2, as that of `sekali` is. */
export function commandLine(name: string, description: string): Command {
  return new Command(name).description(description).exitOverride(endUsage)
}

// npm has a --json of its own, which somebody's .npmrc may set.
const ofNpm = ['json']

/** Ends the process if npm has taken options for itself, as of `npm start --port 9001`: it sets npm_config_port then. */
export function requireDashes(command: Command, environment: NodeJS.ProcessEnv): void {
  const kept = command.options
    .map((option) => option.name())
    .filter((name) => !ofNpm.includes(name) && `npm_config_${name.replaceAll('-', '_')}` in environment)
    .map((name) => `--${name}`)
  if (kept.length === 0) return
  command.error(
    `error: npm keeps options that are not behind two dashes, and has kept ${kept.join(' and ')}: ` +
      `${command.name()} ${kept[0]} …`,
  )
}

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

/** A commander parser: a file that exists. */
export function existingFile(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return path
  throw new InvalidArgumentError('It must be an existing file.')
}

/** A commander parser: a file that is to be written, in a folder that exists. */
export function newFile(path: string): string {
  const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  if (isFolder(dirname(resolve(path))) && !isFolder(path)) return path
  throw new InvalidArgumentError('It must be a file, in a folder that there is.')
}

/** A commander parser: a folder that there need not be yet. */
export function newFolder(path: string): string {
  if (path !== '') return path
  throw new InvalidArgumentError('It must be a folder.')
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
