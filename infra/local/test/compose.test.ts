// docker-compose.yml, and the job `secrets` that fills its volumes (infra/docker/secrets.ts).
import { spawnSync } from 'node:child_process'
import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { expect, test } from 'vitest'
import { compose, folders, ownVolumes, repository } from './compose.ts'

const services = Object.entries(compose.services)

const passwordIn = (url: string) => decodeURIComponent(new URL(url.trim()).password)

test('on a fresh clone each container gets what it reads, and passwords that fit', async () => {
  await using volumes = await ownVolumes()
  expect(volumes.run()).toMatchObject({
    status: 0,
    stderr: '',
    stdout: expect.stringContaining('0 given, 12 made, 0 kept'),
  })
  for (const [name, service] of services) {
    for (const [variable, path] of Object.entries(service.environment ?? {})) {
      if (!variable.endsWith('_FILE') || variable === 'SEKALI_TOKEN_FILE') continue
      expect(await volumes.read(name, String(path)), `${name}: ${variable}`).toMatch(/^\S{32,}\n$/)
    }
  }
  for (const app of ['gateway', 'consumer', 'projector', 'dispatcher']) {
    const redis = await volumes.read(app, `/run/secrets/${app}_redis_url`)
    expect(redis).toMatch(new RegExp(`^redis://${app}:[0-9a-f]{32}@redis:6379\n$`))
    expect(await volumes.read('redis', `/run/secrets/redis_${app}_password`)).toBe(`${passwordIn(redis)}\n`)
    const database = await volumes.read(app, `/run/secrets/${app}_database_url`)
    expect(database).toMatch(new RegExp(`^postgresql://sekali_${app}:[0-9a-f]{32}@postgres:5432/sekali\n$`))
    expect(await volumes.read('migrate', `/run/roles/postgres_${app}_password`)).toBe(
      `${passwordIn(database)}\n`,
    )
  }
  const key = await volumes.read('dispatcher', '/run/secrets/webhook_key')
  expect(key).toMatch(/^[0-9a-f]{64}\n$/)
  expect(await volumes.read('gateway', '/run/secrets/webhook_key')).toBe(key)
  const script = await readFile(join(volumes.path, 'volumes/redis/redis.sh'), 'utf8')
  expect(script).toBe(await readFile(join(repository, 'infra/docker/redis.sh'), 'utf8'))
})

test('a second run changes nothing and prints no secret, and what is missing comes back as it was', async () => {
  await using volumes = await ownVolumes()
  const first = volumes.run()
  const made = await volumes.all()
  const passwords = Object.entries(made).filter(([name]) => name.endsWith('_password'))
  expect(new Set(passwords.map(([, text]) => text)).size).toBe(11)
  await rm(join(volumes.path, 'volumes/gateway/gateway_redis_url'))
  await writeFile(join(volumes.path, 'volumes/gateway/.gateway_redis_url'), 'half', { mode: 0o444 })
  // One of the two that have it is enough.
  await rm(join(volumes.path, 'volumes/gateway/webhook_key'))
  const second = volumes.run()
  expect(second).toMatchObject({ status: 0, stdout: expect.stringContaining('0 given, 0 made, 12 kept') })
  expect(await volumes.all()).toEqual(made)
  for (const [, text = ''] of passwords) {
    for (const { stdout, stderr } of [first, second]) expect(stdout + stderr).not.toContain(text.trim())
  }
})

test('every file may be read by its container, whoever its user is, and the job makes them under any umask', async () => {
  await using volumes = await ownVolumes()
  const before = process.umask(0o077)
  try {
    volumes.run()
  } finally {
    process.umask(before)
  }
  for (const name of Object.keys(await volumes.all())) {
    expect((await stat(join(volumes.path, 'volumes', name))).mode & 0o777, name).toBe(0o444)
  }
})

