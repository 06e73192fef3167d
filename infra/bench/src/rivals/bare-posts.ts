import { startWorker } from '../load/worker.ts'
import { startMeter } from '../measure/processor-time.ts'
import type { Side } from '../row.ts'
import { startReceiver } from '../sides/webhooks.ts'

/** What bare-posts-worker.ts is asked to do. */
export interface PostsRun {
  readonly url: string
  readonly posts: number
  readonly connections: number
  readonly body: string
}

/** Requests a second of a bare loop, to the same receiver. */
export const barePosts = (options: { readonly posts: number; readonly connections: number }): Side => ({
  name: 'bare undici loop',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const receiver = parts.use(await startReceiver())
    const worker = parts.use(startWorker(new URL('./bare-posts-worker.ts', import.meta.url)))
    const posts = bench.scaled(options.posts)
    // As long as what is delivered.
    const data = JSON.stringify({ amount: 12345, currency: 'EUR', note: 'x'.repeat(60) })
    const body = `{"type":"orders.eu","timestamp":"2025-01-01T00:00:00.000000Z","data":${data}}`
    const run: PostsRun = { url: receiver.url, posts, connections: options.connections, body }
    const measure = async () => {
      const stop = startMeter({ loop: worker.pid, receiver: receiver.pid })
      const seconds = await worker.call<number>(run)
      return { ...stop(), seconds, value: posts / seconds }
    }
    await measure() // the warm-up
    const opened = parts.move()
    return { measure, [Symbol.asyncDispose]: () => opened.disposeAsync() }
  },
})
