import type { Redis } from 'ioredis'

const againMs = 500

/**
 * Has a client connect again after ioredis has given it up, which it does for good (status `end`) when it is told to
 * reconnect, or to connect fails, while it does not know yet where to. Returns a function that lets it end.
 */
export function stayConnected(redis: Redis): () => void {
  let isOver = false
  let timer: NodeJS.Timeout | undefined
  redis.on('end', () => {
    if (isOver) return
    timer = setTimeout(
      () => {
        if (redis.status === 'end') redis.connect().catch(() => undefined) // `error` and `end` tell why
      },
      againMs * (0.5 + Math.random() / 2),
    )
  })
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
