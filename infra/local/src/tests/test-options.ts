import { globSync } from 'node:fs'
import process from 'node:process'
import { InvalidArgumentError } from 'commander'
import { commandLine } from '../command/command-line.ts'
import { repositoryRoot } from '../command/repository.ts'

/** What of the tests is to run. */
export interface TestOptions {
  /** Names of workspaces; all of them unless given. */
  readonly projects: readonly string[] | undefined
  /** For vitest: what else it is to look at. */
  readonly args: readonly string[]
}

/**
 * Reads the command line of `npm test` or `npm run test:more`, whose tests lie in `folder` of each workspace. It ends the
 * process for help, and for what makes no sense.
 */
export function readTestOptions(name: string, folder: 'test' | 'test-more', about: string): TestOptions {
  const known = globSync(`{apps,packages,infra}/*/${folder}`, { cwd: repositoryRoot })
    .map((path) => path.split('/')[1] ?? '')
    .sort()
  const command = commandLine(`${name} --`, about)
    .argument('[filters...]', 'only test files whose paths contain one of these')
    .option('-p, --project <names>', 'only these workspaces, with commas between them', names(known))
    .option('-t, --test-name-pattern <pattern>', 'only tests whose names match; [P4] are those of promise 4')
    .addHelpText(
      'after',
      `\nWorkspaces: ${known.join(', ')}\n\nExample:\n  ${name} -- --project ${example(known)}`,
    )
    .parse(process.argv)
  const { project, testNamePattern } = command.opts<{ project?: string[]; testNamePattern?: string }>()
  const pattern = testNamePattern === undefined ? [] : ['--testNamePattern', asPattern(testNamePattern)]
  return { projects: project, args: [...command.args, ...pattern] }
}

const example = (known: readonly string[]): string => `${known[0]},gateway -t stored`

/** `[P4]` is the number of a promise, and no set of characters. */
const asPattern = (text: string): string => (/^\[P\d\]$/.test(text) ? RegExp.escape(text) : text)

function names(known: readonly string[]) {
  return (text: string): string[] => {
    const wanted = text.split(',')
    const stray = wanted.find((name) => !known.includes(name))
    if (stray === undefined) return wanted
    throw new InvalidArgumentError(`There is no project ${stray}; there are ${known.join(', ')}.`)
  }
}
