/**
 * The largest resident set of any of our processes when publishers send all they can and PostgreSQL stands still for
 * half a minute (SIGSTOP to all of it), and while the backlog is worked off afterwards. Neither the gateway nor a
 * consumer may keep what it cannot pass on.
 */
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { reportTopics } from '../events.ts'
import { startLoad } from '../load/load.ts'
import { childrenOf, peakResidentBytes, startMeter } from '../measure/processor-time.ts'
import type { Row, Side } from '../row.ts'
import { startSystem } from '../system/system.ts'

const consumers = 2
const events = 50_000
const beforeMs = 2_000
const stallMs = 30_000
const afterMs = 6_000
const megabyte = 1e6

const overloaded: Side = {
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const system = parts.use(await startSystem(bench, { consumers }))
    const load = parts.use(startLoad())
    const workload = { seed: 1, events, duplicates: 0, topics: reportTopics }
    await load.prepare({ url: system.url, connections: 16, batch: 500 }, workload)
    const opened = parts.move()
    return {
      measure: async () => {
        const stalledMs = bench.scaled(stallMs)
        const stop = startMeter({ ...system.processes, load: load.pid })
        const sending = load.go(beforeMs + stalledMs)
        await pause(beforeMs, undefined, { signal: bench.signal })
        {
          using _stall = stall(bench.postgres.pid)
          await pause(stalledMs, undefined, { signal: bench.signal })
        }
        const { events: accepted, refusals } = await sending
        await pause(afterMs, undefined, { signal: bench.signal })
        const peaks = Object.entries(system.apps).map(([name, pid]): [string, number] => [
          `${name} MB`,
          (peakResidentBytes(pid) ?? Number.NaN) / megabyte,
        ])
        const value = Math.max(...peaks.map(([, megabytes]) => megabytes))
        return { ...stop(), value, also: { ...Object.fromEntries(peaks), accepted, refusals } }
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
}

/** Stops a server and its children until the scope ends; also when the process ends before. */
function stall(pid: number): Disposable {
  const all = [pid, ...childrenOf(pid)]
  const resume = () => {
    for (const one of all) signal(one, 'SIGCONT')
  }
  process.once('exit', resume)
  for (const one of all) signal(one, 'SIGSTOP')
  return {
    [Symbol.dispose]: () => {
      process.off('exit', resume)
      resume()
    },
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // A backend may have ended since it was listed.
  }
}

export const memoryRow: Row = {
  name: 'memory',
  what: 'peak resident set of a gateway or consumer, overloaded, PostgreSQL stalled for 30 s',
  against: 'nothing',
  unit: 'MB',
  ours: overloaded,
  target: { of: 'value', better: 'lower', must: 250, aim: 200 },
  rounds: 1,
}
