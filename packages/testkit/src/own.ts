import { randomBytes } from 'node:crypto'
import { type Broker, connectBroker, untilConnected } from '@sekali/broker/connect'
import { connectStore, type Store } from '@sekali/store/connect'
import { migrate } from '@sekali/store/migrate'

const quiet = { info: () => {}, warn: () => {}, error: () => {} }

/** A database of one's own on the server, with the schema, dropped at the end of the scope. */
export async function ownDatabase(serverUrl: string): Promise<AsyncDisposable & { readonly url: string }> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const run = async (statement: string) => {
    await using server = connectStore({ url: serverUrl, poolMax: 1, name: 'testkit' }, quiet)
    await server.pool.query(statement)
  }
  await run(`CREATE DATABASE ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  await migrate(url.href)
  return { url: url.href, [Symbol.asyncDispose]: () => run(`DROP DATABASE ${name} WITH (FORCE)`) }
}

/** A store on a database of its own. */
export async function ownStore(serverUrl: string): Promise<Store & { readonly url: string }> {
  const database = await ownDatabase(serverUrl)
  const store = connectStore({ url: database.url, poolMax: 8, name: 'test' }, quiet)
  return {
    ...store,
    url: database.url,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

/** A prefix that no other test's keys begin with. */
export const ownPrefix = (): string => `test${randomBytes(6).toString('hex')}`

/** A broker with keys of its own. */
export async function ownBroker(url: string, prefix = ownPrefix()): Promise<Broker> {
  const broker = connectBroker({ url, prefix, name: 'test' }, quiet)
  await untilConnected(broker, 5_000)
  return broker
}
