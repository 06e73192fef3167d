import { lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { eventually } from '@sekali/testkit/eventually'
import { ownFolder } from '@sekali/testkit/servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { start } from '../test/command.ts'

const secret = 'tok-3f9a'
let folder: Awaited<ReturnType<typeof ownFolder>>
beforeAll(async () => {
  folder = await ownFolder()
})
afterAll(() => folder[Symbol.asyncDispose]())

/** Runs it with a folder of profiles of its own; all that it wrote must be free of the token. */
async function run(home: string, args: readonly string[], env: Record<string, string> = {}, input = '') {
  await using command = start(args, { XDG_CONFIG_HOME: join(folder.path, home), ...env })
  command.child.stdin?.end(input)
  const ended = await command.ended
  expect(ended.out + ended.err).not.toContain(secret)
  return ended
}

/** A proxy that notes the headers that it gets, and answers as a gateway without topics. */
async function notingServer() {
  const seen: { readonly path: string; readonly authorization: string | undefined }[] = []
  const figures = { accepted: 0, stored: 0, duplicates: 0, conflicts: 0, dead: 0, lost: 0, in_flight: 0 }
  const server = createServer(({ url = '', headers }, response) => {
    seen.push({ path: url, authorization: headers.authorization })
    if (headers.authorization === undefined) response.writeHead(401)
    response.end(JSON.stringify({ totals: figures, topics: [], consumers: [] }))
  }).listen(0, '127.0.0.1')
  await eventually(() => expect(server.listening).toBe(true))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

test('a profile is kept for its user alone, and its token is sent to its URL and shown nowhere', async () => {
  await using proxy = await notingServer()
  const set = ['profile', 'set', 'prod', '--url', proxy.url, '--token-file', '-']
  expect(await run('a', set, {}, `${secret}\n`)).toMatchObject({
    code: 0,
    out: 'prod is set; sekali profile use prod makes it the usual one\n',
  })
  const file = join(folder.path, 'a/sekali/profiles.json')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await stat(join(folder.path, 'a/sekali'))).mode & 0o777).toBe(0o700)
  expect(await readFile(file, 'utf8')).toContain(secret)

  expect(await run('a', ['profile', 'use', 'prod'])).toMatchObject({ code: 0, out: 'prod is in use\n' })
  expect((await run('a', ['profile', 'list'])).out).toBe(
    `name  url                     token\nprod  ${proxy.url}  yes    in use\n`.replace(
      /url +/,
      `url${' '.repeat(proxy.url.length - 1)}`,
    ),
  )
  expect(JSON.parse((await run('a', ['profile', 'list', '--json'])).out)).toEqual({
    name: 'prod',
    url: proxy.url,
    has_token: true,
    in_use: true,
  })
  expect(await run('a', ['topics'])).toMatchObject({ code: 0 })
  expect(proxy.seen).toEqual([{ path: '/stats', authorization: `Bearer ${secret}` }])
})

test('what an option says counts first, then the environment, then the profile in use, then this machine', async () => {
  await run('b', ['profile', 'set', 'one', '-u', 'http://one.example'])
  await run('b', ['profile', 'set', 'two', '-u', 'http://two.example'])
  const shown = async (args: string[], env: Record<string, string> = {}) =>
    (await run('b', ['profile', 'show', ...args], env)).out.split('\n')[0]
  expect(await shown([])).toBe('url    http://127.0.0.1:8080 (default)')
  await run('b', ['profile', 'use', 'one'])
  const env = { SEKALI_URL: 'http://env.example' }
  expect(await shown([])).toBe('url    http://one.example (profile one, in use)')
  expect(await shown([], { SEKALI_PROFILE: 'two' })).toBe(
    'url    http://two.example (profile two, SEKALI_PROFILE)',
  )
  expect(await shown([], { ...env, SEKALI_PROFILE: 'two' })).toBe('url    http://env.example (SEKALI_URL)')
  expect(await shown(['-p', 'two'], env)).toBe('url    http://two.example (profile two, --profile)')
  expect(await shown(['-u', 'http://o.example', '-p', 'two'], env)).toBe('url    http://o.example (--url)')
  await run('b', ['profile', 'remove', 'one'])
  expect(await shown([])).toBe('url    http://127.0.0.1:8080 (default)')
})

test('the token of a profile goes to no other URL, and a new URL makes it forget the token', async () => {
  await using proxy = await notingServer()
  const file = join(folder.path, 'token')
  await writeFile(file, `${secret}\n`)
  await run('c', ['profile', 'set', 'p', '--url', 'http://p.example', '--token-file', file])
  await run('c', ['profile', 'use', 'p'])
  const refused = await run('c', ['topics', '--url', proxy.url])
  expect(refused).toMatchObject({
    code: 1,
    err: expect.stringMatching(/wants another token, or any \(401\)/),
  })
  expect(proxy.seen.map(({ authorization }) => authorization)).toEqual([undefined])
  await run('c', ['topics', '--url', proxy.url], { SEKALI_TOKEN: secret })
  await run('c', ['topics', '--url', proxy.url, '--token-file', file])
  expect(proxy.seen.slice(1).map(({ authorization }) => authorization)).toEqual([
    `Bearer ${secret}`,
    `Bearer ${secret}`,
  ])
  const token = async () => (await run('c', ['profile', 'show'])).out.split('\n')[1]
  expect(await token()).toBe('token  yes, not shown (profile p, in use)')
  await run('c', ['profile', 'set', 'p', '--url', 'http://q.example'])
  expect(await token()).toBe('token  none')
})

