import { startApp } from './app-process.ts'
import { programs } from './repository.ts'
import { type Runnable, type Supervised, supervise } from './supervise.ts'

/**
 * The consumers of a stack, `consumer-1` to `consumer-N`. Disposing lets all of them drain at the same
 * time.
 */
export interface Fleet extends AsyncDisposable {
  /** Those that run now. */
  members(): { readonly pid: number; readonly name: string }[]
}

export async function startFleet(options: {
  readonly size: number
  readonly logDir: string
  readonly env: NodeJS.ProcessEnv
  readonly onChange: (name: string, reason?: string) => void
}): Promise<Fleet> {
  const { size, logDir, env, onChange } = options
  const consumers = new Map<string, Supervised<Runnable>>()
  const fleet: Fleet = {
    members: () =>
      [...consumers].flatMap(([name, consumer]) => {
        const pid = consumer.current()?.pid
        return pid === undefined ? [] : [{ pid, name }]
      }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...consumers.values()].map((consumer) => consumer.stop()))
    },
  }
  await using unlessStarted = new AsyncDisposableStack()
  unlessStarted.use(fleet)
  for (let number = 1; number <= size; number += 1) {
    const name = `consumer-${number}`
    const app = { name, program: programs.consumer, logDir, env: { ...env, CONSUMER_NAME: name } }
    consumers.set(
      name,
      await supervise({ start: () => startApp(app), onChange: (reason) => onChange(name, reason) }),
    )
  }
  unlessStarted.move()
  return fleet
}
