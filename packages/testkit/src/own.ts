import { randomBytes } from 'node:crypto'
import { type Broker, connectBroker, untilConnected } from '@sekali/broker/connect'
import { connectStore, type Store } from '@sekali/store/connect'
import { migrate } from '@sekali/store/migrate'
import { inject } from 'vitest'
import { quiet } from './quiet.ts'
import { run, template, urlOf } from './template.ts'

interface OwnDatabase extends AsyncDisposable {
  readonly url: string
}

/** A database of one's own on the server, or on that of all tests, with the schema, dropped at the end of the scope. */
export async function ownDatabase(serverUrl = inject('postgresUrl')): Promise<OwnDatabase> {
  try {
    return await ownCopy(serverUrl, template)
  } catch (error) {
    if (!isMissingDatabase(error)) throw error
    const database = await ownEmptyDatabase(serverUrl)
    await migrate(database.url)
    return database
  }
}

/** The same without the schema. */
export const ownEmptyDatabase = (serverUrl = inject('postgresUrl')): Promise<OwnDatabase> =>
  ownCopy(serverUrl, 'template1')

async function ownCopy(serverUrl: string, original: string): Promise<OwnDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await run(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${original}`)
  return {
    url: urlOf(serverUrl, name),
    [Symbol.asyncDispose]: () => run(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`),
  }
}

const isMissingDatabase = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '3D000'

/** A store on a database of its own, which is made unless it is given. */
export async function ownStore(
  serverUrl = inject('postgresUrl'),
  making: Promise<OwnDatabase> = ownDatabase(serverUrl),
): Promise<Store & { readonly url: string }> {
  const database = await making
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
