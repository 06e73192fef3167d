import { spawnSync } from 'node:child_process'

let asked: boolean | undefined

/**
 * The prefix of a command with which Linux itself sends `signal` to the process when its parent dies, kill -9 included.
 * On a machine without it, the next start finds and stops what was left over.
 */
export function dieWithParent(
  signal: 'TERM' | 'INT',
  command: string,
): { command: string; prefix: string[] } {
  asked ??= spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0
  return asked ? { command: 'setpriv', prefix: ['--pdeathsig', signal, command] } : { command, prefix: [] }
}
