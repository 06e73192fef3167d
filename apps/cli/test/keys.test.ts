import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { keyIdIn } from '@sekali/store/key-text'
import { eventually } from '@sekali/testkit/eventually'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { start, startShell } from './command.ts'
import { ownSystem, type System } from './system.ts'

let system: System
beforeAll(async () => {
  system = await ownSystem({ asksForKeys: true })
})
afterAll(() => system[Symbol.asyncDispose]())

const environment = () => ({ SEKALI_URL: system.url, SEKALI_TOKEN: system.firstKey ?? '' })

async function sekali(...args: string[]) {
  await using command = start(args, environment())
  return await command.ended
}

const shop = ['--scope', 'publish', '--topic', 'orders.>,users.*', '--source', 'shop']
const json = async (...args: string[]) => JSON.parse((await sekali(...args, '--json')).out)

test('a key is alone on standard output, so that a file gets it and nothing else', async () => {
  const { code, out, err } = await sekali('key', 'create', 'shop', ...shop, '--expires-in', '90d')
  expect(code).toBe(0)
  const id = keyIdIn(out.trimEnd())
  expect(id).toBeDefined()
  expect(err).toBe(`key ${id} is made: publish on orders.>, users.* as shop; it is shown this once\n`)
  const shown = await json('key', 'show', String(id))
  expect(shown).toMatchObject({
    id,
    name: 'shop',
    scopes: ['publish'],
    topics: ['orders.>', 'users.*'],
    source: 'shop',
  })
  const days = (Date.parse(shown.expires_at) - Date.parse(shown.created_at)) / 86_400_000
  expect(days).toBeCloseTo(90, 2)
  const people = await sekali('key', 'show', String(id))
  expect(people.out).toMatch(/^id +\w{12}\nname +shop\nstatus +live\nscopes +publish\n/)
  expect(people.out).toMatch(/\nsuccessor +none\n$/)
})

test('a file that others can read is named, and one that they cannot is not', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const file = join(folder.path, 'shop.key')
  const create = `sekali key create shop ${shop.map((word) => `'${word}'`).join(' ')} > ${file}`
  await using open = startShell(`umask 022; ${create}`, environment())
  expect((await open.ended).err).toMatch(/others can read the file that it went to: chmod 600/)
  expect(keyIdIn((await readFile(file, 'utf8')).trimEnd())).toBeDefined()
  await using closed = startShell(`rm ${file}; umask 077; ${create}`, environment())
  expect((await closed.ended).err).not.toContain('others can read')
})

test('a rotated key has a successor, and both are in the list', async () => {
  const made = await json('key', 'create', 'turning', ...shop)
  const { code, out, err } = await sekali('key', 'rotate', made.id, '--old-expires-in', '24h')
  expect(code).toBe(0)
  const id = keyIdIn(out.trimEnd())
  expect(err).toBe(
    `key ${id} takes the place of ${made.id}, which goes on for 86400 s; it is shown this once\n`,
  )
  const list = await sekali('key', 'list')
  expect(list.out).toMatch(
    new RegExp(`\\n${made.id} +turning +live, rotated +publish on orders\\.>, users\\.\\* as shop +`),
  )
  expect(list.out).toMatch(new RegExp(`\\n${id} +turning +live +publish`))
  const again = await sekali('key', 'rotate', made.id)
  expect(again).toMatchObject({ code: 1, out: '', err: expect.stringContaining('was rotated already') })
})

test('a key is revoked, also twice, and the audit log says by whom', async () => {
  const { id } = await json('key', 'create', 'going', ...shop)
  expect(await sekali('key', 'revoke', id)).toMatchObject({ code: 0, out: `key ${id} (going) is revoked\n` })
  expect((await sekali('key', 'revoke', id)).code).toBe(0)
  const { out } = await sekali('audit', '--limit', '2')
  expect(out).toMatch(/^ +at +who +from +what +of\n/)
  expect(out).toMatch(
    new RegExp(
      `\\n *\\d+ {2}[\\d-]+T[\\d:]+Z +\\w+ +127\\.0\\.0\\.1 +key_revoked +${id} +\\{"name":"going"\\}\\n`,
    ),
  )
  expect(out.match(/key_revoked/g)).toHaveLength(1)
  const all = (await sekali('audit', '--after', '0', '--limit', '5000', '--json')).out.trim().split('\n')
  const numbers = all.map((line) => JSON.parse(line).number)
  expect(numbers).toEqual(numbers.map((_, index) => index + 1))
})

