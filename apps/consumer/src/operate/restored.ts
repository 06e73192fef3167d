/**
 * `sekali restored` for when no gateway runs: begins another epoch of all logs, after PostgreSQL was put back to an earlier
 * state and Redis has lost its data, too. As the owner's role of DATABASE_URL, like first-key.ts. Status 0 when it has begun,
 * or for --dry-run; 1 when it has not; 2 for a command line or settings that make no sense.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { InvalidConfig, SekaliError } from '@sekali/core/errors'
import { normalizeTimestamp } from '@sekali/core/timestamp'
import { databaseUrl, parseEnv } from '@sekali/process/env'
import { usageStatus } from '@sekali/process/usage'
import { beginEpochs, countForEpochs } from '@sekali/store/begin-epochs'
import { connectStore } from '@sekali/store/connect'
import { processName } from '@sekali/store/process-name'
import * as v from 'valibot'

const usage = `Usage: restored.ts [--at TIME] [--dry-run | --yes]

Begins another epoch of all logs, so that whoever has read further than they go is told. Only for when PostgreSQL was put
back to an earlier state and Redis has lost its data, too: where Redis has them, consumers find it out by themselves. Say it
before consumers start. It is safe to say twice. DATABASE_URL must be the owner's.

  --at TIME  when PostgreSQL was put back, as RFC 3339, if something has been stored since
  --dry-run  say what there is, and do nothing
  --yes      do it; refused without --at if something was stored since PostgreSQL started
`

const silent = { warn: () => undefined }

/** Throws `InvalidConfig` for options that there are not. */
function readOptions(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        at: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        yes: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const at = values.at === undefined ? undefined : normalizeTimestamp(values.at)
    const isTime = values.at === undefined || at !== undefined
    if (isTime && !(values.yes && values['dry-run'])) return { ...values, at }
  } catch {
    // Its words quote what was typed, which may be a secret in the wrong place.
  }
  throw new InvalidConfig(`this makes no sense here\n\n${usage}`)
}

async function main(): Promise<number> {
  const { at, 'dry-run': isDry, yes, help } = readOptions(process.argv.slice(2))
  if (help) {
    process.stdout.write(usage)
    return 0
  }
  const { DATABASE_URL: url } = parseEnv(v.object({ DATABASE_URL: databaseUrl }), process.env)
  await using store = connectStore({ url, poolMax: 1, name: processName('restored') }, silent)
  const { topics, events, newestStoredAt, startedAt, storedSinceStart } = await countForEpochs(store)
  const late =
    storedSinceStart > 0 && at === undefined
      ? `in ${storedSinceStart} topics something was stored since PostgreSQL started at ${startedAt}: say --at with the time ` +
        'when it was put back, or readers of the lost events pass over these\n'
      : ''
  if (yes) {
    if (late !== '') {
      say(`${late}no epoch has begun`)
      return 1
    }
    const begun = await beginEpochs(store, at, { actor: 'restored' })
    process.stdout.write(`epoch ${begun.epoch} of ${begun.topics} topics has begun\n`)
    return 0
  }
  process.stdout.write(
    `${topics} topics with ${events} events, the newest stored at ${newestStoredAt ?? '-'}\n`,
  )
  process.stderr.write(late)
  if (isDry) return 0
  say('no epoch has begun: say --yes')
  return 1
}

const say = (words: string) => void process.stderr.write(`${words}\n`)

try {
  process.exitCode = await main()
} catch (error) {
  say(error instanceof SekaliError ? error.message : 'no epoch has begun')
  process.exitCode = error instanceof InvalidConfig ? usageStatus : 1
}
if (process.connected) process.disconnect() // a supervisor's channel would keep it up
