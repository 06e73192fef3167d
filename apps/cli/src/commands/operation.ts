/** Operations: actions that take long and go on by themselves. */
import type { Operation } from '@sekali/client/operate'
import { cancelOperation, listOperations, readOperation, waitForOperation } from '@sekali/client/operations'
import { limits } from '@sekali/core/limits'
import { openProgress } from '@sekali/process/progress'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { exitCodes, UsageError } from '../exit.ts'
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

const list = async (
  { connection, options, json, out }: Context,
  _: string[],
  { limit }: { limit: number },
) => {
  const operations: Operation[] = []
  const query = { limit: Math.min(limit, limits.pageSizeMax) }
  for await (const operation of listOperations(connection, query, options)) {
    operations.push(operation)
    if (operations.length === limit) break
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

const show = async ({ connection, options, json, out }: Context, [id]: string[]) => {
  const operation = await readOperation(connection, idOf(id), options)
  await out.line(json ? JSON.stringify(operation) : summary(operation))
  return undefined
}

const watch = async (context: Context, [id]: string[]) => await watchOperation(context, idOf(id))

/** Waits for its end. A bar, or lines, go to standard error; how it ended to standard output. */
export async function watchOperation(
  { connection, options, json, out, signal }: Context,
  id: number,
): Promise<number> {
  const ended = await showingProgress(json, (onProgress) =>
    waitForOperation(connection, id, { ...options, signal, onProgress }),
  )
  await out.line(json ? JSON.stringify(ended) : summary(ended))
  return ended.state === 'done' ? exitCodes.done : exitCodes.refused
}

async function showingProgress(
  json: boolean,
  work: (onProgress: (operation: Operation) => void) => Promise<Operation>,
): Promise<Operation> {
  using progress = json ? undefined : openProgress(process.stderr)
  let isBegun = false
  return await work(({ kind, matched, done }) => {
    if (!isBegun) progress?.stage(kind, matched)
    isBegun = true
    progress?.update(done)
  })
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
  const operation = await cancelOperation(connection, idOf(id), options)
  await out.line(json ? JSON.stringify(operation) : summary(operation))
  return undefined
}

function idOf(given: string | undefined): number {
  const text = required(given)
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new UsageError('the id of an operation is a number: sekali operation list')
}
