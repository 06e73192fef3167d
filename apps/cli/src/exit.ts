import { Invalid, UnexpectedAnswer } from '@sekali/client/errors'
import { InvalidConfig, type Issue, LogRestored, SekaliError } from '@sekali/core/errors'
import { adviceOn } from './advice.ts'
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
  /** The log was restored from a backup: events that were read are no longer in it. */
  restored: 4,
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
  4    the log was restored from a backup: events that were read are no longer in it
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
  /** Of a log that was restored: whose, in which epoch it is, up to where it is as it was read, and what to go on with. */
  readonly restored?: { topic: string; epoch: number; forked_at: number; cursor: string }
}

export function endingOf(error: unknown, url: string): Ending {
  if (!(error instanceof SekaliError)) {
    const message = `a fault of this program: ${error instanceof Error ? error.message : String(error)}`
    return { exitCode: exitCodes.internal, code: 'internal_error', message: oneLine(message) }
  }
  const ending = { exitCode: exitCodeOf(error), code: error.code, message: oneLine(adviceOn(error, url)) }
  if (error instanceof LogRestored) {
    const { topic, epoch, forkedAt, cursor } = error
    return { ...ending, restored: { topic, epoch, forked_at: forkedAt, cursor } }
  }
  return error instanceof Invalid ? { ...ending, issues: error.issues } : ending
}

/** Of a command line that commander cannot read; the text is commander's, which quotes a URL with its password. */
export function usageEnding(text: string): Ending {
  const words = oneLine(text.trim())
    .replace(/^error: |\.$/g, '')
    .replaceAll(/\/\/[^\s/]*@/g, '//…@')
  return { exitCode: exitCodes.usage, code: 'usage', message: `${words}; --help shows what there is` }
}

function exitCodeOf(error: SekaliError): number {
  if (error instanceof OutputFailed) return exitCodes.output
  if (error instanceof UsageError || error instanceof InvalidConfig) return exitCodes.usage
  if (error instanceof LogRestored) return exitCodes.restored
  if (error.retryable || error instanceof UnexpectedAnswer) return exitCodes.unreachable
  return exitCodes.refused
}

const oneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, ' ')
