/**
 * `npm run build`: makes of each package that is published what npm packs, in `dist` of its workspace:
 * `npm pack ./packages/client/dist`.
 */
import process from 'node:process'
import { narrate } from '@sekali/local/narration'
import { runCommand } from '@sekali/local/run-command'
import { Command } from 'commander'
import { buildPackage } from './build-package.ts'
import { buildCli } from './cli/build-cli.ts'
import { packages } from './packages.ts'

new Command('npm run build')
  .description('Builds what is published into dist of each workspace, ready for npm pack.')
  .allowExcessArguments(false)
  .parse()

await runCommand(async (signal) => {
  for (const one of packages) {
    signal.throwIfAborted()
    const { name, folder, gzipBytes } = await buildPackage(one)
    narrate(name, `is built: ${gzipBytes} bytes compressed, in ${folder}`)
  }
  signal.throwIfAborted()
  const { name, folder } = await buildCli()
  narrate(name, `is built, in ${folder}`)
  process.stderr.write(`\nnpm pack ./${packages[0]?.workspace}/dist packs one of them.\n`)
  return 0
})
