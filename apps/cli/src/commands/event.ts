import type { StoredEvent } from '@sekali/client/answers'
import { DeadEvent, Refused } from '@sekali/client/errors'
import { receiptAnswer } from '@sekali/client/receipt'
import { onOneLine } from '@sekali/core/event'
import { isPattern } from '@sekali/core/pattern'
import { findPayload } from '@sekali/core/payload'
import type { Command } from 'commander'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { exitCodes, UsageError } from '../exit.ts'
import { plain, styled } from '../terminal/text.ts'
import { calls } from './calls.ts'

export function addEvent(program: Command, surroundings: Surroundings): void {
  program
    .command('event')
    .summary('what became of one event')
    .description(
      'Says what became of an event: stored with its seq and times, in flight, dead with the reason, or unknown.',
    )
    .argument('<topic>', 'its topic')
    .argument('<id>', 'its event id')
    .addHelpText(
      'after',
      `
Example:
  $ sekali event orders.eu.paid order-1

It ends with 0 if the event is stored or in flight, with 1 if it is dead or unknown.
`,
    )
    .addHelpText('after', calls('readEvent'))
    .action(action(surroundings, run))
}

const run = async ({ connection, options, json, out }: Context, [topic, id]: string[]) => {
  if (isPattern(required(topic))) {
    throw new UsageError(
      `an event is of one topic, not of a pattern; for those of a pattern there is sekali events '${plain(required(topic))}'`,
    )
  }
  try {
    const { text } = await receiptAnswer(connection, required(topic), required(id), options)
    await out.line(json ? `{"status":"stored","event":${onOneLine(text.trimEnd())}}` : stored(text))
    return exitCodes.done
  } catch (error) {
    const status = statusOf(error)
    if (status === undefined) throw error
    const reason = error instanceof DeadEvent ? error.reason : undefined
    await out.line(
      json ? JSON.stringify({ status, reason }) : `${styled('red', status)}${explained(status, reason)}`,
    )
    return status === 'in_flight' ? exitCodes.done : exitCodes.refused
  }
}

type Status = 'dead' | 'in_flight' | 'unknown'

function statusOf(error: unknown): Status | undefined {
  if (error instanceof DeadEvent) return 'dead'
  if (!(error instanceof Refused)) return undefined
  return error.code === 'event_in_flight'
    ? 'in_flight'
    : error.code === 'unknown_event'
      ? 'unknown'
      : undefined
}

function explained(status: Status, reason = 'reason unknown'): string {
  if (status === 'dead') return `: PostgreSQL would not store it (${reason}); sekali dead-letter list has it`
  if (status === 'in_flight') return ': accepted, not yet stored; ask again'
  return ': no such event was accepted'
}

function stored(text: string): string {
  const { payload: _, ...event } = JSON.parse(text) as StoredEvent
  const { topic, event_id, seq, source, timestamp, received_at, stored_at, ...others } = event
  const lines = [
    ['topic', topic],
    ['event id', event_id],
    ['seq', seq],
    ['source', source],
    ['timestamp', timestamp],
    ...Object.entries(others),
    ['received', received_at],
    ['stored', stored_at],
    ['payload', findPayload(text).text ?? ''],
  ] as const
  return lines.map(([name, value]) => `${styled('dim', name.padEnd(9))}  ${plain(String(value))}`).join('\n')
}
