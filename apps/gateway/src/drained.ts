import type { Writable } from 'node:stream'

/** Resolves when a stream that is full takes more, or is gone; with `false` when `ms` are over before. */
export function drained(stream: Writable, ms?: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const onDrain = () => resolve(true)
  const timer = ms === undefined ? undefined : setTimeout(() => resolve(!stream.writableNeedDrain), ms)
  stream.once('drain', onDrain).once('close', onDrain)
  return promise.finally(() => {
    clearTimeout(timer)
    stream.off('drain', onDrain).off('close', onDrain)
  })
}
