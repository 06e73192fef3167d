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
  const put = { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '{"topics":">"}' }
  await fetch(`${own.apiUrl}/subscriptions/mailer`, put)
  await own.publish(eventText({ topic: hostile.topic, event_id: 'turned', source: hostile.source }))
  await own.publish(eventText({ topic: 'orders.other' }))
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
    'search?find=nothing-of-this-name',
    'search?topic=!',
    `events/${topic}/${encodeURIComponent(eventId)}`,
    `events/${topic}/turned`,
    `events/${topic}/none`,
    'publish',
    'dead-letters',
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
    'subscriptions',
    'subscriptions/mailer',
    'subscriptions/none',
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
  // What may be done with the letters is known once they have come
  if (/^dead-letters(\?|$)/.test(view)) await page.locator('main table, main .empty').first().waitFor()
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
    ['subscriptions/mailer', 'Seek…', 'Seek mailer'],
    ['subscriptions/mailer', 'Pause…', 'Pause mailer'],
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

for (const width of [360, 1_440]) {
  test(`no view is wider than a screen of ${width} px`, async () => {
    await using tab = await openPage({ viewport: { width, height: 760 } })
    for (const view of views) {
      await show(tab.page, view)
      const shown = await tab.page.evaluate(() => document.documentElement.scrollWidth)
      expect(shown, view).toBeLessThanOrEqual(width)
    }
  })
}

/** Uses one button of a dialog, with hostile texts in its fields; false if it has none at that place, or does not open. */
async function useInDialog(page: Page, name: string, at: number): Promise<boolean> {
  const opener = page.getByRole('main').getByRole('button', { name, exact: true }).first()
  if ((await opener.count()) === 0) return false
  await opener.click()
  const dialog = page.locator('dialog[open]')
  await dialog.waitFor()
  const isIdle = () => dialog.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
  await isIdle()
  for (const field of await dialog.locator('input:not([type=number])').all())
    await field.fill(hostile.eventId)
  const button = dialog.getByRole('button').nth(at)
  const isThere = (await button.count()) > 0
  if (isThere && (await button.isEnabled())) {
    await button.click()
    await isIdle()
  }
  // What is refused is said in the dialog, which then stays
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  return isThere
}

test('every button of every view and of its dialogs is used, with hostile texts, and breaks no policy', async () => {
  await using tab = await openPage()
  const { page } = tab
  const dialogs: { readonly view: string; readonly name: string }[] = []
  for (const view of views) {
    await show(page, view)
    const count = await page.locator('main button').count()
    for (let at = 0; at < count; at++) {
      const button = page.locator('main button').nth(at)
      if (!(await button.isVisible()) || !(await button.isEnabled())) continue
      const name = (await button.textContent()) ?? ''
      if (name.endsWith('…')) dialogs.push({ view, name })
      else await button.click()
    }
    expect(await page.title(), view).not.toBe('broken')
  }
  // Last, as they change what there is to be seen
  for (const { view, name } of dialogs) {
    for (let at = 0; ; at++) {
      await show(page, view)
      await page.reload()
      await show(page, view)
      if (!(await useInDialog(page, name, at))) break
    }
    expect(await page.title(), view).not.toBe('broken')
  }
  const names = new Set(dialogs.map(({ name }) => name))
  for (const name of ['Redrive…', 'Discard…', 'Publish as…', 'Rebuild…', 'Drop…'])
    expect(names).toContain(name)
  expect(tab.faults).toEqual([])
  expect([...tab.origins]).toEqual([new URL(own.url).origin])
}, 240_000)

/** Opens what is closed, which may have more of it inside; returns how many there were. */
const openAll = () => {
  const closed = [...document.querySelectorAll<HTMLDetailsElement>('main details:not([open])')]
  for (const details of closed) details.open = true
  return closed.length
}

test('what turns a line around, or cannot be seen, is spelled out on every view', async () => {
  await using tab = await openPage()
  const { page } = tab
  for (const view of views) {
    await show(page, view)
    // What is opened has texts as well
    await expect.poll(() => page.evaluate(openAll)).toBe(0)
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
