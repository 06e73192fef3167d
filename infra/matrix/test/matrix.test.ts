import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import { repositoryIn } from '../src/debian.ts'
import { CannotBeHad, mustRun } from '../src/run-program.ts'
import { nameOf, pairs, singles } from '../src/servers.ts'
import { toldVersion } from '../src/told-version.ts'

test("of apt's repositories it takes Debian's own, and not that of security fixes, which has no other suites", () => {
  const targets = [
    'Somebody http://packages.example/apt/',
    'Debian http://mirror.example/debian-security/',
    'Debian http://mirror.example/debian/',
  ]
  expect(repositoryIn(targets.join('\n'))).toBe('http://mirror.example/debian/')
  expect(repositoryIn(targets.slice(0, 2).join('\n'))).toBeUndefined()
})

test('a source that refuses is told by its last line', async () => {
  const failing = mustRun('sh', ['-c', 'echo begun; echo no such version >&2; exit 1'])
  await expect(failing).rejects.toThrow(CannotBeHad)
  await expect(failing).rejects.toThrow('no such version')
})

test('a row says which version was run, and none stands under the name of another line', async () => {
  await using folder = await temporaryFolder('sekali-matrix-test-')
  const valkey = join(folder.path, 'valkey-server')
  await writeFile(valkey, "#!/bin/sh\necho 'Valkey server v=8.1.1 sha=00000000:1 bits=64'\n")
  await chmod(valkey, 0o755)
  await writeFile(join(folder.path, 'package.json'), '{"version":"15.18.0-beta.17"}')
  const postgres = { POSTGRES_PROGRAMS: folder.path }
  expect(await toldVersion('Valkey 8.1', { REDIS_SERVER: valkey })).toBe('8.1.1')
  expect(await toldVersion('PostgreSQL 15', postgres)).toBe('15.18')
  for (const name of ['Valkey 8.0', 'Valkey 9', 'Valkey 8.11'])
    await expect(toldVersion(name, { REDIS_SERVER: valkey }), name).rejects.toThrow(
      'what was fetched is 8.1.1',
    )
  await expect(toldVersion('PostgreSQL 1', postgres)).rejects.toThrow(CannotBeHad)
})

test('each version is run, and a Redis or Valkey together with a PostgreSQL', () => {
  const inPairs = new Set(pairs.flat().map(({ name }) => name))
  expect([...inPairs].toSorted()).toEqual(singles.map(nameOf).toSorted())
  expect(pairs.map(nameOf)).toContain('Redis 7.0 with PostgreSQL 15')
  for (const pair of pairs) expect(nameOf(pair)).toMatch(/^(Redis|Valkey) \d(\.\d)? with PostgreSQL \d+$/)
})
