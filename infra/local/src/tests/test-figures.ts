import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface TestFigures {
  readonly passed: number
  readonly failed: number
  /** Of those that failed: file, name and the first line of what was wrong. */
  readonly failures: readonly string[]
}

/**
 * What vitest says of a file in a JSON report, as far as it is read here. https://vitest.dev/guide/reporters
 */
interface FileReport {
  readonly name: string
  readonly message: string
  readonly assertionResults: readonly {
    readonly status: string
    readonly fullName: string
    readonly failureMessages: readonly string[]
  }[]
}

/** The sum of the JSON reports that vitest wrote into a folder. */
export async function readTestFigures(folder: string): Promise<TestFigures> {
  let passed = 0
  let failed = 0
  const failures: string[] = []
  const names = await readdir(folder, { recursive: true })
  for (const name of names.filter((name) => name.endsWith('.json'))) {
    const report = JSON.parse(await readFile(join(folder, name), 'utf8'))
    passed += report.numPassedTests
    failed += report.numFailedTests
    failures.push(...(report.testResults as FileReport[]).flatMap(failuresOf))
  }
  return { passed, failed, failures }
}

function failuresOf({ name, message, assertionResults }: FileReport): string[] {
  // A file that could not be loaded has no tests, and a message.
  if (message !== '') return [`${name}: ${firstLine(message)}`]
  return assertionResults
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages: [what = ''] }) => `${name} > ${fullName}: ${firstLine(what)}`)
}

const firstLine = (text: string): string => text.split('\n', 1)[0]?.slice(0, 300) ?? ''
