/** Operations: actions that take long and go on by themselves. */
import { call, jsonOf, search } from '@sekali/client/connection'
import { wait } from '@sekali/client/retry'
import { limits } from '@sekali/core/limits'
import { openProgress } from '@sekali/process/progress'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { exitCodes } from '../exit.ts'
import { number, plain, table } from '../terminal/text.ts'
import { calls } from './calls.ts'

export function addOperation(program: Command, surroundings: Surroundings): void {
  const operation = program
    .command('operation')
    .summary('what takes long and goes on by itself: redrives')
    .description(
      'Lists operations, watches one, or ends one where it is. It takes a key with the scope admin.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sekali operation list
  $ sekali operation watch 3
  $ sekali operation cancel 3
`,
    )
  operation
    .command('list')
    .description('Lists operations, newest first.')
    .option('-n, --limit <n>', 'at most this many', wholeNumber(1, Number.MAX_SAFE_INTEGER), 20)
    .addHelpText('after', calls('listOperations'))
    .action(action(surroundings, list))
  operation
    .command('show')
    .description('Shows how far an operation is.')
    .argument('<id>')
    .addHelpText('after', calls('readOperation'))
    .action(action(surroundings, show))
  operation
    .command('watch')
    .description('Waits until an operation has ended, and shows how far it is. Ctrl-C leaves it running.')
    .argument('<id>')
    .addHelpText('after', calls('readOperation'))
    .action(action(surroundings, watch))
  operation
    .command('cancel')
    .description('Ends an operation where it is. What is done stays done.')
    .argument('<id>')
    .addHelpText('after', calls('cancelOperation'))
    .action(action(surroundings, cancel))
}

/** As much of an operation as is shown. */
export interface Operation {
  readonly id: number
  readonly kind: string
  readonly state: 'running' | 'done' | 'cancelled' | 'failed'
  readonly filter: Readonly<Record<string, string>>
  readonly rate: number
  readonly matched: number
  readonly done: number
  readonly outcomes: Readonly<Record<string, number>>
  readonly created_at: string
  readonly created_by: string
  readonly error?: string
}

export const isOperation = (value: object): boolean => 'id' in value && 'outcomes' in value

const pathOf = (id: string): string => `/operations/${encodeURIComponent(id)}`

const list = async (
  { connection, options, json, out }: Context,
  _: string[],
  { limit }: { limit: number },
) => {
  const operations: Operation[] = []
  let before: number | undefined
  for (let isLast = false; !isLast && operations.length < limit; ) {
    const query = search({ before, limit: Math.min(limit - operations.length, limits.pageSizeMax) })
    const answer = await call(connection, `/operations${query}`, { method: 'GET' }, options)
    operations.push(...jsonOf<Operation[]>(answer, Array.isArray))
    const next = /[?&]before=(\d+)/.exec(answer.header('link') ?? '')?.[1]
    isLast = next === undefined
    before = Number(next)
  }
  if (json) for (const one of operations) await out.line(JSON.stringify(one))
  else if (operations.length === 0) await out.line('no operations')
  else
    for (const line of table(
      ['id', 'what', 'state', 'done', 'of', 'began', 'by'],
      operations.map((one) => [
        String(one.id),
        plain(`${one.kind} ${filterText(one.filter)}`.trimEnd()),
        one.state,
        number(one.done),
        number(one.matched),
        `${one.created_at.slice(0, 19)}Z`,
        plain(one.created_by),
      ]),
      [0, 1, 2, 5, 6],
    ))
      await out.line(line)
  return undefined
}

const filterText = (filter: object): string =>
  Object.entries(filter)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

const read = async ({ connection, options }: Context, id: string): Promise<Operation> =>
  jsonOf<Operation>(await call(connection, pathOf(id), { method: 'GET' }, options), isOperation)

const show = async (context: Context, [id]: string[]) => {
  const operation = await read(context, required(id))
  await context.out.line(context.json ? JSON.stringify(operation) : summary(operation))
  return undefined
}

const watch = async (context: Context, [id]: string[]) => await watchOperation(context, required(id))

const everyMs = 500

/** Waits for its end. A bar, or lines, go to standard error; how it ended to standard output. */
export async function watchOperation(context: Context, id: string): Promise<number> {
  const { json, out, signal } = context
  using progress = json ? undefined : openProgress(process.stderr)
  let operation = await read(context, id)
  progress?.stage(operation.kind, operation.matched)
  while (operation.state === 'running') {
    progress?.update(operation.done)
    await wait(everyMs, signal)
    operation = await read(context, id)
  }
  progress?.update(operation.done)
  progress?.[Symbol.dispose]()
  await out.line(json ? JSON.stringify(operation) : summary(operation))
  return operation.state === 'done' ? exitCodes.done : exitCodes.refused
}

/** For instance `operation 3 (redrive, topic orders) is done: 412 of 412, 411 redriven, 1 not an event`. */
function summary({ id, kind, filter, state, done, matched, outcomes, error }: Operation): string {
  const of = filterText(filter)
  const counts = Object.entries(outcomes).map(
    ([name, count]) => `${number(count)} ${name.replaceAll('_', ' ')}`,
  )
  const what = plain(`${kind}${of === '' ? '' : `, ${of}`}`)
  const is = state === 'running' ? 'is running' : state === 'failed' ? 'has failed' : `is ${state}`
  const why = error === undefined ? '' : `; ${plain(error)}`
  return `operation ${id} (${what}) ${is}: ${[`${number(done)} of ${number(matched)}`, ...counts].join(', ')}${why}`
}

const cancel = async ({ connection, options, json, out }: Context, [id]: string[]) => {
  const answer = await call(connection, `${pathOf(required(id))}/cancel`, { method: 'POST' }, options)
  const operation = jsonOf<Operation>(answer, isOperation)
  await out.line(json ? answer.text.trimEnd() : summary(operation))
  return undefined
}
