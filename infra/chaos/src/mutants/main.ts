/**
 * `npm run chaos:mutants`: breaks the product on purpose, in one way after the other, in a copy of the repository, and
 * shows that the tests notice. A suite that cannot fail proves nothing.
 */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { commandLine, newFile } from '@sekali/local/command-line'
import { runCommand } from '@sekali/local/run-command'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { InvalidArgumentError } from 'commander'
import { mutants } from './catalogue.ts'
import type { Mutant } from './mutant.ts'
import { type IsSound, soundTests } from './sound.ts'
import { runSuite } from './suite.ts'
import { applyMutant, copyTree } from './tree.ts'

const { only, report } = commandLine(
  'npm run chaos:mutants --',
  'Breaks the product on purpose, one way at a time, and fails when the tests do not notice.',
)
  .option('--only <names>', 'only these, separated by commas', names)
  .option('--report <file>', 'writes the table as Markdown, too', newFile)
  .parse()
  .opts<{ only?: string[]; report?: string }>()

interface Row {
  readonly mutant: Mutant
  /** The test that noticed, or why none did. */
  readonly verdict: string
  readonly isCaught: boolean
  readonly seconds: number
}

await runCommand(async (signal) => {
  const chosen = mutants.filter(({ name }) => only === undefined || only.includes(name))
  await using folder = await temporaryFolder('sekali-chaos-')
  const tree = join(folder.path, 'sekali')
  await copyTree(tree)
  const isSound = await soundTests(tree, chosen, signal)
  const rows: Row[] = []
  for (const mutant of chosen) {
    const row = await judge(tree, mutant, isSound, signal)
    process.stderr.write(`${mutant.name}: ${row.isCaught ? 'caught by' : 'NOT CAUGHT:'} ${row.verdict}\n`)
    rows.push(row)
  }
  const text = table(rows)
  process.stdout.write(`${text}\n`)
  if (report !== undefined) await writeFile(report, `${text}\n`)
  return rows.length > 0 && rows.every(({ isCaught }) => isCaught) ? 0 : 1
})

function names(text: string): string[] {
  const wanted = text.split(',')
  const stray = wanted.find((name) => !mutants.some((mutant) => mutant.name === name))
  if (stray === undefined) return wanted
  const all = mutants.map(({ name }) => name).join(', ')
  throw new InvalidArgumentError(`There is no mutant ${stray}; there are ${all}.`)
}

async function judge(tree: string, mutant: Mutant, isSound: IsSound, signal: AbortSignal): Promise<Row> {
  const missed = (verdict: string, seconds = 0) => ({ mutant, verdict, isCaught: false, seconds })
  try {
    const unsound = await isSound(mutant)
    if (unsound !== undefined) return missed(`without it "${unsound}" fails as well`)
    await using _broken = await applyMutant(tree, mutant)
    const { failed, seconds } = await runSuite(tree, [mutant.test], signal)
    const [verdict] = failed
    return verdict === undefined
      ? missed('it survived', seconds)
      : { mutant, verdict: verdict.name, isCaught: true, seconds }
  } catch (error) {
    signal.throwIfAborted()
    return missed((error as Error).message)
  }
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ mutant, verdict, isCaught, seconds }) => {
    const by = isCaught ? `${mutant.test.project}: ${verdict}` : `**not caught**: ${verdict.split('\n')[0]}`
    return `| ${mutant.name} | ${mutant.breaks} | ${by} | ${seconds.toFixed(1)} |`
  })
  return ['| mutant | what is broken | caught by | seconds |', '|---|---|---|---:|', ...lines].join('\n')
}
