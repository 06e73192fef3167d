/**
 * Makes the first key, as the owner's role of DATABASE_URL: whoever owns the database owns the keys. The key alone goes to
 * standard output, and nowhere else; everything else goes to standard error. Status 0 with the key, 1 without one, 2 for a
 * command line or settings that make no sense.
 */
import process from 'node:process'
import { createFirstKey } from '@sekali/store/first-key'
import { noSense, openStore, readOptions, runOnce, say } from './operate/one-shot.ts'

const usage = `Usage: first-key.ts [--replace | --if-none]

Makes the first key, which may do everything, and prints it once. DATABASE_URL must be the owner's.

  --replace  revoke the keys that may do everything, and make a new one: they are lost, or in wrong hands
  --if-none  if there is such a key already, print nothing and end well
`

const options = {
  replace: { type: 'boolean', default: false },
  'if-none': { type: 'boolean', default: false },
} as const

await runOnce(async () => {
  const { replace, 'if-none': ifNone, help } = readOptions(options, usage)
  if (replace && ifNone) throw noSense(usage)
  if (help) {
    process.stdout.write(usage)
    return 0
  }
  await using store = openStore('first-key')
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
}, 'the first key could not be made')
