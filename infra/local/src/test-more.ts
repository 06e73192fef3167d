// `npm run test:more`: the folders test-more, with what `npm test` has no time for, or what needs more of Debian than
// Redis. All in one run: a workspace that gets such a folder is found without being entered anywhere. vitest.workspace.ts
// says whose files run one at a time.
import { runTests } from './tests/run-tests.ts'
import { readTestOptions } from './tests/test-options.ts'

const { projects, args } = readTestOptions(
  'npm run test:more',
  'test-more',
  'Runs what takes longer than npm test may, or needs more of Debian, which it installs with apt.',
)
const chosen = (projects ?? ['*']).flatMap((name) => ['--project', `${name}:more`])
await runTests('vitest', ['run', '--config', 'vitest.workspace.ts', ...chosen, ...args])
