import { connectStore } from '@sekali/store/connect'
import { quiet } from '@sekali/testkit/quiet'
import { ownPostgres } from '@sekali/testkit/servers'

/** What each role logs in with. */
export const passwords = {
  owner: 'secret-owner',
  consumer: 'secret-consumer',
  gateway: 'secret-gateway',
  projector: 'secret-projector',
  dispatcher: 'secret-dispatcher',
}

/** A PostgreSQL with the database `sekali`, and a way to be each of its roles. */
export async function ownCluster(settings: Record<string, string> = {}) {
  const stack = new AsyncDisposableStack()
  const postgres = stack.use(await ownPostgres(settings))
  const connect = (url: string) => stack.use(connectStore({ url, poolMax: 1, name: 'test' }, quiet))
  await connect(postgres.url).pool.query('CREATE DATABASE sekali')
  const url = (role?: string) => {
    const of = new URL(postgres.url)
    of.pathname = '/sekali'
    if (role !== undefined) Object.assign(of, { username: `sekali_${role}`, password: `secret-${role}` })
    return of.href
  }
  const admin = connect(url())
  return {
    admin,
    url,
    log: () => postgres.log(),
    as: (role: string) => connect(url(role)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
