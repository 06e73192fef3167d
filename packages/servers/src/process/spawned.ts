import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import process from 'node:process'

/** A process that we started, with its output in a file. */
export interface Spawned {
  readonly pid: number
  readonly child: ChildProcess
  readonly exited: Promise<void>
  /** `code 1` or `signal SIGKILL`, once it is gone. */
  readonly ending: () => string | undefined
}

export interface SpawnedOptions {
  readonly command: string
  readonly args: readonly string[]
  /** All of it: nothing is inherited. */
  readonly env: NodeJS.ProcessEnv
  readonly logFile: string
  readonly cwd?: string
  /** With an IPC channel, by whose end the process learns that we are gone. */
  readonly ipc?: boolean
  readonly uid?: number
  readonly gid?: number
}

/**
 * Starts a process in a process group of its own, so that a terminal's Ctrl-C reaches only its supervisor,
 * which decides the order of stopping. Rejects when it cannot be executed.
 */
export async function spawnLogged(options: SpawnedOptions): Promise<Spawned> {
  const log = openSync(options.logFile, 'a', 0o600)
  try {
    const child = spawn(options.command, options.args, {
      ...identity(options),
      cwd: options.cwd ?? '/',
      env: options.env,
      detached: true,
      stdio: ['ignore', log, log, ...(options.ipc ? (['ipc'] as const) : [])],
    })
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    endWithUs(child)
    child.on('error', () => {}) // a signal or an IPC message came too late: `exited` shows the end
    return { pid: child.pid ?? -1, child, exited, ending: () => endingOf(child) }
  } finally {
    closeSync(log)
  }
}

function identity({ uid, gid }: SpawnedOptions): SpawnOptions {
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) }
}

function endingOf(child: ChildProcess): string | undefined {
  if (child.signalCode !== null) return `signal ${child.signalCode}`
  return child.exitCode === null ? undefined : `exit code ${child.exitCode}`
}

const living = new Set<ChildProcess>()

// A process.exit, a forced end for instance, leaves no time to ask.
function killLiving(): void {
  for (const child of living) child.kill('SIGKILL')
}

function endWithUs(child: ChildProcess): void {
  if (living.size === 0) process.on('exit', killLiving)
  living.add(child)
  child.once('exit', () => {
    living.delete(child)
    if (living.size === 0) process.off('exit', killLiving)
  })
}

/** Asks with `signal`, and insists with SIGKILL when it is still there after `forceMs`. */
export async function endSpawned(spawned: Spawned, signal: NodeJS.Signals, forceMs: number): Promise<void> {
  const force = setTimeout(() => spawned.child.kill('SIGKILL'), forceMs)
  spawned.child.kill(signal)
  await spawned.exited
  clearTimeout(force)
}
