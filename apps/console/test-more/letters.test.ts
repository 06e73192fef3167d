/** Dead letters, conflicts and operations, as an operator uses them. */
import { eventually } from '@sekali/testkit/eventually'
import { makeConflict, makeDead } from '@sekali/testkit/letters'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OwnPage, ownBrowser, ownPage } from './own-browser.ts'
import { type OwnMending, ownMending } from './own-mending.ts'

const stack = new AsyncDisposableStack()
let own: OwnMending
let openPage: () => Promise<OwnPage>
beforeAll(async () => {
  own = stack.use(await ownMending())
  const browser = stack.use(await ownBrowser())
  openPage = () => ownPage(browser)
})
afterAll(() => stack.disposeAsync())

const go = (page: Page, path: string) => page.goto(`${own.url}#/${path}`)
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true })

/** The redrives that a page asks for, without those that only count. */
function watchRedrives(page: Page): string[] {
  const begun: string[] = []
  page.on('request', (request) => {
    const body = request.postData() ?? ''
    if (request.url().endsWith('/dead-letters/redrive') && !body.includes('dry_run')) begun.push(body)
  })
  return begun
}

test('a redrive counts first, and a double click begins it once', async () => {
  for (let at = 0; at < 3; at++) await makeDead(own.store, `d-${at}`, { topic: 'redriven' })
  await using tab = await openPage()
  const { page } = tab
  const begun = watchRedrives(page)
  await go(page, 'dead-letters?topic=redriven')
  await button(page, 'Redrive…').click()
  await page.getByText('3 dead letters would be redriven').waitFor()
  // Both clicks come before anything can be drawn anew
  await button(page, 'Redrive 3').evaluate((element: HTMLElement) => {
    element.click()
    element.click()
  })
  await page.getByRole('heading', { level: 1, name: /^Redrive \d+$/ }).waitFor()
  await page.getByText('It is done.').waitFor()
  await page.getByText('3 redriven: appended once more').waitFor()
  expect(begun).toHaveLength(1)
  expect(JSON.parse(begun[0] ?? '')).toMatchObject({ filter: { topic: 'redriven' }, expect: 3 })
  await own.settled()
  expect(await own.ask('/stats?topic=redriven')).toMatchObject({ totals: { stored: 3, duplicates: 0 } })
  expect(tab.faults).toEqual([])
})

test('a double click of the mouse begins one redrive as well, of one letter', async () => {
  await makeDead(own.store, 'one', { topic: 'one' })
  await makeDead(own.store, 'other', { topic: 'one' })
  await using tab = await openPage()
  const begun = watchRedrives(tab.page)
  await go(tab.page, `dead-letters/${await own.newest('one')}`)
  await button(tab.page, 'Redrive…').click()
  await button(tab.page, 'Redrive 1').dblclick()
  await tab.page.getByText('It is done.').waitFor()
  expect(begun).toHaveLength(1)
})

test('if another number matches by now nothing is redriven, and the new one can be counted', async () => {
  for (let at = 0; at < 2; at++) await makeDead(own.store, `c-${at}`, { topic: 'counted' })
  await using tab = await openPage()
  const { page } = tab
  await go(page, 'dead-letters?topic=counted')
  await button(page, 'Redrive…').click()
  await button(page, 'Redrive 2').waitFor()
  const discarded = `${own.apiUrl}/dead-letters/${await own.newest('counted')}/discard`
  const headers = { 'Content-Type': 'application/json' }
  await fetch(discarded, { method: 'POST', headers, body: '{"reason":"a test"}' })
  await button(page, 'Redrive 2').click()
  await page.getByRole('alert').filter({ hasText: 'count_changed' }).waitFor()
  await button(page, 'Count again').click()
  await button(page, 'Redrive 1').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
})

test('a redrive whose answer is lost is not begun again, and says where to look', async () => {
  await makeDead(own.store, 'lost', { topic: 'lost' })
  await using tab = await openPage()
  const { page } = tab
  await go(page, 'dead-letters?topic=lost')
  await button(page, 'Redrive…').click()
  await button(page, 'Redrive 1').waitFor()
  let asked = 0
  await page.route('**/dead-letters/redrive', (route) => {
    asked += 1
    return route.abort()
  })
  await button(page, 'Redrive 1').click()
  await page.getByRole('alert').filter({ hasText: 'It may have begun' }).waitFor()
  expect(asked).toBe(1)
  await page.getByRole('link', { name: 'the operations' }).click()
  await page.getByRole('heading', { level: 1, name: 'Operations' }).waitFor()
})

test('an operation that runs is watched, and cancelled', async () => {
  for (let at = 0; at < 12; at++) await makeDead(own.store, `w-${at}`, { topic: 'watched' })
  await using tab = await openPage()
  const { page } = tab
  await go(page, 'dead-letters?topic=watched')
  await button(page, 'Redrive…').click()
  await page.getByLabel('Events a second').fill('1')
  await button(page, 'Redrive 12').click()
  await page.getByText('It is running.').waitFor()
  const progress = page.getByRole('progressbar')
  await eventually(async () => {
    const done = Number(await progress.getAttribute('value'))
    if (done === 0) throw new Error('nothing is done yet')
  }, 20_000)
  await button(page, 'Cancel…').click()
  await button(page, 'Cancel the operation').click()
  await page.getByText('It is cancelled.').waitFor()
  await page.getByRole('link', { name: 'Operations' }).click()
  await page
    .getByRole('row', { name: /watched.*/ })
    .filter({ hasText: 'cancelled' })
    .waitFor()
  expect(tab.faults).toEqual([])
})

