/** The list of events: history and what comes live. */
import { readFile } from 'node:fs/promises'
import { connectStore } from '@sekali/store/connect'
import { beginEpoch, putBack } from '@sekali/testkit/fork-log'
import { quiet } from '@sekali/testkit/quiet'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { eventsText, eventText, ownConsole } from './own-console.ts'

const list = (page: Page) => page.getByRole('region', { name: 'Events, newest first' })
const firstSeq = (page: Page) => list(page).locator('li .event-seq').first().textContent()

/** A page before a log that has these bodies' events. */
async function ownLog(bodies: readonly string[], options: Parameters<typeof ownConsole>[0] = {}) {
  await using stack = new AsyncDisposableStack()
  const own = stack.use(await ownConsole(options))
  for (const body of bodies) await own.publish(body)
  await own.settled()
  const browser = stack.use(await ownBrowser())
  const tab = stack.use(await ownPage(browser))
  const owned = stack.move()
  return { own, tab, page: tab.page, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

test('what is published comes live, on top of what was there', async () => {
  await using log = await ownLog([eventsText(3)])
  const { own, page } = log
  await page.goto(`${own.url}#/search?topic=orders.%3E`)
  await expect.poll(() => firstSeq(page)).toBe('3')
  await own.publish(eventText({ event_id: 'live' }))
  await expect.poll(() => firstSeq(page)).toBe('4')
  expect(await list(page).getByRole('listitem').count()).toBe(4)
})

test('nothing moves under a reader: what comes is counted, and shown when it is wanted', async () => {
  await using log = await ownLog([eventsText(80)])
  const { own, page } = log
  await page.goto(`${own.url}#/search?topic=orders.%3E`)
  await page.getByText('live', { exact: true }).waitFor()
  await expect.poll(() => firstSeq(page)).toBe('80')
  await list(page).evaluate((element) => element.scrollTo(0, 340))
  const seqs = () => list(page).locator('li .event-seq').allInnerTexts()
  const before = await seqs()
  await own.publish(eventsText(7, {}, 'late'))
  await page.getByRole('button', { name: '7 new' }).waitFor()
  expect(await list(page).evaluate((element) => element.scrollTop)).toBe(340)
  expect(await seqs()).toEqual(before)
  await page.getByRole('button', { name: '7 new' }).click()
  await expect.poll(() => firstSeq(page)).toBe('87')
  await page.getByRole('button', { name: '7 new' }).waitFor({ state: 'hidden' })
})

test('at most 1,000 events are kept, and only those that can be seen are drawn', async () => {
  await using log = await ownLog([eventsText(1)])
  const { own, page, tab } = log
  await page.goto(`${own.url}#/search?topic=orders.%3E`)
  await page.getByText('live', { exact: true }).waitFor()
  await expect.poll(() => firstSeq(page)).toBe('1')
  for (let part = 0; part < 5; part++) await own.publish(eventsText(2_000, {}, `part-${part}`))
  await own.settled()
  await expect.poll(() => firstSeq(page), { timeout: 30_000 }).toBe('10,001')
  const rows = list(page).getByRole('listitem')
  expect(await rows.count()).toBeLessThan(100)
  expect(Number(await rows.first().getAttribute('aria-setsize'))).toBe(1_000)
  expect(tab.faults).toEqual([])
})

test('while nobody sees the page it asks for nothing and follows nothing; then it shows what came', async () => {
  await using log = await ownLog([eventText()])
  const { own, page } = log
  await page.clock.install()
  await page.goto(`${own.url}#/search?topic=orders.%3E`)
  await expect.poll(() => firstSeq(page)).toBe('1')
  const show = (state: 'hidden' | 'visible') =>
    page.evaluate((state) => {
      Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    }, state)
  const tail = page.waitForEvent('requestfailed', (request) => request.url().includes('/tail'))
  await show('hidden')
  await tail
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await own.publish(eventText({ event_id: 'unseen' }))
  await own.settled()
  await page.clock.fastForward('01:00')
  expect(asked).toEqual([])
  await show('visible')
  await expect.poll(() => firstSeq(page)).toBe('2')
})

test.each([
  ['before anything has come live', false],
  ['after something has come live', true],
])('a list that follows a log which is restored %s begins anew, and says so', async (_, hasCome) => {
  await using log = await ownLog([eventsText(5)])
  const { own, page } = log
  await using store = connectStore({ url: own.env.DATABASE_URL ?? '', poolMax: 1, name: 'test' }, quiet)
  await page.goto(`${own.url}#/topics/orders.eu.paid`)
  await page.getByText('live', { exact: true }).waitFor()
  await expect.poll(() => firstSeq(page)).toBe('5')
  if (hasCome) await own.publish(eventText({ event_id: 'live' }))
  await expect.poll(() => firstSeq(page)).toBe(hasCome ? '6' : '5')
  await putBack(store, 'orders.eu.paid', 3)
  await beginEpoch(store, 'orders.eu.paid')
  await page.getByText('The log was restored from a backup').waitFor()
  await page.getByText(hasCome ? 'goes on after seq 3, in epoch 2' : 'in epoch 2').waitFor()
  await expect.poll(() => firstSeq(page)).toBe('3')
  await own.publish(eventText({ event_id: 'after-the-restore' }))
  await expect.poll(() => firstSeq(page)).toBe('4')
  await page.getByText('after-the-restore').waitFor()
  await page.getByLabel('At a glance').getByText('Epoch').waitFor()
})

test('a search is exported as NDJSON, payloads as they were sent', async () => {
  await using log = await ownLog([
    eventText({}, '{"big":9007199254740993,"price":12.50}'),
    eventText({ event_id: 'order-2', source: 'other' }),
  ])
  const { own, page, tab } = log
  await page.goto(`${own.url}#/search?topic=orders.%3E&source=shop-1`)
  await expect.poll(() => firstSeq(page)).toBe('1')
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export NDJSON' }).click(),
  ])
  const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('"payload":{"big":9007199254740993,"price":12.50}')
  expect(tab.faults).toEqual([])
})

