// infra/docker/make-env.sh, and that it makes what docker-compose.yml mounts.
import { spawnSync } from 'node:child_process'
import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const compose = await readFile(join(repository, 'docker-compose.yml'), 'utf8')
const declared = [...compose.matchAll(/^ {4}file: .*\/(\w+)\}$/gm)].map(([, name]) => String(name))
/** The files of the repository that containers read. */
const mounted = [...compose.matchAll(/- \.\/(\S+):\/\S+:ro,z$/gm)].map(([, name]) => String(name))

async function ownClone(env?: string) {
  const folder = await temporaryFolder('sekali-test-')
  const docker = join(folder.path, 'infra/docker')
  await mkdir(docker, { recursive: true })
  await cp(join(repository, 'infra/docker/make-env.sh'), join(docker, 'make-env.sh'))
  await mkdir(join(folder.path, 'examples'), { mode: 0o700 })
  await writeFile(join(folder.path, 'examples/login-alerts.ts'), '', { mode: 0o600 })
  for (const name of mounted) {
    await mkdir(join(folder.path, dirname(name)), { recursive: true, mode: 0o700 })
    await cp(join(repository, name), join(folder.path, name))
    await chmod(join(folder.path, name), 0o600)
  }
  if (env !== undefined) await writeFile(join(folder.path, '.env'), env)
  const secrets = join(folder.path, '.secrets')
  return {
    path: folder.path,
    secrets,
    run: (args: readonly string[] = [], env: NodeJS.ProcessEnv = process.env) =>
      spawnSync('sh', [join(docker, 'make-env.sh'), ...args], { encoding: 'utf8', env }),
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
  expect(new Set(passwords.map(([, password]) => password)).size).toBe(11)
  expect(made.webhook_key).toMatch(/^[0-9a-f]{64}\n$/)
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
  expect(mounted.length).toBe(5)
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

/** A `docker` that notes what it is asked, and answers as `docker compose run` does. */
async function ownDocker(folder: string, lines: readonly string[]) {
  await mkdir(join(folder, 'bin'), { recursive: true })
  const path = join(folder, 'bin/docker')
  await writeFile(path, ['#!/bin/sh', `echo "$*" >>"${folder}/asked"`, ...lines].join('\n'))
  await chmod(path, 0o755)
  return {
    env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
  }
}

test('with --keys the first key is made once, into a file for the publisher alone, and is shown nowhere', async () => {
  await using clone = await ownClone()
  // A build writes to standard output, too.
  const answer = (key: string) => `case $2 in build) echo building ;; run) echo Started >&2; ${key} ;; esac`
  for (const key of ['echo the-key', ':']) {
    const docker = await ownDocker(clone.path, [answer(key)])
    const { status, stdout, stderr } = clone.run(['--keys'], docker.env)
    expect(status, stderr).toBe(0)
    expect(stdout + stderr).not.toContain('the-key')
    expect(stdout).toContain('first_key has the first key')
  }
  const once = 'compose build secrets\ncompose run --rm -T first-key --if-none\n'
  expect(await readFile(join(clone.path, 'asked'), 'utf8')).toBe(once + once)
  expect(await clone.secret('first_key')).toBe('the-key\n')
  expect((await stat(join(clone.secrets, 'first_key'))).mode & 0o777).toBe(0o444)
  const lines = [
    'SEKALI_SECRETS=./.secrets',
    'SEKALI_AUTH=keys',
    'SEKALI_TOKEN_FILE=./.secrets/first_key',
    '',
  ]
  expect(await clone.env()).toBe(lines.join('\n'))
})

test('after the volumes were deleted the new first key takes the place of the one in the file', async () => {
  await using clone = await ownClone()
  for (const key of ['old-key', 'new-key']) {
    const docker = await ownDocker(clone.path, [`case $2 in run) echo ${key} ;; esac`])
    expect(clone.run(['--keys'], docker.env).status).toBe(0)
    expect(await clone.secret('first_key')).toBe(`${key}\n`)
  }
})

test('a first key that no file has is asked for, and until then .env is as it was', async () => {
  await using clone = await ownClone()
  const docker = await ownDocker(clone.path, [])
  const refused = clone.run(['--keys'], docker.env)
  expect(refused).toMatchObject({ status: 1, stdout: expect.not.stringContaining('first_key') })
  expect(refused.stderr).toMatch(/first_key does not have it: put it there .* first-key --replace/)
  expect(await clone.env()).toBe('SEKALI_SECRETS=./.secrets\n')
  expect(await readdir(clone.secrets)).not.toContain('first_key')
  await writeFile(join(clone.secrets, 'first_key'), 'mine\n')
  expect(clone.run(['--keys'], docker.env).status).toBe(0)
  expect(await clone.secret('first_key')).toBe('mine\n')
  expect(await clone.env()).toContain('SEKALI_AUTH=keys\nSEKALI_TOKEN_FILE=./.secrets/first_key\n')
})

test('while the first key is made, compose needs no file of it, and a port that is open to others is no reason to stop', async () => {
  await using clone = await ownClone('SEKALI_BIND=0.0.0.0\nSEKALI_TOKEN_FILE=./gone\n')
  const says = `case $2 in run) echo "auth=$SEKALI_AUTH token=\${SEKALI_TOKEN_FILE-unset}" ;; esac`
  const docker = await ownDocker(clone.path, [says])
  expect(clone.run(['--keys'], docker.env).status).toBe(0)
  expect(await clone.secret('first_key')).toBe('auth=keys token=\n')
})

test('a first key that cannot be made leaves no file, and another option is refused', async () => {
  await using clone = await ownClone()
  for (const answer of ['case $2 in run) echo "a key already" >&2; exit 1 ;; esac', 'echo two; echo lines']) {
    const docker = await ownDocker(clone.path, [answer])
    const refused = clone.run(['--keys'], docker.env)
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('could not be made') })
    expect(await readdir(clone.secrets)).not.toContain('first_key')
    expect(await clone.env()).toBe('SEKALI_SECRETS=./.secrets\n')
  }
  const docker = await ownDocker(clone.path, [])
  expect(clone.run(['--key'], docker.env)).toMatchObject({
    status: 2,
    stderr: 'make-env: takes --keys, or nothing\n',
  })
})
