/** Keys that go to a file by --out: whole, for their owner alone, or not at all. */
import { writeFileSync } from 'node:fs'
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { keyIdIn } from '@sekali/store/key-text'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { start, startShell } from './command.ts'
import { ownSystem, type System } from './system.ts'

let system: System
let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  system = await ownSystem({ asksForKeys: true })
  folder = await temporaryFolder('sekali-test-')
})
afterAll(async () => {
  await folder[Symbol.asyncDispose]()
  await system[Symbol.asyncDispose]()
})

const environment = () => ({ SEKALI_URL: system.url, SEKALI_TOKEN: system.firstKey ?? '' })

async function sekali(...args: string[]) {
  await using command = start(args, environment())
  return await command.ended
}

const keys = async (): Promise<unknown[]> =>
  (await sekali('key', 'list', '--json')).out.split('\n').filter((line) => line !== '')

test('a key goes to its file alone, which only its owner can read, and a rotation takes its place', async () => {
  const file = join(folder.path, 'shop.key')
  const create = `umask 022; sekali key create shop --scope publish --topic 'orders.>' --out ${file}`
  await using made = startShell(create, environment())
  const { code, out, err } = await made.ended
  const id = keyIdIn((await readFile(file, 'utf8')).trimEnd())
  expect({ code, out, err }).toEqual({
    code: 0,
    out: '',
    err: `key ${id} is made: publish on orders.>; ${file} has it, and nothing else does\n`,
  })
  expect((await stat(file)).mode & 0o777).toBe(0o600)

  await chmod(file, 0o644)
  expect(await sekali('key', 'rotate', String(id), '--out', file)).toMatchObject({ code: 0, out: '' })
  const next = keyIdIn((await readFile(file, 'utf8')).trimEnd())
  expect(next).not.toBe(id)
  expect((await stat(file)).mode & 0o777).toBe(0o600)

  const refused = await sekali('key', 'rotate', String(id), '--out', file)
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('was rotated already') })
  expect(keyIdIn((await readFile(file, 'utf8')).trimEnd())).toBe(next)
  expect(await readdir(folder.path)).toEqual(['shop.key'])
})

test('with --json the answer is without the key, and a file that is a link stays one', async () => {
  const home = join(folder.path, 'links')
  await mkdir(home)
  const [real, link] = [join(home, 'real'), join(home, 'link')]
  await writeFile(real, '')
  await symlink(real, link)
  const args = ['key', 'create', 'x', '--scope', 'read', '--topic', '>', '--out', link, '--json']
  const { out, err } = await sekali(...args)
  const { id, key } = JSON.parse(out)
  expect([key, err]).toEqual([undefined, ''])
  expect(keyIdIn((await readFile(real, 'utf8')).trimEnd())).toBe(id)
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
})

test.each([
  ['no folder', (home: string) => join(home, 'none/x.key'), /cannot write .*none\/x\.key \(ENOENT\)/],
  ['a folder', (home: string) => home, /is no file/],
  ['a device', () => '/dev/null', /is no file/],
  [
    'a file that has another',
    (home: string) => {
      const file = join(home, 'taken.key')
      writeFileSync(file, 'the only copy')
      return file
    },
    /taken\.key is there, .* name another file/,
  ],
])('where %s is named, no key is made', async (_what, place, said) => {
  const before = await keys()
  const file = place(folder.path)
  const ended = await sekali('key', 'create', 'x', '--scope', 'read', '--topic', '>', '--out', file)
  expect(ended).toMatchObject({ code: 2, out: '', err: expect.stringMatching(said) })
  expect(await keys()).toEqual(before)
})
