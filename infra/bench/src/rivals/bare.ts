import { startLoad } from '../load/load.ts'
import type { Side } from '../row.ts'
import { measureRequests } from '../sides/single.ts'
import { rivals, startServing } from '../system/program.ts'

const warmUpRequests = 10_000

/** Requests per second of a server that only parses; see bare-http.ts. */
export const bareHttp = (options: { readonly requests: number }): Side => ({
  name: 'node:http',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const serving = parts.use(await startServing(bench, 'bare-http', rivals.bareHttp, {}))
    const load = parts.use(startLoad())
    const processes = { 'node:http': serving.pid }
    const run = (seed: number, requests: number) =>
      measureRequests(bench, load, { url: serving.url, processes }, seed, requests)
    await run(0, warmUpRequests)
    const opened = parts.move()
    return {
      measure: (round) => run(round, bench.scaled(options.requests)),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})
