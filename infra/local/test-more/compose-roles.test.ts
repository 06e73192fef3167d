/** The job `migrate` of docker-compose.yml, with its own settings, on a volume that an earlier version has filled. */
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { startPostgres } from '@sekali/servers/postgres-server'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { connectStore } from '@sekali/store/connect'
import { migrate } from '@sekali/store/migrate'
import { startApp } from '@sekali/testkit/app'
import { quiet } from '@sekali/testkit/quiet'
import { expect, test } from 'vitest'
import { compose, ownVolumes } from '../test/compose.ts'

const connect = (url: string) => connectStore({ url, poolMax: 1, name: 'test' }, quiet)

/** As PostgreSQL's image makes it: the superuser postgres, whom loopback lets in, and the database sekali. */
async function ownImage(dir: string) {
  const postgres = await startPostgres({ dir })
  const hba = join(dir, 'data/pg_hba.conf')
  await writeFile(hba, `host all postgres 127.0.0.1/32 trust\n${await readFile(hba, 'utf8')}`)
  await using store = connect(postgres.url)
  await store.pool.query('CREATE ROLE postgres SUPERUSER LOGIN')
  await store.pool.query('CREATE DATABASE sekali')
  await store.pool.query('SELECT pg_reload_conf()')
  return postgres
}

test('docker compose run --rm migrate brings roles, passwords and tables to a volume from before', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using postgres = await ownImage(join(folder.path, 'postgres'))
  const here = (url: string) => url.replace(/(postgres|127\.0\.0\.1):5432/, `127.0.0.1:${postgres.port}`)
  await migrate(here('postgresql://postgres@127.0.0.1:5432/sekali')) // and of roles there is none yet
  await using volumes = await ownVolumes()
  volumes.run()

  const env: Record<string, string> = { LOG_LEVEL: 'info' }
  for (const [name, value] of Object.entries(compose.services.migrate?.environment ?? {})) {
    if (name === 'SUPERUSER_URL') env[name] = here(String(value))
    if (name.endsWith('_FILE')) env[name] = volumes.fileOf('migrate', String(value))
  }
  // The name of the server is that of a container.
  const ownersUrl = join(dirname(env.DATABASE_URL_FILE ?? ''), 'here')
  await writeFile(ownersUrl, here(await volumes.read('migrate', '/run/secrets/owner_database_url')))
  for (const _ of ['once', 'again']) {
    await using job = startApp('consumer/src/migrate.ts', { ...env, DATABASE_URL_FILE: ownersUrl })
    expect(await job.exited, job.output()).toBe(0)
    expect(job.output()).toMatch(/the roles are made.*the schema is up to date/s)
    for (const role of ['owner', 'consumer', 'gateway', 'projector', 'dispatcher']) {
      const password = await volumes.read('migrate', `/run/roles/postgres_${role}_password`)
      expect(job.output()).not.toContain(password.trim())
      const name = `/run/secrets/${role}_database_url`
      const url = await volumes.read(role === 'owner' ? 'migrate' : role, name)
      await using store = connect(here(url.trim()))
      const { rows } = await store.pool.query(
        'SELECT current_user AS me, count(*)::int AS topics FROM topics',
      )
      expect(rows).toEqual([{ me: `sekali_${role}`, topics: 0 }])
    }
  }
})
