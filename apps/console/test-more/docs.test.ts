/** The description of the API as a page. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ownBrowser, ownPage } from './own-browser.ts'
import { ownConsole } from './own-console.ts'

const run = promisify(execFile)

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>
}

test('every operation has a page, and its curl gets one of the answers that the page names', async () => {
  await using own = await ownConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser)
  const { page } = tab
  const { paths } = (await (await fetch(`${own.gateway.url}/openapi.json`)).json()) as OpenApi
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({ path, method, operationId })),
  )
  await page.goto(`${own.url}#/docs`)
  const list = page.getByRole('navigation', { name: 'Operations of the API' })
  await list.getByRole('link').first().waitFor()
  expect(await list.getByRole('link').count()).toBe(all.length)
  for (const { operationId, method, path } of all) {
    await page.goto(`${own.url}#/docs?operation=${operationId}`)
    await page.locator('.docs-path').getByText(`${method.toUpperCase()} ${path}`, { exact: true }).waitFor()
    const problems = await page.getByRole('region', { name: 'Problems' }).locator('dt').allTextContents()
    const answers = await page.getByRole('heading', { name: /^Answer \d+$/ }).allTextContents()
    const named = [...problems, ...answers.map((title) => title.replace('Answer ', ''))]
    const command = await page.locator('pre.curl').textContent()
    const { stdout } = await run('bash', ['-c', `${command} -m 2 -o /dev/null -w '%{http_code}' || true`])
    expect(named, `${operationId}: ${command}`).toContain(stdout)
    expect(['000', '400', '405', '415', '421'], `${operationId}: ${command}`).not.toContain(stdout)
  }
  await list.getByLabel('Find an operation').fill('rebuild')
  expect(await list.getByRole('link').count()).toBe(1)
  expect(tab.faults).toEqual([])
})

test('a curl is copied as it stands there', async () => {
  await using own = await ownConsole()
  await using browser = await ownBrowser()
  await using tab = await ownPage(browser, { permissions: ['clipboard-read', 'clipboard-write'] })
  const { page } = tab
  await page.goto(`${own.url}#/docs?operation=readEvents`)
  await page.getByRole('button', { name: 'Copy the command' }).click()
  await page.getByText('Copied', { exact: true }).first().waitFor()
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  expect(copied).toBe(`curl -s '${own.url}events?topic=orders.*.paid'`)
})
