import type { Answer } from '../http/reply.ts'

interface Refused {
  readonly answer: Answer
  readonly until: number
}

const refusedMax = 10_000
const refusedMs = 30_000

/** What was refused lately, with the answer. Bounded: beyond that the oldest is forgotten. */
export function createRefused() {
  const answers = new Map<string, Refused>()
  return {
    of(digest: string): Answer | undefined {
      const found = answers.get(digest)
      if (found === undefined || found.until > performance.now()) return found?.answer
      answers.delete(digest)
      return undefined
    },
    add(digest: string, answer: Answer): void {
      const [oldest] = answers.keys()
      if (answers.size >= refusedMax && oldest !== undefined) answers.delete(oldest)
      answers.set(digest, { answer, until: performance.now() + refusedMs })
    },
    clear: () => answers.clear(),
  }
}
