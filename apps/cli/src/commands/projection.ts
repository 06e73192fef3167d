import type { FoldedProjection, Projection, ProjectionError, ProjectionKey } from '@sekali/client/answers'
import { jsonOf } from '@sekali/client/connection'
import { isProjection, projectionAnswer, projectionKeyAnswer } from '@sekali/client/projections'
import { onOneLine } from '@sekali/core/event'
import { type Json, parseJson, stringifyJson } from '@sekali/core/json'
import { limits } from '@sekali/core/limits'
import { fileAndLine } from '@sekali/core/not-loaded'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { exitCodes } from '../exit.ts'
import { number, plain, styled, table } from '../terminal/text.ts'
import { calls } from './calls.ts'
import { addCheck } from './check.ts'
import { explaining, reportStop } from './projection-trouble.ts'
import { waitForRebuild } from './rebuild-wait.ts'

export function addProjection(program: Command, surroundings: Surroundings): void {
  const projection = program
    .command('projection')
    .summary('state that is folded from the log')
    .description('Lists projections, shows their state, builds them anew, and checks definitions.')
    .addHelpText(
      'after',
      `
Examples:
  $ sekali projection list
  $ sekali projection get customer-totals
  $ sekali projection get customer-totals c-17
  $ sekali projection rebuild customer-totals
  $ sekali projection drop customer-totals
  $ sekali projection check projections/             before a projector reads them
  $ sekali projection check totals.ts --events day.ndjson
`,
    )
  projection
    .command('list')
    .description(
      'Lists the projections and how far they are, and files of definitions that do not load. ' +
        'It ends with 1 if there is such a file, or if a projection has failed, or its rebuild.',
    )
    .addHelpText('after', calls('listProjections'))
    .action(action(surroundings, list))
  projection
    .command('get')
    .description('Shows the state of a projection; of one with keys all of them, or the one that is named.')
    .argument('<name>')
    .argument('[key]')
    .option('-n, --limit <n>', 'at most this many keys', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('-a, --after <key>', 'only keys behind this one')
    .addHelpText('after', calls('readProjection', 'readProjectionKey'))
    .action(action(surroundings, get))
  projection
    .command('rebuild')
    .description(
      'Folds a projection anew from the first event on. The old state answers until the new one has caught up.',
    )
    .argument('<name>')
    .option('--wait', 'wait until the new state is on show')
    .addHelpText('after', calls('rebuildProjection'))
    .action(action(surroundings, rebuild))
  projection
    .command('drop')
    .description('Drops a projection that nobody folds any more (status orphaned), and its state with it.')
    .argument('<name>')
    .addHelpText('after', calls('dropProjection'))
    .action(action(surroundings, drop))
  addCheck(projection, surroundings)
}

const list = async ({ client, options, json, out }: Context) => {
  const all = await client.projections(options)
  const notLoaded = all.filter((one) => one.status === 'not_loaded')
  const projections = all.filter((one) => one.status !== 'not_loaded')
  if (json) for (const one of all) await out.line(JSON.stringify(one))
  else if (all.length === 0) await out.line('no projections')
  else
    for (const line of table(
      ['name', 'version', 'status', 'lag', ''],
      [...projections.map(row), ...notLoaded.map(({ name, status }) => [plain(name), '', status, '', ''])],
    ))
      await out.line(line)
  for (const { error } of json ? [] : notLoaded) {
    const text = `${plain(fileAndLine(error))} does not load: ${plain(error.message)}`
    await out.line(styled('red', text))
  }
  if (!json && notLoaded.length > 0)
    await out.line('mend such a file, or take it away; it is read again by itself')
  const failures = projections.flatMap(failuresOf)
  for (const failure of json ? [] : failures) await out.line(styled('red', failure))
  const skips = projections.flatMap(({ name, skipped, rebuild }) => [
    ...(skipped === undefined ? [] : [{ what: plain(name), ...skipped }]),
    ...(rebuild?.skipped === undefined
      ? []
      : [{ what: `the rebuild of ${plain(name)}`, ...rebuild.skipped }]),
  ])
  for (const { what, count, last } of json ? [] : skips) {
    await out.line(styled('yellow', `${what} skipped ${number(count)}, the last ${eventAndError(last)}`))
  }
  return failures.length + notLoaded.length === 0 ? exitCodes.done : exitCodes.refused
}

/** A line for each event at which it stands. */
function failuresOf({ name, error, rebuild }: FoldedProjection): string[] {
  return [
    ...(error === undefined ? [] : [`${plain(name)} stands at ${eventAndError(error)}`]),
    ...(rebuild?.error === undefined
      ? []
      : [`the rebuild of ${plain(name)} stands at ${eventAndError(rebuild.error)}`]),
  ]
}

const eventAndError = ({ topic, seq, message }: ProjectionError) => `${topic} seq ${seq}: ${plain(message)}`

const row = ({ name, version, status, lag, rebuild, skipped }: FoldedProjection) => [
  plain(name),
  plain(String(version)),
  status,
  number(lag),
  [
    ...(rebuild === undefined ? [] : [`${rebuildWords[rebuild.status]}, ${number(rebuild.lag)} to go`]),
    ...(skipped === undefined ? [] : [`${number(skipped.count)} skipped`]),
  ].join('; '),
]

const rebuildWords = { building: 'rebuilding', failed: 'rebuild failed' } as const

interface GetOptions {
  readonly limit?: number
  readonly after?: string
}

const get = async (context: Context, [given, key]: string[], options: GetOptions) => {
  const name = required(given)
  await explaining(context, name, () => show(context, name, key, options))
  if (!context.json) await reportStop(context, name)
  return undefined
}

async function show(
  context: Context,
  name: string,
  key: string | undefined,
  { limit, after }: GetOptions,
): Promise<void> {
  const { connection, options, json, out } = context
  if (key !== undefined) {
    const answer = await projectionKeyAnswer(connection, name, key, options)
    const { state } = jsonOf<ProjectionKey>(answer, isProjection, parseJson)
    return await out.line(json ? onOneLine(answer.text.trimEnd()) : indented(state))
  }
  let left = limit ?? Number.POSITIVE_INFINITY
  for (let from = after; ; ) {
    const query = { ...(from !== undefined && { after: from }), limit: Math.min(left, limits.pageSizeMax) }
    const answer = await projectionAnswer(connection, name, query, options)
    const page = jsonOf<Projection>(answer, isProjection, parseJson)
    if (json) await out.line(onOneLine(answer.text.trimEnd()))
    else await showState(context, page)
    left -= page.keys?.length ?? 0
    from = page.next
    if (from === undefined || left <= 0) return
  }
}

async function showState({ out }: Context, { keys, state }: Projection): Promise<void> {
  if (keys === undefined) return await out.line(indented(state))
  for (const { key, state } of keys)
    await out.line(`${styled('cyan', plain(key))}  ${plain(stringifyJson(state as Json))}`)
}

const indented = (state: unknown): string =>
  stringifyJson(state as Json, 2)
    .split('\n')
    .map(plain)
    .join('\n')

const rebuild = async (context: Context, [given]: string[], options: { readonly wait?: boolean }) => {
  const { client, json, out } = context
  const name = required(given)
  await explaining(context, name, () => client.rebuildProjection(name, context.options))
  if (options.wait) return await waitForRebuild(context, name)
  const text = `${plain(name)} is being rebuilt; sekali projection list shows how far it is`
  await out.line(json ? JSON.stringify({ name, status: 'building' }) : text)
  return undefined
}

const drop = async ({ client, options, json, out }: Context, [name]: string[]) => {
  await client.dropProjection(required(name), options)
  await out.line(json ? JSON.stringify({ name, status: 'dropped' }) : `${plain(required(name))} is dropped`)
  return undefined
}
