import process from 'node:process'
import { runTests } from './tests/run-tests.ts'

// Each workspace apart, two at a time.
await runTests('turbo', ['run', 'test', '--continue', ...process.argv.slice(2)])
