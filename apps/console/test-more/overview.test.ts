/** The page that is open all day takes its figures as figures, and downloads nothing to count it. */
import { makeConflict, makeDead } from '@sekali/testkit/letters'
import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { ownMending } from './own-mending.ts'

test('the overview has the age and the open letters of /stats, and asks for no letter', async () => {
  await using own = await ownMending()
  for (const id of ['1', '2']) await makeDead(own.store, id, { topic: 'dead' })
  await makeConflict(own.store, '3', { topic: 'other' })
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  const asked: string[] = []
  page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  // What nobody stores: an age that the doctor would not mention yet.
  await page.route('**/stats?**', async (route) => {
    const answer = await route.fetch()
    const stats = (await answer.json()) as object
    await route.fulfill({ response: answer, json: { ...stats, oldest_in_flight_seconds: 4.2 } })
  })
  await page.goto(`${own.url}#/`)
  await page.getByText('the oldest waits for 4 s').waitFor()
  await page.getByText('1 conflict among them').waitFor()
  const letters = page.locator('.fact').filter({ hasText: 'Open dead letters' })
  expect(await letters.locator('.fact-value').textContent()).toBe('3')
  expect(asked.filter((path) => path.includes('dead-letters'))).toEqual([])
  expect(tab.faults).toEqual([])
})
