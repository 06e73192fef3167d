/**
 * Redis really loses data that it said yes to: what was accepted and not stored yet is gone.
 *
 * Threatens: nothing that could be kept. What is promised is that the loss is that and no more, that it is said
 * (`lost` in /stats, a line in the log), and that everything after it is intact.
 */
import { readdir, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../clock.ts'
import { defineFault } from '../fault.ts'

const flushAll = defineFault({
  name: 'flushall',
  about: 'FLUSHALL: every stream, group and pending list is gone',
  needs: ['redis'],
  async run({ target: { redis }, destroys }) {
    destroys('flushall')
    await redis.call('FLUSHALL')
  },
})

const deleteStream = defineFault({
  name: 'delete-stream',
  about: 'DEL of one topic’s stream',
  needs: ['redis'],
  async run({ target: { redis }, topics, random, destroys }) {
    destroys('delete-stream')
    await redis.call('DEL', `${redis.prefix}:stream:${random.pick(topics)}`)
  },
})

const restartMs = 30_000

const truncateFile = defineFault({
  name: 'truncate-aof',
  about: 'Redis is killed and the end of its append-only file is gone, as after a broken disk',
  needs: ['processes', 'servers'],
  async run({ target, random, destroys }, signal) {
    const redis = (await target.processes.parts()).find(({ kind }) => kind === 'redis')
    if (redis === undefined) return
    await target.processes.signal(redis, 'SIGSTOP') // so that nothing is written between the cut and the end
    const folder = join(target.servers.redisDir, 'appendonlydir')
    const file = (await readdir(folder)).findLast((name) => name.endsWith('.incr.aof'))
    destroys('truncate-aof')
    if (file !== undefined) {
      const { size } = await stat(join(folder, file))
      await truncate(join(folder, file), Math.max(0, size - random.int(1, 20_000)))
    }
    await target.processes.signal(redis, 'SIGKILL')
    await until(
      async () => {
        const again = (await target.processes.parts()).find(({ kind }) => kind === 'redis')
        return again !== undefined && again.pid !== redis.pid
      },
      restartMs,
      signal,
    )
  },
})

export const losses = [flushAll, deleteStream, truncateFile]
