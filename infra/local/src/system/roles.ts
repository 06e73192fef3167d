/**
 * Who our apps are to PostgreSQL: each has the role that packages/store/roles.sql makes for it. The passwords are new at
 * each start. They are in the environment of the apps, the owner's also in run.json, and nowhere else.
 */
import { randomBytes } from 'node:crypto'

type Role = 'owner' | 'consumer' | 'gateway' | 'projector' | 'dispatcher'

export interface Access {
  /** By role, with the password in it. */
  readonly urls: Readonly<Record<Role, string>>
  /** What `migrate` needs to make the roles, and the tables as their owner. */
  readonly migrateEnv: Readonly<Record<string, string>>
}

/** A role for each app, on a PostgreSQL of our own. */
export function accessByRole(superuserUrl: string): Access {
  const passwords = byRole(() => randomBytes(24).toString('hex')) // hex: needs no escaping in a URL
  const urls = byRole((role) => {
    const url = new URL(superuserUrl)
    url.username = `sekali_${role}`
    url.password = passwords[role]
    return url.href
  })
  const migrateEnv = {
    SUPERUSER_URL: superuserUrl,
    DATABASE_URL: urls.owner,
    POSTGRES_OWNER_PASSWORD: passwords.owner,
    POSTGRES_CONSUMER_PASSWORD: passwords.consumer,
    POSTGRES_GATEWAY_PASSWORD: passwords.gateway,
    POSTGRES_PROJECTOR_PASSWORD: passwords.projector,
    POSTGRES_DISPATCHER_PASSWORD: passwords.dispatcher,
  }
  return { urls, migrateEnv }
}

/** Whoever has given a PostgreSQL has also decided who we are there. */
export const accessByUrl = (url: string): Access => ({
  urls: byRole(() => url),
  migrateEnv: { DATABASE_URL: url },
})

const byRole = (of: (role: Role) => string): Readonly<Record<Role, string>> => ({
  owner: of('owner'),
  consumer: of('consumer'),
  gateway: of('gateway'),
  projector: of('projector'),
  dispatcher: of('dispatcher'),
})
