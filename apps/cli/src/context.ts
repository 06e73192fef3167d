import { type Client, createClient } from '@sekali/client/client'
import { type Connection, type ConnectionOptions, connectionTo } from '@sekali/client/connection'
import type { CallOptions } from '@sekali/client/retry'
import type { Command } from 'commander'
import { adviceOnRetry, isForGood } from './advice.ts'
import { UsageError } from './exit.ts'
import { findTarget, type TargetOptions } from './profiles/target.ts'
import type { Force } from './terminal/force.ts'
import type { Output } from './terminal/output.ts'

/** What every command gets, also one that asks no gateway. */
export interface LocalContext {
  readonly json: boolean
  readonly out: Output
  /** For messages; standard output belongs to the answer. */
  readonly report: (line: string) => void
  readonly signal: AbortSignal
  /** What the command line says about the gateway. */
  readonly target: TargetOptions
  /** Has a second Ctrl-C do this, until disposed, instead of ending the process. */
  readonly onForce: (handler: () => void) => Disposable
}

/** What a command gets that asks a gateway. */
export interface Context extends LocalContext {
  readonly client: Client
  /** For what the client parses and a command shows as it came. */
  readonly connection: Connection
  readonly url: string
  /** For every call of the client. */
  readonly options: CallOptions
}

export interface Surroundings {
  readonly out: Output
  readonly signal: AbortSignal
  readonly force: Force
}

interface GlobalOptions extends TargetOptions {
  readonly json?: boolean
  readonly retrySeconds: number
}

/** Runs one command: its arguments, its options, and how the process ends (0 if it does not say). */
export type Work<O, C = Context> = (context: C, operands: string[], options: O) => Promise<number | undefined>

/** A command failed that had found its gateway: `url` is what to name when the error is explained. */
export class Failed extends Error {
  readonly url: string

  constructor(url: string, cause: unknown) {
    super('a command failed', { cause })
    this.url = url
  }
}

/** Makes a commander action of it; how it ends is put into `process.exitCode`. */
export function action<O>(surroundings: Surroundings, work: Work<O>) {
  return async (...given: unknown[]): Promise<void> => {
    const { command, local, retrySeconds } = begin(surroundings, given)
    const { url, token } = await findTarget(local.target, process.env)
    const gateway: ConnectionOptions = {
      baseUrl: url.value,
      retry: { totalMs: retrySeconds * 1_000, delayMaxMs: 1_000 },
      ...(token && { token: token.value }),
    }
    const context: Context = {
      ...local,
      client: createClient(gateway),
      connection: connectionTo(gateway),
      url: url.value,
      options: { signal: local.signal, onRetry: reportingRetries(local, url.value, retrySeconds) },
    }
    try {
      process.exitCode = (await work(context, command.args, command.opts() as O)) ?? 0
    } catch (error) {
      throw new Failed(url.value, error)
    }
  }
}

/** The same for a command that asks no gateway. */
export function localAction<O>(surroundings: Surroundings, work: Work<O, LocalContext>) {
  return async (...given: unknown[]): Promise<void> => {
    const { command, local } = begin(surroundings, given)
    process.exitCode = (await work(local, command.args, command.opts() as O)) ?? 0
  }
}

function begin({ out, signal, force }: Surroundings, given: readonly unknown[]) {
  const command = given.at(-1) as Command
  const { json = false, retrySeconds, ...target } = command.optsWithGlobals<GlobalOptions>()
  const report = (line: string) => void process.stderr.write(`${line}\n`)
  const local: LocalContext = { json, out, report, signal, target, onForce: force.instead }
  return { command, local, retrySeconds }
}

/** Says at once, and once, that something is tried again. Ends the tries where they cannot help. */
function reportingRetries(
  { json, report }: LocalContext,
  url: string,
  retrySeconds: number,
): NonNullable<CallOptions['onRetry']> {
  let hasSaid = false
  return ({ error }) => {
    if (isForGood(error)) throw error
    if (hasSaid || json) return
    hasSaid = true
    report(adviceOnRetry(error, url, retrySeconds))
  }
}

/** An operand that commander has made sure of. */
export function required(operand: string | undefined): string {
  if (operand === undefined) throw new UsageError('an argument is missing; --help shows which')
  return operand
}
