import { InvalidConfig } from '@sekali/core/errors'
import { expect, test } from 'vitest'
import type { Retry } from '../src/connection/retry.ts'
import { Refused } from '../src/errors.ts'
import { LeaseLost } from '../src/worker/job.ts'
import { endings, eventually, gate, type Options, seqOf, startJobs, workerOf } from './gateway-of-jobs.ts'
import { type Answer, json, resets } from './peer.ts'
import { failureOf } from './sample.ts'

test('a job whose lease is lost is told so while it runs, and is neither acked nor nakked', async () => {
  await using peer = await startJobs([1], { leaseSeconds: 0.06, result: () => 'lease_lost' })
  const stopping = new AbortController()
  const failures: unknown[] = []
  const options: Options = {
    signal: stopping.signal,
    onFailure: (error) => {
      failures.push(error)
      stopping.abort()
    },
  }
  await workerOf(peer).work('mailer', options, async (job) => {
    await new Promise((_resolve, reject) => {
      job.signal.addEventListener('abort', () => reject(job.signal.reason))
    })
  })
  expect(failures).toEqual([expect.any(LeaseLost)])
  expect(endings(peer)).toEqual([])
})

test('an ack that comes too late is a failure that is reported, and the work goes on', async () => {
  await using peer = await startJobs([1, 2], {
    result: ({ token }) => (token === 't-1' ? 'lease_lost' : 'already_settled'),
  })
  const stopping = new AbortController()
  const failures: unknown[] = []
  const onFailure: Options['onFailure'] = (error, job) => failures.push([seqOf(job), error])
  for await (const job of workerOf(peer).work('mailer', { signal: stopping.signal, onFailure })) {
    if (seqOf(job) === 2) stopping.abort()
  }
  expect(failures).toEqual([[1, expect.any(LeaseLost)]])
  expect(endings(peer)).toEqual(['ack t-1', 'ack t-2'])
})

test('a worker waits while its subscription is paused, and while the gateway is away', async () => {
  const paused = json(409, { code: 'subscription_paused' }, { 'retry-after': '0' })
  const away = json(503, { code: 'store_unavailable' })
  await using peer = await startJobs([1], { first: [paused, away, resets, paused] })
  const said: string[] = []
  const onRetry = ({ retry, error }: Retry) => void said.push(`${retry} ${error.code}`)
  for await (const job of workerOf(peer).work('mailer', { onRetry })) {
    expect(seqOf(job)).toBe(1)
    break
  }
  expect(peer.pulls).toHaveLength(5)
  expect(said).toEqual([
    '1 subscription_paused',
    '1 store_unavailable',
    expect.stringMatching(/^2 /),
    '2 subscription_paused',
  ])
})

test('what refuses a pull for good ends the work, once what had begun has ended', async () => {
  const gone = json(404, { code: 'unknown_subscription' })
  const one = json(200, { items: [{ token: 't-9', attempt: 1, event: { topic: 'a', seq: 9 } }], lease_s: 30 })
  await using peer = await startJobs([], { first: [one, gone] })
  const open = gate()
  let isOver = false
  const working = failureOf(workerOf(peer).work('mailer', { concurrency: 2 }, () => open.promise)).finally(
    () => {
      isOver = true
    },
  )
  await eventually(() => expect(peer.pulls).toEqual([2, 1]))
  expect(isOver).toBe(false)
  open.resolve()
  expect(await working).toBeInstanceOf(Refused)
  expect(endings(peer)).toEqual(['ack t-9'])
  await using none = await startJobs([], { first: [gone] })
  const looking = async () => {
    for await (const _ of workerOf(none).work('mailer')) expect.unreachable()
  }
  expect(await failureOf(looking())).toMatchObject({ code: 'unknown_subscription' })
})

test('an empty answer that comes at once is not asked for in a loop, and a job that ends asks again', async () => {
  const nothing: Answer = (response) => response.writeHead(204, { 'retry-after': '3600' }).end()
  const one = json(200, { items: [{ token: 't-9', attempt: 1, event: { topic: 'a', seq: 9 } }], lease_s: 30 })
  await using peer = await startJobs([1], { first: [one, nothing] })
  const open = gate()
  const stopping = new AbortController()
  const working = workerOf(peer).work(
    'mailer',
    { concurrency: 2, signal: stopping.signal },
    async (job) => await (seqOf(job) === 9 ? open.promise : stopping.abort()),
  )
  await eventually(() => expect(peer.pulls).toEqual([2, 1]))
  open.resolve()
  await working
  expect(peer.pulls).toEqual([2, 1, 2])
})

test('what onFailure throws ends the work, and what had begun ends first', async () => {
  await using peer = await startJobs([1, 2])
  const open = gate()
  const onFailure = (error: unknown) => {
    throw error
  }
  const working = workerOf(peer).work('mailer', { concurrency: 3, onFailure }, async (job) => {
    if (seqOf(job) === 1) throw new Error('mine')
    await open.promise
  })
  await eventually(() => expect(peer.pulls.length).toBeGreaterThan(0))
  open.resolve()
  await expect(working).rejects.toThrow('mine')
  expect(endings(peer)).toContain('ack t-2')
})

test('what is settled together goes in requests that the gateway takes', async () => {
  const seqs = Array.from({ length: 900 }, (_, n) => n + 1)
  await using peer = await startJobs(seqs)
  const stopping = new AbortController()
  const working = workerOf(peer).work('mailer', { concurrency: 900, signal: stopping.signal }, () => {
    throw new Error('"'.repeat(300))
  })
  await eventually(() => expect(endings(peer)).toHaveLength(900))
  stopping.abort()
  await working
  const settles = peer.received.filter(({ url }) => url.endsWith('/settle'))
  expect(Math.max(...settles.map(({ body }) => body.length))).toBeLessThan(256 * 1024)
  expect(settles.length).toBeLessThan(10)
  expect(new Set(endings(peer)).size).toBe(900)
})

test('what cannot be meant is refused before anything is sent', async () => {
  await using peer = await startJobs([1])
  const worker = workerOf(peer)
  const handler = () => undefined
  const wrong: readonly (readonly unknown[])[] = [
    [''],
    ['mailer', { concurrency: 0 }],
    ['mailer', { concurrency: 1_001 }],
    ['mailer', { bytesMax: 0 }],
    ['mailer', { worker: '' }],
    ['mailer', { concurency: 1 }],
  ]
  for (const [name, options] of wrong as readonly [string, Options?][]) {
    expect(() => worker.work(name, options), String(options)).toThrow(InvalidConfig)
    expect(await failureOf(worker.work(name, options ?? {}, handler))).toBeInstanceOf(InvalidConfig)
  }
  expect(await failureOf(worker.work('mailer', {}, 'handler' as never))).toBeInstanceOf(InvalidConfig)
  expect(peer.received).toEqual([])
  for await (const job of worker.work('mailer')) {
    expect(await failureOf(job.nak(-1))).toBeInstanceOf(InvalidConfig)
    expect(await failureOf(job.extend(0))).toBeInstanceOf(InvalidConfig)
    expect(await failureOf(job.term(''))).toBeInstanceOf(InvalidConfig)
    break
  }
  expect(endings(peer)).toEqual(['nak t-1'])
})
