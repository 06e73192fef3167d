import process from 'node:process'
import type { Mutant } from './mutant.ts'
import { isChosen, runSuite, type Test } from './suite.ts'

/** The name of a test of the mutant's that fails without it; undefined if there is none. Throws if it has no test. */
export type IsSound = (mutant: Mutant) => Promise<string | undefined>

/**
 * The mutants' tests must pass on the tree as it is: one that always fails would catch everything. All of a project are run
 * at once, which takes a tenth of the time, and those that did not pass beside the others once more, alone.
 */
export async function soundTests(
  folder: string,
  mutants: readonly Mutant[],
  signal: AbortSignal,
): Promise<IsSound> {
  const choices = Object.values(Object.groupBy(mutants, ({ test }) => test.project)).map((ones = []) =>
    ones.map(({ test }) => test),
  )
  const passed: Test[] = []
  const failed: Test[] = []
  for (const ofProject of choices) {
    process.stderr.write(`the tests of ${ofProject[0]?.project} without mutants\n`)
    const result = await runSuite(folder, ofProject, signal).catch(() => undefined)
    signal.throwIfAborted()
    passed.push(...(result?.passed ?? []))
    failed.push(...(result?.failed ?? []))
  }
  return async ({ test }) => {
    const isOf = (one: Test) => isChosen(one, test)
    if (passed.some(isOf) && !failed.some(isOf)) return undefined
    return (await runSuite(folder, [test], signal)).failed[0]?.name
  }
}
