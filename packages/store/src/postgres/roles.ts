import { readFile } from 'node:fs/promises'
import { placeOf } from '@sekali/core/place'
import { lockSchema } from './migrate.ts'
import { withOwnClient } from './own-client.ts'

const script = placeOf(import.meta.url, '../../roles.sql', './roles.sql')

/** By role: `owner` is `sekali_owner`, and so on. */
export interface RolePasswords {
  readonly owner: string
  readonly consumer: string
  readonly gateway: string
  readonly projector: string
  /** Without one, no dispatcher can log in. */
  readonly dispatcher?: string | undefined
}

/**
 * Makes the roles of `roles.sql` in the database that a superuser's URL names, or gives them new passwords. What the
 * superuser has migrated before becomes the owner's. All of it or nothing. Any number of processes may call it at once.
 * Rejects with `StoreUnavailable`, which has no password in it.
 */
export const makeRoles = (superuserUrl: string, passwords: RolePasswords): Promise<void> =>
  withOwnClient(superuserUrl, 'making of the roles', async (client) => {
    const sql = await readFile(script, 'utf8')
    // All in one transaction: behind a pooler, what a session is told others would have after it.
    await client.query(`BEGIN; ${logNothing}`)
    for (const [role, password = ''] of Object.entries(passwords)) {
      await client.query('SELECT set_config($1, $2, true)', [`sekali.${role}_password`, password])
    }
    await lockSchema(client)
    await client.query(`${lockRoles}; ${sql}; COMMIT`)
  })

// Whatever PostgreSQL is set to log, of this transaction it logs no parameter and no statement: they have the passwords.
const logNothing = `
  SET LOCAL log_statement = 'none';
  SET LOCAL log_min_duration_statement = -1;
  SET LOCAL log_min_duration_sample = -1;
  SET LOCAL log_transaction_sample_rate = 0;
  SET LOCAL log_min_error_statement = 'panic';
  SET LOCAL log_parameter_max_length_on_error = 0`

// Roles are the whole cluster's, and two transactions that alter one fail with "tuple concurrently updated". The lock on
// the schema holds off only those in the same database; this one leaves others free to log in.
const lockRoles = 'LOCK TABLE pg_authid IN SHARE ROW EXCLUSIVE MODE'
