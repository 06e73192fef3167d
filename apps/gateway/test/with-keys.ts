/** A gateway that asks for keys, on a database of its own, with a first key. */
import { createFirstKey } from '@sekali/store/first-key'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { inject } from 'vitest'
import type { Gateway } from './gateway.ts'
import { serveGateway } from './served-gateway.ts'

export interface KeyedGateway extends AsyncDisposable {
  readonly gateway: Gateway
  /** May do everything. */
  readonly first: string
  /** Sends a request with a key: a body as JSON, unless it is text. */
  send(
    key: string,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Response>
  /** Makes a key with the first one, and resolves with its text and id. */
  make(fields?: Readonly<Record<string, unknown>>): Promise<{ readonly key: string; readonly id: string }>
}

export async function serveWithKeys(): Promise<KeyedGateway> {
  const stack = new AsyncDisposableStack()
  const database = stack.use(await ownDatabase())
  const gateway = stack.use(
    await serveGateway({
      redisUrl: inject('redisUrl'),
      databaseUrl: database.url,
      prefix: ownPrefix(),
      auth: 'keys',
    }),
  )
  const made = await createFirstKey(gateway.store, { replace: false, actor: 'test' })
  if (typeof made === 'string') throw new Error(made)
  const { url } = gateway
  const send: KeyedGateway['send'] = (key, method, path, body, headers) =>
    fetch(url + path, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  return {
    gateway,
    first: made.text,
    send,
    make: async (fields = {}) => {
      const body = { name: 'shop', scopes: ['publish'], topics: ['orders.>'], ...fields }
      const answer = await send(made.text, 'POST', '/keys', body)
      if (answer.status !== 201) throw new Error(await answer.text())
      return (await answer.json()) as { key: string; id: string }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
