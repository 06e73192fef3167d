import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { ownTails, seqsOf } from './own-tails.ts'

test('a cursor that the log does not have is refused, and one that it has not reached waits', async () => {
  await using own = await ownTails()
  const topics = ['back.a', 'back.b']
  for (const topic of topics) await own.append(topic, 1, 10)
  for (const topic of topics) await own.stored(topic, 10)
  using one = own.tail('topic=back.a&from=9')
  using all = own.tail('topic=back.*&from=start')
  await eventually(() => expect([one.told.length, all.told.length]).toEqual([1, 20]))
  const refusal = async (query: string, id: string) => {
    const answer = await fetch(`${own.url}/tail?${query}`, { headers: { 'Last-Event-ID': id } })
    return [answer.status, ((await answer.json()) as { code: string }).code]
  }
  // No restore has begun such an epoch.
  expect(await refusal('topic=back.a', '2.10')).toEqual([422, 'cursor_ahead'])
  expect(await refusal('topic=back.none', '2.1')).toEqual([422, 'cursor_ahead'])
  // Of another pattern, or of a topic that is not there: taken as the beginning it would repeat everything.
  expect(await refusal('topic=other.>', all.lastId)).toEqual([422, 'invalid_parameters'])
  expect(await refusal('topic=back.*', `${all.lastId}_zzz.1`)).toEqual([422, 'cursor_ahead'])
  // A log that is not there yet may be on its way there: after a failover to a standby that was behind.
  using ahead = own.tail('topic=back.a', { 'Last-Event-ID': '11' })
  expect((await ahead.answered).statusCode).toBe(200)
  await own.append('back.a', 11, 12)
  await eventually(() => expect([seqsOf(one), seqsOf(ahead)]).toEqual([[10, 11, 12], [12]]))
  const before = all.told.findIndex(({ data }) => data.topic === 'back.b' && data.seq === 7)
  using again = own.tail(`topic=back.*&last_event_id=${all.told[before]?.id}`)
  await eventually(() => expect(again.told.at(-1)?.data).toMatchObject({ topic: 'back.a', seq: 12 }))
})

test('a tail resumes by any name that libraries use, and the newest id counts', async () => {
  await using own = await ownTails()
  await own.append('t', 1, 10)
  await own.stored('t', 10)
  const first = async (query: string, headers?: Record<string, string>) => {
    using tail = own.tail(`topic=t&${query}`, headers)
    expect((await tail.answered).statusCode).toBe(200)
    await eventually(() => expect(tail.told.length).toBeGreaterThan(0))
    return tail.told[0]?.data.seq
  }
  expect(await first('last_event_id=4')).toBe(5)
  expect(await first('lastEventId=4')).toBe(5) // event-source-polyfill
  expect(await first('lastEventID=4')).toBe(5) // what Mercure has its clients send
  expect(await first('Last-Event-ID=4')).toBe(5) // and what it had them send before
  // A library repeats the URL it was made with and adds the newest id, by a name of its own or once more by the same.
  expect(await first('from=start&last_event_id=2&lastEventId=7')).toBe(8)
  expect(await first('lastEventId=2&lastEventId=7')).toBe(8)
  expect(await first('lastEventId=7&last_event_id=')).toBe(8)
  expect(await first('from=start&lastEventId=')).toBe(1)
  expect(await first('from=start&lastEventId=2', { 'Last-Event-ID': '8' })).toBe(9)
  const refused = await fetch(`${own.url}/tail?topic=t&lastEventId=x`)
  expect([refused.status, await refused.json()]).toMatchObject([422, { errors: [{ path: 'lastEventId' }] }])
})

test('what is asked wrongly is refused in words', async () => {
  await using own = await ownTails({ tailsMax: 1 })
  const refused = async (query: string, headers?: Record<string, string>) => {
    const response = await fetch(`${own.url}/tail?${query}`, headers ? { headers } : {})
    const body = (await response.json()) as { code: string; errors?: { path: string }[] }
    return [response.status, body.code, body.errors?.map(({ path }) => path)]
  }
  expect(await refused('')).toEqual([422, 'invalid_parameters', ['topic']])
  expect(await refused('topic=a..b')).toEqual([422, 'invalid_parameters', ['topic']])
  expect(await refused('topic=a&from=yesterday&form=now')).toEqual([
    422,
    'invalid_parameters',
    ['form', 'from'],
  ])
  expect(await refused('topic=a.*&from=7')).toEqual([422, 'invalid_parameters', ['from']])
  expect(await refused('topic=a&last_event_id=1.2')).toEqual([422, 'invalid_parameters', ['last_event_id']])
  expect(await refused('topic=a.*', { 'Last-Event-ID': '12' })).toEqual([
    422,
    'invalid_parameters',
    ['last_event_id'],
  ])
  expect((await fetch(`${own.url}/tail?topic=a`, { method: 'HEAD' })).status).toBe(200)
  {
    using first = own.tail('topic=a')
    expect((await first.answered).statusCode).toBe(200)
    const response = await fetch(`${own.url}/tail?topic=b`)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toMatch(/^[123]$/)
    expect(await response.json()).toMatchObject({ code: 'too_many_tails' })
    expect((await fetch(`${own.url}/events`)).status).toBe(200)
  }
  await eventually(async () => {
    using next = own.tail('topic=a')
    expect((await next.answered).statusCode).toBe(200)
  })
})
