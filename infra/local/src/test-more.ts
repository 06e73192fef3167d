// `npm run test:more`: the folders test-more, with what `npm test` has no time for, or what needs more of Debian than
// Redis. All in one run: a workspace that gets such a folder is found without being entered anywhere. One file at a time,
// because most of these load the machine, and some of them measure time.
import process from 'node:process'
import { runTests } from './tests/run-tests.ts'

const args = ['--config', 'vitest.workspace.ts', '--project', '*:more', '--maxWorkers', '1']
await runTests('vitest', ['run', ...args, ...process.argv.slice(2)])
