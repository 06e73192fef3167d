/** What packages/store/roles.sql sets for its roles, since a pooler passes none of it on. */
import { connectStore } from '@sekali/store/connect'
import { makeRoles } from '@sekali/store/roles'
import { quiet } from '@sekali/testkit/quiet'
import { ownPostgres } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'

test('a role has what a pooler refuses at startup, and the owner takes as long as a migration takes', async () => {
  await using postgres = await ownPostgres({ log_error_verbosity: 'default' })
  await using admin = connectStore({ url: postgres.url, poolMax: 1, name: 'test' }, quiet)
  await makeRoles(postgres.url, { owner: 'o', consumer: 'c', gateway: 'g', projector: 'p', dispatcher: 'd' })
  const { rows } = await admin.pool.query<{ role: string; settings: string[] }>(`
    SELECT rolname AS role, setconfig AS settings FROM pg_db_role_setting JOIN pg_roles r ON r.oid = setrole
    WHERE rolname LIKE 'sekali%' ORDER BY rolname`)
  const settingsOf = (statementMs: string) => [
    `statement_timeout=${statementMs}`,
    'idle_in_transaction_session_timeout=8s',
    'plan_cache_mode=force_custom_plan',
    'jit=off',
    'log_parameter_max_length_on_error=0',
    'log_error_verbosity=terse',
    'log_parameter_max_length=0',
  ]
  expect(rows).toEqual([
    { role: 'sekali_consumer', settings: settingsOf('5s') },
    { role: 'sekali_dispatcher', settings: settingsOf('5s') },
    { role: 'sekali_gateway', settings: ['default_transaction_read_only=on', ...settingsOf('3s')] },
    { role: 'sekali_projector', settings: settingsOf('5s') },
  ])
})
