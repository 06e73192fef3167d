/** How packages/store makes the roles: by many at once, and without a word of the passwords in any error or log. */
import { randomBytes } from 'node:crypto'
import { connectStore } from '@sekali/store/connect'
import { migrate } from '@sekali/store/migrate'
import { makeRoles } from '@sekali/store/roles'
import { quiet } from '@sekali/testkit/quiet'
import { ownPostgres } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'

const secret = `secret-${randomBytes(8).toString('hex')}`
const passwords = {
  owner: `${secret}-owner`,
  consumer: `${secret}-it's "quoted"`,
  gateway: `${secret}-gewölbe`,
  projector: `${secret}-projector`,
  dispatcher: `${secret}-dispatcher`,
}

/** Of an operator who logs what he can. */
const lax = {
  log_error_verbosity: 'verbose',
  log_min_error_statement: 'error',
  log_parameter_max_length: '-1',
  log_parameter_max_length_on_error: '-1',
  log_min_duration_statement: '0',
  log_statement: 'all',
}

function urlOf(url: string, database: string, user?: { name: string; password: string }): string {
  const of = new URL(url)
  of.pathname = `/${database}`
  if (user !== undefined)
    Object.assign(of, { username: user.name, password: encodeURIComponent(user.password) })
  return of.href
}

const everything = (error: unknown): string =>
  error instanceof Error
    ? `${error.stack} ${JSON.stringify({ ...error })} ${everything(error.cause)}`
    : String(error)

test('any number of callers may make the roles at once, in several databases, and while another migrates', async () => {
  await using postgres = await ownPostgres(lax)
  await using admin = connectStore({ url: postgres.url, poolMax: 1, name: 'test' }, quiet)
  for (const name of ['one', 'two']) await admin.pool.query(`CREATE DATABASE ${name}`)
  const [one, two] = [urlOf(postgres.url, 'one'), urlOf(postgres.url, 'two')]
  await Promise.all([
    migrate(one),
    ...Array.from({ length: 8 }, (_, index) => makeRoles(index % 4 === 3 ? two : one, passwords)),
  ])
  for (const [role, password] of Object.entries(passwords)) {
    const url = urlOf(postgres.url, 'one', { name: `sekali_${role}`, password })
    await using store = connectStore({ url, poolMax: 1, name: 'test' }, quiet)
    expect((await store.pool.query('SELECT current_user AS me')).rows).toEqual([{ me: `sekali_${role}` }])
  }
  expect(await postgres.log()).not.toContain(secret)
})

test('a failure has no password in it, and neither has what PostgreSQL logs of it', async () => {
  await using postgres = await ownPostgres(lax)
  await using admin = connectStore({ url: postgres.url, poolMax: 1, name: 'test' }, quiet)
  await admin.pool.query(`CREATE ROLE sekali_owner; CREATE ROLE weak SUPERUSER LOGIN PASSWORD 'weak';
    ALTER ROLE weak SET default_transaction_read_only = on`)
  const url = urlOf(postgres.url, 'postgres', { name: 'weak', password: 'weak' })
  const error = await makeRoles(url, passwords).catch((thrown: unknown) => thrown)
  expect(everything(error)).toContain('read-only')
  expect(everything(error)).not.toContain(secret)
  expect(await postgres.log()).toContain('read-only')
  expect(await postgres.log()).not.toContain(secret)
})
