/** A gateway that asks for keys, on a database of its own, with a first key. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFirstKey } from '@sekali/store/first-key'
import { keyIdIn } from '@sekali/store/key-text'
import { findKeys } from '@sekali/store/keys'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { inject } from 'vitest'
import { grantTo } from '../src/access/principals.ts'
import { createGateway, type Gateway } from './gateway.ts'

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
    createGateway({
      redisUrl: inject('redisUrl'),
      databaseUrl: database.url,
      prefix: ownPrefix(),
      auth: 'keys',
    }),
  )
  const made = await createFirstKey(gateway.store, { replace: false, actor: 'test' })
  if (typeof made === 'string') throw new Error(made)
  const server = createServer(async (request, response) => {
    const id = keyIdIn(request.headers.authorization?.replace('Bearer ', '') ?? '') ?? ''
    const key = (await findKeys(gateway.store, [id])).get(id)
    if (key !== undefined) grantTo(request, key.grant)
    gateway.listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => void server.close().closeAllConnections())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
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
