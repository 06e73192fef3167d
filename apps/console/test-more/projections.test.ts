/** Projections, as an operator looks at them. */
import { reportNotLoaded } from '@sekali/store/not-loaded'
import { registerProjection } from '@sekali/store/register-projection'
import { eventually } from '@sekali/testkit/eventually'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { type OwnMending, ownMending } from './own-mending.ts'

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true })

interface Shown {
  readonly name: string
  readonly lag: number
  readonly rebuild?: unknown
}

const latestOf = async (own: OwnMending) =>
  ((await own.ask('/projections')) as Shown[]).find(({ name }) => name === 'latest')

test('states are shown by key to the last digit, a key is found, and a rebuild is watched', async () => {
  await using own = await ownMending({ withProjector: true })
  const events = Array.from({ length: 70 }, (_, at) => ({
    topic: 'orders',
    event_id: `e-${at}`,
    source: 'shop',
    timestamp: '2025-12-08T10:00:00Z',
    payload: { key: `c-${at}` },
  }))
  await own.publish(JSON.stringify(events))
  await own.publish(
    '{"topic":"orders","event_id":"big","source":"shop","timestamp":"2025-12-08T10:00:00Z","payload":{"key":"..","n":9007199254740993}}',
  )
  await own.settled()
  await eventually(async () => {
    const { lag } = (await latestOf(own)) ?? { lag: -1 }
    if (lag !== 0) throw new Error(`lag ${lag}`)
  }, 30_000)
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  await page.goto(`${own.url}#/projections`)
  await page.getByRole('link', { name: 'latest' }).click()
  await page.getByText('50 keys so far').waitFor()
  await button(page, 'Show more').click()
  await page.getByText('71 keys so far', { exact: true }).waitFor()
  await page.getByLabel('Key', { exact: true }).fill('orders ..')
  await button(page, 'Find').click()
  await page.getByText('9007199254740993', { exact: true }).waitFor()
  await page.getByRole('tab', { name: 'Text' }).click()
  expect(await page.locator('pre.raw').textContent()).toContain('"n":9007199254740993')
  await page.getByLabel('Key', { exact: true }).fill('orders nobody')
  await button(page, 'Find').click()
  await page.getByRole('alert').filter({ hasText: 'unknown_key' }).waitFor()

  await button(page, 'Rebuild…').click()
  await button(page, 'Rebuild').click()
  await page.getByText('latest is being rebuilt').waitFor()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await eventually(async () => {
    const found = await latestOf(own)
    if (found?.rebuild !== undefined || found?.lag !== 0) throw new Error('it is still being rebuilt')
  }, 30_000)
  await button(page, 'Drop…').click()
  await button(page, 'Drop').click()
  await page.getByRole('alert').filter({ hasText: 'projection_in_use' }).waitFor()
  expect(tab.faults).toEqual([])
})

test('a rebuild that is on its way is shown with how far it is', async () => {
  await using own = await ownMending()
  await storeEvents(own.store, [
    event({ topic: 'orders', eventId: 'a' }),
    event({ topic: 'orders', eventId: 'b' }),
  ])
  await register(own, 'slow', 1)
  await own.store.pool.query(`UPDATE projections.generations SET stage = 'live'`)
  await register(own, 'slow', 2)
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  await tab.page.goto(`${own.url}#/projections/slow`)
  const card = tab.page.getByRole('region', { name: 'Rebuild, version 2' })
  await card.getByText('2 events still to be folded').waitFor()
  expect(await card.getByRole('progressbar').getAttribute('value')).toBe('0')
})

test('a projection that failed leads to its event, files that do not load are listed, and one that nobody folds is dropped', async () => {
  await using own = await ownMending()
  await storeEvents(own.store, [event({ topic: 'orders', eventId: 'bad', payload: '{"total":"none"}' })])
  await register(own, 'stuck', 1)
  await register(own, 'forgotten', 1)
  await own.store.pool.query(`
    UPDATE projections.generations SET stage = 'live';
    UPDATE projections.announcements SET announced_at = now() - interval '61 s' WHERE name = 'forgotten';
    UPDATE projections.generations SET failed_topic = 'orders', failed_seq = 1, failed_event_id = 'bad',
      failed_message = '<img src=x onerror=alert(1)> is no number' WHERE name = 'stuck'`)
  await reportNotLoaded(own.store, 'one', [{ file: 'syntax.ts', line: 3, message: 'SyntaxError: <b>' }])
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  await page.goto(`${own.url}#/projections`)
  const files = page.getByRole('region', { name: 'Definitions that do not load' })
  await files.getByText('syntax.ts line 3').waitFor()
  await files.getByText('SyntaxError: <b>').waitFor()
  await page.getByRole('link', { name: 'stuck' }).click()
  await page.getByText('<img src=x onerror=alert(1)> is no number').waitFor()
  await page.getByRole('link', { name: 'orders seq 1' }).click()
  await page.getByRole('heading', { level: 1, name: 'bad' }).waitFor()

  await page.goto(`${own.url}#/projections/forgotten`)
  await page.getByText('No projector folds it').waitFor()
  await button(page, 'Drop…').click()
  await button(page, 'Drop').click()
  await page.getByText('forgotten is dropped').waitFor()
  await page.getByRole('heading', { level: 1, name: 'Projections' }).waitFor()
  expect(JSON.stringify(await own.ask('/projections'))).not.toContain('forgotten')
  expect(tab.faults).toEqual([])
})

const register = (own: OwnMending, name: string, version: number) =>
  registerProjection(own.store, {
    ...{ name, version, hash: 'h', topics: ['orders'], topicRegex: /^orders$/ },
    ...{ keyed: false, initial: '0' },
  })
