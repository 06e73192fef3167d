/** `sekali dead-letter redrive`: counts, asks, begins, and waits. */

import { readLetter } from '@sekali/client/letters'
import type { DeliveriesRedrive, RedriveCount, RedriveStart } from '@sekali/client/operate'
import { countRedrive, redriveDeliveries, startRedrive } from '@sekali/client/operations'
import type { Context } from '../context.ts'
import { exitCodes, UsageError } from '../exit.ts'
import { requireSpan } from '../filters.ts'
import { confirm, isInteractive } from '../terminal/confirm.ts'
import { count, number, plain } from '../terminal/text.ts'
import { watchOperation } from './operation.ts'

interface Options {
  readonly topic?: string
  readonly subscription?: string
  readonly reason?: string
  readonly from?: string
  readonly to?: string
  readonly rate: number
  readonly dryRun?: boolean
  readonly expect?: number
  readonly yes?: boolean
  readonly wait: boolean
}

export async function redrive(context: Context, [id]: string[], given: Options): Promise<number | undefined> {
  const { connection, options, json, out, report } = context
  const { topic, reason, from, to, expect } = given
  requireSpan(given)
  if (!given.dryRun && !given.yes && expect === undefined && !isInteractive(json)) {
    throw new UsageError('nobody can be asked here: say --expect N, or --yes; --dry-run counts')
  }
  const subscription = given.subscription ?? (await subscriptionOf(context, id))
  const filter = { id, topic, subscription, reason, from, to }
  const counted = await countRedrive(connection, filter, options)
  if (given.dryRun) {
    await out.line(json ? JSON.stringify(counted) : countedText(counted))
    return undefined
  }
  if (expect !== undefined && expect !== counted.matched) {
    report(`${count(counted.matched, 'dead letter')} match, and not ${number(expect)}: nothing is redriven`)
    return exitCodes.refused
  }
  if (counted.matched === 0) {
    if (json) await out.line(JSON.stringify(counted))
    else await out.line('no dead letter matches: nothing is redriven')
    return undefined
  }
  if (expect === undefined && !given.yes && !(await isConfirmed(context, counted))) {
    report('nothing is redriven')
    return exitCodes.refused
  }
  const start = { asOf: counted.as_of, expect: counted.matched }
  if (subscription !== undefined)
    return await handOut(context, { ...start, filter: { ...filter, subscription } })
  return await begin(context, { ...start, filter, rate: given.rate }, given.wait)
}

/** A delivery belongs to a subscription, which the gateway wants to be named. */
async function subscriptionOf(
  { connection, options }: Context,
  id: string | undefined,
): Promise<string | undefined> {
  return id?.startsWith('d-') ? (await readLetter(connection, id, options)).subscription : undefined
}

async function handOut(
  { connection, options, json, out }: Context,
  start: DeliveriesRedrive,
): Promise<undefined> {
  const done = await redriveDeliveries(connection, start, options)
  const text = `${count(done.redriven, 'event')} will be handed out again`
  await out.line(json ? JSON.stringify(done) : text)
}

async function begin(context: Context, start: RedriveStart, wait: boolean): Promise<number | undefined> {
  const { connection, options, json, out } = context
  const begun = await startRedrive(connection, start, options)
  if (wait) return await watchOperation(context, begun.id)
  await out.line(
    json ? JSON.stringify(begun) : `operation ${begun.id} has begun: sekali operation watch ${begun.id}`,
  )
  return undefined
}

const countedText = ({ matched, by_reason }: RedriveCount): string => {
  const reasons = Object.entries(by_reason).map(([reason, of]) => `${number(of)} ${plain(reason)}`)
  return `${count(matched, 'dead letter')} would be redriven${matched === 0 ? '' : `: ${reasons.join(', ')}`}`
}

async function isConfirmed({ report, signal }: Context, counted: RedriveCount): Promise<boolean> {
  report(countedText(counted))
  return await confirm(`Type ${counted.matched} to redrive them: `, String(counted.matched), signal)
}
