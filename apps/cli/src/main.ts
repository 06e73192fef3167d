// The command `sekali`: Sekali from a terminal, over HTTP and nothing else.
import process from 'node:process'
import { shutdownSignal } from '@sekali/process/shutdown'
import { CommanderError } from 'commander'
import { endingOf, exitCodes } from './exit.ts'
import { createOutput, OutputFailed } from './output.ts'
import { createProgram } from './program.ts'

const left = 'the reader left'

const wish = shutdownSignal()
const stop = new AbortController()
wish.addEventListener('abort', () => stop.abort(wish.reason))
const out = createOutput(process.stdout, stop.signal, (failure) => stop.abort(failure ?? left))

const program = createProgram({ out, signal: stop.signal })
try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}
if (process.connected) process.disconnect() // the bootstrap's channel would keep us up

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  const { reason } = stop.signal
  if (stop.signal.aborted && !(reason instanceof OutputFailed)) {
    if (reason === left) return exitCodes.done
    return reason === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated
  }
  const { url, json } = program.opts<{ url: string; json: boolean }>()
  const { exitCode, ...ending } = endingOf(reason ?? error, url)
  process.stderr.write(json ? `${JSON.stringify({ error: ending })}\n` : `sekali: ${ending.message}\n`)
  return exitCode
}
