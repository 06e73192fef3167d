/**
 * What `work` comes to; or what `onLate` returns or throws, if that takes longer than `ms`. The work itself goes on.
 *
 * A process that was busy meanwhile finds its timers before it reads its sockets. So one more turn of the event loop goes
 * by: what already waits in a socket came in time, and whoever sent it is not to blame.
 */
export async function withDeadline<T, L>(work: Promise<T>, ms: number, onLate: () => L): Promise<T | L> {
  const late = Promise.withResolvers<void>()
  let lastTurn: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    lastTurn = setImmediate(late.resolve)
  }, ms)
  try {
    return await Promise.race([work, late.promise.then(onLate)])
  } finally {
    clearTimeout(timer)
    clearImmediate(lastTurn)
  }
}