test('a letter is discarded with a reason, which then stands beside it', async () => {
  await makeDead(own.store, 'gone', { topic: 'discarded' })
  const id = await own.newest('discarded')
  await using tab = await openPage()
  const { page } = tab
  await go(page, `dead-letters/${id}`)
  await button(page, 'Discard…').click()
  expect(await button(page, 'Discard').isDisabled(), 'nobody discards without a reason').toBe(true)
  await page.getByLabel('Why').fill('a test of ours')
  await button(page, 'Discard').click()
  await page.getByText('a test of ours').waitFor()
  expect(await own.ask(`/dead-letters/${id}`)).toMatchObject({
    settled: { became: 'discarded', reason: 'a test of ours' },
  })
  expect(await button(page, 'Discard…').count(), 'what is settled has no buttons').toBe(0)
})

test('what may be done is offered once the gateway says who one is, without a reload', async () => {
  await using tab = await openPage()
  const { page } = tab
  await page.route('**/session', (route) => route.abort())
  await go(page, 'dead-letters')
  await page.getByRole('heading', { level: 1 }).waitFor()
  expect(await button(page, 'Redrive…').count()).toBe(0)
  await page.unroute('**/session')
  await button(page, 'Redrive…').waitFor()
})

test('a letter is settled by keyboard alone', async () => {
  await makeDead(own.store, 'typed', { topic: 'typed' })
  await using tab = await openPage()
  const { page } = tab
  await go(page, 'dead-letters?topic=typed')
  const id = await own.newest('typed')
  const focusOn = async (name: string) => {
    for (let tabs = 0; tabs < 60; tabs++) {
      await page.keyboard.press('Tab')
      if ((await page.evaluate(() => document.activeElement?.textContent)) === name) return
    }
    throw new Error(`Tab never comes to ${name}`)
  }
  await page.getByRole('link', { name: id }).waitFor()
  await focusOn(id)
  await page.keyboard.press('Enter')
  await button(page, 'Discard…').waitFor()
  await focusOn('Discard…')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.type('by keyboard')
  await page.keyboard.press('Enter')
  await page.getByText('by keyboard').waitFor()
})

test('a conflict shows what differs to the last digit, and is published as another event', async () => {
  await makeConflict(own.store, 'twice', {
    topic: 'conflicts',
    stored: '{"n":9007199254740993,"total":12.50,"same":true}',
    received: '{"n":9007199254740992,"total":12.50,"same":true}',
  })
  const id = await own.newest('conflicts')
  await using tab = await openPage()
  const { page } = tab
  await go(page, `dead-letters/${id}`)
  const diff = page.getByRole('region', { name: 'Payloads, line by line' })
  expect(await diff.locator('del').textContent()).toContain('"n": 9007199254740993,')
  expect(await diff.locator('ins').textContent()).toContain('"n": 9007199254740992,')
  expect(await diff.textContent()).toContain('"total": 12.50')
  await button(page, 'Publish as…').click()
  await page.getByLabel('New event id').fill('twice')
  await button(page, 'Publish').click()
  await page.getByRole('alert').filter({ hasText: 'event_id_taken' }).waitFor()
  await page.getByLabel('New event id').fill('twice-b')
  await button(page, 'Publish').click()
  await page.getByRole('link', { name: 'twice-b' }).click()
  await page.getByText('9007199254740992').waitFor()
})

test('payloads that are equal as JSON are said to be, with keys in another order', async () => {
  await makeConflict(own.store, 'order', {
    topic: 'reordered',
    stored: '{"a":1,"b":2}',
    received: '{"b":2,"a":1}',
  })
  await using tab = await openPage()
  await go(tab.page, `dead-letters/${await own.newest('reordered')}`)
  await tab.page.getByText('Equal as JSON, keys in another order').waitFor()
})

test('a list comes in pages, and its filter is a URL', async () => {
  for (let at = 0; at < 130; at++) await makeDead(own.store, `p-${at}`, { topic: `pages.${at % 2}` })
  await using tab = await openPage()
  const { page } = tab
  await go(page, 'dead-letters')
  await page.getByLabel('Topic or pattern').fill('pages.*')
  await page.getByLabel('Topic or pattern').press('Enter')
  await page.getByText('100 letters so far').waitFor()
  expect(new URL(page.url()).hash).toContain('topic=pages.*')
  await button(page, 'Show more').click()
  await page.getByText('130 letters so far, newest first').waitFor()
  await page.getByLabel('Topic or pattern').fill('pages..')
  await button(page, 'Filter').click()
  await page.getByRole('alert').filter({ hasText: 'invalid_parameters' }).waitFor()
  await page.goBack()
  await page.getByText(/letters.*newest first/).waitFor()
  expect(await page.getByLabel('Topic or pattern').inputValue()).toBe('pages.*')
})
