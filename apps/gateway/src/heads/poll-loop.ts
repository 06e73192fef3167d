/** Polls every `pollMs` as long as anybody waits, and sooner for a newcomer. When nobody has waited for a while it stops. */
import { setTimeout as pause } from 'node:timers/promises'

export interface PollLoop extends AsyncDisposable {
  readonly isRunning: boolean
  /** Polls soon; begins to run if it does not. */
  start(): void
}

export interface PollLoopDeps {
  /** Whether anybody waits. */
  readonly isWanted: () => boolean
  /** Never rejects. */
  readonly poll: () => Promise<void>
  /** Listens to announcements for as long as the loop runs. */
  readonly listen: () => AsyncDisposable
}

export interface PollTimes {
  readonly pollMs: number
  /** Between two polls, however many newcomers there are. */
  readonly pollAgainMs: number
  /** It listens for this long after the last one left, because another may come. */
  readonly lingerMs: number
}

export function createPollLoop(
  { isWanted, poll, listen }: PollLoopDeps,
  { pollMs, pollAgainMs, lingerMs }: PollTimes,
): PollLoop {
  let running: Promise<void> | undefined
  let closed = false
  let isAsked = false
  let wake = () => {}

  async function run(): Promise<void> {
    await using _announcements = listen()
    let wantedAt = performance.now()
    while (!closed) {
      const now = performance.now()
      if (isWanted()) {
        wantedAt = now
        isAsked = false
        await poll()
        await pause(pollAgainMs)
      } else if (now - wantedAt > lingerMs) {
        return
      } else {
        isAsked = false // the newcomer got an announcement, or has left
      }
      if (!isAsked) await untilWoken()
    }
  }

  const untilWoken = () =>
    new Promise<void>((resolve) => {
      if (closed) return resolve()
      const timer = setTimeout(resolve, pollMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  function start(): void {
    isAsked = true
    wake()
    running ??= run().finally(() => {
      running = undefined
      if (!closed && isWanted()) start()
    })
  }

  return {
    get isRunning() {
      return running !== undefined
    },
    start,
    async [Symbol.asyncDispose]() {
      closed = true
      wake()
      await running
    },
  }
}
