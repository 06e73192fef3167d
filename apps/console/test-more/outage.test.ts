/** While a server is away the page says so, shows no figure that it does not know, and goes on by itself. */
import { ownPostgres, ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { eventText, ownConsole } from './own-console.ts'

const bannerMs = 5_000
const recoveryMs = 30_000

test('Redis, then PostgreSQL are stopped: a banner within 5 s, unknown figures, recovery without a reload', async () => {
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using own = await ownConsole({ redisUrl: redis.url, postgresUrl: postgres.url })
  await own.publish(eventText())
  await own.settled()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  await page.goto(own.url)
  const sum = page.getByRole('region', { name: /^What came of everything/ })
  await sum.getByText('adds up').waitFor()
  await page.getByText('All is well').waitFor()
  const accepted = page.locator('.fact').filter({ hasText: /^Accepted/ })
  const contradictions = async () => {
    const words = [
      sum.getByText('adds up'),
      page.getByText('All is well', { exact: true }),
      accepted.getByText(/\d\/s/),
    ]
    return (await Promise.all(words.map((found) => found.allInnerTexts()))).flat()
  }
  let loads = 0
  page.on('load', () => {
    loads += 1
  })

  await redis.kill()
  await page.getByText(/^Redis: events are not taken/).waitFor({ timeout: bannerMs })
  // At once, and not with the next reading: a page must not say both
  await expect.poll(contradictions, { timeout: 500 }).toEqual([])
  await sum.getByText('unknown accepted').waitFor({ timeout: recoveryMs })
  await sum.getByText('cannot be told now').waitFor()
  // Nor when the rates are read anew, of which the newest is from before
  await page.waitForResponse(/\/rates/)
  await accepted.getByText('unknown', { exact: true }).waitFor()
  expect(await contradictions()).toEqual([])
  await redis.start()
  await page.getByText(/^Redis: events are not taken/).waitFor({ state: 'detached', timeout: recoveryMs })
  await sum.getByText('adds up').waitFor({ timeout: recoveryMs })

  await postgres.kill()
  await page.getByText('PostgreSQL does not answer').waitFor({ timeout: bannerMs })
  await sum.getByText('unknown stored').waitFor({ timeout: recoveryMs })
  await postgres.start()
  await page.getByText('PostgreSQL does not answer').waitFor({ state: 'detached', timeout: recoveryMs })
  await sum.getByText('adds up').waitFor({ timeout: recoveryMs })
  expect(loads).toBe(0)
  expect(tab.faults).toEqual([])
})

test('while the gateway is away the page says so, and goes on when it is back', async () => {
  await using own = await ownConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  await tab.page.goto(own.url)
  await tab.page.getByText('adds up').waitFor()
  own.gateway.signal('SIGSTOP')
  await tab.page.getByText('The gateway does not answer').waitFor({ timeout: bannerMs })
  await tab.page.getByText('cannot be told now').waitFor({ timeout: 500 })
  own.gateway.signal('SIGCONT')
  await tab.page.getByText('The gateway does not answer').waitFor({ state: 'detached', timeout: recoveryMs })
})
