import process from 'node:process'
import { createClient } from '@sekali/client/client'
import { InvalidConfig } from '@sekali/core/errors'
import { openProgress } from '@sekali/process/progress'
import { readSecret } from '@sekali/process/secret-file'
import { shutdownSignal } from '@sekali/process/shutdown'
import { usageStatus } from '@sekali/process/usage'
import { adviceOn } from './advice.ts'
import { repeatsOf } from './arguments.ts'
import { n } from './balance/balance.ts'
import { keepAlive } from './keep-alive.ts'
import { nothingSent, type Sent } from './load/publish.ts'
import { type Options, parseOptions } from './options.ts'
import { resultJson, resultText } from './report.ts'
import { messageOf, runWorkload } from './run.ts'

const interrupted = 130 // as a shell reports a process that Ctrl-C ended

const options = parseOptions(process.argv.slice(2))
const signal = shutdownSignal()
const sent = nothingSent(options.topics)
report(
  `${n(options.events)} events, ${n(repeatsOf(options))} of them duplicates, ` +
    `${options.concurrency} at a time to ${options.url}, seed ${options.seed}`,
)
try {
  process.exitCode = await main(options, sent)
} catch (error) {
  if (signal.aborted) report(`stopped: ${n(sent.total)} of ${n(options.events)} events sent`)
  else report(`failed: ${messageOf(error)}${adviceOn(error, options.url)}`)
  process.exitCode = signal.aborted ? interrupted : error instanceof InvalidConfig ? usageStatus : 1
}
if (process.connected) process.disconnect()

async function main({ url, concurrency, retrySeconds, json }: Options, sent: Sent): Promise<number> {
  await using connections = keepAlive(url, concurrency)
  using progress = openProgress(process.stderr)
  const retry = { totalMs: retrySeconds * 1_000 }
  const client = createClient({ baseUrl: url, token: readToken(), fetch: connections.fetch, retry })
  const result = await runWorkload(options, sent, { client, progress, signal, report })
  progress[Symbol.dispose]()
  const out = json ? process.stderr : process.stdout
  out.write(`${resultText(result)}\n`)
  if (json) process.stdout.write(`${resultJson(result)}\n`)
  return result.balance.problems.length === 0 ? 0 : 1
}

/** From SEKALI_TOKEN, or the file that SEKALI_TOKEN_FILE names; an empty variable is none. Throws `InvalidConfig`. */
function readToken(): string | undefined {
  const given = Object.entries(process.env).filter(
    ([name, value]) => /^SEKALI_TOKEN/.test(name) && value !== '',
  )
  return readSecret(Object.fromEntries(given), 'SEKALI_TOKEN')
}

function report(line: string): void {
  process.stderr.write(`${line}\n`)
}
