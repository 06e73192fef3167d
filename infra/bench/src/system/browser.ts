/**
 * A browser without a window, for rows about the console. What runs in its pages is text: here are only Node's types.
 */
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

const executablePath = '/usr/bin/chromium'

/** Why there is none here; undefined if there is one. */
export const lacksBrowser = (): string | undefined =>
  existsSync(executablePath) ? undefined : 'it needs chromium (apt-get install chromium)'

export async function openBrowser(): Promise<Browser & AsyncDisposable> {
  // Root, as in a container, may not have its sandbox.
  const args = ['--no-sandbox', '--disable-dev-shm-usage']
  const browser = await chromium.launch({ executablePath, args })
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() })
}

/** A page that has kept nothing of those before it. */
export async function openPage(browser: Browser): Promise<Page & AsyncDisposable> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 800 } })
  return Object.assign(await context.newPage(), { [Symbol.asyncDispose]: () => context.close() })
}

/** As the browser does when another tab is in front: without a window it never does. */
export const show = (page: Page, state: 'hidden' | 'visible'): Promise<unknown> =>
  page.evaluate(`
    Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))`)

/** Bytes of the heap, once what nobody needs any more is gone. */
export async function readHeapBytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  await session.detach()
  return usedSize
}
