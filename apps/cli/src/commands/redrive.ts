/** `sekali dead-letter redrive`: counts, asks, begins, and waits. */
import { createInterface } from 'node:readline/promises'
import { call, jsonOf } from '@sekali/client/connection'
import type { Context } from '../context.ts'
import { exitCodes, UsageError } from '../exit.ts'
import { requireSpan } from '../filters.ts'
import { count, number, plain } from '../terminal/text.ts'
import { isOperation, type Operation, watchOperation } from './operation.ts'

interface Options {
  readonly topic?: string
  readonly reason?: string
  readonly from?: string
  readonly to?: string
  readonly rate: number
  readonly dryRun?: boolean
  readonly expect?: number
  readonly yes?: boolean
  readonly wait: boolean
}

interface Counted {
  readonly matched: number
  readonly by_reason: Readonly<Record<string, number>>
  readonly as_of: string
}

export async function redrive(context: Context, [id]: string[], given: Options): Promise<number | undefined> {
  const { json, out, report } = context
  const { topic, reason, from, to, rate, expect, wait } = given
  requireSpan(given)
  if (!given.dryRun && !given.yes && expect === undefined && !isInteractive(json)) {
    throw new UsageError('nobody can be asked here: say --expect N, or --yes; --dry-run counts')
  }
  const filter = { id, topic, reason, from, to }
  const answer = await post(context, { filter, dry_run: true })
  const counted = jsonOf<Counted>(answer, (value) => 'matched' in value && 'as_of' in value)
  if (given.dryRun) {
    await out.line(json ? answer.text.trimEnd() : countedText(counted))
    return undefined
  }
  if (expect !== undefined && expect !== counted.matched) {
    report(`${count(counted.matched, 'dead letter')} match, and not ${number(expect)}: nothing is redriven`)
    return exitCodes.refused
  }
  if (counted.matched === 0) {
    if (json) await out.line(answer.text.trimEnd())
    else await out.line('no dead letter matches: nothing is redriven')
    return undefined
  }
  if (expect === undefined && !given.yes && !(await isConfirmed(context, counted))) {
    report('nothing is redriven')
    return exitCodes.refused
  }
  const { matched, as_of } = counted
  const begun = jsonOf<Operation>(await post(context, { filter, as_of, expect: matched, rate }), isOperation)
  if (wait) return await watchOperation(context, String(begun.id))
  await out.line(
    json ? JSON.stringify(begun) : `operation ${begun.id} has begun: sekali operation watch ${begun.id}`,
  )
  return undefined
}

const countedText = ({ matched, by_reason }: Counted): string => {
  const reasons = Object.entries(by_reason).map(([reason, of]) => `${number(of)} ${plain(reason)}`)
  return `${count(matched, 'dead letter')} would be redriven${matched === 0 ? '' : `: ${reasons.join(', ')}`}`
}

const isInteractive = (json: boolean): boolean =>
  !json && process.stdin.isTTY === true && process.stderr.isTTY === true

/** Whoever types the number has read it. */
async function isConfirmed({ report, signal }: Context, counted: Counted): Promise<boolean> {
  report(countedText(counted))
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const typed = await asking.question(`Type ${counted.matched} to redrive them: `, { signal })
    return typed.trim() === String(counted.matched)
  } finally {
    asking.close()
  }
}

/** Once: a second try after a lost answer could begin a second redrive. */
function post({ connection, options }: Context, body: object) {
  const headers = { 'content-type': 'application/json' }
  const request = { method: 'POST', headers, body: JSON.stringify(body) } as const
  const isHarmless = 'dry_run' in body
  return call(connection, '/dead-letters/redrive', request, {
    ...options,
    ...(!isHarmless && {
      onRetry: ({ error }: { readonly error: Error }) => {
        throw error
      },
    }),
  })
}
