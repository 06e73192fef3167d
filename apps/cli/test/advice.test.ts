/** What to do about an answer of the gateway. */
import { Refused } from '@sekali/client/errors'
import { expect, test } from 'vitest'
import { adviceOn } from '../src/advice.ts'

test.each([
  ['topics', '--topics'],
  ['order', '--order'],
  ['filter', '--source or --where'],
  ['kind', '--to'],
  ['source_batch', '--source-batch'],
  ['more', 'what it is about'],
])('a subscription whose %s cannot be changed is told by its option', (field, named) => {
  const detail = `The subscription is there with another ${field}, which cannot be changed. Delete it, or choose another name.`
  const refused = new Refused('refused', { code: 'immutable_field', status: 409 }, detail)
  expect(adviceOn(refused, 'http://localhost')).toContain(
    `the subscription is there, and ${named} cannot be changed`,
  )
})
