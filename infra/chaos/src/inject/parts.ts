// The processes that a fault is done to.
import { until } from '../clock.ts'
import type { Extra, Part, PartKind, Processes } from '../targets/target.ts'

/** Throws when there is none now: then the fault cannot be injected. */
export async function partOf(processes: Processes, kind: PartKind): Promise<Part> {
  const part = (await processes.parts()).find((one) => one.kind === kind)
  if (part === undefined) throw new Error(`there is no ${kind}`)
  return part
}

const restartMs = 30_000

/** Resolves once another process runs under the part's name, or after half a minute. */
export const restarted = (processes: Processes, part: Part, signal: AbortSignal): Promise<boolean> =>
  until(
    async () => (await processes.parts()).some(({ name, pid }) => name === part.name && pid !== part.pid),
    restartMs,
    signal,
  )

/** After so long a process comes no more to where it is to end, or fall asleep. */
export const deathMs = 20_000

/** Waits until a process ends at `where`; else ends it, and throws. `hasEnded` is asked again and again. */
export async function mustEnd(
  extra: Extra,
  where: string,
  signal: AbortSignal,
  hasEnded: () => Promise<boolean> | boolean = extra.hasEnded,
): Promise<void> {
  if (await until(hasEnded, deathMs, signal)) return
  extra.signal('SIGKILL')
  await extra.exited
  throw new Error(`${extra.name} never came to ${where}`)
}
