import { chown, readFile, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { expect, test } from 'vitest'
import { startRedis } from '../src/redis/server.ts'
import { askRedis } from './ask.ts'
import { ownFolder } from './folder.ts'

test('Redis keeps what it said yes to across a stop and a kill -9, on the same URL', async () => {
  await using folder = await ownFolder()
  const first = await startRedis({ dir: folder.path })
  expect(await askRedis(first.url, 'SET kept yes')).toBe('+OK\r\n')
  await first.stop()
  const second = await startRedis({ dir: folder.path, port: first.port })
  expect(second.url).toBe(first.url)
  expect(await askRedis(second.url, 'INCR count')).toBe(':1\r\n')
  second.kill('SIGKILL')
  await second.exited
  await using third = await startRedis({ dir: folder.path, port: first.port })
  expect(await askRedis(third.url, 'GET kept')).toBe('$3\r\nyes\r\n')
  expect(await askRedis(third.url, 'GET count')).toBe('$1\r\n1\r\n')
})

test('on another address of this machine, Redis is found again by its folder alone', async () => {
  await using folder = await ownFolder()
  await using redis = await startRedis({ dir: folder.path, host: '127.0.0.2' })
  expect(new URL(redis.url).hostname).toBe('127.0.0.2')
  await expect(startRedis({ dir: folder.path })).rejects.toThrow(`port ${redis.port}`)
})

test('two Redis servers run side by side and do not know each other', async () => {
  await using folder = await ownFolder()
  await using one = await startRedis({ dir: join(folder.path, 'one') })
  await using two = await startRedis({ dir: join(folder.path, 'two') })
  await askRedis(one.url, 'SET who one')
  expect(await askRedis(two.url, 'GET who')).toBe('$-1\r\n')
})

test('Redis has durable settings, takes only who knows the password, and shows it to nobody', async () => {
  await using folder = await ownFolder()
  await using redis = await startRedis({ dir: folder.path, args: ['--maxclients', '77'] })
  expect(await askRedis(redis.url, 'CONFIG GET appendfsync')).toContain('always')
  expect(await askRedis(redis.url, 'CONFIG GET maxmemory-policy')).toContain('noeviction')
  expect(await askRedis(redis.url, 'CONFIG GET maxclients')).toContain('77')
  const stranger = new URL(redis.url)
  stranger.password = 'guess'
  expect(await askRedis(stranger.href, 'PING')).toMatch(/NOAUTH/)
  expect((await stat(join(folder.path, 'password'))).mode & 0o077).toBe(0)
  expect((await stat(join(folder.path, 'redis.conf'))).mode & 0o077).toBe(0)
  const password = (await readFile(join(folder.path, 'password'), 'utf8')).trim()
  const commandLine = await readFile(`/proc/${redis.pid}/cmdline`, 'utf8').catch(() => '')
  expect(commandLine).not.toContain(password)
})

test.runIf(process.getuid?.() === 0)(
  'Redis of root’s is another user’s, also on data that root wrote',
  async () => {
    for (const mode of [0o711, 0o700]) {
      await using folder = await ownFolder(mode)
      const dir = join(folder.path, 'redis')
      const first = await startRedis({ dir })
      await askRedis(first.url, 'SET kept yes')
      await first.stop()
      await chown(join(dir, 'appendonlydir'), 0, 0)
      await using redis = await startRedis({ dir })
      const status = await readFile(`/proc/${redis.pid}/status`, 'utf8')
      expect(status).not.toMatch(/^Uid:.*\t0\b/m)
      // Nothing that root may do is left, but for a way through closed folders where one is above the data.
      expect(status).toMatch(mode === 0o711 ? /^CapEff:\t0+$/m : /^CapEff:\t0+[0-9a-f]$/m)
      expect(await askRedis(redis.url, 'GET kept')).toBe('$3\r\nyes\r\n')
      expect(await askRedis(redis.url, 'BGREWRITEAOF')).toContain('+Background')
    }
  },
)

test('a second Redis on the same directory is refused, and the first one stays', async () => {
  await using folder = await ownFolder()
  await using redis = await startRedis({ dir: folder.path })
  await expect(startRedis({ dir: folder.path })).rejects.toMatchObject({ code: 'data_in_use' })
  expect(await askRedis(redis.url, 'PING')).toBe('+PONG\r\n')
})

test('a Redis that does not start says why', async () => {
  await using folder = await ownFolder()
  const start = startRedis({ dir: folder.path, args: ['--no-such-setting', '1'] })
  await expect(start).rejects.toThrow(/Redis did not start .*no-such-setting/s)
})

test('a stopped Redis leaves its port', async () => {
  await using folder = await ownFolder()
  const redis = await startRedis({ dir: folder.path })
  await redis.stop()
  await redis.stop()
  const outcome = await new Promise((resolve) => {
    const socket = connect({ port: redis.port, host: '127.0.0.1' })
    socket.once('connect', () => resolve('connected'))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
  expect(outcome).toBe('ECONNREFUSED')
})
