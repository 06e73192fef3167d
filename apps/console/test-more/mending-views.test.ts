/** What holds for each view, with letters, operations and projections that people have to mend. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seriousFindings } from './axe.ts'
import { type OwnPage, ownBrowser, ownPage } from './own-browser.ts'
import { eventText } from './own-console.ts'
import { hostile, makeLetters, type OwnMending, ownMending } from './own-mending.ts'

const stack = new AsyncDisposableStack()
let own: OwnMending
let openPage: (options?: Parameters<typeof ownPage>[1]) => Promise<OwnPage>
let views: readonly string[]
beforeAll(async () => {
  own = stack.use(await ownMending({ withProjector: true }))
  const browser = stack.use(await ownBrowser())
  openPage = (options) => ownPage(browser, options)
  await makeLetters(own.store)
  const body = JSON.stringify({ filter: { topic: 'orders.us.placed' }, dry_run: true })
  const post = (body: string) =>
    fetch(`${own.apiUrl}/dead-letters/redrive`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
    })
  const { as_of, matched } = (await (await post(body)).json()) as { as_of: string; matched: number }
  await post(JSON.stringify({ filter: { topic: 'orders.us.placed' }, as_of, expect: matched, rate: 1 }))
  await own.publish(eventText({ topic: hostile.topic, event_id: 'turned', source: hostile.source }))
  await own.settled()
  const { topic, eventId, source } = hostile
  views = [
    '',
    'topics',
    `topics/${topic}`,
    `topics/${encodeURIComponent(hostile.source)}`,
    'search?topic=%3E',
    `search?${new URLSearchParams({ topic, source })}`,
    `search?${new URLSearchParams({ find: eventId })}`,
    'search?find=order-1',
    `events/${topic}/${encodeURIComponent(eventId)}`,
    `events/${topic}/turned`,
    `events/${topic}/none`,
    'publish',
    'dead-letters?state=all',
    'dead-letters?topic=nothing.here',
    'dead-letters/c-1',
    'dead-letters/c-2',
    'dead-letters/e-1',
    'dead-letters/e-6',
    `dead-letters/${await own.newest(hostile.topic)}`,
    'dead-letters/e-999',
    'operations',
    'operations/1',
    'projections',
    'projections/latest',
    'projections/none',
    'keys',
    'audit',
    'docs',
    'docs?operation=readEvents',
    'docs?operation=nothing',
  ]
})
afterAll(() => stack.disposeAsync())

/** Goes to a view, and waits until it shows what it asked for. */
async function show(page: Page, view: string): Promise<void> {
  await page.goto(`${own.url}#/${view}`)
  await page.locator('main .card, main table, main .empty, main .banner, main .prose').first().waitFor()
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no view has a serious fault for whoever cannot see it well, ${colorScheme}`, async () => {
    await using tab = await openPage({ colorScheme })
    for (const view of views) {
      await show(tab.page, view)
      expect(await seriousFindings(tab.page), view).toEqual([])
    }
  }, 120_000)
}

test('every dialog is named, is left with Escape, and gives the focus back', async () => {
  await using tab = await openPage()
  const { page } = tab
  for (const [view, name, title] of [
    ['dead-letters', 'Redrive…', 'Redrive dead letters'],
    ['dead-letters/c-1', 'Discard…', 'Discard c-1'],
    ['dead-letters/c-1', 'Publish as…', 'Publish c-1 as another event'],
    ['projections/latest', 'Rebuild…', 'Rebuild latest'],
    ['projections/latest', 'Drop…', 'Drop latest'],
  ] as const) {
    await show(page, view)
    const button = page.getByRole('button', { name, exact: true })
    await button.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: title }).waitFor()
    expect(await seriousFindings(page), title).toEqual([])
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    expect(await button.evaluate((element) => element === document.activeElement), title).toBe(true)
  }
})

test('no view is wider than a screen of 360 px', async () => {
  await using tab = await openPage({ viewport: { width: 360, height: 760 } })
  for (const view of views) {
    await show(tab.page, view)
    expect(await tab.page.evaluate(() => document.documentElement.scrollWidth), view).toBeLessThanOrEqual(360)
  }
})

test('every button of every view is used, with hostile texts, and breaks no policy', async () => {
  await using tab = await openPage()
  const { page } = tab
  for (const view of views) {
    await show(page, view)
    const count = await page.locator('main button').count()
    for (let at = 0; at < count; at++) {
      const button = page.locator('main button').nth(at)
      if ((await button.count()) === 0 || !(await button.isEnabled())) continue
      const opensDialog = (await button.textContent())?.endsWith('…')
      await button.click()
      if (!opensDialog) continue
      await page.locator('dialog[open] button').first().click()
      await page.locator('dialog[open]').waitFor({ state: 'detached' })
    }
    expect(await page.title(), view).not.toBe('broken')
  }
  expect(tab.faults).toEqual([])
  expect([...tab.origins]).toEqual([new URL(own.url).origin])
}, 120_000)

test('what turns a line around, or cannot be seen, is spelled out on every view', async () => {
  await using tab = await openPage()
  const { page } = tab
  for (const view of views) {
    await show(page, view)
    // What is opened has texts as well
    for (const closed of await page.locator('main details:not([open]) > summary').all()) await closed.click()
    const text = await page.evaluate(() => `${document.title} ${document.body.textContent}`)
    const attributes = await page.evaluate(() =>
      [...document.querySelectorAll('[aria-label], [title], [placeholder]')].map((element) =>
        ['aria-label', 'title', 'placeholder'].map((name) => element.getAttribute(name) ?? '').join(' '),
      ),
    )
    expect(text, view).not.toMatch(/[\p{Cf}\u2028\u2029]/u)
    expect(attributes.join(' '), view).not.toMatch(/[\p{Cf}\u2028\u2029]/u)
  }
  await show(page, `dead-letters/${await own.newest(hostile.topic)}`)
  expect(await page.locator('main').textContent()).toContain('"document.title=\'broken\'">\\u202eexe.txt')
})
