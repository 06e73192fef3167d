/** Subscriptions, as an operator looks at them. */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { eventsText } from './own-console.ts'
import { type OwnMending, ownMending } from './own-mending.ts'

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

async function send(own: OwnMending, method: string, path: string, body: object): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json' }
  const answer = await fetch(`${own.apiUrl}/subscriptions/${path}`, {
    method,
    headers,
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}: ${await answer.text()}`)
  return answer.status === 204 ? undefined : await answer.json()
}

test('they are listed with how far they are, and one is paused, resumed and sent back', async () => {
  await using own = await ownMending()
  await own.publish(eventsText(12, { topic: 'orders.eu' }))
  await own.settled()
  await send(own, 'PUT', 'mailer', { topics: 'orders.>', from: 'start' })
  await send(own, 'PUT', 'none', { topics: 'payments.>' })
  const { token } = (await send(own, 'POST', 'mailer/pull', { max: 5 })) as { token: string }
  await send(own, 'POST', 'mailer/settle', { items: [{ token, do: 'ack' }] })
  await send(own, 'POST', 'mailer/pull', { max: 2 })
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  await page.goto(own.url)
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Subscriptions' }).click()
  const row = page.getByRole('row').filter({ hasText: 'mailer' })
  await row.waitFor()
  expect(await row.getByRole('cell').allTextContents()).toEqual(
    expect.arrayContaining(['mailer', 'active', 'orders.>', '7', '2']),
  )
  await row.getByRole('link', { name: 'mailer' }).click()
  const figures = page.getByLabel('Its figures')
  await figures.getByText('7 events').waitFor()

  await button(page, 'Pause…').click()
  await button(page, 'Pause').click()
  await page.getByText('mailer is paused').waitFor()
  expect(await own.ask('/subscriptions/mailer')).toMatchObject({ state: 'paused' })
  await button(page, 'Resume…').click()
  await button(page, 'Resume').click()
  await page.getByText('mailer is active again').waitFor()

  await button(page, 'Seek…').click()
  await page.getByLabel('From').fill('nowhere')
  await button(page, 'Try it').click()
  await page.getByRole('alert').filter({ hasText: 'invalid_body' }).waitFor()
  expect(await button(page, 'Seek').count()).toBe(0)
  await page.getByLabel('From').fill('start')
  await button(page, 'Try it').click()
  await page.getByText('7 events would be handed out again').waitFor()
  await page.getByText('2 events with workers, or waiting for a retry, would lose their tokens').waitFor()
  expect(await own.ask('/subscriptions/mailer')).toMatchObject({ lag: 7, outstanding: 2 })
  await button(page, 'Seek').click()
  await page.getByText('mailer goes on from there').waitFor()
  await figures.getByText('12 events').waitFor()
  expect(await own.ask('/subscriptions/mailer')).toMatchObject({ lag: 12, outstanding: 0 })
  await page.goto(`${own.url}#/subscriptions/nothing`)
  await page.getByRole('alert').filter({ hasText: 'unknown_subscription' }).waitFor()
  expect(tab.faults).toEqual([])
})

test('a source that stands behind a dead letter is named, and a redrive of the letter has it go on', async () => {
  await using own = await ownMending()
  await own.publish(eventsText(3, { topic: 'orders.eu', source: '<b>shop</b>' }))
  await own.settled()
  const order = { order: 'source', on_exhausted: 'block', deliveries_max: 1, backoff_s: [] }
  await send(own, 'PUT', 'mailer', { topics: 'orders.>', from: 'start', ...order })
  const { token } = (await send(own, 'POST', 'mailer/pull', {})) as { token: string }
  await send(own, 'POST', 'mailer/settle', { items: [{ token, do: 'term', reason: 'no <i>address</i>' }] })
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  await page.goto(`${own.url}#/subscriptions`)
  await page.getByText('blocked', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'mailer' }).click()
  await page.getByText('Source <b>shop</b> of orders.eu').waitFor()
  await page.getByRole('link', { name: 'its dead letters' }).click()
  await page.getByRole('link', { name: /^d-\d+$/ }).click()
  await page.getByText('no <i>address</i>').waitFor()
  await page.getByText('a worker gave it up').waitFor()
  await button(page, 'Redrive…').click()
  await page.getByText('1 dead letter would be redriven').waitFor()
  await button(page, 'Redrive 1').click()
  await page.getByText('1 dead letter handed out again').waitFor()
  expect(await own.ask('/subscriptions/mailer')).toMatchObject({ dead: 0, blocked: [] })
  expect(tab.faults).toEqual([])
})
