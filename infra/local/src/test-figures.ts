import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface TestFigures {
  readonly passed: number
  readonly failed: number
}

/** The sum of the JSON reports that vitest wrote into a folder. */
export async function readTestFigures(folder: string): Promise<TestFigures> {
  let passed = 0
  let failed = 0
  const names = await readdir(folder, { recursive: true })
  for (const name of names.filter((name) => name.endsWith('.json'))) {
    const report = JSON.parse(await readFile(join(folder, name), 'utf8'))
    passed += report.numPassedTests
    failed += report.numFailedTests
  }
  return { passed, failed }
}
