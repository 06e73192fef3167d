import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

type Command = [command: string, ...args: string[]]

/** A Lua script, as the two commands that run it. https://redis.io/docs/latest/commands/evalsha/ */
export interface Script {
  /** EVALSHA: cheap, answered with NOSCRIPT by a Redis that does not know the script (any more). */
  readonly bySha: (keys: readonly string[], args: readonly string[]) => Command
  /** EVAL: carries the source. */
  readonly whole: (keys: readonly string[], args: readonly string[]) => Command
}

export function defineScript(source: string): Script {
  const sha = createHash('sha1').update(source).digest('hex')
  return {
    bySha: (keys, args) => ['EVALSHA', sha, String(keys.length), ...keys, ...args],
    whole: (keys, args) => ['EVAL', source, String(keys.length), ...keys, ...args],
  }
}

export const isNoScript = (outcome: unknown): boolean =>
  outcome instanceof Error && outcome.message.startsWith('NOSCRIPT')

/** Runs a script by its name, and whole where Redis does not know it (any more). Resolves with its reply. */
export async function runScript(
  redis: Redis,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  try {
    return await redis.call(...script.bySha(keys, args))
  } catch (error) {
    if (!isNoScript(error)) throw error
    return await redis.call(...script.whole(keys, args))
  }
}
