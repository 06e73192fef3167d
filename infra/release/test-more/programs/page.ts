/** A page that publishes and tails. It is served at the origin of the gateway, and says at the end how it went. */
import { createClient, Invalid } from '@sekali/client'

// Of a page's globals only what is used: the clone is compiled without the types of browsers.
const { location } = globalThis as unknown as { readonly location: { readonly search: string } }
const topic = new URLSearchParams(location.search).get('topic') ?? 'clicks'
const say = (path: string, words: string) => fetch(path, { method: 'POST', body: words })

async function run(): Promise<string> {
  const sekali = createClient() // at the page's own origin
  const click = (n: number) => ({
    topic,
    event_id: `click-${n}`,
    timestamp: new Date().toISOString(),
    source: 'page',
    payload: { n },
  })
  const batcher = sekali.batcher()
  await Promise.all([1, 2, 3].map((n) => batcher.publish(click(n))))
  const bad = await sekali.publish({ ...click(0), source: '' }).catch((error: unknown) => error)
  if (!(bad instanceof Invalid)) return `an invalid event: ${bad}`
  const seqs: number[] = []
  for await (const { seq } of sekali.tail({ topic, from: 'start' })) {
    seqs.push(seq)
    if (seqs.length === 3) {
      await say('/cut', '')
      for (const n of [4, 5, 6]) await sekali.publish(click(n), { waitSeconds: 30 })
    }
    if (seqs.length === 6) break
  }
  return seqs.join()
}

run().then(
  (words) => say('/result', words),
  (error: unknown) => say('/result', `${error}`),
)
