/**
 * Makes the first key, as the owner's role of DATABASE_URL: whoever owns the database owns the keys. The key alone goes to
 * standard output, and nowhere else; everything else goes to standard error. Status 0 with the key, 1 without one, 2 for a
 * command line or settings that make no sense.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { InvalidConfig, SekaliError } from '@sekali/core/errors'
import { databaseUrl, parseEnv } from '@sekali/process/env'
import { usageStatus } from '@sekali/process/usage'
import { connectStore } from '@sekali/store/connect'
import { createFirstKey } from '@sekali/store/first-key'
import { processName } from '@sekali/store/process-name'
import * as v from 'valibot'

const usage = `Usage: first-key.ts [--replace | --if-none]

Makes the first key, which may do everything, and prints it once. DATABASE_URL must be the owner's.

  --replace  revoke the keys that may do everything, and make a new one: they are lost, or in wrong hands
  --if-none  if there is such a key already, print nothing and end well
`

const silent = { warn: () => undefined }

/** Throws `InvalidConfig` for options that there are not. */
function readOptions(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        replace: { type: 'boolean', default: false },
        'if-none': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (!(values.replace && values['if-none'])) return values
  } catch {
    // Its words quote what was typed, which may be a key.
  }
  throw new InvalidConfig(`this makes no sense here\n\n${usage}`)
}

async function main(): Promise<number> {
  const { replace, 'if-none': ifNone, help } = readOptions(process.argv.slice(2))
  if (help) {
    process.stdout.write(usage)
    return 0
  }
  const { DATABASE_URL: url } = parseEnv(v.object({ DATABASE_URL: databaseUrl }), process.env)
  await using store = connectStore({ url, poolMax: 1, name: processName('first-key') }, silent)
  const made = await createFirstKey(store, { replace, actor: 'first-key' })
  if (made === 'exists') {
    if (ifNone) return 0
    say('there is a key already that may do everything; whoever has lost it makes a new one with --replace')
    return 1
  }
  if (typeof made === 'string') {
    say('there are 10,000 keys that work: revoke those that nobody needs')
    return 1
  }
  process.stdout.write(`${made.text}\n`)
  return 0
}

const say = (words: string) => void process.stderr.write(`${words}\n`)

try {
  process.exitCode = await main()
} catch (error) {
  say(error instanceof SekaliError ? error.message : 'the first key could not be made')
  process.exitCode = error instanceof InvalidConfig ? usageStatus : 1
}
if (process.connected) process.disconnect() // a supervisor's channel would keep it up
