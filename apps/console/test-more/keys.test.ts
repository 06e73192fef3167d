/** A login, keys and the audit log, where the gateway asks for keys. */
import { connectStore } from '@sekali/store/connect'
import { createFirstKey } from '@sekali/store/first-key'
import { quiet } from '@sekali/testkit/quiet'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seriousFindings } from './axe.ts'
import { type OwnPage, ownBrowser, ownPage } from './own-browser.ts'
import { eventText, type OwnConsole, ownConsole } from './own-console.ts'

const stack = new AsyncDisposableStack()
let own: OwnConsole
let first: string
let openPage: (options?: Parameters<typeof ownPage>[1]) => Promise<OwnPage>
beforeAll(async () => {
  own = stack.use(await ownConsole({ env: { SEKALI_AUTH: 'keys' } }))
  await using store = connectStore({ url: own.env.DATABASE_URL ?? '', poolMax: 1, name: 'test' }, quiet)
  const made = await createFirstKey(store, { replace: false, actor: 'test' })
  if (typeof made === 'string') throw new Error(made)
  first = made.text
  const browser = stack.use(await ownBrowser())
  openPage = (options) => ownPage(browser, options)
})
afterAll(() => stack.disposeAsync())

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()

/** Resolves with the status that the API answers to a key. */
const statusOf = async (key: string, path = '/keys') =>
  (await fetch(own.gateway.url + path, { headers: { Authorization: `Bearer ${key}` } })).status

async function make(fields: object): Promise<string> {
  const headers = { Authorization: `Bearer ${first}`, 'Content-Type': 'application/json' }
  const answer = await fetch(`${own.gateway.url}/keys`, {
    method: 'POST',
    headers,
    body: JSON.stringify(fields),
  })
  return ((await answer.json()) as { key: string }).key
}

async function logIn(page: Page, key: string, view = ''): Promise<void> {
  await page.goto(`${own.url}#/${view}`)
  await heading(page, 'Log in')
  await page.getByLabel('Key', { exact: true }).fill(key)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Log in' }).waitFor({ state: 'detached' })
}

test('a key opens the view that was asked for, by a cookie that no script reads, until the log-out', async () => {
  await using tab = await openPage()
  const { page } = tab
  await page.goto(`${own.url}#/keys`)
  await heading(page, 'Log in')
  expect(await seriousFindings(page)).toEqual([])
  await page.getByLabel('Key', { exact: true }).fill(`${first.slice(0, -1)}!`)
  await button(page, 'Log in').click()
  await page.getByRole('alert').filter({ hasText: 'This key does not open it' }).waitFor()
  await page.getByLabel('Key', { exact: true }).fill(first)
  await button(page, 'Log in').click()
  await heading(page, 'Keys')
  const [cookie, ...others] = await page.context().cookies()
  expect(others).toEqual([])
  expect(cookie).toMatchObject({ name: 'sekali_session', httpOnly: true, sameSite: 'Strict' })
  expect(await page.evaluate(() => document.cookie)).toBe('')
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))
  expect(kept).not.toContain(first.slice(8, 20))
  expect(await page.content()).not.toContain(first)
  await page.reload()
  await heading(page, 'Keys')
  await button(page, 'Log out').click()
  await heading(page, 'Log in')
  expect(await page.context().cookies()).toEqual([])
  await page.reload()
  await heading(page, 'Log in')
  expect(tab.faults).toEqual([])
})

test('a key is made, shown once, copied, rotated and revoked, and the audit log has it', async () => {
  await using tab = await openPage({ permissions: ['clipboard-read', 'clipboard-write'] })
  const { page } = tab
  await logIn(page, first, 'keys')
  await page.getByRole('link', { name: 'Make a key' }).click()
  await page.getByLabel('Name').fill('shop <img src=x onerror=alert(1)>')
  await page.getByLabel('Topics and patterns').fill('orders.>\norders..bad')
  await button(page, 'Make the key').click()
  const field = page.getByLabel('Topics and patterns')
  await page.getByRole('alert').filter({ hasText: 'No key is made' }).waitFor()
  expect(await field.getAttribute('aria-invalid')).toBe('true')
  await field.fill('orders.>')
  await page.getByLabel('publish', { exact: true }).check()
  await page.getByLabel('Events a second').fill('500')
  await button(page, 'Make the key').click()
  await heading(page, 'The key is made')
  expect(await seriousFindings(page)).toEqual([])
  await button(page, 'Copy the key').click()
  await page.getByText('Copied', { exact: true }).first().waitFor()
  const key = await page.evaluate(() => navigator.clipboard.readText())
  expect(await statusOf(key, '/dead-letters?topic=orders.eu')).toBe(200)
  await page.getByRole('link', { name: 'I have it' }).click()
  await heading(page, 'shop <img src=x onerror=alert(1)>')
  expect(await page.content(), 'it is shown once').not.toContain(key)

  await button(page, 'Rotate…').click()
  await page.getByLabel('The old key still works').selectOption('for an hour')
  await button(page, 'Make the new key').click()
  const text = page.locator('.key-text')
  await text.waitFor()
  const next = (await text.textContent()) ?? ''
  expect([await statusOf(key, '/session'), await statusOf(next, '/session')]).toEqual([200, 200])
  await page.getByRole('link', { name: 'I have it' }).click()
  await button(page, 'Revoke…').click()
  await button(page, 'Revoke').click()
  await page.getByText('revoked', { exact: true }).first().waitFor()
  expect(await statusOf(next, '/session')).toBe(401)

  await page.goto(`${own.url}#/audit`)
  await page.getByRole('row').filter({ hasText: 'key revoked' }).waitFor()
  await page.getByRole('row').filter({ hasText: 'key rotated' }).waitFor()
  expect(tab.faults).toEqual([])
})

