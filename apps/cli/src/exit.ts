import {
  BrokenOff,
  Conflict,
  DeadEvent,
  Invalid,
  Miscounted,
  Refused,
  TimedOut,
  Unavailable,
  UnexpectedAnswer,
  Unreachable,
} from '@sekali/client/errors'
import { issueText } from '@sekali/client/failure'
import { InvalidConfig, type Issue, SekaliError } from '@sekali/core/errors'
import { OutputFailed } from './terminal/output.ts'

/** How the process ends. These numbers are API: scripts act on them. */
export const exitCodes = {
  done: 0,
  /** Sekali said no: not valid, a conflict, not there. Or doctor found a problem. */
  refused: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** Nobody answered, or Sekali cannot do it now. The same command may succeed later. */
  unreachable: 3,
  /** A fault of this program. */
  internal: 70,
  /** What came could not be written: the disk is full, perhaps. */
  output: 74,
  interrupted: 130,
  terminated: 143,
} as const

export const exitCodeHelp = `Exit codes:
  0    done
  1    refused: not valid, a conflict, not there; or doctor found a problem
  2    usage
  3    unreachable: nobody answered, or not now; the same command may succeed later
  74   the output could not be written
  130  interrupted by Ctrl-C`

/** Told on the command line what it cannot work with. */
export class UsageError extends SekaliError {
  readonly code = 'usage'
  readonly retryable = false
}

export interface Ending {
  readonly exitCode: number
  readonly code: string
  /** One line: what is wrong, and what to do. */
  readonly message: string
  readonly issues?: readonly Issue[]
}

export function endingOf(error: unknown, url: string): Ending {
  if (!(error instanceof SekaliError)) {
    const message = `a fault of this program: ${error instanceof Error ? error.message : String(error)}`
    return { exitCode: exitCodes.internal, code: 'internal_error', message: oneLine(message) }
  }
  const ending = { exitCode: exitCodeOf(error), code: error.code, message: oneLine(adviceOn(error, url)) }
  return error instanceof Invalid ? { ...ending, issues: error.issues } : ending
}

/** Of a command line that commander cannot read; the text is commander's. */
export function usageEnding(text: string): Ending {
  const message = `${oneLine(text.trim().replace(/^error: /, ''))}; --help shows what there is`
  return { exitCode: exitCodes.usage, code: 'usage', message }
}

function exitCodeOf(error: SekaliError): number {
  if (error instanceof OutputFailed) return exitCodes.output
  if (error instanceof UsageError || error instanceof InvalidConfig) return exitCodes.usage
  if (error.retryable || error instanceof UnexpectedAnswer) return exitCodes.unreachable
  return exitCodes.refused
}

function adviceOn(error: SekaliError, url: string): string {
  if (error instanceof BrokenOff) {
    return `what ${url} sent broke off before its end; try again, from after the last event`
  }
  if (error instanceof Miscounted) {
    return `${error.message}: something between here and ${url} changes answers; name another place with --url`
  }
  if (error instanceof Unreachable) {
    const reason = /: ([^:]*)$/.exec(error.message)?.[1] ?? error.code
    return `nobody answers at ${url} (${reason}); start Sekali with npm start, or name another place with --url or SEKALI_URL`
  }
  if (error instanceof TimedOut) {
    return `${url} did not answer in time; try again, or for longer with --retry-seconds`
  }
  if (error instanceof UnexpectedAnswer)
    return `what listens at ${url} is not Sekali; name another place with --url`
  if (error instanceof Unavailable) {
    return `Sekali cannot do it now (${error.code}); try again, and see sekali doctor for what is wrong`
  }
  if (error instanceof Invalid) {
    return error.issues.length === 0 ? error.message : `not valid: ${error.issues.map(issueText).join('; ')}`
  }
  if (error instanceof Conflict) {
    const place = error.seq === undefined ? '' : ` (seq ${error.seq})`
    return `the id is taken by an event with another content${place}; the log stays as it is; choose another --id`
  }
  if (error instanceof DeadEvent) {
    return `accepted, but PostgreSQL would not store it (${error.reason ?? 'reason unknown'}); it lies in dead_letters`
  }
  if (error instanceof Refused) return advice[error.code] ?? error.message
  return error.message
}

const advice: Readonly<Record<string, string>> = {
  unknown_event: 'there is no such event: sekali events TOPIC lists what there is',
  unknown_projection: 'there is no such projection: sekali projection list names them',
  unknown_key: 'the projection has no such key: sekali projection get NAME lists them',
  projection_in_use:
    'a projector folds it: take its file away, and drop it when sekali projection list calls it orphaned',
  not_found: 'this gateway does not know that: it may be older than this command',
}

const oneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, ' ')
