// infra/docker/make-env.sh, and that it makes what docker-compose.yml mounts.
import { spawnSync } from 'node:child_process'
import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const compose = await readFile(join(repository, 'docker-compose.yml'), 'utf8')
const declared = [...compose.matchAll(/\{ file: ".*\/(\w+)" \}/g)].map(([, name]) => String(name))
/** The files of the repository that containers read. */
const mounted = [...compose.matchAll(/- \.\/(\S+):\/\S+:ro,z$/gm)].map(([, name]) => String(name))
const services = compose.slice(compose.indexOf('\nservices:'), compose.indexOf('\nnetworks:'))

async function ownClone(env?: string) {
  const folder = await temporaryFolder('sekali-test-')
  const docker = join(folder.path, 'infra/docker')
  await mkdir(docker, { recursive: true })
  await mkdir(join(folder.path, 'packages/store'), { recursive: true })
  for (const name of ['infra/docker/make-env.sh', ...mounted]) {
    await cp(join(repository, name), join(folder.path, name))
    await chmod(join(folder.path, name), 0o700)
  }
  await mkdir(join(folder.path, 'examples'), { mode: 0o700 })
  await writeFile(join(folder.path, 'examples/login-alerts.ts'), '', { mode: 0o600 })
  if (env !== undefined) await writeFile(join(folder.path, '.env'), env)
  const secrets = join(folder.path, '.secrets')
  return {
    path: folder.path,
    secrets,
    run: () => spawnSync('sh', [join(docker, 'make-env.sh')], { encoding: 'utf8' }),
    env: () => readFile(join(folder.path, '.env'), 'utf8'),
    secret: (name: string) => readFile(join(secrets, name), 'utf8'),
    all: async () => {
      const names = await readdir(secrets)
      const texts = await Promise.all(names.map((name) => readFile(join(secrets, name), 'utf8')))
      return Object.fromEntries(names.map((name, index) => [name, texts[index]]))
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

test('make-env.sh makes each secret that docker-compose.yml mounts, once, and leaves none in .env', async () => {
  await using clone = await ownClone()
  expect(clone.run()).toMatchObject({ status: 0, stderr: '' })
  const made = await clone.all()
  expect(Object.keys(made).sort()).toEqual(declared.toSorted())
  const passwords = Object.entries(made).filter(([name]) => name.endsWith('_password'))
  for (const [, password] of passwords) expect(password).toMatch(/^[0-9a-f]{32}\n$/)
  expect(new Set(passwords.map(([, password]) => password)).size).toBe(9)
  expect(made.owner_database_url).toBe(
    `postgresql://sekali_owner:${made.postgres_owner_password?.trim()}@postgres:5432/sekali\n`,
  )
  expect(made.gateway_redis_url).toBe(`redis://gateway:${made.redis_gateway_password?.trim()}@redis:6379\n`)
  expect(await clone.env()).toBe('SEKALI_SECRETS=./.secrets\n')
  expect(clone.run()).toMatchObject({ status: 0, stdout: expect.stringContaining('0 secrets added') })
  expect(await clone.all()).toEqual(made)
})

test('containers may read the files, whoever their user is, and on this machine nobody else gets to them', async () => {
  await using clone = await ownClone()
  clone.run()
  expect((await stat(clone.secrets)).mode & 0o777).toBe(0o700)
  for (const name of await readdir(clone.secrets)) {
    expect((await stat(join(clone.secrets, name))).mode & 0o777, name).toBe(0o444)
  }
  expect(mounted.length).toBe(4)
  for (const name of mounted) {
    expect((await stat(join(clone.path, name))).mode & 0o044, name).toBe(0o044)
  }
  expect((await stat(join(clone.path, 'examples'))).mode & 0o055).toBe(0o055)
  expect((await stat(join(clone.path, 'examples/login-alerts.ts'))).mode & 0o044).toBe(0o044)
})

test('passwords of a .env from before go on, with whatever quotes and characters they have, and the rest stays', async () => {
  const before = [
    '# mine',
    'REDIS_GATEWAY_PASSWORD=old-and-good',
    'POSTGRES_PASSWORD="with # and space"',
    "POSTGRES_OWNER_PASSWORD='p@ss/w%rd'",
    'REDIS_OPERATOR_PASSWORD=plain # a comment',
    'SEKALI_PORT=9090',
    'MY_REDIS_GATEWAY_PASSWORD=mine',
  ]
  await using clone = await ownClone(before.join('\n'))
  expect(clone.run()).toMatchObject({ status: 0, stdout: expect.stringContaining('4 moved there') })
  expect(await clone.secret('redis_gateway_password')).toBe('old-and-good\n')
  expect(await clone.secret('gateway_redis_url')).toBe('redis://gateway:old-and-good@redis:6379\n')
  expect(await clone.secret('postgres_password')).toBe('with # and space\n')
  expect(await clone.secret('redis_operator_password')).toBe('plain\n')
  const url = new URL(await clone.secret('owner_database_url'))
  expect(decodeURIComponent(url.password)).toBe('p@ss/w%rd')
  expect(url).toMatchObject({ host: 'postgres:5432', pathname: '/sekali' })
  const kept = '# mine\nSEKALI_PORT=9090\nMY_REDIS_GATEWAY_PASSWORD=mine\nSEKALI_SECRETS=./.secrets\n'
  expect(await clone.env()).toBe(kept)
})

test('a password that is changed reaches the URL, and one that is in two places is refused and shown in none', async () => {
  await using clone = await ownClone()
  clone.run()
  await rm(join(clone.secrets, 'redis_consumer_password'))
  await writeFile(join(clone.secrets, 'redis_consumer_password'), 'new-one\n')
  expect(clone.run().status).toBe(0)
  expect(await clone.secret('consumer_redis_url')).toBe('redis://consumer:new-one@redis:6379\n')
  const env = `${await clone.env()}REDIS_CONSUMER_PASSWORD=another-one\n`
  await writeFile(join(clone.secrets, '../.env'), env)
  const refused = clone.run()
  expect(refused.status).toBe(1)
  expect(refused.stderr).toMatch(/REDIS_CONSUMER_PASSWORD in \.env is not what .* take one of them away/)
  expect(refused.stderr).not.toMatch(/new-one|another-one/)
  expect(await clone.env()).toBe(env)
})

test('what writes to /tmp has one: no file system of docker-compose.yml can be written', () => {
  for (const name of ['projector', 'redis', 'postgres']) {
    const part = services.split(/^ {2}(?=\w+:$)/m).find((part) => part.startsWith(`${name}:`))
    expect(part, name).toMatch(/^ {4}tmpfs: \["?\/tmp\b/m)
  }
})

test('no service of docker-compose.yml has a secret in its environment, and each has a limit of processors', () => {
  expect(services).not.toMatch(/PASSWORD:|_URL: *\S*:\/\/\S*@|\$\{\w*PASSWORD/)
  const parts = services.split(/^ {2}(?=\w+:$)/m).slice(1)
  expect(parts.length).toBe(7)
  for (const part of parts) {
    const name = part.slice(0, part.indexOf(':'))
    expect(part, name).toContain(`    cpus: \${${name.toUpperCase()}_CPUS:-1}\n`)
    // No more than it needs: what a client of Redis reads, no other one does.
    const read = [...part.matchAll(/_FILE: \/run\/secrets\/(\w+)$/gm)].map(([, secret]) => secret)
    const block = /^ {4}secrets:((?: \[.*\])|(?:\n {6}- \w+)+)/m.exec(part)?.[1] ?? ''
    const given = block.match(/\w+/g) ?? []
    expect(given, name).toEqual(expect.arrayContaining(read))
    if (part.includes('<<: *app')) expect(given.toSorted(), name).toEqual(read.toSorted())
    for (const secret of given) expect(declared, name).toContain(secret)
  }
})