test('a tail that is refused says why beside its switch, and is not asked for again and again', async () => {
  const topics = Array.from({ length: 501 }, (_, at) => eventText({ topic: `many.t${at}` }))
  await using log = await ownLog([`[${topics.join()}]`], { env: { NEW_TOPICS_BURST: '1000' } })
  const { own, page } = log
  await page.clock.install()
  await page.goto(`${own.url}#/search`)
  await page.getByRole('status').getByText('Following needs a pattern of at most 500 topics').waitFor()
  // What is there can be read all the same: nothing is amiss.
  await list(page).getByRole('link', { name: /^many/ }).first().waitFor()
  expect(await page.getByRole('alert').count()).toBe(0)
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.clock.fastForward('01:00')
  expect(asked.filter((url) => url.includes('/tail'))).toEqual([])
})

test('a page has one stream, however many views that follow the log were visited', async () => {
  await using log = await ownLog([eventText()])
  const { own, page } = log
  const open = new Set<unknown>()
  page.on('request', (request) => request.url().includes('/tail') && open.add(request))
  page.on('requestfailed', (request) => open.delete(request))
  page.on('requestfinished', (request) => open.delete(request))
  for (const view of ['search?topic=orders.%3E', 'topics/orders.eu.paid', 'search']) {
    await page.goto(`${own.url}#/${view}`)
    await page.getByText('live', { exact: true }).waitFor()
    await expect.poll(() => firstSeq(page)).toBe('1')
    await expect.poll(() => open.size, { message: view }).toBe(1)
  }
  await page.goto(`${own.url}#/topics`)
  await expect.poll(() => open.size).toBe(0)
})

test('where events could not be read nobody is told that there are none', async () => {
  await using log = await ownLog([eventText()])
  const { own, page } = log
  const isRead = () => page.getByText('Reading …').waitFor({ state: 'hidden' })
  await page.goto(`${own.url}#/search?topic=!`)
  await expect.poll(() => page.getByLabel('Topic or pattern').getAttribute('aria-invalid')).toBe('true')
  await isRead()
  expect(await page.getByText('No event matches').count()).toBe(0)
  await page.route(/\/events\?/, (route) =>
    route.fulfill({ status: 503, body: '{"code":"store_unavailable"}' }),
  )
  await page.goto(`${own.url}#/topics/orders.eu.paid`)
  await page.getByText('Events could not be read').waitFor()
  await isRead()
  expect(await page.getByText('It has no event yet').count()).toBe(0)
  expect(await page.getByText('Nobody yet').count()).toBe(0)
  await page.goto(`${own.url}#/events/orders.eu.paid/order-1`)
  await page.getByText('They could not be read').waitFor()
})

test('nothing is missing, and nothing twice, where history and what comes live meet', async () => {
  await using log = await ownLog([eventsText(200)])
  const { own, page } = log
  await page.route(/\/events\?/, async (route) => {
    // The page of events is slow: what comes meanwhile comes by the tail.
    const response = await route.fetch()
    await own.publish(eventsText(5, {}, 'late'))
    await expect.poll(() => firstSeq(page)).toBe('205')
    await route.fulfill({ response })
  })
  await page.goto(`${own.url}#/search?topic=orders.%3E`)
  const first = list(page).getByRole('listitem').first()
  await expect.poll(() => first.getAttribute('aria-setsize')).toBe('105')
  expect(await firstSeq(page)).toBe('205')
  await list(page).evaluate((element) => element.scrollTo(0, element.scrollHeight))
  await expect.poll(() => list(page).locator('li .event-seq').last().textContent()).toBe('101')
})
