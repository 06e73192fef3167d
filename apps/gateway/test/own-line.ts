/** A line of those who pull, whose pulls a test answers. */
import type { TopicName } from '@sekali/core/event'
import type { NotPulled, PulledJson, PullRequest } from '@sekali/store/subscription-types'
import { eventually } from '@sekali/testkit/eventually'
import { createLine, type LineTimes, type Place } from '../src/subscriptions/line.ts'

const never = new AbortController().signal

export const dry = (fields: Partial<PulledJson> = {}): PulledJson => ({
  grant: null,
  leaseUntil: null,
  leaseSeconds: 3_600,
  items: [],
  more: false,
  blockedBy: [],
  nextDueAt: null,
  nextDueInMs: null,
  ...fields,
})

const portion = { topic: 'orders' as TopicName, events: 1, json: '{}' }
export const one = (n: number, fields: Partial<PulledJson> = {}) =>
  dry({ grant: `g${n}`, items: [portion], ...fields })

/** A line whose pulls the test answers, one by one. */
export function ownLine(times: LineTimes = {}) {
  const asked: { request: PullRequest; answer: (pulled: PulledJson | NotPulled | Error) => void }[] = []
  const released: (string | null)[] = []
  let idles = 0
  const line = createLine(
    {
      pull: ({ request, inShare }) =>
        inShare(() => {
          const { promise, resolve, reject } = Promise.withResolvers<PulledJson | NotPulled>()
          const answer = (with_: PulledJson | NotPulled | Error) =>
            with_ instanceof Error ? reject(with_) : resolve(with_)
          asked.push({ request, answer })
          return promise
        }),
      release: (_, { grant }) => released.push(grant),
      onIdle: () => {
        idles += 1
      },
    },
    { checkMs: 3_600_000, freshMs: 3_600_000, lingerMs: 3_600_000, ...times },
  )
  let workers = 0
  return {
    line,
    released,
    idles: () => idles,
    asked: () => asked.length,
    join: (waitSeconds: number, fields: Partial<Place> = {}) =>
      line.join({
        request: { name: 'mailer', max: 1, bytesMax: 1, worker: `w${++workers}` },
        waitMs: waitSeconds * 1_000,
        signal: never,
        inShare: (work) => work(),
        ...fields,
      }),
    /** Waits for the pull of this number, from 1, and answers it. Resolves with who it was for. */
    answer: async (number: number, pulled: PulledJson | NotPulled | Error): Promise<string | undefined> => {
      const { request, answer } = await eventually(() => {
        const found = asked[number - 1]
        if (found === undefined) throw new Error(`no pull ${number}`)
        return found
      })
      answer(pulled)
      return request.worker
    },
    [Symbol.asyncDispose]: () => line[Symbol.asyncDispose](),
  }
}
