import { requireDebian } from '@sekali/testkit/debian'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Debian's chromium, without a window. */
export async function ownBrowser(): Promise<Browser & AsyncDisposable> {
  await requireDebian('chromium')
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    // Root, as in a container of CI, may not have its sandbox.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() })
}

export interface OwnPage extends AsyncDisposable {
  readonly page: Page
  /** What a page must not do: break its policy, throw, or log an error. */
  readonly faults: readonly string[]
  /** Origins that were asked for something. */
  readonly origins: ReadonlySet<string>
}

/** A page of its own, in a context of its own, at 1,280 × 800 unless it is said. */
export async function ownPage(browser: Browser, options: BrowserContextOptions = {}): Promise<OwnPage> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 800 }, ...options })
  const page = await context.newPage()
  const faults: string[] = []
  const origins = new Set<string>()
  page.on('pageerror', (error) => faults.push(`threw ${error.stack ?? error.message}`))
  page.on('console', (message) => {
    // An answer other than 200 is no fault of the page: chromium logs it as an error all the same
    if (message.type() !== 'error' || message.text().startsWith('Failed to load resource')) return
    faults.push(`logged ${message.text()}`)
  })
  page.on('request', (request) => origins.add(new URL(request.url()).origin))
  await page.exposeFunction('reportViolation', (words: string) => faults.push(words))
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample }) => {
      const report = (window as unknown as { reportViolation: (words: string) => void }).reportViolation
      report(`violated ${effectiveDirective}: ${blockedURI} ${sample}`)
    })
  })
  return { page, faults, origins, [Symbol.asyncDispose]: () => context.close() }
}
