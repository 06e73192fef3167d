/**
 * Redis really loses data that it said yes to: what was accepted and not stored yet is gone.
 *
 * Threatens: nothing that could be kept. What is promised is that the loss is that and no more, that it is said
 * (`lost` in /stats, a line in the log), and that everything after it is intact.
 */
import { readdir, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { defineFault } from '../fault.ts'
import { partOf, restarted } from '../inject/parts.ts'

const flushAll = defineFault({
  name: 'flushall',
  about: 'FLUSHALL: every stream, group and pending list is gone',
  needs: ['redis'],
  async run({ target: { redis }, destroys }) {
    await destroys('flushall', () => redis.call('FLUSHALL'))
  },
})

const deleteStream = defineFault({
  name: 'delete-stream',
  about: 'DEL of one topic’s stream',
  needs: ['redis'],
  async run({ target: { redis }, topics, random, destroys }) {
    const topic = random.pick(topics)
    await destroys('delete-stream', () => redis.call('DEL', `${redis.prefix}:stream:${topic}`), topic)
  },
})

const truncateFile = defineFault({
  name: 'truncate-aof',
  about: 'Redis is killed and the end of its append-only file is gone, as after a broken disk',
  needs: ['processes', 'servers'],
  async run({ target: { processes, servers }, random, destroys }, signal) {
    const redis = await partOf(processes, 'redis')
    await processes.signal(redis, 'SIGSTOP') // so that nothing is written between the cut and the end
    const folder = join(servers.redisDir, 'appendonlydir')
    const file = (await readdir(folder)).findLast((name) => name.endsWith('.incr.aof'))
    if (file !== undefined)
      await destroys('truncate-aof', () => cut(join(folder, file), random.int(1, 20_000)))
    await processes.signal(redis, 'SIGKILL')
    await restarted(processes, redis, signal)
  },
})

async function cut(path: string, bytes: number): Promise<void> {
  const { size } = await stat(path)
  await truncate(path, Math.max(0, size - bytes))
}

export const losses = [flushAll, deleteStream, truncateFile]