test('the token of the profile in use goes to its URL also when that is named once more', async () => {
  await using proxy = await notingServer()
  const file = join(folder.path, 'same')
  await writeFile(file, secret)
  await run('j', ['profile', 'set', 'p', '--url', proxy.url, '--token-file', file])
  await run('j', ['profile', 'set', 'other', '--url', `${proxy.url}/other`])
  await run('j', ['profile', 'use', 'p'])
  const same = `${proxy.url.replace('http:', 'HTTP:')}/`
  expect(await run('j', ['topics', '--url', same])).toMatchObject({ code: 0 })
  expect(await run('j', ['topics'], { SEKALI_URL: proxy.url })).toMatchObject({ code: 0 })
  expect((await run('j', ['topics', '--url', `${proxy.url}/x`])).code).toBe(1)
  expect((await run('j', ['topics', '--url', proxy.url], { SEKALI_PROFILE: 'other' })).code).toBe(1)
  expect(proxy.seen.map(({ authorization }) => authorization)).toEqual([
    `Bearer ${secret}`,
    `Bearer ${secret}`,
    undefined,
    undefined,
  ])
  const shown = await run('j', ['profile', 'show', '--url', same])
  expect(shown.out.split('\n')[1]).toBe('token  yes, not shown (profile p, in use)')
})

test.each([
  ['an unknown profile', ['stats', '-p', 'none'], /there is no profile none: sekali profile list/],
  ['a name that is none', ['profile', 'set', '../x', '-u', 'http://a'], /a profile is called 1 to 64/],
  ['no URL', ['profile', 'set', 'x'], /there is no profile x yet: name its --url/],
  ['a URL with a password', ['stats', '-u', `http://u:${secret}@h`], /without user and password/],
  ['a token that is none', ['profile', 'set', 'x', '-u', 'http://a', '--token-file', '-'], /holds no token/],
  ['no file of a token', ['stats', '--token-file', '/none'], /cannot read the token in \/none \(ENOENT\)/],
])('%s is a usage error on one line', async (_what, args, said) => {
  const { code, err } = await run('d', args, {}, 'a b')
  expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(said) })
  expect(err).toMatch(/^sekali: .*\n$/)
})

test('a file of profiles that is not as it was written is named, and a command with --url does without', async () => {
  await mkdir(join(folder.path, 'e/sekali'), { recursive: true })
  await writeFile(join(folder.path, 'e/sekali/profiles.json'), `{"token": "${secret}"`)
  expect(await run('e', ['profile', 'list'])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^sekali: .*profiles\.json is not as sekali profile writes it: .*\n$/),
  })
  expect((await run('e', ['profile', 'show', '-u', 'http://a.example'])).code).toBe(0)
})

test.each([
  ['no profile', '{"profiles":{"x":null}}'],
  ['no object', '{"profiles":{"x":"http://a"}}'],
  ['a list', '{"profiles":[]}'],
  ['no URL', '{"profiles":{"x":{"url":7}}}'],
  ['a name of no profile', '{"profiles":{"__proto__":{"url":"http://a"}}}'],
  ['a URL with a password', `{"profiles":{"x":{"url":"http://u:${secret}@h"}}}`],
])('a file of profiles with %s is refused, and nothing of it is shown', async (what, text) => {
  const home = `f ${what}`
  await mkdir(join(folder.path, home, 'sekali'), { recursive: true })
  await writeFile(join(folder.path, home, 'sekali/profiles.json'), text)
  expect(await run(home, ['profile', 'list'])).toEqual({
    code: 2,
    out: '',
    err: expect.stringMatching(/^sekali: .*profiles\.json is not as sekali profile writes it: .*\n$/),
  })
})

test('a name that every object has is a name like others', async () => {
  await run('g', ['profile', 'set', 'constructor', '-u', 'http://a.example'])
  expect((await run('g', ['profile', 'show', '-p', 'constructor'])).out).toMatch(
    /^url {4}http:\/\/a\.example /,
  )
})

test('a file of profiles that is a link stays one', async () => {
  await mkdir(join(folder.path, 'h/sekali'), { recursive: true })
  await mkdir(join(folder.path, 'dotfiles'))
  const kept = join(folder.path, 'dotfiles/profiles.json')
  const link = join(folder.path, 'h/sekali/profiles.json')
  await writeFile(kept, '{"profiles":{}}')
  await symlink(kept, link)
  expect((await run('h', ['profile', 'set', 'a', '-u', 'http://a.example'])).code).toBe(0)
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
  expect(await readFile(kept, 'utf8')).toContain('http://a.example')
})

// On another system there is no /proc, and no folder can be made there either.
test('a folder in which none can be made is reported, and nothing waits for it', async () => {
  const { code, err } = await run('i', ['profile', 'set', 'a', '-u', 'http://a'], {
    XDG_CONFIG_HOME: '/proc',
  })
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringMatching(/cannot write \/proc\/sekali\/.* \(E\w+\)/),
  })
}, 10_000)