test('secrets of make-env.sh go on, and a URL of yours with them', async () => {
  await using volumes = await ownVolumes()
  const clone = join(volumes.path, 'clone/infra/docker')
  await mkdir(clone, { recursive: true })
  await cp(join(repository, 'infra/docker/make-env.sh'), join(clone, 'make-env.sh'))
  expect(spawnSync('sh', [join(clone, 'make-env.sh')]).status).toBe(0)
  const given = join(volumes.path, 'clone/.secrets')
  const elsewhere = 'postgresql://u:p@elsewhere:5432/db\n'
  await rm(join(given, 'gateway_database_url'))
  await writeFile(join(given, 'gateway_database_url'), elsewhere)
  volumes.run() // what was made before gives way
  expect(volumes.run(given)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('12 given, 0 made, 0 kept'),
  })
  const handedOut = Object.entries(await volumes.all()).filter(([name]) => !name.endsWith('redis.sh'))
  const names = await readdir(given)
  // The key of webhooks is in two volumes.
  expect([...new Set(handedOut.map(([name]) => name.split('/')[1]))].toSorted()).toEqual(names.toSorted())
  for (const [name, text] of handedOut) {
    expect(text, name).toBe(await readFile(join(given, name.split('/')[1] ?? ''), 'utf8'))
  }
  // Without SEKALI_SECRETS the volumes keep them.
  const kept = await volumes.all()
  volumes.run()
  expect(await volumes.read('redis', '/run/secrets/redis_gateway_password')).toBe(
    kept['redis/redis_gateway_password'],
  )
})

test.each([
  ['is missing', (file: string) => rm(file)],
  ['is empty', (file: string) => writeFile(file, '')],
  ['has two lines', (file: string) => writeFile(file, 'secret-one\nsecret-two\n')],
])(
  'a given secret that %s stops the job with a sentence, and none is made in its place',
  async (_, spoil) => {
    await using volumes = await ownVolumes()
    await mkdir(volumes.given)
    for (const name of Object.keys(compose.secrets))
      await writeFile(join(volumes.given, name), 'secret-any\n')
    const file = join(volumes.given, 'redis_gateway_password')
    await chmod(file, 0o600)
    await spoil(file)
    const { status, stdout, stderr } = volumes.run(volumes.given)
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /^secrets: redis_gateway_password (cannot be read \(ENOENT\); run|must hold one line)[^\n]*\n$/,
    )
    expect(stderr).not.toMatch(/secret-/)
    await expect(volumes.read('redis', '/run/secrets/redis_gateway_password')).rejects.toThrow('ENOENT')
  },
)

test('each container sees the volumes with its own secrets alone, and cannot write them', () => {
  const seen = services.flatMap(([name, service]) => {
    const own = (service.volumes ?? []).filter((volume) => /^[\w-]+-secrets:/.test(volume))
    if (name !== 'secrets') for (const volume of own) expect(volume, name).toMatch(/:ro$/)
    return own.length === 0 ? [] : [[name, own.map((volume) => volume.split(':')[0]).toSorted()]]
  })
  expect(Object.fromEntries(seen)).toEqual({
    gateway: ['gateway-secrets'],
    consumer: ['consumer-secrets'],
    projector: ['projector-secrets'],
    dispatcher: ['dispatcher-secrets'],
    migrate: ['owner-secrets', 'roles-secrets'],
    'first-key': ['owner-secrets'],
    redis: ['redis-secrets'],
    postgres: ['postgres-secrets'],
    secrets: [...folders.keys()].toSorted(),
  })
})

test('the image has what the job needs: its program, and a folder of its user for each volume', async () => {
  const image = await readFile(join(repository, 'infra/docker/Dockerfile'), 'utf8')
  const [, names = ''] = /for name in ([a-z ]+); do/.exec(image) ?? []
  expect(
    names
      .split(' ')
      .map((name) => `/volumes/${name}`)
      .toSorted(),
  ).toEqual([...folders.values()].toSorted())
  const context = await readFile(join(repository, '.dockerignore'), 'utf8')
  for (const file of ['secrets.ts', 'redis.sh']) expect(context).toContain(`\n!infra/docker/${file}\n`)
})

test('the image has the console, which a stage of its own has built: what bundles it stays there', async () => {
  const image = await readFile(join(repository, 'infra/docker/Dockerfile'), 'utf8')
  const [, build = '', run = ''] = /^FROM \S+ AS console\n([\s\S]*?)\n(FROM [\s\S]*)$/m.exec(image) ?? []
  expect(build).toContain('RUN node apps/console/build.ts')
  expect(build).not.toContain('--omit=dev')
  const lines = run.split('\n').filter((line) => line.startsWith('COPY'))
  // The sources first: their folder would cover what was built.
  expect(lines.indexOf('COPY --from=sources /app/apps ./apps')).toBeLessThan(
    lines.indexOf('COPY --from=console /app/apps/console/dist ./apps/console/dist'),
  )
  expect(lines.filter((line) => line.includes('node_modules'))).toEqual([])
})

