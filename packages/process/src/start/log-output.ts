/**
 * Where a log goes. A line is written before the call returns: the last one before a process is killed is the one that
 * explains it. A line that cannot be written, to a full disk for instance, is dropped, and the process goes on. pino's own
 * destination ends the process then, or holds it up (sonic-boom's `flushSync` tries for ever).
 */
import { writeSync } from 'node:fs'

const retryMs = 20
const clock = new Int32Array(new SharedArrayBuffer(4))

/** `describeDropped` makes the line that says how many lines were dropped, before the next that can be written. */
export function createOutput(
  fd: number,
  describeDropped: (dropped: number) => string,
): { write(line: string): void } {
  let dropped = 0
  let isTorn = false
  const put = (line: string): boolean => {
    const bytes = Buffer.from(isTorn ? `\n${line}` : line)
    const count = writeBytes(fd, bytes)
    if (count > 0) isTorn = count < bytes.length
    return count === bytes.length
  }
  return {
    write(line) {
      if (dropped > 0 && put(`${describeDropped(dropped)}\n`)) dropped = 0
      if (dropped > 0 || !put(line)) dropped += 1
    },
  }
}

/** How many bytes could be written. A pipe that is full for the moment is waited for. */
function writeBytes(fd: number, bytes: Uint8Array): number {
  let count = 0
  while (count < bytes.length) {
    try {
      count += writeSync(fd, bytes, count)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EAGAIN' && code !== 'EBUSY') return count
      Atomics.wait(clock, 0, 0, retryMs)
    }
  }
  return count
}
