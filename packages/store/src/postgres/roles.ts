import { readFile } from 'node:fs/promises'
import { placeOf } from '@sekali/core/place'
import { withOwnClient } from './own-client.ts'

const script = placeOf(import.meta.url, '../../roles.sql', './roles.sql')

/** By role: `owner` is `sekali_owner`, and so on. */
export interface RolePasswords {
  readonly owner: string
  readonly consumer: string
  readonly gateway: string
  readonly projector: string
}

/**
 * Makes the roles of `roles.sql` in the database that a superuser's URL names, or gives them new passwords. What the
 * superuser has migrated before becomes the owner's. All of it or nothing. Rejects with `StoreUnavailable`.
 */
export const makeRoles = (superuserUrl: string, passwords: RolePasswords): Promise<void> =>
  withOwnClient(superuserUrl, 'making of the roles', async (client) => {
    const sql = await readFile(script, 'utf8')
    for (const [role, password] of Object.entries(passwords)) {
      await client.query('SELECT set_config($1, $2, false)', [`sekali.${role}_password`, password])
    }
    await client.query(sql) // one message, hence one transaction
  })
