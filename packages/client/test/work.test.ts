import { expect, test } from 'vitest'
import {
  type AnyJob,
  endings,
  eventually,
  gate,
  type JobsPeer,
  type Options,
  seqOf,
  startJobs,
  workerOf,
} from './gateway-of-jobs.ts'

test('a handler works on as many events at a time as it says, and what it is done with is acked', async () => {
  await using peer = await startJobs([1, 2, 3, 4, 5])
  const stopping = new AbortController()
  const open = gate()
  const begun: number[] = []
  const working = workerOf(peer).work(
    'mailer',
    { concurrency: 3, worker: 'w-1', signal: stopping.signal },
    async (job) => {
      begun.push(seqOf(job))
      await open.promise
    },
  )
  await eventually(() => expect(begun).toEqual([1, 2, 3]))
  expect(peer.pulls).toEqual([3])
  expect(JSON.parse(peer.received[0]?.body ?? '')).toEqual({ max: 3, wait_s: 20, worker: 'w-1' })
  open.resolve()
  await eventually(() => expect(endings(peer).sort()).toEqual([1, 2, 3, 4, 5].map((n) => `ack t-${n}`)))
  stopping.abort()
  await working
  expect(begun).toEqual([1, 2, 3, 4, 5])
  // Three were done in the same moment: one request.
  expect(peer.settles[0]).toHaveLength(3)
})

test('a handler that throws naks its job alone, with the message; what it settled itself counts', async () => {
  await using peer = await startJobs([1, 2, 3, 4, 5])
  const failures: unknown[] = []
  const stopping = new AbortController()
  const handler = async (job: AnyJob) => {
    if (seqOf(job) === 1) throw new Error('no such\nuser\u0000')
    if (seqOf(job) === 2) await job.nak(7)
    if (seqOf(job) === 3) await job.term('poison')
    if (seqOf(job) === 4) {
      await job.ack()
      throw new Error('after the ack')
    }
  }
  const options: Options = {
    signal: stopping.signal,
    onFailure: (error, job) => failures.push([String(error), seqOf(job)]),
  }
  const working = workerOf(peer).work('mailer', options, handler)
  await eventually(() => expect(endings(peer)).toHaveLength(5))
  stopping.abort()
  await working
  expect(peer.settles.flat()).toEqual([
    { token: 't-1', do: 'nak', reason: 'no such user' },
    { token: 't-2', do: 'nak', delay_s: 7 },
    { token: 't-3', do: 'term', reason: 'poison' },
    { token: 't-4', do: 'ack' },
    { token: 't-5', do: 'ack' },
  ])
  expect(failures).toEqual([
    ['Error: no such\nuser\u0000', 1],
    ['Error: after the ack', 4],
  ])
})

test('the next turn of a loop acks, leaving it naks, and what has not begun is released', async () => {
  await using peer = await startJobs([1, 2, 3, 4])
  const seen: number[] = []
  for await (const job of workerOf(peer).work('mailer', { concurrency: 4 })) {
    if (seqOf(job) > 1) expect(endings(peer)).toContain(`ack t-${seqOf(job) - 1}`)
    seen.push(seqOf(job))
    if (seqOf(job) === 2) break
  }
  expect(seen).toEqual([1, 2])
  expect(endings(peer)).toEqual(['ack t-1', 'nak t-2', 'release t-3', 'release t-4'])
})

test('an error in a loop naks the job and is not swallowed', async () => {
  await using peer = await startJobs([1])
  const working = async () => {
    for await (const _ of workerOf(peer).work('mailer')) throw new Error('mine')
  }
  await expect(working()).rejects.toThrow('mine')
  expect(endings(peer)).toEqual(['nak t-1'])
})

test('who ends with a job in its hands pulls no more: it would get that very event again', async () => {
  const throws = () => {
    throw new Error('mine')
  }
  for (const workWith of [
    async (peer: JobsPeer, waiting: () => Promise<void>) => {
      for await (const _ of workerOf(peer).work('mailer', { concurrency: 2 })) {
        await waiting()
        break
      }
    },
    async (peer: JobsPeer, waiting: () => Promise<void>) => {
      const options = { concurrency: 2, onFailure: throws }
      const failing = async () => {
        await waiting()
        throw new Error('of the handler')
      }
      await expect(workerOf(peer).work('mailer', options, failing)).rejects.toThrow('mine')
    },
  ]) {
    await using peer: JobsPeer = await startJobs([1], {
      // As with a gateway: what is nakked without a delay is there again, and a pull that waits gets it.
      result: (): string => {
        peer.add(1)
        return 'done'
      },
    })
    await workWith(peer, () => eventually(() => expect(peer.pulls).toEqual([2, 1])))
    expect(endings(peer)).toEqual(['nak t-1'])
  }
})

test('several loops share the jobs, and the last one that is left ends the pulls', async () => {
  await using peer = await startJobs([1, 2])
  const jobs = workerOf(peer).work('mailer', { concurrency: 2 })
  const both = gate()
  let busy = 0
  const loop = async () => {
    for await (const _ of jobs) {
      busy += 1
      if (busy === 2) both.resolve()
      await both.promise
      break
    }
  }
  await Promise.all([loop(), loop()])
  expect(endings(peer).sort()).toEqual(['nak t-1', 'nak t-2'])
  const pulls = peer.pulls.length
  for await (const _ of jobs) expect.unreachable()
  expect(peer.pulls).toHaveLength(pulls)
})

test('leases are extended while a handler works, of events too that wait for their turn', async () => {
  await using peer = await startJobs([1, 2], { leaseSeconds: 0.06 })
  const open = gate()
  const stopping = new AbortController()
  const extended = (token: string) =>
    peer.settles.flat().filter((item) => item.do === 'extend' && item.token === token).length
  const loop = (async () => {
    for await (const _ of workerOf(peer).work('mailer', { concurrency: 2, signal: stopping.signal }))
      await open.promise
  })()
  await eventually(() => expect(Math.min(extended('t-1'), extended('t-2'))).toBeGreaterThan(2))
  open.resolve()
  await eventually(() => expect(endings(peer)).toEqual(['ack t-1', 'ack t-2']))
  stopping.abort()
  await loop
  const last = peer.settles.flat().findLastIndex(({ do: how }) => how === 'extend')
  const acked = peer.settles.flat().findIndex(({ do: how, token }) => how === 'ack' && token === 't-2')
  expect(last).toBeLessThan(acked)
})

test('a signal drains: what runs ends, what has not begun is released, nothing more is pulled', async () => {
  await using peer = await startJobs([1, 2, 3])
  const stopping = new AbortController()
  const open = gate()
  const jobs = workerOf(peer).work('mailer', { concurrency: 3, signal: stopping.signal })
  const seen: number[] = []
  const loop = (async () => {
    for await (const job of jobs) {
      seen.push(seqOf(job))
      await open.promise
    }
  })()
  await eventually(() => expect(seen).toEqual([1]))
  stopping.abort()
  await eventually(() => expect(endings(peer)).toEqual(['release t-2', 'release t-3']))
  peer.add(4)
  open.resolve()
  await loop
  expect(seen).toEqual([1])
  expect(endings(peer)).toEqual(['release t-2', 'release t-3', 'ack t-1'])
  expect(peer.pulls).toEqual([3])
})

test('with a signal that was aborted before nothing is pulled', async () => {
  await using peer = await startJobs([1])
  const signal = AbortSignal.abort()
  await workerOf(peer).work('mailer', { signal }, () => expect.unreachable())
  for await (const _ of workerOf(peer).work('mailer', { signal })) expect.unreachable()
  expect(peer.received).toEqual([])
})
