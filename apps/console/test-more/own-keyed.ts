import { connectStore, type Store } from '@sekali/store/connect'
import { createFirstKey } from '@sekali/store/first-key'
import { quiet } from '@sekali/testkit/quiet'
import type { Page } from 'playwright-core'
import { type OwnConsole, ownConsole } from './own-console.ts'

export interface OwnKeyed extends OwnConsole {
  readonly store: Store
  /** Asks the API with the first key, which may do everything. */
  ask(path: string, body?: string): Promise<Response>
  /** Makes a key, and resolves with its text. */
  make(scopes: readonly string[], topics: readonly string[]): Promise<string>
  /** Opens a view, and logs in there. */
  logIn(page: Page, key: string, view?: string): Promise<void>
}

/** A system that asks for keys. */
export async function ownKeyed(): Promise<OwnKeyed> {
  await using stack = new AsyncDisposableStack()
  const own = stack.use(await ownConsole({ env: { SEKALI_AUTH: 'keys' } }))
  const store = stack.use(connectStore({ url: own.env.DATABASE_URL ?? '', poolMax: 1, name: 'test' }, quiet))
  const first = await createFirstKey(store, { replace: false, actor: 'test' })
  if (typeof first === 'string') throw new Error(first)
  const ask = async (path: string, body?: string) => {
    const headers = { Authorization: `Bearer ${first.text}`, 'Content-Type': 'application/json' }
    const init = body === undefined ? { headers } : { headers, method: 'POST', body }
    const answer = await fetch(own.gateway.url + path, init)
    if (!answer.ok) throw new Error(`${path} answers ${answer.status}: ${await answer.text()}`)
    return answer
  }
  const owned = stack.move()
  return {
    ...own,
    store,
    ask,
    make: async (scopes, topics) => {
      const answer = await ask('/keys', JSON.stringify({ name: 'test', scopes, topics }))
      return ((await answer.json()) as { key: string }).key
    },
    logIn: async (page, key, view = '') => {
      await page.goto(`${own.url}#/${view}`)
      await page.getByLabel('Key', { exact: true }).fill(key)
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { level: 1, name: 'Log in' }).waitFor({ state: 'detached' })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
