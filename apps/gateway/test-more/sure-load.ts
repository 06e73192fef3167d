import { eventBody, post } from '../test/gateway.ts'

/** Sources that publish at a steady pace, each waiting for its answer, and repeat what is refused until it is taken. */
export interface SureLoad {
  /** What was answered with yes: topic, source and number of each event, in the order of the answers. */
  readonly acknowledged: readonly string[]
  /** How long nobody was answered with yes, at the longest. */
  readonly longestGapMs: () => number
  /** Codes of the answers that were no. */
  readonly refused: ReadonlySet<string>
  /** Resolves once all have had their last answer. */
  readonly stop: () => Promise<void>
}

const sources = 8
const batchEvents = 25
const everyMs = 100
const topics = 4

export function startLoad(url: string): SureLoad {
  const acknowledged: string[] = []
  const refused = new Set<string>()
  let isStopped = false
  let lastAt = performance.now()
  let longest = 0

  async function publish(source: number): Promise<void> {
    const topic = `load-${source % topics}`
    for (let first = 0; !isStopped; first += batchEvents) {
      const startedAt = performance.now()
      const numbers = Array.from({ length: batchEvents }, (_, index) => first + index)
      const events = numbers.map((number) =>
        eventBody({ topic, event_id: `${source}-${number}`, source: `s${source}`, payload: { number } }),
      )
      while (!(await isTaken(`[${events.join(',')}]`))) await pause(everyMs)
      longest = Math.max(longest, performance.now() - lastAt)
      lastAt = performance.now()
      for (const number of numbers) acknowledged.push(`${topic} s${source} ${number}`)
      await pause(startedAt + everyMs - performance.now())
    }
  }

  async function isTaken(body: string): Promise<boolean> {
    const answer = await fetch(`${url}/publish`, post(body)).catch(() => undefined)
    if (answer?.ok) return true
    refused.add(answer === undefined ? 'none' : ((await answer.json()) as { code: string }).code)
    return false
  }

  const publishing = Promise.all(Array.from({ length: sources }, (_, source) => publish(source)))
  return {
    acknowledged,
    refused,
    longestGapMs: () => longest,
    stop: async () => {
      isStopped = true
      await publishing
    },
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
