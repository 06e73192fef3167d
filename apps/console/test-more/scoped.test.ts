/** What a key of some topics, or of some scopes, is shown: all that it may see, and no request that is refused. */
import { eventually } from '@sekali/testkit/eventually'
import { makeDead } from '@sekali/testkit/letters'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OwnPage, ownBrowser, ownPage } from './own-browser.ts'
import { eventText } from './own-console.ts'
import { type OwnKeyed, ownKeyed } from './own-keyed.ts'

const stack = new AsyncDisposableStack()
let own: OwnKeyed
let openPage: () => Promise<OwnPage>
beforeAll(async () => {
  own = stack.use(await ownKeyed())
  const browser = stack.use(await ownBrowser())
  openPage = () => ownPage(browser)
  const topics = ['orders.eu.paid', 'orders.us.paid', 'users', 'secrets']
  await own.ask('/publish', `[${topics.map((topic) => eventText({ topic, event_id: `in-${topic}` }))}]`)
  await eventually(async () => {
    const { totals } = (await (await own.ask('/stats')).json()) as { totals: { stored: number } }
    expect(totals.stored).toBe(topics.length)
  }, 30_000)
})
afterAll(() => stack.disposeAsync())

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()

/** The requests of a page that are refused, each as it is told. */
function refusedOf(page: Page): string[] {
  const refused: string[] = []
  page.on('response', (response) => {
    if (response.status() === 403)
      refused.push(new URL(response.url()).pathname + new URL(response.url()).search)
  })
  return refused
}

test('a key of some topics is shown these on every view, and asks for no others', async () => {
  await using tab = await openPage()
  const { page } = tab
  const refused = refusedOf(page)
  await own.logIn(page, await own.make(['read'], ['orders.>', 'users']))
  await page.getByText("The doctor's findings need a key with the scope admin for all topics").waitFor()
  await page.getByText('for keys of all topics').waitFor()
  await page.goto(`${own.url}#/topics`)
  await page.getByRole('link', { name: 'orders.us.paid' }).waitFor()
  await page.getByRole('link', { name: 'users' }).waitFor()
  await page.goto(`${own.url}#/search`)
  await page.getByRole('link', { name: 'in-orders.us.paid' }).waitFor()
  expect(await page.getByLabel('Topic or pattern').inputValue()).toBe('orders.>')
  await page.getByRole('link', { name: 'users', exact: true }).click()
  await page.getByRole('link', { name: 'in-users' }).waitFor()
  for (const id of ['in-users', 'in-orders.eu.paid']) {
    await page.getByRole('searchbox', { name: /Find/ }).fill(id)
    await page.keyboard.press('Enter')
    await heading(page, id)
    await page.getByRole('button', { name: 'Copy id' }).waitFor()
  }
  await page.getByRole('searchbox', { name: /Find/ }).fill('in-secrets')
  await page.keyboard.press('Enter')
  await page.getByText('There is neither a topic nor an event of this name').waitFor()
  // Whether a word is a topic's name is asked for first, and is not this key's to know.
  expect(refused.filter((path) => !path.includes('stats?topic=in-'))).toEqual([])
  expect(tab.faults).toEqual([])
})

test('an administrator of some topics learns what the doctor needs, and leaves no trace of a page left open', async () => {
  await using tab = await openPage()
  const { page } = tab
  const refused = refusedOf(page)
  await own.logIn(page, await own.make(['read', 'admin'], ['orders.>']))
  await page.getByText("The doctor's findings need a key for all topics").waitFor()
  const navigation = page.getByRole('navigation', { name: 'Views' })
  await navigation.getByRole('link', { name: 'Keys' }).waitFor()
  expect(await navigation.getByRole('link', { name: 'Audit log' }).count()).toBe(0)
  await makeDead(own.store, 'order-1', { topic: 'orders.us' })
  await page.goto(`${own.url}#/dead-letters`)
  await page.getByRole('button', { name: 'Redrive…' }).click()
  await page.getByText('1 dead letter would be redriven').waitFor()
  expect(refused).toEqual([])
  const entries = (await (await own.ask('/audit')).json()) as { action: string }[]
  expect(entries.filter(({ action }) => action === 'denied')).toEqual([])
})

test('a key that may only publish is offered no view that it may not read', async () => {
  await using tab = await openPage()
  const { page } = tab
  const refused = refusedOf(page)
  await own.logIn(page, await own.make(['publish'], ['orders.>']))
  await page.getByText('This view needs a key with the scope read.').waitFor()
  const links = page.getByRole('navigation', { name: 'Views' }).getByRole('link')
  expect(await links.allTextContents()).toEqual(['Publish', 'API'])
  expect(refused).toEqual([])
})

test('what was pasted with a character that no key has is no whole key, and no outage', async () => {
  await using tab = await openPage()
  const { page } = tab
  await page.goto(own.url)
  for (const text of ['sekali_abc…', '“sekali_abc”', 'sekali_abc\u200bdef', 'sekali_a b']) {
    await page.getByLabel('Key', { exact: true }).fill(text)
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'This is not a whole key' }).waitFor()
    expect(await page.getByText('cannot be reached').count()).toBe(0)
  }
})

test('an id that is none is a URL that no view has, and leads to no other path', async () => {
  await using tab = await openPage()
  const { page } = tab
  await own.logIn(page, await own.make(['read', 'admin'], ['>']))
  const asked: string[] = []
  page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  for (const view of [
    'keys/..',
    'operations/..',
    'dead-letters/..%2F..',
    'projections/.',
    'topics/..',
    'keys/a%2Fb',
  ]) {
    await page.goto(`${own.url}#/${view}`)
    await heading(page, 'Nothing here')
  }
  await page.goto(`${own.url}#/events/orders.eu.paid/..`)
  await page.getByText('There is no such event').waitFor()
  expect(await page.getByText('SyntaxError').count()).toBe(0)
  expect(asked.filter((path) => path === '/sekali/')).toEqual([])
})

test('a page whose script is not there says what to do', async () => {
  await using tab = await openPage()
  await tab.page.route(/assets\/console.*\.js$/, (route) => route.fulfill({ status: 404, body: '' }))
  await tab.page.goto(own.url)
  await tab.page.getByText('Load this page again').waitFor()
  await tab.page.unroute(/assets\/console.*\.js$/)
  await tab.page.reload()
  await heading(tab.page, 'Log in')
  expect(await tab.page.getByText('Load this page again').count()).toBe(0)
})
