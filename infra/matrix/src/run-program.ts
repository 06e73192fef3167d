import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** What a program came to. */
export interface Ended {
  /** Null when it was ended by a signal. */
  readonly code: number | null
  /** Both of its outputs. */
  readonly said: string
}

/** Runs a program to its end, or until `signal` is aborted. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly signal?: AbortSignal } = {},
): Promise<Ended> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close') as Promise<[number | null]>
  const [said, complained, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, said: said + complained }
}

/** A source that cannot be reached, or has not what was asked for. The message is one line. */
export class CannotBeHad extends Error {}

/** The same; throws {@link CannotBeHad} with its last line unless it ends well. Resolves with what it said. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options?: Parameters<typeof runProgram>[2],
): Promise<string> {
  const { code, said } = await runProgram(command, args, options)
  if (code === 0) return said
  throw new CannotBeHad(`${command} ${args[0]}: ${said.trim().split('\n').at(-1) ?? `status ${code}`}`)
}
