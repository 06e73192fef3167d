import { createHash } from 'node:crypto'

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
