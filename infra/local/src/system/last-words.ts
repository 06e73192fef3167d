import { lastLines, readTail } from '@sekali/servers/log-tail'

/** What a program of ours wrote last into its log, from byte `from` on, for people: of a line of JSON its words alone. */
export async function lastWords(logFile: string, from: number, linesMax?: number): Promise<string> {
  const text = await readTail(logFile, from)
  return lastLines(text.split('\n').map(wordsOf).join('\n'), linesMax)
}

function wordsOf(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: unknown; err?: { message?: unknown } }
    if (typeof msg !== 'string') return line
    return typeof err?.message === 'string' ? `${msg}: ${err.message}` : msg
  } catch {
    return line // what Node itself says, or half a line
  }
}
