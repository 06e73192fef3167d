/** What a second Ctrl-C does: it ends the process at once, unless a command has something to do first. */
export interface Force {
  /** Does it. A third one ends the process in any case. */
  now(): void
  /** Has this done instead, until disposed. */
  instead(handler: () => void): Disposable
}

export function createForce(end: () => void): Force {
  let handler: (() => void) | undefined
  return {
    now() {
      const own = handler ?? end
      handler = undefined
      own()
    },
    instead(own) {
      handler = own
      return {
        [Symbol.dispose]() {
          handler = undefined
        },
      }
    },
  }
}
