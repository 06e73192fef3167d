/** Webhooks, as an operator looks at them, with a dispatcher and a receiver that are real. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { eventsText, ownConsole } from './own-console.ts'

const webhooks = { WEBHOOK_KEY: '5a'.repeat(32), WEBHOOK_ALLOW: '127.0.0.0/8' }

/** What it answers can be changed; `<b>` must stay text. */
async function ownReceiver() {
  const now = { status: 500, asked: 0 }
  const server = createServer((request, response) => {
    now.asked += 1
    request.resume()
    response.writeHead(now.status, { 'x-shop': '<i>eu</i>' }).end('<b>busy</b>')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    now,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

test('an endpoint that fails is looked into, tested, retried, and given another secret; nothing of its answers runs', async () => {
  await using own = await ownConsole({ env: webhooks })
  await using receiver = await ownReceiver()
  await using _dispatcher = startApp('dispatcher/src/main.ts', own.env)
  const api = `${own.gateway.url}/subscriptions`
  const headers = { 'Content-Type': 'application/json' }
  const hook = { kind: 'push', topics: 'orders.>', from: 'start', url: receiver.url, retry_s: [3_600] }
  const put = await fetch(`${api}/shop`, { method: 'PUT', headers, body: JSON.stringify(hook) })
  expect(put.status).toBe(201)
  const show = async () => (await (await fetch(`${api}/shop`)).json()) as Record<string, unknown>
  await own.publish(eventsText(2, { topic: 'orders.eu' }))
  await own.settled()
  await eventually(async () => expect(await show()).toMatchObject({ retrying: 2, failures: 2 }), 20_000)

  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  await page.goto(`${own.url}#/subscriptions`)
  const row = page.getByRole('row').filter({ hasText: 'shop' })
  await row.waitFor()
  expect(await row.getByRole('cell').allTextContents()).toEqual(
    expect.arrayContaining(['shop', receiver.url, '0 %', 'orders.>']),
  )
  await row.getByRole('link', { name: 'shop' }).click()
  await page.getByText('500').first().waitFor()
  await page
    .getByRole('button', { name: /^Look at attempt/ })
    .first()
    .click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('<b>busy</b>').waitFor()
  await dialog.getByText('x-shop: <i>eu</i>').waitFor()
  await dialog.getByText(/webhook-id: evt_[\w-]{27}/).waitFor()

  receiver.now.status = 204
  await dialog.getByRole('button', { name: 'Send it again' }).click()
  await page.getByText('It is sent again').waitFor()
  await eventually(async () => expect(await show()).toMatchObject({ retrying: 1 }), 30_000)

  await button(page, 'Test…').click()
  await button(page, 'Send a sample').click()
  await dialog.getByRole('status').getByText('delivered').waitFor()
  await button(page, 'Close').click()

  await button(page, 'Rotate secret…').click()
  await button(page, 'Make a secret').click()
  const secret = await page.locator('code.key-text').textContent()
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  await button(page, 'I have it').click()
  expect(await page.content()).not.toContain(secret)
  const old = page.getByRole('button', { name: /^Delete secret/ }).last()
  await old.click()
  await button(page, 'Delete').click()
  await page.getByText('The secret is deleted').waitFor()
  expect((await show()).secrets).toHaveLength(1)

  await button(page, 'Pause…').click()
  await button(page, 'Pause').click()
  await page.getByText('shop is paused').waitFor()
  expect(await show()).toMatchObject({ state: 'paused' })
  await button(page, 'Resume…').click()
  await button(page, 'Resume').click()
  await page.getByText('shop is active again').waitFor()

  receiver.now.status = 410
  await own.publish(eventsText(1, { topic: 'orders.eu' }, 'gone'))
  await page.getByText('Nothing is sent', { exact: true }).waitFor()
  await page.getByText('It answered 410').waitFor()
  expect(await show()).toMatchObject({ state: 'disabled', why: 'gone' })

  const packed = { ...hook, batch_max: 20, topics: 'packed' }
  await fetch(`${api}/packed`, { method: 'PUT', headers, body: JSON.stringify(packed) })
  await page.goto(`${own.url}#/subscriptions/packed`)
  await page.getByText('Events in a request').waitFor()
  await page.getByText('at most 20').waitFor()
  expect(tab.faults).toEqual([])
})
