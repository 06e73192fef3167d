/** Whatever an event says, it stays text; what cannot be seen of it, or turns a line around, is spelled out. */
import { expect, test } from 'vitest'
import { visible } from '../src/text/visible.ts'
import { ownBrowser, ownPage } from './own-browser.ts'
import { eventText, ownConsole } from './own-console.ts'

const image = '<img src=x onerror="document.title=1">'
const hostile = [
  image,
  'javascript:alert(1)',
  '__proto__',
  'constructor',
  '\u202eecruos eht',
  '<script>alert(1)</script>',
  '"><svg onload=alert(1)>',
  '../../../keys',
  '.',
  '%2e%2e%2f%',
  '#/publish?topic=x',
  'x'.repeat(256),
]

/** A source has at most 128 characters. */
const sourceOf = (text: string): string => text.slice(0, 128)

/** As wide as a topic may be, with names that objects have anyway. */
const topics = ['__proto__.constructor', 't'.repeat(128)]

const payload = JSON.stringify({
  markup: image,
  script: '<script>document.title=1</script>',
  link: 'javascript:document.title=1',
  rtl: '\u202eabc',
}).replace('{', '{"__proto__":{"polluted":true},"big":9007199254740993,"price":12.50,"double":1,"double":2,')

test('hostile topics, sources, ids and payloads are shown as text on every view, and break no policy', async () => {
  await using own = await ownConsole()
  for (const topic of topics) {
    for (const text of hostile) {
      await own.publish(eventText({ topic, event_id: text, source: sourceOf(text) }, payload))
      await own.publish(eventText({ topic, event_id: text, source: sourceOf(text) }, '{}')) // a conflict
    }
  }
  await own.settled()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser, { permissions: ['clipboard-read', 'clipboard-write'] })
  const { page } = tab
  const open = (path: string) => page.goto(`${own.url}#/${path}`)

  await open('')
  await page.getByText('adds up').waitFor()
  await open('topics')
  await page.getByRole('link', { name: topics[0] ?? '', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: topics[0] ?? '' }).waitFor()
  await page.getByRole('region', { name: 'Conflicts', exact: true }).getByRole('link').first().waitFor()
  for (const text of hostile) {
    await open(`search?${new URLSearchParams({ topic: '>', source: sourceOf(text) })}`)
    const shown = page.getByRole('list').getByText(visible(text), { exact: true })
    await shown.first().waitFor()
    await page.locator('.event-id a').first().click()
    await page.getByRole('heading', { level: 1 }).getByText(visible(text), { exact: true }).waitFor()
    await page.getByRole('region', { name: 'Payload', exact: true }).getByText('12.50').waitFor()
    await page.getByRole('button', { name: 'Copy id' }).click()
    await page.getByRole('tab', { name: 'Text' }).click()
    expect(await page.getByRole('tabpanel').locator('pre').textContent()).toBe(visible(payload))
    await page.getByRole('button', { name: 'Copy the payload' }).click()
    await page.getByText('Copied', { exact: true }).first().waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(payload)
  }
  await open('publish')
  await page.getByLabel('Topic', { exact: true }).fill(image)
  await page.getByLabel('Payload').fill('{"a":')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('is not JSON').waitFor()
  await page.getByLabel('Payload').fill('{}')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('must be 1 to 128 characters').waitFor()
  await open(`${encodeURIComponent(image)}/%ff`)
  await page.getByRole('heading', { name: 'Nothing here' }).waitFor()

  expect(await page.title()).not.toBe('1')
  expect(await page.evaluate(() => 'polluted' in {})).toBe(false)
  expect(tab.faults).toEqual([])
  expect([...tab.origins]).toEqual([new URL(own.url).origin])
})

test('a policy that is broken is noticed, and so is what is logged as an error', async () => {
  await using own = await ownConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  await tab.page.goto(own.url)
  await tab.page.getByRole('heading', { name: 'Overview' }).waitFor()
  const assign = () => {
    try {
      document.body.innerHTML = '<p>markup'
    } catch {
      // Trusted types refuse it.
    }
  }
  await tab.page.evaluate(assign)
  // chromium logs it as well
  await expect.poll(() => tab.faults.filter((fault) => fault.startsWith('violated')).length).toBe(1)
  expect(tab.faults.join()).toContain('violated require-trusted-types-for')
  await tab.page.evaluate(() => console.error('it went wrong'))
  await expect.poll(() => tab.faults).toContain('logged it went wrong')
})

test('numbers are shown as they were sent, to the last digit', async () => {
  await using own = await ownConsole()
  await own.publish(eventText({}, '{ "big": 9007199254740993,\n  "price": 12.50, "tiny": 1e-400 }'))
  await own.settled()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  await tab.page.goto(`${own.url}#/events/orders.eu.paid/order-1`)
  const tree = tab.page.getByRole('region', { name: 'Payload', exact: true })
  for (const number of ['9007199254740993', '12.50', '1e-400']) await tree.getByText(number).first().waitFor()
  await tab.page.getByRole('tab', { name: 'Text' }).click()
  const raw = await tab.page.getByRole('tabpanel').locator('pre').textContent()
  expect(raw).toBe('{ "big": 9007199254740993,\n  "price": 12.50, "tiny": 1e-400 }')
})
