import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import type { Fault } from '../src/fault.ts'
import { catalogue } from '../src/faults/catalogue.ts'
import { reportText } from '../src/report/report.ts'
import { runChaos } from '../src/run.ts'
import { startLocal } from '../src/targets/local.ts'
import { patternOf, topicsOf } from '../src/topics.ts'

const faults = [
  'kill-dispatcher',
  'die-sending',
  'die-answered',
  'receivers-hang',
  'receivers-redirect',
  'receivers-cut',
  'receiver-gone',
  'kill-receiver',
  'name-elsewhere',
]

const name = { seed: 5, minutes: 0.4, consumers: 1, rate: 60, target: 'local', faults }

test('dispatchers that die, and receivers that do anything but answer, break no promise to endpoints [P6] [P8] [P9]', async ({
  annotate,
}) => {
  const said: string[] = []
  const { signal } = new AbortController()
  await using folder = await temporaryFolder('sekali-chaos-')
  const { consumers } = name
  const report = (what: string) => void said.push(what)
  await using target = await startLocal({
    ...{ dir: folder.path, consumers, dispatchers: 2, signal },
    report: (part, what) => report(`${part} ${what}`),
  })
  const options = {
    ...name,
    faults: faults.map((one) => catalogue.get(one) as Fault),
    topics: topicsOf(name.seed),
    pattern: patternOf(name.seed),
    sources: 16,
    hasNoWorkers: true,
  }
  const outcome = await runChaos(options, target, signal, report)
  const broken = outcome.verdicts.filter(({ violation }) => violation !== undefined)
  expect(broken, `${said.join('\n')}\n${reportText(outcome, name)}`).toEqual([])
  const injections = outcome.faults.reduce((sum, { times }) => sum + times, 0)
  await annotate(`${injections} injections, ${outcome.faults.length} kinds`)
  expect(outcome.faults.length).toBeGreaterThanOrEqual(4)
}, 180_000)
