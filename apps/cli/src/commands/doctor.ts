import { call, jsonOf } from '@sekali/client/connection'
import type { Diagnosis, Finding } from '@sekali/core/finding'
import type { Command } from 'commander'
import { action, type Context, type Surroundings } from '../context.ts'
import { exitCodes } from '../exit.ts'
import { count, plain, styled } from '../terminal/text.ts'
import { calls } from './calls.ts'

export function addDoctor(program: Command, surroundings: Surroundings): void {
  program
    .command('doctor')
    .summary('look for what is wrong, and say what to do about it')
    .description(
      'Asks the gateway to look at Redis, PostgreSQL, the clocks, the consumers, what is in flight and the projections. Each finding ' +
        'comes with its remedy. It ends with 1 if there is a problem; a warning alone is 0.',
    )
    .option('-v, --verbose', 'also what is as it should be')
    .addHelpText(
      'after',
      `
Examples:
  $ sekali doctor
  $ sekali doctor --verbose
  $ sekali doctor --json | jq -r '.findings[] | select(.level == "problem") | .remedy'
`,
    )
    .addHelpText('after', calls('runDoctor'))
    .action(action(surroundings, run))
}

const run = async (
  { connection, options, json, out }: Context,
  _: string[],
  { verbose = false }: { verbose?: boolean },
) => {
  const answer = await call(connection, '/doctor', { method: 'GET' }, options)
  const diagnosis = jsonOf<Diagnosis>(answer, (value) => 'findings' in value)
  if (json) await out.line(JSON.stringify(diagnosis))
  else {
    const { findings } = diagnosis
    for (const finding of findings.filter(({ level }) => verbose || level !== 'ok'))
      await out.line(paragraph(finding))
    await out.line(summary(findings))
  }
  return diagnosis.status === 'problem' ? exitCodes.refused : exitCodes.done
}

const marks = { ok: '✓', warning: '!', problem: '✗', unknown: '?' } as const
const colours = { ok: 'green', warning: 'yellow', problem: 'red', unknown: 'yellow' } as const

function paragraph({ check, level, message, remedy }: Finding): string {
  const first = `${styled(colours[level], `${marks[level]} ${check}`)}  ${plain(message)}`
  return remedy === undefined ? first : `${first}\n    ${plain(remedy)}`
}

function summary(findings: readonly Finding[]): string {
  const at = (wanted: string) => findings.filter(({ level }) => level === wanted).length
  const [problems, warnings, unknown] = [at('problem'), at('warning'), at('unknown')]
  if (problems + warnings + unknown === 0)
    return styled('green', `all well: ${count(findings.length, 'check')}`)
  return `${count(findings.length, 'check')}: ${count(problems, 'problem')}, ${count(warnings, 'warning')}, ${unknown} unknown`
}
