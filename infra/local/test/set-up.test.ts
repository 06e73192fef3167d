import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const setUp = (file: string) => fileURLToPath(new URL(`../set-up/${file}`, import.meta.url))
const bootstrap = fileURLToPath(new URL('../bootstrap.mjs', import.meta.url))

function aroundProxies(env: Record<string, string>): unknown {
  const script = `import(${JSON.stringify(setUp('proxy.mjs'))}).then(({ aroundProxies }) =>
    process.stdout.write(JSON.stringify(aroundProxies(${JSON.stringify(env)}))))`
  return JSON.parse(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }))
}

test('calls on this machine go around a proxy, and so do those that went around it before', () => {
  expect(aroundProxies({ PATH: '/bin' })).toEqual({})
  const all = '127.0.0.1,::1,localhost'
  expect(aroundProxies({ HTTP_PROXY: 'http://p:1' })).toEqual({ no_proxy: all, NO_PROXY: all })
  const more = { https_proxy: 'http://p:1', no_proxy: 'a.example, localhost', NO_PROXY: 'b.example' }
  const both = 'a.example,localhost,b.example,127.0.0.1,::1'
  expect(aroundProxies(more)).toEqual({ no_proxy: both, NO_PROXY: both })
})

test('every file is checked out as it is committed, whatever git would do to line ends', () => {
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const names = ['package.json', 'infra/local/bootstrap.mjs', 'infra/docker/redis.sh', 'docs/http-api.md']
  const said = execFileSync('git', ['check-attr', 'eol', '--', ...names], { cwd: root, encoding: 'utf8' })
  expect(said.trim().split('\n')).toEqual(names.map((name) => `${name}: eol: lf`))
})

test('without a Redis, and without the right to install one, the exact command is shown', () => {
  // A server that is named is never replaced by one that is installed.
  const script = `import(${JSON.stringify(setUp('redis.mjs'))}).then(({ ensureRedis }) =>
    ensureRedis({}).catch((error) => process.stdout.write(error.message)))`
  const env = { PATH: process.env.PATH, REDIS_SERVER: '/nowhere' }
  const said = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', env })
  expect(said).toMatch(
    /needs a Redis server: \/nowhere, which REDIS_SERVER names, is not there\..*Install Redis 7\.0.*docker compose up/s,
  )
  if (existsSync('/usr/bin/apt-get')) expect(said).toMatch(/Here: sudo sh '\/.*\/apt-redis\.sh'\n/)
})

test('the bootstrap runs the help of every command without a Redis', () => {
  for (const command of [
    'demo',
    'start',
    'test',
    'test-more',
    'chaos',
    'bench',
    'flood',
    'mutants',
    'summary',
    'backup',
    'restore',
  ]) {
    const env = { PATH: process.env.PATH, REDIS_SERVER: '/nowhere' }
    const said = execFileSync(process.execPath, [bootstrap, command, '--help'], { encoding: 'utf8', env })
    expect(said).toMatch(/^Usage: npm /)
  }
})