/** What a page offers: its links within the console, and the buttons of its view. */
const offered = (page: Page) =>
  page.evaluate(() => ({
    links: [...document.querySelectorAll('a')].map(({ hash }) => hash.split(/[/?]/)[1] ?? ''),
    buttons: [...document.querySelectorAll('main button:not(.sort)')].map(({ textContent }) => textContent),
  }))

/** What a reader's views have: to find, to follow, to show in another way, to take along. */
const readersButtons =
  /^(Search|Find|Filter|All keys|Pause|Go live|Export NDJSON|Show .*|\d+ new|Copy.*|Tree|Text)$/

test('a key that may only read is offered nothing else, and told why', async () => {
  const key = await make({ name: 'reader', scopes: ['read'], topics: ['orders.>'] })
  const headers = { Authorization: `Bearer ${first}`, 'Content-Type': 'application/json' }
  const publish = (body: string) => fetch(`${own.gateway.url}/publish`, { method: 'POST', headers, body })
  await publish(eventText({ topic: 'orders.eu' }))
  await publish(eventText({ topic: 'orders.eu' }, '{"total":13}'))
  await using tab = await openPage()
  const { page } = tab
  await logIn(page, key, 'projections')
  await heading(page, 'Projections')
  const navigation = page.getByRole('navigation', { name: 'Views' })
  await navigation.getByRole('link', { name: 'Dead letters' }).waitFor()
  for (const name of ['Keys', 'Audit log', 'Operations', 'Publish']) {
    expect(await navigation.getByRole('link', { name }).count(), name).toBe(0)
  }
  for (const [view, heading] of [
    ['', 'Overview'],
    ['topics', 'Topics'],
    ['topics/orders.eu', 'orders.eu'],
    ['topics/none', 'none'],
    ['search?topic=orders.eu', 'Search and tail'],
    ['events/orders.eu/order-1', 'order-1'],
    ['projections', 'Projections'],
    ['dead-letters', 'Dead letters and conflicts'],
    ['dead-letters/c-1', 'Conflict c-1'],
  ] as const) {
    await page.goto(`${own.url}#/${view}`)
    await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor()
    await page.locator('main :is(.card, table, .empty, .banner)').first().waitFor()
    const { links, buttons } = await offered(page)
    for (const place of ['publish', 'operations', 'keys', 'audit']) expect(links, view).not.toContain(place)
    expect(
      buttons.filter((words) => !readersButtons.test(words)),
      view,
    ).toEqual([])
  }
  for (const [view, words] of [
    ['keys', 'This view needs a key with the scope admin.'],
    ['publish', 'This view needs a key with the scope publish.'],
    ['operations', 'This view needs a key with the scope admin.'],
    ['dead-letters?topic=orders.eu', 'Redriving needs a key with the scope admin.'],
  ] as const) {
    await page.goto(`${own.url}#/${view}`)
    await page.getByText(words).waitFor()
  }
  expect(tab.faults).toEqual([])
})

test('a revoked key ends its session, and the login comes by itself', async () => {
  const key = await make({ name: 'soon gone', scopes: ['read', 'admin'], topics: ['>'] })
  await using tab = await openPage()
  await logIn(tab.page, key, 'projections')
  await heading(tab.page, 'Projections')
  const headers = { Authorization: `Bearer ${first}` }
  await fetch(`${own.gateway.url}/keys/${key.split('_')[1]}`, { method: 'DELETE', headers })
  await heading(tab.page, 'Log in')
  expect(await button(tab.page, 'Log out').count()).toBe(0)
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no view of keys has a serious fault, or is wider than its screen, ${colorScheme}`, async () => {
    await using tab = await openPage({ colorScheme })
    const { page } = tab
    await page.goto(`${own.url}#/keys`)
    await heading(page, 'Log in')
    expect(await seriousFindings(page), 'login').toEqual([])
    await logIn(page, first, 'keys')
    const { id } = { id: first.split('_')[1] }
    for (const view of [
      'keys',
      'keys/new',
      `keys/${id}`,
      'keys/000000000000',
      'audit',
      'docs?operation=createKey',
    ]) {
      await page.setViewportSize({ width: 1_280, height: 800 })
      await page.goto(`${own.url}#/${view}`)
      await page.locator('main .card, main table, main .banner').first().waitFor()
      expect(await seriousFindings(page), view).toEqual([])
      for (const width of [360, 1_440]) {
        await page.setViewportSize({ width, height: 760 })
        const shown = await page.evaluate(() => document.documentElement.scrollWidth)
        expect(shown, view).toBeLessThanOrEqual(width)
      }
    }
    await page.getByText('$SEKALI_TOKEN').waitFor()
  })
}
