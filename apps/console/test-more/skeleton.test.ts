import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { ownConsole } from './own-console.ts'

test('the page opens behind a prefix, asks nobody but its own gateway, and breaks no policy', async () => {
  await using own = await ownConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  await tab.page.goto(own.url)
  await tab.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  expect(tab.faults).toEqual([])
  expect([...tab.origins]).toEqual([new URL(own.url).origin])
})
