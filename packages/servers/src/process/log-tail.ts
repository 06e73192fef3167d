import { open, stat } from 'node:fs/promises'

const tailBytesMax = 16 * 1024

/** Bytes in a file; 0 when there is none. */
export async function sizeOf(file: string): Promise<number> {
  const stats = await stat(file).catch(() => undefined)
  return stats?.size ?? 0
}

/** What was written to a log from byte `from` on, at most the last 16 KiB of it. */
export async function readTail(file: string, from = 0): Promise<string> {
  const handle = await open(file).catch(() => undefined)
  if (handle === undefined) return ''
  try {
    const { size } = await handle.stat()
    const start = Math.max(from, size - tailBytesMax, 0)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(size - start, 0)), {
      position: start,
    })
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** The last lines of a log, indented for a message. */
export function lastLines(text: string, linesMax = 12): string {
  const lines = text.trimEnd().split('\n').slice(-linesMax)
  return lines.map((line) => `    ${line}`).join('\n')
}
