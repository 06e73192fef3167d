import type { Notice } from '@sekali/process/notice'
import { type Runnable, type Supervised, supervise } from '@sekali/servers/supervise'
import { programs } from '../command/repository.ts'
import { startApp } from './app-process.ts'

/** The consumers of a stack, `consumer-1` to `consumer-N`, or its projectors. Disposing drains all of them at once. */
export interface Fleet extends AsyncDisposable {
  /** Those that run now. */
  members(): { readonly pid: number; readonly name: string }[]
}

export async function startFleet(options: {
  readonly kind?: 'consumer' | 'projector'
  readonly size: number
  readonly logDir: string
  readonly env: NodeJS.ProcessEnv
  readonly onChange: (name: string, reason?: string) => void
  readonly onNotice?: (name: string, notice: Notice) => void
}): Promise<Fleet> {
  const { kind = 'consumer', size, logDir, env, onChange, onNotice } = options
  const processes = new Map<string, Supervised<Runnable>>()
  const fleet: Fleet = {
    members: () =>
      [...processes].flatMap(([name, one]) => {
        const pid = one.current()?.pid
        return pid === undefined ? [] : [{ pid, name }]
      }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...processes.values()].map((one) => one.stop()))
    },
  }
  await using unlessStarted = new AsyncDisposableStack()
  unlessStarted.use(fleet)
  for (let number = 1; number <= size; number += 1) {
    const name = `${kind}-${number}`
    const itsEnv = { ...env, [`${kind.toUpperCase()}_NAME`]: name }
    const heard = onNotice && ((notice: Notice) => onNotice(name, notice))
    const app = { name, program: programs[kind], logDir, env: itsEnv, onNotice: heard }
    processes.set(
      name,
      await supervise({ start: () => startApp(app), onChange: (reason) => onChange(name, reason) }),
    )
  }
  unlessStarted.move()
  return fleet
}
