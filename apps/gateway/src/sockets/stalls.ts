/**
 * Hangs up on clients that do not take their response.
 *
 * What counts is what the kernel took of the response while more was waiting. A client that has taken less than
 * `takenBytesMin` within `stalledMs` is cut at the next check, within a second: one that takes nothing, and one that takes a
 * byte now and then. Node's own timers begin anew with every write, and look at progress only when they run out: they
 * cut after twice the time or more.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Pipeline } from './pipeline.ts'

/** A slower client costs more than it gains. */
const takenBytesMin = 1024
const checkMs = 1_000

/** Responses whose clients get another time than the server's. */
const patience = new WeakMap<ServerResponse, number>()

/** The client of this response is cut off when it has taken nothing for so long. */
export function limitStall(response: ServerResponse, stalledMs: number): void {
  patience.set(response, stalledMs)
}

interface Progress {
  readonly bytes: number
  readonly at: number
}

/** Checks all pipelines, again and again, until it is disposed of. */
export function watchStalls(pipelines: () => Iterable<Pipeline>, stalledMs: number): Disposable {
  const seen = new WeakMap<Pipeline, Progress>()

  function check(): void {
    const now = performance.now()
    for (const pipeline of pipelines()) {
      const { socket, current } = pipeline
      if (current === undefined || socket.writableLength === 0) {
        seen.delete(pipeline)
        continue
      }
      const before = seen.get(pipeline)
      const bytes = takenBytes(socket)
      if (before === undefined || bytes - before.bytes >= takenBytesMin)
        seen.set(pipeline, { bytes, at: now })
      else if (now - before.at >= (patience.get(current.response) ?? stalledMs)) {
        socket.resetAndDestroy() // or the kernel would keep for minutes what it has for such a client
      }
    }
  }

  const checking = setInterval(check, Math.min(checkMs, stalledMs / 4)).unref()
  return { [Symbol.dispose]: () => clearInterval(checking) }
}

/**
 * What the kernel has taken. Node has no public word for it: `bytesWritten` counts what waits as well, and
 * `writableLength` a write as a whole until the last byte of it is taken.
 */
function takenBytes(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { bytesWritten: number; writeQueueSize: number } | null }
  if (handle) return handle.bytesWritten - handle.writeQueueSize
  return socket.bytesWritten - socket.writableLength
}
