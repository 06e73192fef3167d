import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findRedisBinary } from '@sekali/servers/redis-binary.mjs'
import { CannotBeHad } from './run-program.ts'

/**
 * The version that a server says it is, or its package of npm. Throws {@link CannotBeHad} when it is not of the line that
 * `name` names: suites move on, and a result of another version would stand under that name.
 */
export async function toldVersion(name: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { POSTGRES_PROGRAMS: folder } = env
  const version = folder === undefined ? findRedisBinary(env).version : await packagedVersion(folder)
  const line = name.split(' ').at(-1)
  if (version === undefined) throw new CannotBeHad('what was fetched does not tell its version')
  if (version !== line && !version.startsWith(`${line}.`))
    throw new CannotBeHad(`what was fetched is ${version}`)
  return version
}

/** Its programs find their libraries only once a cluster has been made with them. */
async function packagedVersion(folder: string): Promise<string | undefined> {
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string }
  return /^\d+\.\d+/.exec(version)?.[0]
}
