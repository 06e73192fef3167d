// Plain JavaScript, because the bootstrap asks it before there is a Node that runs TypeScript.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['redis-server', 'valkey-server']
const majorMin = 7

/**
 * The Redis or Valkey server that this machine offers: the one that REDIS_SERVER names, otherwise the first
 * on the PATH that is new enough. `refused` says why what was found will not do.
 */
export function findRedisBinary(env = process.env) {
  const refused = []
  const named = env.REDIS_SERVER
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const candidates = named ? [named] : names.flatMap((name) => folders.map((folder) => join(folder, name)))
  for (const path of candidates) {
    if (!named && !isExecutable(path)) continue
    if (!existsSync(path)) {
      refused.push(`${path}, which REDIS_SERVER names, is not there`)
      continue
    }
    const version = versionOf(path)
    if (version === undefined) refused.push(`${path} does not tell its version`)
    else if (Number.parseInt(version, 10) < majorMin)
      refused.push(`${path} is ${version}, and ${majorMin}.0 is needed`)
    else return { path, version, refused }
  }
  if (!named && refused.length === 0)
    refused.push('there is no redis-server and no valkey-server on the PATH')
  return { path: undefined, version: undefined, refused }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // not there, or not ours to run: the next folder of the PATH may have it
  }
}

// `Redis server v=7.0.15 sha=...`, `Valkey server v=8.1.1 sha=...`
function versionOf(path) {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 })
  return /\bv=(\d+\.\d+(\.\d+)?)/.exec(stdout ?? '')?.[1]
}
