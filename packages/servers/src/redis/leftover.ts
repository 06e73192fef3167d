import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ServerFailed } from '../errors.ts'
import { waitUntil } from '../wait-until.ts'
import { pingRedis, shutDownRedis } from './ping.ts'

const leaveMs = 15_000

/**
 * The port of the Redis that runs on this directory. Only that one knows the directory's password, so the
 * answer is sure, whatever has become of process ids.
 */
export async function findRunningRedis(dir: string): Promise<number | undefined> {
  const last = await lastUse(dir)
  if (last === undefined) return undefined
  const answer = await pingRedis(last)
  return answer === 'ready' || answer === 'loading' ? last.port : undefined
}

/** Stops a Redis that a killed supervisor left running. Returns whether there was one. */
export async function stopLeftoverRedis(dir: string): Promise<boolean> {
  const port = await findRunningRedis(dir)
  const last = await lastUse(dir)
  if (port === undefined || last === undefined) return false
  await shutDownRedis(last)
  const gone = await waitUntil(async () => (await pingRedis(last)) === 'nothing', leaveMs)
  if (!gone)
    throw new ServerFailed(`the Redis on port ${port}, left over on ${dir}, does not stop. Stop it by hand.`)
  return true
}

async function lastUse(dir: string): Promise<{ host: string; port: number; password: string } | undefined> {
  const read = (name: string) => readFile(join(dir, name), 'utf8').catch(() => '')
  const [config, password] = await Promise.all([read('redis.conf'), read('password')])
  const port = /^port (\d+)$/m.exec(config)?.[1]
  if (port === undefined || password === '') return undefined
  const host = /^bind (\S+)$/m.exec(config)?.[1] ?? '127.0.0.1'
  return { host, port: Number(port), password: password.trim() }
}
