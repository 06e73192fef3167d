import { fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { SenderOptions, Sent } from './streams.ts'

export interface Sender extends AsyncDisposable {
  /** Begins nothing new; resolves with what became of everything, once all has ended. */
  finish(): Promise<readonly Sent[]>
}

const program = fileURLToPath(new URL('sender-worker.ts', import.meta.url))

/** Starts a process that publishes streams until it is told to finish. */
export function startSender(options: SenderOptions, key: string | undefined): Sender {
  const child = fork(program, [], { execArgv: [], env: { PATH: process.env.PATH, SEKALI_TOKEN: key } })
  const exited = once(child, 'exit')
  child.send(options)
  return {
    finish: async () => {
      const said = once(child, 'message')
      if (child.connected) child.send('finish')
      const [sent] = (await Promise.race([said, exited])) as [unknown]
      if (!Array.isArray(sent)) throw new Error(`a sender ended with ${sent ?? 'a signal'}`)
      return sent as Sent[]
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
    },
  }
}
