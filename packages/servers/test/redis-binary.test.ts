import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { findRedisBinary } from '../src/redis/binary.mjs'
import { ownFolder } from './folder.ts'

async function program(path: string, says: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 })
  return path
}

test('the first Redis on the PATH that is new enough is taken', async () => {
  await using folder = await ownFolder()
  await program(join(folder.path, 'old/redis-server'), 'Redis server v=6.2.14 sha=00000000:0 bits=64')
  const good = await program(
    join(folder.path, 'new/redis-server'),
    'Redis server v=7.4.1 sha=00000000:0 bits=64',
  )
  const found = findRedisBinary({ PATH: `${folder.path}/none:${folder.path}/old:${folder.path}/new` })
  expect(found).toMatchObject({ path: good, version: '7.4.1' })
})

test('Valkey will do', async () => {
  await using folder = await ownFolder()
  const valkey = await program(
    join(folder.path, 'valkey-server'),
    'Valkey server v=8.1.1 sha=00000000:0 bits=64',
  )
  expect(findRedisBinary({ PATH: folder.path }).path).toBe(valkey)
})

test('what will not do is named with the reason', async () => {
  await using folder = await ownFolder()
  const old = await program(join(folder.path, 'redis-server'), 'Redis server v=6.0.16 sha=00000000:0 bits=64')
  expect(findRedisBinary({ PATH: folder.path }).refused).toEqual([`${old} is 6.0.16, and 7.0 is needed`])
  expect(findRedisBinary({ PATH: '' }).refused).toEqual([
    'there is no redis-server and no valkey-server on the PATH',
  ])
})

test('REDIS_SERVER goes before the PATH, also when it is wrong', async () => {
  await using folder = await ownFolder()
  await program(join(folder.path, 'redis-server'), 'Redis server v=7.4.1 sha=00000000:0 bits=64')
  const found = findRedisBinary({ PATH: folder.path, REDIS_SERVER: '/no/such/redis' })
  expect(found).toMatchObject({
    path: undefined,
    refused: ['/no/such/redis, which REDIS_SERVER names, is not there'],
  })
})
