import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import type { Fault } from '../src/fault.ts'
import { catalogue } from '../src/faults/catalogue.ts'
import { reportText } from '../src/report/report.ts'
import { runChaos } from '../src/run.ts'
import { startLocal } from '../src/targets/local.ts'
import { patternOf, topicsOf } from '../src/topics.ts'

const faults = [
  'kill-consumer',
  'kill-gateway',
  'rolling-restart',
  'power-cut',
  'die-locked',
  'die-read',
  'die-inserted',
  'die-accounted',
  'die-committed',
  'zombie',
  'kill-projector',
  'die-projecting',
  'drop-append-reply',
  'drop-commit-reply',
  'drop-read-reply',
  'drop-publish-reply',
  'kill-worker',
  'pause-worker',
]

const name = { seed: 3, minutes: 0.8, consumers: 3, rate: 150, target: 'local', faults }

test('a minute of killed and paused processes, failpoints and dropped replies breaks no promise [P1] [P2] [P3] [P4] [P5] [P6] [P7] [P8] [P9]', async ({
  annotate,
}) => {
  const said: string[] = []
  const { signal } = new AbortController()
  await using folder = await temporaryFolder('sekali-chaos-')
  await using target = await startLocal({
    dir: folder.path,
    consumers: name.consumers,
    report: (part, what) => said.push(`${part} ${what}`),
    signal,
  })
  const options = {
    ...name,
    faults: faults.map((one) => catalogue.get(one) as Fault),
    topics: topicsOf(name.seed),
    pattern: patternOf(name.seed),
    sources: 20,
  }
  const outcome = await runChaos(options, target, signal, (what) => said.push(what))
  const broken = outcome.verdicts.filter(({ violation }) => violation !== undefined)
  expect(broken, `${said.join('\n')}\n${reportText(outcome, name)}`).toEqual([])
  // On two cores of its own: all 16 kinds in 23 injections, 7,000 operations. With a load of 13 on them: 11, 11 and 4,000.
  const injections = outcome.faults.reduce((sum, { times }) => sum + times, 0)
  await annotate(
    `${injections} injections, ${outcome.faults.length} kinds, ${outcome.operations.ok} operations`,
  )
  expect(injections).toBeGreaterThanOrEqual(8)
  expect(outcome.faults.length).toBeGreaterThanOrEqual(8)
  expect(outcome.operations.ok).toBeGreaterThan(3_000)
}, 180_000)
