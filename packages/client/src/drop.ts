import { requireText } from './arguments.ts'
import { type Connection, call } from './connection/connection.ts'
import type { CallOptions, Retry } from './connection/retry.ts'
import { Refused } from './errors.ts'

/** DELETE. What an earlier try whose answer was lost has dropped is then refused with `goneCode`: that is a success. */
export async function drop(
  connection: Connection,
  path: string,
  goneCode: string,
  options: CallOptions = {},
): Promise<void> {
  let isRetried = false
  const onRetry = (retry: Retry) => {
    isRetried = true
    options.onRetry?.(retry)
  }
  await call(connection, path, { method: 'DELETE' }, { ...options, onRetry }).catch((error: unknown) => {
    if (isRetried && error instanceof Refused && error.code === goneCode) return
    throw error
  })
}

/**
 * Drops what nobody folds any more. A 409 `projection_in_use` says that somebody does, or did a moment ago: `retryAfterMs` is
 * the time after which it can be dropped, if nobody has its definition by then.
 */
export async function dropProjection(connection: Connection, name: string, options?: CallOptions) {
  requireText('name', name)
  await drop(connection, `/projections/${encodeURIComponent(name)}`, 'unknown_projection', options)
}

/** Drops a topic that has no event. A 409 `topic_in_use` says that it has something. */
export async function dropTopic(connection: Connection, topic: string, options?: CallOptions) {
  requireText('topic', topic)
  await drop(connection, `/topics/${encodeURIComponent(topic)}`, 'unknown_topic', options)
}
