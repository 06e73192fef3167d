/**
 * Runs a command for one event. It has a process group of its own: Ctrl-C at a terminal goes to the whole group of the command
 * line, and would end what is to be drained. So whoever ends it ends its group.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'

export interface Execution {
  /** Standard input, of which it need not read all. */
  readonly input: string
  /** Beside our own environment. */
  readonly env: Readonly<Record<string, string>>
  /** Ends it: SIGTERM to all that it has started. */
  readonly signal: AbortSignal
}

/** Its exit code, or the signal that ended it. Rejects if there is no shell. */
export async function execute(
  command: string,
  { input, env, signal }: Execution,
): Promise<number | NodeJS.Signals> {
  const child = spawn(command, {
    shell: true,
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  running.add(child)
  const onAbort = () => kill(child, 'SIGTERM')
  signal.addEventListener('abort', onAbort)
  try {
    child.stdin.on('error', () => undefined) // it may end before it has read everything
    child.stdin.end(input)
    const [code, by] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return code ?? by ?? 'SIGKILL'
  } finally {
    signal.removeEventListener('abort', onAbort)
    running.delete(child)
  }
}

const running = new Set<ChildProcess>()

/** Ends all that run, at once. */
export function killAll(): void {
  for (const child of running) kill(child, 'SIGKILL')
}

function kill({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It has just ended.
  }
}
