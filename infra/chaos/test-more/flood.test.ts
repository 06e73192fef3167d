import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import { floodInRounds } from '../src/flood/rounds.ts'
import { describeRound } from '../src/flood/verdict.ts'
import { startLocal } from '../src/targets/local.ts'

// What the others notice is a matter of time, and so of the machine: `npm run chaos:flood` judges it.
test('a flood of one topic costs no accepted event, is refused at its bound, and passes by itself [P1] [P7] [P9]', async ({
  annotate,
}) => {
  const said: string[] = []
  const { signal } = new AbortController()
  await using folder = await temporaryFolder('sekali-flood-')
  await using target = await startLocal({
    dir: folder.path,
    consumers: 2,
    report: (part, what) => said.push(`${part} ${what}`),
    signal,
  })
  const options = { seconds: 3, rounds: 1, backlogSeconds: 4, delayMs: 20 }
  const { rounds } = await floodInRounds(target, options, signal, (what) => said.push(what))
  const [round] = rounds
  if (round === undefined) throw new Error(said.join('\n'))
  await annotate(describeRound(round, 1))
  expect(round).toMatchObject({ missing: 0, lost: 0, othersRefused: 0 })
  expect(round.taken).toBeLessThan(round.offered)
  expect(round.recoveredMs).toBeLessThan(30_000)
  expect(target.ended()).toEqual([])
}, 180_000)