test('whoever revokes a key is told which of the keys that it has made live on, and theirs', async () => {
  const parent = await json('key', 'create', 'parent', '--scope', 'admin,read', '--topic', 'orders.>')
  const by = async (key: string, ...args: string[]) => {
    await using command = start([...args, '--json'], { SEKALI_URL: system.url, SEKALI_TOKEN: key })
    return JSON.parse((await command.ended).out)
  }
  const child = await by(parent.key, 'key', 'create', 'child', '--scope', 'admin', '--topic', 'orders.>')
  const grandchild = await by(child.key, 'key', 'create', 'grand', '--scope', 'admin', '--topic', 'orders.a')
  await sekali('key', 'revoke', child.id)
  expect((await sekali('key', 'revoke', parent.id)).err).toBe(
    `made with it and still live: ${grandchild.id} (grand); sekali key revoke ends each of them\n`,
  )
  expect((await sekali('key', 'revoke', grandchild.id)).err).toBe('')
  const own = await json('key', 'create', 'own', '--scope', 'admin', '--topic', 'orders.>')
  await using last = start(['key', 'revoke', own.id], { SEKALI_URL: system.url, SEKALI_TOKEN: own.key })
  expect(await last.ended).toMatchObject({ code: 0, out: `key ${own.id} (own) is revoked\n` })
})

test('without a key one is told where a key goes, and a tail whose key ends says that and nothing else', async () => {
  const { key, id } = await json('key', 'create', 'reader', '--scope', 'read', '--topic', 'orders.>')
  const as = (token: string, ...args: string[]) =>
    start(args, { SEKALI_URL: system.url, ...(token !== '' && { SEKALI_TOKEN: token }) })
  await using stranger = as('', 'topics')
  expect(await stranger.ended).toMatchObject({
    code: 1,
    err: 'sekali: A key is needed here: a profile, --token-file or SEKALI_TOKEN has it\n',
  })
  await using tail = as(key, 'tail', 'orders.none')
  const waiting = /^there is no topic orders\.none.*: waiting for its first event\n/
  await eventually(() => expect(tail.err()).toMatch(waiting))
  await sekali('key', 'revoke', id)
  const { code, err } = await tail.ended
  expect({ code, err: err.replace(waiting, '') }).toEqual({
    code: 1,
    err: expect.stringMatching(/^sekali: The key .*revoked.*SEKALI_TOKEN has .*\n$/),
  })
})

test('the help says for how long an old key goes on in words that the option takes', async () => {
  const { out } = await sekali('key', 'rotate', '--help')
  expect(out).toMatch(/--old-expires-in <time> .*\(default: 1h\)/)
})

test.each([
  [['key', 'create', 'x', '--topic', '>'], 2, /--scope/],
  [
    ['key', 'create', 'x', '--scope', 'all', '--topic', '>'],
    1,
    /scopes\.0 must be one of publish, read, work, admin/,
  ],
  [
    ['key', 'create', 'x', '--scope', 'read', '--topic', '>', '--source', 's'],
    1,
    /source is for keys that publish/,
  ],
  [['key', 'create', 'x', '--scope', 'read', '--topic', 'a..b'], 1, /topics\.0 must be/],
  [['key', 'create', 'x', '--scope', 'read', '--topic', '>', '--expires-in', 'soon'], 2, /30m, 12h or 90d/],
  [['key', 'rotate', 'aaaaaaaaaaaa', '--old-expires-in', '8d'], 1, /0 to 604800/],
  [['key', 'show', 'nobody'], 2, /an id must be 12 of .*: sekali key list/],
  [['key', 'revoke', 'aaaaaaaaaaaa'], 1, /there is no such key/],
  [['key', 'create', 'x', '--scope', 'read', '--topic', '>', '--events-per-second', '0'], 2, /whole number/],
])('%j is refused with %i and a sentence', async (args, code, said) => {
  expect(await sekali(...args)).toMatchObject({ code, out: '', err: expect.stringMatching(said) })
})

test('no command but the one that makes it shows a key, nor does the log of the gateway', async () => {
  const made = await sekali('key', 'create', 'planted', ...shop)
  const secrets = [made.out, system.firstKey ?? ''].map((key) => key.split('_')[2] ?? '')
  expect(secrets.every((secret) => secret.length === 32)).toBe(true)
  const said = await Promise.all([
    sekali('key', 'list'),
    sekali('key', 'list', '--json'),
    sekali('audit', '--limit', '1000'),
    sekali('key', 'show', made.out.trim()),
    sekali('key', 'rotate', made.out.trim()),
    sekali('key', 'revoke', made.out.trim()),
    sekali('profile', 'show'),
    sekali('key', 'create'),
  ])
  for (const { code, err } of said.slice(3, 6)) {
    expect([code, err]).toEqual([2, expect.stringContaining('is not the key itself')])
  }
  const shown = said.map(({ out, err }) => out + err).join('') + made.err + system.logs()
  for (const secret of secrets) expect(shown).not.toContain(secret)
})
