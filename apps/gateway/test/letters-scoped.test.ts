/** What a key of some topics sees of letters and operations: its own, all of them, and no sign of others. */
import { findOperation } from '@sekali/store/operations'
import { startRedrive } from '@sekali/store/redrive'
import { makeDead } from '@sekali/testkit/letters'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { post } from './gateway.ts'
import { ownKeys } from './own-keys.ts'

let own: Awaited<ReturnType<typeof ownKeys>>
let key = ''
beforeAll(async () => {
  own = await ownKeys()
  key = (await own.make({ topics: ['a.>'] })).text
  await makeDead(own.store, '1', { topic: 'a.eu' }) // e-1
  await makeDead(own.store, '2', { topic: 'b' }) // e-2
  await makeDead(own.store, '3', { topic: 'a.eu' }) // e-3
  await makeDead(own.store, '4', { topic: 'b' }) // e-4
})
afterAll(() => own[Symbol.asyncDispose]())

type Json = Record<string, unknown>
const ask = (path: string, body?: object) => own.ask(path, key, body && post(JSON.stringify(body)))
const redrive = (body: object) => ask('/dead-letters/redrive', body)
const jsonIn = async (response: Response) => (await response.json()) as Json

test('a letter of other topics answers as one that there is not', async () => {
  const answers = await Promise.all(
    ['e-2', 'e-99'].flatMap((id) => [
      redrive({ filter: { id }, dry_run: true }),
      redrive({ filter: { id }, as_of: 'e-99', expect: 1 }),
    ]),
  )
  const texts = await Promise.all(answers.map((answer) => answer.text()))
  expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403])
  expect(new Set(texts).size).toBe(1)
  expect(texts[0]).toContain('These topics are not allowed. The key may use a.>.')
})

test('a count ends with the last letter of its own topics, whatever others have', async () => {
  const counted = await jsonIn(await redrive({ filter: { topic: 'a.>' }, dry_run: true }))
  expect(counted).toMatchObject({ matched: 2, as_of: 'e-3' })
  const begun = await redrive({ filter: { topic: 'a.>', id: 'e-1' }, as_of: 'e-1000', expect: 1 })
  expect(await jsonIn(begun)).toMatchObject({ matched: 1, as_of: 'e-3' })
})

test('whoever begins the redrive of one letter sees it and may cancel it', async () => {
  const filter = { id: 'e-3' }
  const { as_of } = await jsonIn(await redrive({ filter, dry_run: true }))
  const begun = await redrive({ filter, as_of, expect: 1, rate: 1 })
  expect(begun.status).toBe(202)
  const { id } = await jsonIn(begun)
  const shown = await ask(`/operations/${id}`)
  expect(shown.status).toBe(200)
  expect(await jsonIn(shown)).toMatchObject({ filter: { id: 'e-3', topic: 'a.eu' } })
  const listed = (await (await ask('/operations')).json()) as Json[]
  expect(listed.map((one) => one.id)).toContain(id)
  expect([200, 409]).toContain((await ask(`/operations/${id}/cancel`, {})).status) // it may be done
})

test('so does whoever began one before its topic was kept with it', async () => {
  const start = (id: number) =>
    startRedrive(own.store, { filter: { id }, asOf: 0, expect: 0, rate: 1 }, { actor: 'test' })
  const [mine, others] = [await start(1), await start(2)]
  if (mine.outcome !== 'started' || others.outcome !== 'started') throw new Error('not started')
  expect((await findOperation(own.store, mine.id))?.filter).toEqual({ id: 1 })
  expect((await ask(`/operations/${mine.id}`)).status).toBe(200)
  expect((await ask(`/operations/${others.id}`)).status).toBe(403)
  const listed = ((await (await ask('/operations')).json()) as Json[]).map(({ id }) => id)
  expect([listed.includes(mine.id), listed.includes(others.id)]).toEqual([true, false])
})