test('the job gets each secret of SEKALI_SECRETS, and otherwise a file that is there and that it does not read', async () => {
  const { publisher_token: token, ...brought } = compose.secrets
  expect(compose.services.secrets?.secrets?.toSorted()).toEqual(Object.keys(brought).toSorted())
  expect(token?.file).toBe(`\${SEKALI_TOKEN_FILE:-infra/docker/not-given}`)
  for (const [name, { file }] of Object.entries(brought)) {
    expect(file).toBe(`\${SEKALI_SECRETS:-infra/docker/not-given}\${SEKALI_SECRETS:+/${name}}`)
  }
  await expect(stat(join(repository, 'infra/docker/not-given'))).resolves.toBeDefined()
  expect(compose.services.secrets?.command).toEqual([
    'infra/docker/secrets.ts',
    '/volumes',
    `\${SEKALI_SECRETS:+/run/secrets}`,
  ])
})

test('every container is closed, has limits, and no secret in its environment', () => {
  for (const [name, service] of services) {
    expect(service, name).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      pids_limit: 256,
      mem_limit: expect.stringMatching(/^\d+[mg]$/),
      cpus: `\${${name.toUpperCase().replace('-', '_')}_CPUS:-1}`,
    })
    const environment = Object.entries(service.environment ?? {})
    for (const [variable, value] of environment) {
      if (/PASSWORD|KEY|TOKEN/.test(variable)) expect(variable, name).toMatch(/_FILE$/)
      expect(String(value), `${name}: ${variable}`).not.toMatch(/\/\/[^/]*:[^/]*@/)
    }
    if (name !== 'secrets' && name !== 'publisher') expect(service.secrets, name).toBeUndefined()
  }
})

test('the first key takes options: whoever has lost it adds --replace, and node gets none of them', () => {
  expect(compose.services['first-key']).toMatchObject({
    entrypoint: ['node', 'apps/consumer/src/first-key.ts'],
    command: [],
  })
})

test('a key is in no log, and the publisher reads one only where one is given', () => {
  expect(compose.services['first-key']?.logging).toEqual({ driver: 'none' })
  expect(compose.services.publisher).toMatchObject({
    environment: { SEKALI_TOKEN_FILE: `\${SEKALI_TOKEN_FILE:+/run/secrets/publisher_token}` },
    secrets: ['publisher_token'],
  })
})

test('a port that is open to others without keys stops the first job, and makes no secret', async () => {
  expect(compose.services.secrets?.environment).toEqual({
    SEKALI_BIND: `\${SEKALI_BIND:-127.0.0.1}`,
    SEKALI_AUTH: `\${SEKALI_AUTH:-off}`,
  })
  await using volumes = await ownVolumes()
  const open = volumes.run('', { SEKALI_BIND: '0.0.0.0', SEKALI_AUTH: 'off' })
  expect(open).toMatchObject({ status: 1, stdout: '' })
  expect(open.stderr).toMatch(/^secrets: SEKALI_BIND 0\.0\.0\.0 opens the gateway to the network.*\n$/)
  const mistyped = volumes.run('', { SEKALI_AUTH: 'key' })
  expect(mistyped).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('SEKALI_AUTH: must be one of off'),
  })
  expect(await volumes.all()).toEqual({})
  for (const SEKALI_AUTH of ['keys', 'off-on-purpose']) {
    expect(volumes.run('', { SEKALI_BIND: '0.0.0.0', SEKALI_AUTH }).status, SEKALI_AUTH).toBe(0)
  }
})

test('what writes to /tmp has one: no file system of docker-compose.yml can be written', () => {
  for (const name of ['projector', 'redis', 'postgres', 'grafana']) {
    expect(
      compose.services[name]?.tmpfs?.some((place) => /^\/tmp\b/.test(place)),
      name,
    ).toBe(true)
  }
})
