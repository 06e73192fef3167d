import { setTimeout as pause } from 'node:timers/promises'

const stepMs = 20

/**
 * Asks `done` again and again until it says true. Gives up, and says false, when `moved` has returned the
 * same for `quietMsMax`: a server that replays a long log is slow, not dead, and its log keeps growing.
 */
export async function waitUntil(
  done: () => Promise<boolean>,
  quietMsMax: number,
  moved: () => Promise<unknown> = async () => undefined,
): Promise<boolean> {
  let last = await moved()
  let quietSince = performance.now()
  for (;;) {
    if (await done()) return true
    const now = await moved()
    if (now !== last) {
      last = now
      quietSince = performance.now()
    }
    if (performance.now() - quietSince > quietMsMax) return false
    await pause(stepMs)
  }
}
