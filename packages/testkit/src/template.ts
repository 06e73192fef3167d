import { connectStore } from '@sekali/store/connect'
import { migrate } from '@sekali/store/migrate'
import { quiet } from './quiet.ts'

/** A database with the schema and nothing else, from which others are copied. */
export const template = 'template_sekali'

/** Runs a statement on the server itself. */
export async function run(serverUrl: string, statement: string): Promise<void> {
  await using server = connectStore({ url: serverUrl, poolMax: 1, name: 'testkit' }, quiet)
  await server.pool.query(statement)
}

export const urlOf = (serverUrl: string, database: string): string => {
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  return url.href
}

/** A copy takes 60 ms where making the schema anew takes 260: a server that many databases come from gets this first. */
export async function makeTemplate(serverUrl: string): Promise<void> {
  await run(serverUrl, `CREATE DATABASE ${template}`)
  await migrate(urlOf(serverUrl, template))
}
