/** What the role of dispatchers may do, and what of it nobody else may. */
import { migrate } from '@sekali/store/migrate'
import { makeRoles } from '@sekali/store/roles'
import { expect, test } from 'vitest'
import { ownCluster, passwords } from './cluster.ts'

test('a dispatcher takes turns and reads no event, and the gateway cannot read what it has sealed', async () => {
  await using cluster = await ownCluster()
  await makeRoles(cluster.url(), passwords)
  await migrate(cluster.url('owner'))
  for (const again of [false, true]) {
    if (again) await makeRoles(cluster.url(), passwords)
    const [dispatcher, gateway] = [cluster.as('dispatcher').pool, cluster.as('gateway').pool]
    const may = [
      `SELECT subscriptions.push_beat(gen_random_uuid(), 'd', false)`,
      `SELECT subscriptions.push_turn('x', '[]', 1, 1, 1, 1, 'd', '${'0'.repeat(32)}', '{}')`,
      'SELECT subscriptions.push_take_tests()',
      'SELECT subscriptions.push_sweep(30)',
      'SELECT sealed FROM subscriptions.secrets',
      'SELECT headers_sealed FROM subscriptions.endpoints',
    ]
    for (const statement of may) await dispatcher.query(statement)
    const mayNot = [
      'SELECT FROM events',
      'SELECT FROM access.keys',
      `SELECT subscriptions.pull('x', 1, 1, 'w', '${'0'.repeat(32)}')`,
      `SELECT subscriptions.settle('x', '{}', '{}', '{}', '{}')`,
      `SELECT subscriptions.hand_out(NULL, NULL, 1, 1, 1, 1, 1, 1, 'w', NULL)`,
      'DELETE FROM subscriptions.attempts',
      `UPDATE subscriptions.endpoints SET url = ''`,
    ]
    const refused = { code: '42501' }
    for (const statement of mayNot) await expect(dispatcher.query(statement)).rejects.toMatchObject(refused)
    await gateway.query('SELECT id, expires_at FROM subscriptions.secrets')
    for (const one of ['pull_grant', 'pull'])
      await gateway.query(
        `BEGIN READ WRITE; SELECT subscriptions.${one}('x', 1, 1, 'w', '${'0'.repeat(32)}'); COMMIT`,
      )
    await gateway.query(`SELECT * FROM subscriptions.granted_json('x', '${'0'.repeat(32)}')`)
    await gateway.query('SELECT url, header_names FROM subscriptions.endpoints')
    const gatewayMayNot = [
      'SELECT sealed FROM subscriptions.secrets',
      'SELECT headers_sealed FROM subscriptions.endpoints',
      `SELECT subscriptions.push_turn('x', '[]', 1, 1, 1, 1, 'd', '${'0'.repeat(32)}', '{}')`,
      `SELECT subscriptions.put_kind('pull', 'x', 'x', 'x', 'none', '{}', '{}', 1, 1, 1, 1, '{}', 'skip', '{}', 'a', NULL, NULL)`,
    ]
    for (const statement of gatewayMayNot)
      await expect(gateway.query(statement)).rejects.toMatchObject(refused)
  }
})
