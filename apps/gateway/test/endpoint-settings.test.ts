/** What is kept of the settings that somebody gives an endpoint, and what is said of those that do not fit. */
import { NewSubscription } from '@sekali/api/subscription'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { issuesOf, type NewPush, settingsOf } from '../src/subscriptions/push/settings.ts'
import { ownWebhooks } from './own-webhooks.ts'

const bodyWith = (url: string) => ({ kind: 'push', topics: 'orders.>', url }) as unknown as NewPush

test.each([
  ['\0\u0001b', '%00%01b'],
  ['\ud800', '%EF%BF%BD'],
  ['\n\tb ü', 'b%20%C3%BC'],
  ['?a=%20', '?a=%20'],
])(
  'a URL is kept as it is written, as PostgreSQL takes no NUL and no half of a pair: %j',
  (tail, written) => {
    const body = bodyWith(`https://Shop.example/a${tail}`)
    if (ownWebhooks.key === undefined) throw new Error('no key')
    expect(issuesOf(body, ownWebhooks)).toEqual([])
    expect(settingsOf('shop', body, ownWebhooks.key).url).toBe(`https://shop.example/a${written}`)
  },
)

test('what is too long once it is written is refused', () => {
  const [issue] = issuesOf(bodyWith(`https://shop.example/${'ä'.repeat(400)}`), ownWebhooks)
  expect(issue).toMatchObject({ path: 'url', message: expect.stringContaining('2048') })
})

test('what goes together needs a retry, which tells what of it failed', () => {
  const body = { ...bodyWith('https://shop.example'), retry_s: [] }
  expect(issuesOf({ ...body, batch_max: 1 }, ownWebhooks)).toEqual([])
  expect(issuesOf({ ...body, batch_max: 2 }, ownWebhooks)).toMatchObject([{ path: 'retry_s' }])
})

test.each([0, 501, 1.5, '10', null])('how many events may go together is said in words: %j', (batch_max) => {
  const body = { ...bodyWith('https://shop.example'), batch_max }
  const { issues = [] } = v.safeParse(NewSubscription, body)
  expect(issues.map(({ message }) => message)).toContain('must be a whole number from 1 to 500')
})
