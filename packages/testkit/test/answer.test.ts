import { expect, test } from 'vitest'
import { violationsOf } from '../src/contract/answer.ts'
import type { Described } from '../src/contract/described.ts'

/** A description of one answer, whose body is never as it must be. */
const describedAs = (mediaType: string): Described => ({
  operation: () => ({
    id: 'any',
    response: () => ({
      headers: new Map(),
      mediaTypes: [mediaType],
      validatorOf: () => Object.assign(() => false, { errors: [] }) as never,
    }),
  }),
  problem: (() => true) as never,
})

test('the bodies of all answers are checked but those of files, whatever their charset', () => {
  const found = (type: string) =>
    violationsOf(describedAs(type), {
      method: 'GET',
      path: '/any',
      status: 200,
      headers: new Map([['content-type', type]]),
      body: '{}\n',
      isWhole: true,
    }).filter((one) => one.includes('the body'))
  for (const type of ['application/json', 'application/x-ndjson', 'application/x-ndjson; charset=utf-8']) {
    expect(found(type), type).toHaveLength(1)
  }
  for (const type of ['text/html; charset=utf-8', 'image/svg+xml']) expect(found(type), type).toEqual([])
})
