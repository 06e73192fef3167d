import { fileURLToPath } from 'node:url'
import { startLoad } from '../load/load.ts'
import type { Measure, Side } from '../row.ts'
import { startSystem } from '../system/system.ts'
import { measureRequests } from './single.ts'

const warmUpRequests = 10_000
const withoutWait = fileURLToPath(new URL('../rivals/without-wait.ts', import.meta.url))

export interface AppendCostOptions {
  readonly name: string
  readonly requests: number
  /** The gateway's code for REDIS_REPLICAS_MIN: as it is, with the setting off, or taken out. */
  readonly wait: 'off' | 'none'
}

/**
 * Processor time that the gateway and Redis take to append a single event, in microseconds, HTTP included. Nobody stores:
 * what consumers do is the same on both sides, and would only add to what rounds differ by.
 */
export const appendCost = ({ name, requests, wait }: AppendCostOptions): Side => ({
  name,
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const env = { BENCH_WAIT: wait, REDIS_REPLICAS_MIN: '0' }
    const gatewayFlags = ['--import', withoutWait]
    const system = parts.use(await startSystem(bench, { consumers: 0, env, gatewayFlags }))
    const load = parts.use(startLoad())
    const run = async (seed: number, count: number): Promise<Measure> => {
      const measure = await measureRequests(bench, load, system, seed, count)
      const each = (process: string) => (1e6 * (measure.cpu[process] ?? 0)) / count
      const also = { 'gateway µs': each('gateway'), 'redis µs': each('redis') }
      return { ...measure, value: also['gateway µs'] + also['redis µs'], also: { ...measure.also, ...also } }
    }
    await run(0, warmUpRequests)
    const opened = parts.move()
    return {
      measure: (round) => run(round, bench.scaled(requests)),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})
