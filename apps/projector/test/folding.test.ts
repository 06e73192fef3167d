import { createLog } from '@sekali/process/log'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { startFolding } from '../src/folding.ts'
import { builtInSource } from '../src/source.ts'

test('the time that a thread takes to start is not counted against what is loaded into it', async () => {
  // No thread starts within 50 ms, and none that is late is kept. One that has started answers within that time soon.
  await using folding = startFolding({ foldMs: 50, importMs: 0 }, createLog('test', 'silent'))
  const definitions = await eventually(() => folding.load(builtInSource))
  expect(definitions.length).toBeGreaterThan(0)
})
