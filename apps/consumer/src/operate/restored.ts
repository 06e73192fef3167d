/**
 * `sekali restored` for when no gateway runs: begins another epoch of all logs, after PostgreSQL was put back to an earlier
 * state and Redis has lost its data, too. As the owner's role of DATABASE_URL, like first-key.ts. Status 0 when it has begun,
 * or for --dry-run; 1 when it has not; 2 for a command line or settings that make no sense.
 */
import process from 'node:process'
import { normalizeTimestamp } from '@sekali/core/timestamp'
import { beginEpochs, countForEpochs } from '@sekali/store/begin-epochs'
import { noSense, openStore, readOptions, runOnce, say } from './one-shot.ts'

const usage = `Usage: restored.ts [--at TIME] [--dry-run | --yes]

Begins another epoch of all logs, so that whoever has read further than they go is told. Only for when PostgreSQL was put
back to an earlier state and Redis has lost its data, too: where Redis has them, consumers find it out by themselves. Say it
before consumers start. It is safe to say twice. DATABASE_URL must be the owner's.

  --at TIME  when PostgreSQL was put back, as RFC 3339, if something has been stored since
  --dry-run  say what there is, and do nothing
  --yes      do it; refused without --at if something was stored since PostgreSQL started
`

const options = {
  at: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  yes: { type: 'boolean', default: false },
} as const

await runOnce(async () => {
  const { at: time, 'dry-run': isDry, yes, help } = readOptions(options, usage)
  const at = time === undefined ? undefined : normalizeTimestamp(time)
  if ((time !== undefined && at === undefined) || (yes && isDry)) throw noSense(usage)
  if (help) {
    process.stdout.write(usage)
    return 0
  }
  await using store = openStore('restored')
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
}, 'no epoch has begun')
