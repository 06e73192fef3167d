import { randomBytes } from 'node:crypto'
import { type Broker, connectBroker, untilConnected } from '@sekali/broker/connect'
import { connectStore, type Store } from '@sekali/store/connect'
import { migrate } from '@sekali/store/migrate'
import { inject } from 'vitest'
import { quiet } from './quiet.ts'
import { run, template, urlOf } from './template.ts'

/** A database of one's own on the server, or on that of all tests, with the schema, dropped at the end of the scope. */
export async function ownDatabase(
  serverUrl = inject('postgresUrl'),
): Promise<AsyncDisposable & { readonly url: string }> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const url = urlOf(serverUrl, name)
  try {
    await run(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  } catch (error) {
    if (!isMissingDatabase(error)) throw error
    await run(serverUrl, `CREATE DATABASE ${name}`)
    await migrate(url)
  }
  return { url, [Symbol.asyncDispose]: () => run(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`) }
}

const isMissingDatabase = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '3D000'

/** A store on a database of its own. */
export async function ownStore(serverUrl = inject('postgresUrl')): Promise<Store & { readonly url: string }> {
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
export async function ownBroker(url = inject('redisUrl'), prefix = ownPrefix()): Promise<Broker> {
  const broker = connectBroker({ url, prefix, name: 'test' }, quiet)
  await untilConnected(broker, 5_000)
  return broker
}
