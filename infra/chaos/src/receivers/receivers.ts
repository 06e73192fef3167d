// The receiver of a run, which is kept up as an orchestrator would: if it is killed, another one follows at the same port.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { readNotes } from '../workers/notes.ts'
import type { ReceiverNote } from './notes.ts'
import type { EndpointPlan } from './plan.ts'
import type { Mode, ReceiverOptions } from './receiver.ts'

export interface Receivers extends AsyncDisposable {
  readonly plans: readonly EndpointPlan[]
  /** From now on, until it is called without anything. */
  behave(mode?: Mode): void
  signal(name: NodeJS.Signals): void
  /** Of all that there were so far. */
  notes(): readonly (readonly ReceiverNote[])[]
  /** Those that ended by themselves, in words. */
  ended(): readonly string[]
  /** No other one follows; then come the notes of all there ever were. */
  finish(): Promise<readonly (readonly ReceiverNote[])[]>
}

const program = fileURLToPath(new URL('receiver.ts', import.meta.url))

export function startReceivers(
  options: Omit<ReceiverOptions, 'mode' | 'notes'> & { readonly dir: string },
): Receivers {
  const files: string[] = []
  const ended: string[] = []
  let mode: Mode = {}
  let isKeptUp = true
  let isMeantToEnd = false
  let current: ChildProcess
  let exited: Promise<unknown>

  function keepUp(): void {
    const notes = join(options.dir, `receiver-${files.length + 1}.jsonl`)
    files.push(notes)
    isMeantToEnd = false
    current = fork(program, [], { execArgv: [], env: { PATH: process.env.PATH } })
    exited = once(current, 'exit')
    send({ ...options, mode, notes })
    void exited.then(() => {
      if (!isMeantToEnd) ended.push('a receiver ended by itself')
      if (isKeptUp) keepUp()
    })
  }

  function send(message: ReceiverOptions | { readonly mode: Mode }): void {
    if (current.connected) current.send(message, () => undefined)
  }

  const end = async () => {
    isKeptUp = false
    isMeantToEnd = true
    current.kill('SIGKILL')
    await exited
  }
  const notes = () => files.map((file) => readNotes<ReceiverNote>(file))
  keepUp()
  return {
    plans: options.plans,
    behave: (next = {}) => {
      mode = next
      send({ mode })
    },
    signal: (name) => {
      if (name === 'SIGKILL') isMeantToEnd = true
      current.kill(name)
    },
    notes,
    ended: () => ended,
    finish: async () => {
      await end()
      return notes()
    },
    [Symbol.asyncDispose]: end,
  }
}
