// The command `sekali`: Sekali from a terminal, over HTTP and nothing else.
import process from 'node:process'
import { shutdownSignal } from '@sekali/process/shutdown'
import { CommanderError } from 'commander'
import { Failed } from './context.ts'
import { type Ending, endingOf, exitCodes, usageEnding } from './exit.ts'
import { createProgram } from './program.ts'
import { createForce } from './terminal/force.ts'
import { createOutput, OutputFailed } from './terminal/output.ts'

const left = 'the reader left'

const force = createForce(() => process.exit(1))
const wish = shutdownSignal(undefined, force.now)
const stop = new AbortController()
wish.addEventListener('abort', () => stop.abort(wish.reason))
const out = createOutput(process.stdout, stop.signal, (failure) => stop.abort(failure ?? left))

const program = createProgram({ out, signal: stop.signal, force })
try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}
if (process.connected) process.disconnect() // the bootstrap's channel would keep us up

function exitCodeOf(error: unknown): number {
  // As it is written, too, for when the command line could not be read.
  const json = program.opts<{ json?: boolean }>().json === true || process.argv.includes('--json')
  const { url = '', cause } = error instanceof Failed ? error : { cause: error }
  if (cause instanceof CommanderError) {
    if (cause.exitCode === 0) return exitCodes.done
    // Without a command it has shown the help.
    return cause.code === 'commander.help' ? exitCodes.usage : reportEnding(usageEnding(cause.message), json)
  }
  const { reason } = stop.signal
  if (stop.signal.aborted && !(reason instanceof OutputFailed)) {
    if (reason === left) return exitCodes.done
    return reason === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated
  }
  return reportEnding(endingOf(reason ?? cause, url), json)
}

function reportEnding({ exitCode, ...ending }: Ending, json: boolean): number {
  process.stderr.write(json ? `${JSON.stringify({ error: ending })}\n` : `sekali: ${ending.message}\n`)
  return exitCode
}
