import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** A process of the benchmark's own that answers one request at a time over IPC; see `serve`. */
export interface Worker extends AsyncDisposable {
  readonly pid: number
  call<T>(request: object | string): Promise<T>
}

type Answer = { readonly result: unknown } | { readonly failure: string }

/** Starts a program of the benchmark's. It ends when we do. */
export function startWorker(program: URL): Worker {
  const file = basename(program.pathname)
  const child = fork(fileURLToPath(program), { execArgv: [], env: { PATH: process.env.PATH } })
  return {
    pid: child.pid ?? -1,
    call: async <T>(request: object | string) => (await call(child, file, request)) as T,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

async function call(child: ChildProcess, file: string, request: object | string): Promise<unknown> {
  const answeredOrEnded = new AbortController()
  const exited = once(child, 'exit', { signal: answeredOrEnded.signal }).then(() => {
    throw new Error(`${file} ended`)
  })
  const answered = once(child, 'message', { signal: answeredOrEnded.signal })
  child.send(request)
  try {
    const [answer] = (await Promise.race([answered, exited])) as [Answer]
    if ('failure' in answer) throw new Error(`${file} failed: ${answer.failure}`)
    return answer.result
  } finally {
    answeredOrEnded.abort()
    await Promise.allSettled([answered, exited])
  }
}

/** The worker's side: answers every request, and ends with its parent. */
export function serve<T>(answer: (request: T) => Promise<unknown>): void {
  process.once('disconnect', () => process.exit(0))
  process.on('message', (request: T) => {
    void answer(request)
      .then(
        (result): Answer => ({ result }),
        (error: unknown): Answer => ({ failure: error instanceof Error ? error.message : String(error) }),
      )
      .then((said) => process.send?.(said))
  })
}
