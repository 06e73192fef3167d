import { runTests } from './tests/run-tests.ts'
import { readTestOptions } from './tests/test-options.ts'

const { projects, args } = readTestOptions(
  'npm test',
  'test',
  'Runs the tests of all workspaces, on a Redis and a PostgreSQL that they start themselves. It takes some minutes.',
)
const isWhole = projects === undefined && args.length === 0
// All workspaces: each apart, two at a time. Some of it: in one run, where a workspace without a match is no fault.
if (isWhole) await runTests('turbo', ['run', 'test', '--continue'])
else {
  const chosen = (projects ?? ['!*:more']).flatMap((name) => ['--project', name])
  await runTests('vitest', ['run', '--config', 'vitest.workspace.ts', ...chosen, ...args])
}
