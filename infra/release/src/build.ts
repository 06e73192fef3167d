/**
 * `npm run build`: makes of each package that is published what npm packs, in `dist` of its workspace:
 * `npm pack ./packages/client/dist`.
 */
import process from 'node:process'
import { narrate } from '@sekali/local/narration'
import { runCommand } from '@sekali/local/run-command'
import { Command } from 'commander'
import { buildAll } from './build-all.ts'

new Command('npm run build')
  .description('Builds what is published into dist of each workspace, ready for npm pack.')
  .allowExcessArguments(false)
  .parse()

await runCommand(async (signal) => {
  const [first] = await buildAll(narrate, signal)
  process.stderr.write(`\nnpm pack ./${first?.folder} packs one of them.\n`)
  return 0
})
