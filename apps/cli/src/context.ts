import { type Client, createClient } from '@sekali/client/client'
import { type Connection, type ConnectionOptions, connectionTo } from '@sekali/client/connection'
import type { CallOptions } from '@sekali/client/retry'
import type { Command } from 'commander'
import { endingOf, UsageError } from './exit.ts'
import type { Output } from './terminal/output.ts'

/** What every command gets. */
export interface Context {
  readonly client: Client
  /** For what the client parses and a command shows as it came. */
  readonly connection: Connection
  readonly url: string
  readonly json: boolean
  readonly out: Output
  /** For messages; standard output belongs to the answer. */
  readonly report: (line: string) => void
  readonly signal: AbortSignal
  /** For every call of the client. */
  readonly options: CallOptions
}

export interface Surroundings {
  readonly out: Output
  readonly signal: AbortSignal
}

interface GlobalOptions {
  readonly url: string
  readonly json: boolean
  readonly retrySeconds: number
}

/** Runs one command: its arguments, its options, and how the process ends (0 if it does not say). */
export type Work<O> = (context: Context, operands: string[], options: O) => Promise<number | undefined>

/** Makes a commander action of it; how it ends is put into `process.exitCode`. */
export function action<O>({ out, signal }: Surroundings, work: Work<O>) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command
    const { url, json, retrySeconds } = command.optsWithGlobals<GlobalOptions>()
    const report = (line: string) => void process.stderr.write(`${line}\n`)
    let hasSaid = false
    const onRetry: CallOptions['onRetry'] = ({ error }) => {
      if (hasSaid || json || !process.stderr.isTTY) return
      hasSaid = true
      report(`trying again: ${endingOf(error, url).message}`)
    }
    const gateway: ConnectionOptions = {
      baseUrl: url,
      retry: { totalMs: retrySeconds * 1_000, delayMaxMs: 1_000 },
    }
    const context: Context = {
      client: createClient(gateway),
      connection: connectionTo(gateway),
      url,
      json,
      out,
      report,
      signal,
      options: { signal, onRetry },
    }
    process.exitCode = (await work(context, command.args, command.opts() as O)) ?? 0
  }
}

/** An operand that commander has made sure of. */
export function required(operand: string | undefined): string {
  if (operand === undefined) throw new UsageError('an argument is missing; --help shows which')
  return operand
}
