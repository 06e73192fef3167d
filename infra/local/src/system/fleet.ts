import { type Supervised, supervise } from '@sekali/servers/supervise'
import { programs } from '../command/repository.ts'
import { type AppProcess, startApp } from './app-process.ts'
import type { ProjectorNotice } from './notices.ts'

/** The consumers of a stack, `consumer-1` to `consumer-N`, or its projectors, or its dispatchers. Disposing drains all of them at once. */
export interface Fleet extends AsyncDisposable {
  /** Those that run now. */
  members(): Member[]
}

export interface Member {
  readonly pid: number
  readonly name: string
  /** Where it answers /healthz and /readyz; null until it has said so. */
  readonly health: string | null
  /** Where it serves its metrics; null until it has said so. */
  readonly metrics: string | null
}

export async function startFleet(options: {
  readonly kind?: 'consumer' | 'projector' | 'dispatcher'
  readonly size: number
  readonly logDir: string
  readonly env: NodeJS.ProcessEnv
  readonly onChange: (name: string, reason?: string) => void
  readonly onNotice?: (name: string, notice: ProjectorNotice) => void
}): Promise<Fleet> {
  const { kind = 'consumer', size, logDir, env, onChange, onNotice } = options
  const processes = new Map<string, Supervised<AppProcess>>()
  const fleet: Fleet = {
    members: () =>
      [...processes].flatMap(([name, one]) => {
        const { pid, health, metrics } = one.current() ?? {}
        if (pid === undefined) return []
        return [{ pid, name, health: health?.() ?? null, metrics: metrics?.() ?? null }]
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
    const heard = onNotice && ((notice: ProjectorNotice) => onNotice(name, notice))
    const app = {
      name,
      program: programs[kind],
      logDir,
      env: itsEnv,
      onNotice: heard,
      onPlace: () => onChange(name),
    }
    processes.set(
      name,
      await supervise({ start: () => startApp(app), onChange: (reason) => onChange(name, reason) }),
    )
  }
  unlessStarted.move()
  return fleet
}
