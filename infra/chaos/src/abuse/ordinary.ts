import { fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Sample } from '../check/abuse-verdict.ts'

/** The ordinary client, while it goes about its work. */
export interface OrdinaryClient extends AsyncDisposable {
  /** Everything that it has done so far. */
  readonly samples: readonly Sample[]
  /** Begins nothing new; resolves when all that was begun has ended. */
  finish(): Promise<void>
}

const program = fileURLToPath(new URL('ordinary-worker.ts', import.meta.url))

export function startOrdinary(url: string, key: string | undefined): OrdinaryClient {
  const samples: Sample[] = []
  const child = fork(program, [url], { execArgv: [], env: { PATH: process.env.PATH, SEKALI_TOKEN: key } })
  child.on('message', (sample: Sample | 'done') => {
    if (sample !== 'done') samples.push(sample)
  })
  const exited = once(child, 'exit')
  return {
    samples,
    finish: async () => {
      if (child.connected) child.send('finish')
      await exited
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
    },
  }
}
