/** `npm run chaos:flood`: one topic of four floods, and the others must hardly notice. */
import process from 'node:process'
import { commandLine, wholeNumber } from '@sekali/local/command-line'
import { runCommand } from '@sekali/local/run-command'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { startLocal } from '../targets/local.ts'
import { floodInRounds } from './rounds.ts'
import { complaintsOf, describeRound, roundsHead } from './verdict.ts'

const options = commandLine(
  'npm run chaos:flood --',
  'Floods one topic of four with three times what consumers can take, and measures what the others notice.',
)
  .option('--seconds <number>', 'how long each flood takes', wholeNumber(1, 3_600), 300)
  .option('--rounds <number>', 'how often; the median of the rounds counts', wholeNumber(1, 99), 5)
  .option(
    '--backlog <seconds>',
    'what a topic may have in flight, in seconds of what consumers can take of it',
    wholeNumber(1, 3_600),
    10,
  )
  .option(
    '--delay <milliseconds>',
    'how much later everything between consumers and PostgreSQL arrives, each way',
    wholeNumber(0, 1_000),
    20,
  )
  .option('--consumers <number>', 'how many consumers share the topics', wholeNumber(1, 64), 2)
  .parse()
  .opts<{ seconds: number; rounds: number; backlog: number; delay: number; consumers: number }>()

await runCommand(async (signal) => {
  const report = (what: string) => void process.stderr.write(`${what}\n`)
  await using folder = await temporaryFolder('sekali-flood-')
  await using target = await startLocal({
    dir: folder.path,
    consumers: options.consumers,
    report: (part, what) => report(`${part} ${what}`),
    signal,
  })
  const { rounds, sustainable, offered } = await floodInRounds(
    target,
    { ...options, backlogSeconds: options.backlog, delayMs: options.delay },
    signal,
    report,
  )
  signal.throwIfAborted()
  const complaints = [...complaintsOf(rounds, offered), ...target.ended()]
  const table = rounds.map((round, index) => describeRound(round, index + 1))
  const what = `${options.consumers} consumers take ${sustainable.toFixed()} events/s; floods of ${options.seconds} s`
  process.stdout.write(`${[what, '', roundsHead, ...table, '', ...verdict(complaints)].join('\n')}\n`)
  return complaints.length === 0 ? 0 : 1
})

function verdict(complaints: readonly string[]): readonly string[] {
  return complaints.length === 0 ? ['Kept.'] : complaints.map((complaint) => `BROKEN: ${complaint}`)
}
