import { expect, test } from 'vitest'
import { heatsOf, runHeat } from '../src/heat.ts'
import type { Side } from '../src/row.ts'
import type { Bench } from '../src/system/bench.ts'
import { measures, row } from './results.ts'

const bench = { signal: new AbortController().signal } as Bench

function recorded(log: string[]): (name: string) => Side {
  return (name) => ({
    name,
    open: async () => {
      log.push(`open ${name}`)
      return {
        measure: async (round) => {
          log.push(`${name} ${round}`)
          return measures(round)[0] as ReturnType<typeof measures>[number]
        },
        [Symbol.asyncDispose]: async () => {
          log.push(`close ${name}`)
        },
      }
    },
  })
}

test('rounds are interleaved, who begins alternates, and ours is measured once for all its rivals', async () => {
  const log: string[] = []
  const of = recorded(log)
  const ours = of('ours')
  const rows = [row({ ours, rival: of('report') }), row({ name: 'whole', ours, rival: of('COPY') })]
  expect(heatsOf([...rows, row()]).map((heat) => heat.length)).toEqual([2, 1])

  const results = await runHeat(bench, rows, { rounds: 2, onMeasure: () => {} })
  expect(log).toEqual([
    ...['open ours', 'open report', 'open COPY'],
    ...['ours 1', 'report 1', 'COPY 1'],
    ...['COPY 2', 'report 2', 'ours 2'],
    ...['close COPY', 'close report', 'close ours'],
  ])
  expect(results.map(({ ours, rival }) => [ours.length, rival.length])).toEqual([
    [2, 2],
    [2, 2],
  ])
})

test('in each opening another side comes twice in a row', async () => {
  const log: string[] = []
  const of = recorded(log)
  const rows = [row({ ours: of('ours'), rival: of('COPY'), openings: 2 })]
  await runHeat(bench, rows, { rounds: 4, onMeasure: () => {} })
  const measured = log.filter((line) => /\d/.test(line))
  expect(measured).toEqual([
    ...['ours 1', 'COPY 1', 'COPY 2', 'ours 2'],
    ...['COPY 3', 'ours 3', 'ours 4', 'COPY 4'],
  ])
})

test('a run that is given up closes what it opened', async () => {
  const log: string[] = []
  const of = recorded(log)
  const controller = new AbortController()
  const rows = [row({ ours: of('ours'), rival: of('COPY') })]
  const options = { rounds: 5, onMeasure: () => controller.abort() }
  await expect(runHeat({ signal: controller.signal } as Bench, rows, options)).rejects.toThrow('aborted')
  expect(log.filter((line) => line.startsWith('close'))).toHaveLength(2)
})
