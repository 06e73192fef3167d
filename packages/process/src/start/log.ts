import { sentenceOf, troubleIn } from '@sekali/core/trouble'
import { pino } from 'pino'
import { createOutput } from './log-output.ts'

export type Logger = pino.Logger

/**
 * What a log line may say about an error. A driver's message can hold SQL, parameters and so an event's
 * payload (DrizzleQueryError does), so only names, codes and the messages of our own errors are kept.
 */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error }
  const { name } = error
  const code = 'code' in error ? error.code : undefined
  const own = 'retryable' in error
  const trouble = own ? undefined : troubleIn(error)
  return {
    name,
    ...(code === undefined ? {} : { code }),
    ...(own ? { message: error.message } : {}),
    ...(own ? {} : { at: firstFrame(error), reply: replyWord(error) }),
    ...(trouble && { meaning: sentenceOf(trouble) }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  }
}

// Where a foreign error was thrown says what its message would, without the values.
function firstFrame(error: Error): string | undefined {
  return error.stack
    ?.split('\n')
    .find((line) => /^\s+at /.test(line))
    ?.trim()
}

// Redis begins an error with a word in capitals, its kind: WRONGTYPE, OOM, READONLY. The rest may quote what was sent.
const replyWord = (error: Error): string | undefined =>
  error.name === 'ReplyError' ? error.message.match(/^[A-Z]+/)?.[0] : undefined

/**
 * A logger of JSON lines on standard output. `level` is one of pino's: trace, debug, info, warn, error, fatal, silent. Lines that
 * cannot be written are dropped and counted; see log-output.ts.
 */
export function createLog(name: string, level = 'info'): Logger {
  const base = { pid: process.pid }
  const output = createOutput(1, (dropped) => {
    const msg = 'lines of this log were dropped, because they could not be written'
    return JSON.stringify({ level: pino.levels.values.warn, time: Date.now(), ...base, name, dropped, msg })
  })
  return pino({ name, level, base, serializers: { err: describeError } }, output)
}
