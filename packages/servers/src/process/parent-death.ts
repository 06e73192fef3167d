import { spawnSync } from 'node:child_process'

let asked: boolean | undefined

/**
 * Words to put before a command so that Linux itself sends `signal` to the process when the one that
 * started it dies, kill -9 included. Where that is not to be had, the next start finds and stops what was
 * left over.
 */
export function dieWithParent(
  signal: 'TERM' | 'INT',
  command: string,
): { command: string; prefix: string[] } {
  asked ??= spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0
  return asked ? { command: 'setpriv', prefix: ['--pdeathsig', signal, command] } : { command, prefix: [] }
}
